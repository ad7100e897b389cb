package queue_test

import (
	"context"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/queue"
)

// TestAcknowledgementOutlivesAnOutage kills Redis while a handler works and
// brings it back only after the acknowledgement was refused several times. asynq
// alone would not repeat it, and deliver the task again after a minute.
func TestAcknowledgementOutlivesAnOutage(t *testing.T) {
	t.Parallel()
	s := realRedis(t)
	c := connect(t, s.RedisURL)
	enqueue(t, c)

	working, finish := make(chan struct{}), make(chan struct{})
	var deliveries atomic.Int32
	stop := consume(t, c, 1, func(context.Context, queue.Task) error {
		deliveries.Add(1)
		close(working)
		<-finish
		return nil
	})
	<-working
	kill(t, s)
	close(finish)
	refuse(t, s, 10)
	restart(t, s)

	eventually(t, "the task is acknowledged", func() bool { return stats(t, c).ProcessedToday == 1 })
	if !isIdle(t, c, 1) {
		t.Errorf("got %+v, want nothing left", stats(t, c))
	}
	stop()
	if got := deliveries.Load(); got != 1 {
		t.Errorf("%d deliveries, want 1", got)
	}
}

// refuse stands in for a Redis that is away until n connections were tried.
func refuse(t *testing.T, s *devstack.Stack, n int) {
	t.Helper()
	u, err := url.Parse(s.RedisURL)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	for range n {
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
}

// TestDeadWorkersTaskComesBackUncounted leaves a task as a worker leaves it that
// was killed: active, with a lease that nobody extends. It does so three times
// with a task that may be retried once, and each time it comes back when the
// next consumer of the shard starts, with no retry used up.
func TestDeadWorkersTaskComesBackUncounted(t *testing.T) {
	t.Parallel()
	s := realRedis(t)
	c := connect(t, s.RedisURL)
	r := raw(t, s.RedisURL)
	batch := enqueueForeign(t, s.RedisURL, asynq.MaxRetry(1)).ID

	for range 3 {
		abandon(t, r, batch)
		tasks := make(chan queue.Task)
		release := make(chan struct{})
		stop := consume(t, c, 1, func(_ context.Context, task queue.Task) error {
			tasks <- task
			<-release
			return context.Canceled // back to Redis for the next round
		})
		if task := <-tasks; task.ID != batch || task.Retried != 0 {
			t.Errorf("got task %s retried %d times, want %s and 0", task.ID, task.Retried, batch)
		}
		close(release)
		eventually(t, "it waits for its retry", func() bool { return stats(t, c).Retry == 1 })
		stop()
		runRetries(t, r)
	}
	if s := stats(t, c); s.FailedToday != 0 || s.Archived != 0 {
		t.Errorf("got %+v, want no failure", s)
	}
}

// abandon does to the pending task of shard 0 what asynq's fetch does, a minute
// ago: the lease of 30 seconds ran out 35 seconds ago.
func abandon(t *testing.T, r *redis.Client, id string) {
	t.Helper()
	ctx := t.Context()
	const key = "asynq:{usage-00}:"
	got, err := r.LMove(ctx, key+"pending", key+"active", "RIGHT", "LEFT").Result()
	if err != nil || got != id {
		t.Fatalf("fetched %q, %v; want %q", got, err, id)
	}
	lease := float64(time.Now().Add(-35 * time.Second).Unix())
	if err := r.ZAdd(ctx, key+"lease", redis.Z{Score: lease, Member: id}).Err(); err != nil {
		t.Fatal(err)
	}
	if err := r.HSet(ctx, key+"t:"+id, "state", "active").Err(); err != nil {
		t.Fatal(err)
	}
}

func runRetries(t *testing.T, r *redis.Client) {
	t.Helper()
	if _, err := asynq.NewInspectorFromRedisClient(r).RunAllRetryTasks(queue.Name(0)); err != nil {
		t.Fatal(err)
	}
}

// TestConsumerOutlivesARestart starts a consumer before there is a Redis, and
// takes Redis away from it while it is idle.
func TestConsumerOutlivesARestart(t *testing.T) {
	t.Parallel()
	s := realRedis(t)
	c := connect(t, s.RedisURL)
	kill(t, s)
	seen := make(chan string, 2)
	consume(t, c, 1, func(_ context.Context, task queue.Task) error {
		seen <- task.ID
		return nil
	})
	for range 2 {
		restart(t, s)
		want := enqueue(t, c).String()
		if got := <-seen; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		eventually(t, "it is acknowledged", func() bool { return isIdle(t, c, 1) })
		kill(t, s)
	}
}

func TestEnqueueGivesUpSoon(t *testing.T) {
	for _, tc := range []struct {
		name string
		away func(*testing.T, *devstack.Stack)
	}{
		{"when Redis is down", func(t *testing.T, s *devstack.Stack) { kill(t, s) }},
		{"when Redis does not answer", func(t *testing.T, s *devstack.Stack) { freeze(t, s) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := realRedis(t)
			c := connect(t, s.RedisURL)
			enqueue(t, c)
			tc.away(t, s)
			start := time.Now()
			batch := uuid.Must(uuid.NewV7())
			if err := c.Enqueue(t.Context(), 0, queue.Encode(batch, nil), batch); err == nil {
				t.Error("enqueued without Redis")
			}
			if err := c.Ping(t.Context()); err == nil {
				t.Error("pinged without Redis")
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("two calls took %v, want about two seconds each at most", took)
			}
		})
	}
}

// TestQueueIsListedAfterRedisForgot restarts a Redis that kept nothing: asynq's
// client believes that its list of queues has ours.
func TestQueueIsListedAfterRedisForgot(t *testing.T) {
	t.Parallel()
	s := devstack.ForTest(t, devstack.Options{NoPostgres: true})
	if s.RedisInMemory {
		t.Skip("no redis-server on this machine")
	}
	c := connect(t, s.RedisURL)
	enqueue(t, c)
	kill(t, s)
	restart(t, s)
	if isIdle(t, c, 1) {
		enqueue(t, c)
	} else {
		t.Fatal("Redis did not forget")
	}
	if got := stats(t, c).Pending; got != 1 {
		t.Errorf("%d tasks pending, want 1", got)
	}
	if isIdle(t, c, 1) {
		t.Error("idle with a task pending")
	}
}
