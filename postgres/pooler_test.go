package postgres

import (
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/jackc/pgx/v5/pgconn"
)

// pooled is the address of a database behind what stands for PgBouncer in
// transaction mode: after each transaction somebody else has the connection, and
// nothing that was prepared before is there.
func pooled(t *testing.T, databaseURL string) string {
	t.Helper()
	behind, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "pooler") //nolint:usetesting // a socket's path has a hundred bytes at most
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	network, address := pgconn.NetworkAddress(behind.Host, behind.Port)
	wait.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // closed
			}
			server, err := new(net.Dialer).DialContext(t.Context(), network, address)
			if err != nil {
				_ = client.Close()
				return
			}
			wait.Go(func() { _, _ = io.Copy(server, client); _ = server.Close() })
			wait.Go(func() { lend(client, server); _ = client.Close() })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		wait.Wait()
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return "postgres://" + behind.User + "@/" + behind.Database + "?host=" + dir + "&port=5432&default_query_exec_mode=cache_describe"
}

// lend passes on what the database says, and where a transaction has ended asks it
// something first, as another client would: a simple query ends the statement
// without a name.
func lend(client, server net.Conn) {
	for {
		m, err := message(server)
		if err != nil {
			return
		}
		if m[0] == 'Z' && m[5] == 'I' { // ready for a query, outside a transaction
			if _, err = server.Write([]byte("Q\x00\x00\x00\x0dselect 1\x00")); err != nil {
				return
			}
			for other := []byte{0}; other[0] != 'Z'; {
				if other, err = message(server); err != nil {
					return
				}
			}
		}
		if _, err := client.Write(m); err != nil {
			return
		}
	}
}

// message is the next message: its kind, its length, and what it says.
func message(from io.Reader) ([]byte, error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	m := append(head, make([]byte, binary.BigEndian.Uint32(head[1:])-4)...)
	_, err := io.ReadFull(from, m[5:])
	return m, err
}

// TestAPoolerMayLendConnections between two transactions: what docs/operating.md
// says of PgBouncer.
func TestAPoolerMayLendConnections(t *testing.T) {
	url := pgtest.New(t)
	direct, err := Open(t.Context(), url, Options{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer direct.Close()
	direct.apply(t, village)
	s, err := Open(t.Context(), pooled(t, url), Options{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := 0
	if err := s.Accounts(t.Context(), AccountFilter{}, at("2026-03-10T12:00:00Z"), func(*AccountView) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("got %d accounts, %v, want 2", n, err)
	}
	for _, err := range s.Records(t.Context(), RecordFilter{Limit: 1}) {
		t.Errorf("records: got %v, want none", err)
	}
	if _, err := s.VendorAccounts(t.Context(), VendorFilter{Most: 1}); err != nil {
		t.Error(err)
	}
}
