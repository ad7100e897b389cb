package queue_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/queue"
)

// TestMain takes Redis' own word for what goes wrong on its connections out of
// the output, and sees to it that nothing that a test started is left.
func TestMain(m *testing.M) {
	queue.LogConnections(slog.New(slog.DiscardHandler))
	goleak.VerifyTestMain(m)
}

// realRedis is a private redis-server, append-only as in production.
func realRedis(t testing.TB) *devstack.Stack {
	t.Helper()
	s := devstack.ForTest(t, devstack.Options{NoPostgres: true, Durable: true})
	if s.RedisInMemory {
		t.Skip("no redis-server on this machine")
	}
	return s
}

// kill ends Redis as a crash does.
func kill(t testing.TB, s *devstack.Stack) {
	t.Helper()
	if err := s.KillRedis(); err != nil {
		t.Fatal(err)
	}
}

func restart(t testing.TB, s *devstack.Stack) {
	t.Helper()
	if err := s.RestartRedis(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// freeze stops Redis without closing anything, as a paused machine does, until
// thaw or the end of the test.
func freeze(t testing.TB, s *devstack.Stack) (thaw func()) {
	t.Helper()
	_, pid := s.PIDs()
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thaw = func() { _ = p.Signal(syscall.SIGCONT) }
	t.Cleanup(thaw)
	return thaw
}

// raw is a plain Redis client.
func raw(t testing.TB, url string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	r := redis.NewClient(o)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// eventually waits until ok, for at most half a minute.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited 30 s in vain until %s", what)
		}
	}
}

// connect returns a client that logs to the test.
func connect(t testing.TB, url string) *queue.Client {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	c, err := queue.Connect(url, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}

// consume runs a consumer of shard 0 until stop is called, at the latest at the
// end of the test. stop returns when Consume has, and says how long that took.
func consume(t testing.TB, c *queue.Client, concurrency int, h queue.Handler) (stop func() time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Consume(ctx, 0, concurrency, h) }()
	var stopped atomic.Bool
	stop = func() time.Duration {
		t.Helper()
		if stopped.Swap(true) {
			return 0
		}
		start := time.Now()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Consume: %v", err)
		}
		return time.Since(start)
	}
	t.Cleanup(func() { stop() })
	return stop
}

// enqueue puts an empty batch on shard 0 and returns its id.
func enqueue(t testing.TB, c *queue.Client) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	if err := c.Enqueue(t.Context(), 0, queue.Encode(id, []byte("[]")), id); err != nil {
		t.Fatal(err)
	}
	return id
}

// stats returns the figures of shard 0.
func stats(t testing.TB, c *queue.Client) queue.Stats {
	t.Helper()
	all, err := c.Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range all {
		if q.Queue == queue.Name(0) {
			return q
		}
	}
	return queue.Stats{}
}
