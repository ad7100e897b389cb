package worker

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/jackc/pgx/v5/pgconn"
)

// TestPostgresDiesInMidBatch kills the database between reading and judging, and
// while batches are written, and counts afterwards.
func TestPostgresDiesInMidBatch(t *testing.T) {
	stack := devstack.ForTest(t, devstack.Options{Durable: true, NoRedis: true})
	if _, err := postgres.Migrate(t.Context(), stack.DatabaseURL); err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, url: stack.DatabaseURL, store: open(t, stack.DatabaseURL)}
	h.apply(noon.AddDate(0, 0, -1), town+"      - "+plain("A1", "100000")+"\n      - "+plain("A2", "100000"))
	s := h.stall(t, 2)

	const batches, records = 24, 250
	var tasks []queue.Task
	for i := range batches {
		var all []string
		for k := range records {
			all = append(all, use(fmt.Sprint(i, "-", k), fmt.Sprint("A", 1+k%2), "unleaded", "1", day(20, "10:00:00")))
		}
		b := h.accept(all...)
		tasks = append(tasks, task(b.ID, all...))
	}
	die := func() {
		if err := stack.KillPostgres(); err != nil {
			t.Error(err)
		}
		if err := stack.RestartPostgres(t.Context()); err != nil {
			t.Error(err)
		}
	}
	var groups, asked atomic.Int64
	s.flow.clock = func() time.Time {
		// The third group: its handler asks, its owner, and then the flow, when it
		// has read and before it judges.
		if groups.Load() == 2 && asked.Add(1) == 3 {
			die()
		}
		return noon
	}
	killed := make(chan struct{})
	s.observe = func(Group) {
		if groups.Add(1) == 5 {
			go func() { // while the sixth is at work
				defer close(killed)
				die()
			}()
		}
	}
	s.begin()
	for _, task := range tasks {
		if err := s.deliver(task)[0]; err != nil {
			t.Errorf("got %v, want that the owner waits for the database", err)
		}
	}
	<-killed
	if got, want := h.query(`select concat_ws(' ', count(*), sum(charge)) from records where outcome = 1`), "6000 12000.000000"; got != want {
		t.Errorf("rated: got %s, want %s", got, want)
	}
	if got, want := h.query(`select concat_ws(' ', count(*), sum(records), sum(rated)) from batches where done_at is not null`), "24 6000 6000"; got != want {
		t.Errorf("batches: got %s, want %s", got, want)
	}
	if got, want := h.view("A1").Balance+h.view("A2").Balance, money("188000"); got != want {
		t.Errorf("balances: got %s together, want %s", got, want)
	}
	if got := h.recount(); got != "" {
		t.Errorf("counters differ from their records:\n%s", got)
	}
}

// TestACommitWhoseAnswerIsLost was done all the same: who asks again finds it.
func TestACommitWhoseAnswerIsLost(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	w := newWire(t, h.url)
	far := &house{t: t, url: h.url, store: open(t, w.url)}
	f := far.flow(eager, 10)
	far.commit(f, far.accept(use("0", "A1", "unleaded", "1", day(20, "10:00:00"))))
	b := far.accept(use("1", "A1", "unleaded", "1", day(20, "10:00:00")), use("2", "A1", "absent", "1", day(20, "10:00:00")))
	w.loseAnswer.Store(true)
	if _, err := f.commit(t.Context(), []batch{b}); err == nil || !retry(err) {
		t.Fatalf("got %v, want an error that may go away", err)
	}
	if out := far.commit(f, b); out.Accepted != 0 {
		t.Errorf("asked again: got %+v, want that nothing was left to do", out)
	}
	far.commit(f, far.accept(use("3", "A1", "unleaded", "1", day(20, "10:00:00"))))
	if got, want := h.view("A1").Balance, money("94"); got != want {
		t.Errorf("balance: got %s, want %s", got, want)
	}
	if got, want := h.query(`select count(*)::text from records`), "4"; got != want {
		t.Errorf("got %s records, want %s", got, want)
	}
}

// wire carries bytes between a store and its database, and can break right after
// the next commit, whose answer it loses.
type wire struct {
	url        string
	loseAnswer atomic.Bool
	server     func() (net.Conn, error)
	listener   net.Listener
	carrying   sync.WaitGroup
}

func newWire(t *testing.T, databaseURL string) *wire {
	t.Helper()
	config, err := pgconn.ParseConfig(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	w := &wire{server: func() (net.Conn, error) { return net.Dial(network, address) }}
	if w.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	w.url = (&url.URL{Scheme: "postgres", User: url.User(config.User), Host: w.listener.Addr().String(), Path: config.Database,
		RawQuery: "sslmode=disable"}).String()
	w.carrying.Go(w.accept)
	t.Cleanup(func() {
		_ = w.listener.Close()
		w.carrying.Wait()
	})
	return w
}

func (w *wire) accept() {
	for {
		client, err := w.listener.Accept()
		if err != nil {
			return
		}
		server, err := w.server()
		if err != nil {
			_ = client.Close()
			continue
		}
		var breaks atomic.Bool
		w.carrying.Go(func() {
			carry(server, client, func(b []byte) bool {
				if bytes.Contains(b, []byte("commit\x00")) && w.loseAnswer.Swap(false) {
					breaks.Store(true)
				}
				return true
			})
		})
		w.carrying.Go(func() { carry(client, server, func([]byte) bool { return !breaks.Load() }) })
	}
}

// carry copies until either end is closed or pass says no, and closes both.
func carry(to, from net.Conn, pass func([]byte) bool) {
	defer func() {
		_ = to.Close()
		_ = from.Close()
	}()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err != nil || !pass(b[:n]) {
			return
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}
