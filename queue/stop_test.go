package queue_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"github.com/chargehand/chargehand/queue"
)

// stopMax is the nine seconds after which Consume cuts its connection, the second
// for which go-redis may rest just then, and two for a busy machine.
const stopMax = 12 * time.Second

func TestIdleConsumerStopsAtOnce(t *testing.T) {
	c := connect(t, realRedis(t).RedisURL)
	batch := enqueue(t, c)
	seen := make(chan string)
	stop := consume(t, c, 4, func(_ context.Context, task queue.Task) error {
		seen <- task.ID
		return nil
	})
	if got := <-seen; got != batch.String() {
		t.Errorf("got %s, want %s", got, batch)
	}
	if took := stop(); took > time.Second {
		t.Errorf("stopping took %v, want less than a second", took)
	}
	if !isIdle(t, c, 1) {
		t.Error("the task was not acknowledged")
	}
}

func TestHandlerMayFinishWhileItsConsumerStops(t *testing.T) {
	t.Parallel()
	c := connect(t, realRedis(t).RedisURL)
	enqueue(t, c)
	working, finish := make(chan struct{}), make(chan struct{})
	stop := consume(t, c, 1, func(ctx context.Context, _ queue.Task) error {
		close(working)
		<-finish
		return ctx.Err()
	})
	<-working
	time.AfterFunc(500*time.Millisecond, func() { close(finish) })
	if took := stop(); took > 3*time.Second {
		t.Errorf("stopping took %v, want no more than the handler", took)
	}
	if diff := cmp.Diff(queue.Stats{Queue: "usage-00", ProcessedToday: 1}, stats(t, c)); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestUnfinishedTaskGoesBackToTheHead(t *testing.T) {
	t.Parallel()
	c := connect(t, realRedis(t).RedisURL)
	first, second := enqueue(t, c).String(), enqueue(t, c).String()
	working := make(chan struct{})
	stop := consume(t, c, 1, func(ctx context.Context, _ queue.Task) error {
		close(working)
		<-ctx.Done()
		return ctx.Err()
	})
	<-working
	if took := stop(); took > stopMax {
		t.Errorf("stopping took %v, want at most %v", took, stopMax)
	}
	if s := stats(t, c); s.Pending != 2 || s.Active != 0 || s.Retry != 0 || s.FailedToday != 0 {
		t.Errorf("got %+v, want two pending and no failure", s)
	}

	seen := make(chan queue.Task, 2)
	consume(t, c, 1, func(_ context.Context, task queue.Task) error {
		seen <- task
		return nil
	})
	for _, want := range []string{first, second} {
		if got := <-seen; got.ID != want || got.Retried != 0 {
			t.Errorf("got %s retried %d times, want %s and 0", got.ID, got.Retried, want)
		}
	}
}

// TestAbandonedHandlerIsWaitedFor cancels a task from outside, as asynq's tools
// can. asynq then goes on without the handler; Consume does not.
func TestAbandonedHandlerIsWaitedFor(t *testing.T) {
	t.Parallel()
	s := realRedis(t)
	c := connect(t, s.RedisURL)
	batch := enqueue(t, c)
	inspector := asynq.NewInspectorFromRedisClient(raw(t, s.RedisURL))
	working, finish, returned := make(chan struct{}), make(chan struct{}), make(chan struct{})
	stop := consume(t, c, 1, func(ctx context.Context, _ queue.Task) error {
		close(working)
		<-finish // deaf to its context
		close(returned)
		return ctx.Err()
	})
	<-working
	eventually(t, "asynq has given the handler up", func() bool {
		if err := inspector.CancelProcessing(batch.String()); err != nil {
			t.Fatal(err)
		}
		return stats(t, c).Retry == 1
	})
	time.AfterFunc(200*time.Millisecond, func() { close(finish) })
	stop()
	select {
	case <-returned:
	default:
		t.Error("Consume returned before its handler")
	}
	if got := stats(t, c).FailedToday; got != 0 {
		t.Errorf("%d failures, want none: the task was cancelled", got)
	}
}

func TestStopHasABoundWithoutRedis(t *testing.T) {
	t.Run("that is down", func(t *testing.T) {
		t.Parallel()
		s := realRedis(t)
		c := connect(t, s.RedisURL)
		enqueue(t, c)
		working := make(chan struct{})
		stop := consume(t, c, 2, func(ctx context.Context, _ queue.Task) error {
			close(working)
			<-ctx.Done()
			return ctx.Err()
		})
		<-working
		kill(t, s)
		if took := stop(); took > stopMax {
			t.Errorf("stopping took %v, want at most %v", took, stopMax)
		}
	})
	t.Run("that does not answer", func(t *testing.T) {
		t.Parallel()
		s := realRedis(t)
		c := connect(t, s.RedisURL)
		enqueue(t, c)
		working := make(chan struct{})
		stop := consume(t, c, 2, func(ctx context.Context, _ queue.Task) error {
			close(working)
			<-ctx.Done()
			return ctx.Err()
		})
		<-working
		thaw := freeze(t, s)
		defer thaw()
		if took := stop(); took > stopMax {
			t.Errorf("stopping took %v, want at most %v", took, stopMax)
		}
	})
}
