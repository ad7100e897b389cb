package pgtest

import (
	"net"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// Valve stands between a client and its database. Shut, it lets nothing through
// and ends no connection: so does a server that is frozen, or a network that
// loses everything.
type Valve struct {
	URL string // of the database, through the valve

	network, address string // of the database

	mu    sync.Mutex
	flow  chan struct{} // closed while it is open
	conns []net.Conn
	wait  sync.WaitGroup
}

// NewValve is an open valve before a database. It goes when the test ends.
func NewValve(t testing.TB, databaseURL string) *Valve {
	t.Helper()
	behind, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	// A socket's path has a hundred bytes at most: t.TempDir has the test's name in it.
	dir, err := os.MkdirTemp("", "valve") //nolint:usetesting // as said
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	through, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	through.Host, through.RawQuery = "", url.Values{"host": {dir}, "port": {"5432"}}.Encode()
	v := &Valve{URL: through.String(), flow: make(chan struct{})}
	v.network, v.address = pgconn.NetworkAddress(behind.Host, behind.Port)
	close(v.flow)
	v.wait.Go(func() { v.accept(listener) })
	t.Cleanup(func() {
		v.Open()
		_ = listener.Close()
		v.mu.Lock()
		for _, c := range v.conns {
			_ = c.Close()
		}
		v.mu.Unlock()
		v.wait.Wait()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return v
}

// Shut holds everything up from now on.
func (v *Valve) Shut() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.flow = make(chan struct{})
}

// Open lets go what was held up.
func (v *Valve) Open() {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case <-v.flow:
	default:
		close(v.flow)
	}
}

// Cut ends all connections; what was held up is lost. It is open afterwards.
func (v *Valve) Cut() {
	v.mu.Lock()
	for _, c := range v.conns {
		_ = c.Close()
	}
	v.conns = nil
	v.mu.Unlock()
	v.Open()
}

func (v *Valve) opened() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.flow
}

func (v *Valve) accept(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return // closed
		}
		server, err := net.Dial(v.network, v.address) //nolint:noctx // it ends with the test
		if err != nil {
			_ = client.Close()
			continue
		}
		v.mu.Lock()
		v.conns = append(v.conns, client, server)
		v.mu.Unlock()
		v.wait.Go(func() { v.pump(client, server) })
		v.wait.Go(func() { v.pump(server, client) })
	}
}

// pump passes on what comes, and that nothing more comes.
func (v *Valve) pump(from, to net.Conn) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		<-v.opened()
		if n > 0 {
			if _, failed := to.Write(b[:n]); failed != nil {
				err = failed
			}
		}
		if err != nil {
			_, _ = from.Close(), to.Close()
			return
		}
	}
}
