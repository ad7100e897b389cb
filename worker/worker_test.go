package worker

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// redisFor is a Redis of the test's own.
func redisFor(t *testing.T) (*devstack.Stack, *queue.Client) {
	t.Helper()
	stack := devstack.ForTest(t, devstack.Options{NoPostgres: true})
	return stack, connect(t, stack.RedisURL)
}

func connect(t *testing.T, url string) *queue.Client {
	t.Helper()
	q, err := queue.Connect(url, logTo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	return q
}

// nowhere is a Redis that is not there.
func nowhere(t *testing.T) *queue.Client { return connect(t, "redis://127.0.0.1:1") }

// run lets a worker work until stop is called, at the latest when the test ends.
// Stop answers how long it took.
func (h *house) run(t *testing.T, q *queue.Client, c Config) (stop func() time.Duration) {
	t.Helper()
	c.Settings, c.BatchesPerCommit, c.CacheAccounts = eager, 4, 1000
	if c.Lease == 0 {
		c.Lease = 3 * time.Second
	}
	w, err := New(h.store, q, c, time.Now, logTo(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	var stopped atomic.Bool
	stop = func() time.Duration {
		if stopped.Swap(true) {
			return 0
		}
		started := time.Now()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		return time.Since(started)
	}
	t.Cleanup(func() { stop() })
	return stop
}

// send accepts a batch of n uses of A1 at a shard, now, with ids that begin so,
// and enqueues it if there is a queue.
func (h *house) send(q *queue.Client, shard int, name string, n int) uuid.UUID {
	h.t.Helper()
	var records []string
	for i := range n {
		records = append(records, use(fmt.Sprint(name, i), fmt.Sprint("A", 1+i%2), "unleaded", "1", day(20, "10:00:00")))
	}
	b := postgres.StoredBatch{ID: newID(), Shard: shard, Source: "test", Count: n, AcceptedAt: time.Now().UTC().Truncate(time.Microsecond),
		Records: array(records)}
	if err := h.store.Accept(h.t.Context(), b); err != nil {
		h.t.Fatal(err)
	}
	if q != nil {
		if err := q.Enqueue(h.t.Context(), shard, queue.Encode(b.ID, b.Records), b.ID); err != nil {
			h.t.Fatal(err)
		}
	}
	return b.ID
}

// done waits until nothing waits any more.
func (h *house) done() {
	h.t.Helper()
	eventually(h.t, "all batches are done", func() bool {
		n, err := h.store.WaitingBatches(h.t.Context())
		return err == nil && n == 0
	})
}

// holders lists who holds how many shards.
func (h *house) holders() string {
	return h.query(`select coalesce(string_agg(n::text, ' ' order by n), '') from (
		select count(*) as n from shard_leases where expires_at > now() group by holder) as t`)
}

func TestWorkersShareTheShards(t *testing.T) {
	h := newHouse(t, plain("A1", "1000"), plain("A2", "1000"))
	_, q := redisFor(t)
	const shards = 5
	stop := h.run(t, q, Config{Shards: shards, Lease: 600 * time.Millisecond})
	eventually(t, "the first one has them all", func() bool { return h.holders() == "5" })
	other := h.run(t, q, Config{Shards: shards, Lease: 600 * time.Millisecond})
	for i := range 40 {
		h.send(q, i%shards, fmt.Sprint("b", i, "-"), 5)
	}
	eventually(t, "the two share", func() bool { return h.holders() == "2 3" })
	h.done()
	if got, want := h.view("A1").Balance+h.view("A2").Balance, money("1600"); got != want {
		t.Errorf("balances: got %s together, want %s", got, want)
	}
	if took := other(); took > 3*time.Second {
		t.Errorf("stopping took %s", took)
	}
	eventually(t, "the first one has them all again", func() bool { return h.holders() == "5" })
	if took := stop(); took > 3*time.Second {
		t.Errorf("stopping took %s", took)
	}
	if got := h.holders(); got != "" {
		t.Errorf("after both have stopped %s shards are held", got)
	}
}

// TestAKilledWorkersShardsAreTaken: it neither renews nor gives back, and it had
// taken a task that nobody will deliver again.
func TestAKilledWorkersShardsAreTaken(t *testing.T) {
	h := newHouse(t, plain("A1", "1000"), plain("A2", "1000"))
	_, q := redisFor(t)
	const shards, lease = 3, time.Second
	dead := uuid.New()
	held, err := h.store.LeaseShards(t.Context(), postgres.LeaseRequest{Holder: dead, Shards: shards, Lease: lease})
	if err != nil || len(held.Shards) != shards {
		t.Fatalf("the one to be killed holds %v: %v", held, err)
	}
	killed := time.Now()
	for i := range shards {
		h.send(nil, i, fmt.Sprint("b", i, "-"), 10)
	}
	h.run(t, q, Config{Shards: shards, Lease: lease})
	eventually(t, "the other one has them all", func() bool {
		return h.query(`select count(*)::text from shard_leases where expires_at > now() and holder <> '`+dead.String()+`'`) == "3"
	})
	if took := time.Since(killed); took < lease/2 {
		t.Errorf("the shards were taken after %s, though the lease was %s", took, lease)
	}
	h.done()
	if got, want := h.view("A1").Balance+h.view("A2").Balance, money("1940"); got != want {
		t.Errorf("balances: got %s together, want %s", got, want)
	}
}

// TestNothingIsLostWhileWorkersComeAndGo sends while workers stop in the middle of
// it, and counts.
func TestNothingIsLostWhileWorkersComeAndGo(t *testing.T) {
	h := newHouse(t, plain("A1", "10000"), plain("A2", "10000"))
	_, q := redisFor(t)
	const shards, batches = 2, 120
	stops := []func() time.Duration{
		h.run(t, q, Config{Shards: shards, Lease: 900 * time.Millisecond}),
		h.run(t, q, Config{Shards: shards, Lease: 900 * time.Millisecond}),
	}
	for i := range batches {
		if i%2 == 0 {
			h.send(q, i%shards, fmt.Sprint("b", i, "-"), 10)
		} else { // a feed that knows the queue only
			var records []string
			for k := range 10 {
				records = append(records, use(fmt.Sprint("b", i, "-", k), fmt.Sprint("A", 1+k%2), "unleaded", "1", day(20, "10:00:00")))
			}
			id := newID()
			if err := q.Enqueue(t.Context(), i/2%shards, queue.Encode(id, array(records)), id); err != nil {
				t.Fatal(err)
			}
		}
		if i%20 == 10 {
			if took := stops[0](); took > 5*time.Second {
				t.Errorf("stopping took %s", took)
			}
			stops = append(stops[1:], h.run(t, q, Config{Shards: shards, Lease: 900 * time.Millisecond}))
		}
	}
	eventually(t, "all of them are rated", func() bool {
		return h.query(`select count(*)::text from records where outcome = 1`) == fmt.Sprint(batches*10)
	})
	h.done()
	if got, want := h.view("A1").Balance+h.view("A2").Balance, money("17600"); got != want {
		t.Errorf("balances: got %s together, want %s", got, want)
	}
	if got := h.recount(); got != "" {
		t.Errorf("counters differ from their records:\n%s", got)
	}
}

// TestAnAcceptedBatchNeedsNoQueue: Redis is not there at all.
func TestAnAcceptedBatchNeedsNoQueue(t *testing.T) {
	h := newHouse(t, plain("A1", "1000"), plain("A2", "1000"))
	stop := h.run(t, nowhere(t), Config{Shards: 2})
	h.send(nil, 0, "a", 10)
	h.send(nil, 1, "b", 10)
	h.done()
	if got, want := h.view("A1").Balance+h.view("A2").Balance, money("1960"); got != want {
		t.Errorf("balances: got %s together, want %s", got, want)
	}
	if took := stop(); took > 3*time.Second {
		t.Errorf("stopping took %s", took)
	}
}

// TestRedisMayLoseEverything in the middle of it.
func TestRedisMayLoseEverything(t *testing.T) {
	h := newHouse(t, plain("A1", "1000"), plain("A2", "1000"))
	stack, q := redisFor(t)
	if stack.RedisInMemory {
		t.Skip("no redis-server on this machine")
	}
	h.send(q, 0, "a", 10) // nobody takes it before Redis is gone
	h.run(t, q, Config{Shards: 1})
	h.send(q, 0, "b", 10)
	if err := stack.KillRedis(); err != nil {
		t.Fatal(err)
	}
	h.send(nil, 0, "c", 10)
	h.done()
	if err := stack.RestartRedis(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the queue is back", func() bool { return q.Ping(t.Context()) == nil })
	h.send(q, 0, "d", 10)
	h.done()
	if got, want := h.view("A1").Balance+h.view("A2").Balance, money("1920"); got != want {
		t.Errorf("balances: got %s together, want %s", got, want)
	}
}

func TestWhoeverWatchesIsToldOfEveryCommit(t *testing.T) {
	h := newHouse(t, plain("A1", "1000"), plain("A2", "1000"))
	_, q := redisFor(t)
	groups := make(chan Group, 10)
	h.run(t, q, Config{Shards: 1, Observe: func(g Group) { groups <- g }})
	id := h.send(q, 0, "a", 7)
	g := <-groups
	if g.Shard != 0 || len(g.Batches) != 1 || g.Batches[0] != id || g.Outcomes.Accepted != 7 || g.Outcomes.Rated != 7 {
		t.Errorf("got %+v, want a batch of seven rated", g)
	}
}

func TestAWorkerNeedsSomethingToDo(t *testing.T) {
	for _, c := range []Config{{BatchesPerCommit: 1, Lease: 1}, {Shards: 1, Lease: 1}, {Shards: 1, BatchesPerCommit: 1}} {
		if _, err := New(nil, nil, c, time.Now, logTo(t)); err == nil {
			t.Errorf("%+v was taken", c)
		}
	}
}
