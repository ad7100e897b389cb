package queue_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/chargehand/chargehand/queue"
)

// TestBatchIsEnqueuedOnce: an id that is taken is a success, in every state that
// a task can be in, and adds nothing.
func TestBatchIsEnqueuedOnce(t *testing.T) {
	s := realRedis(t)
	c := connect(t, s.RedisURL)
	inspector := asynq.NewInspectorFromRedisClient(raw(t, s.RedisURL))
	batch := enqueue(t, c)
	again := func(state string) {
		t.Helper()
		if err := c.Enqueue(t.Context(), 0, queue.Encode(batch, nil), batch); err != nil {
			t.Errorf("%s: %v", state, err)
		}
	}

	again("pending")
	if got := stats(t, c).Pending; got != 1 {
		t.Errorf("%d tasks pending, want 1", got)
	}
	working, finish := make(chan struct{}), make(chan error)
	stop := consume(t, c, 1, func(context.Context, queue.Task) error {
		working <- struct{}{}
		return <-finish
	})
	<-working
	again("active")
	finish <- errSome
	eventually(t, "it waits for its retry", func() bool { return stats(t, c).Retry == 1 })
	again("retry")
	if err := inspector.ArchiveTask(queue.Name(0), batch.String()); err != nil {
		t.Fatal(err)
	}
	again("archived by a person")
	if s := stats(t, c); s.Pending+s.Active+s.Retry != 0 || s.Archived != 1 {
		t.Errorf("got %+v, want the archived one only", s)
	}

	// What is acknowledged is forgotten, and its id free again.
	if err := inspector.RunTask(queue.Name(0), batch.String()); err != nil {
		t.Fatal(err)
	}
	<-working
	finish <- nil
	eventually(t, "it is acknowledged", func() bool { return isIdle(t, c, 1) })
	again("done")
	<-working
	finish <- nil
	stop()
}

// TestNudgesDoNotPileUp sends many while nobody consumes, and one while the
// last is being worked on: its worker may be dead.
func TestNudgesDoNotPileUp(t *testing.T) {
	c := connect(t, realRedis(t).RedisURL)
	batch := enqueue(t, c)
	nudge := func() {
		t.Helper()
		if err := c.Nudge(t.Context(), 0, batch); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		nudge()
	}
	if got := stats(t, c).Pending; got != 2 {
		t.Errorf("%d tasks pending, want the batch and one nudge", got)
	}
	working, finish := make(chan queue.Task), make(chan struct{})
	stop := consume(t, c, 2, func(_ context.Context, task queue.Task) error {
		working <- task
		<-finish
		return nil
	})
	ids := map[string]bool{}
	for range 2 {
		task := <-working
		ids[task.ID] = true
		if p, err := queue.Decode(task.Payload); err != nil || p.Batch != batch {
			t.Errorf("got %+v, %v; want batch %s", p, err, batch)
		}
	}
	if want := map[string]bool{batch.String(): true, "nudge:" + batch.String(): true}; !cmp.Equal(ids, want) {
		t.Errorf("got tasks %v, want %v", ids, want)
	}
	nudge()
	if got := stats(t, c).Pending; got != 1 {
		t.Errorf("%d tasks pending, want another nudge", got)
	}
	close(finish)
	if task := <-working; ids[task.ID] {
		t.Errorf("nudge %s was delivered again", task.ID)
	}
	stop()
}

// TestNudgeReachesABatchWhoseTaskIsStuck leaves the batch's own task active with
// no lease, which nothing of asynq ever finds again.
func TestNudgeReachesABatchWhoseTaskIsStuck(t *testing.T) {
	s := realRedis(t)
	c := connect(t, s.RedisURL)
	r := raw(t, s.RedisURL)
	batch := enqueue(t, c)
	abandon(t, r, batch.String())
	if err := r.ZRem(t.Context(), "asynq:{usage-00}:lease", batch.String()).Err(); err != nil {
		t.Fatal(err)
	}
	if err := c.Nudge(t.Context(), 0, batch); err != nil {
		t.Fatal(err)
	}
	tasks := make(chan queue.Task, 1)
	consume(t, c, 1, func(_ context.Context, task queue.Task) error {
		tasks <- task
		return nil
	})
	p, err := queue.Decode((<-tasks).Payload)
	if err != nil {
		t.Fatal(err)
	}
	if p.Batch != batch || p.Records != nil {
		t.Errorf("got %+v, want a nudge for %s", p, batch)
	}
}

func TestEnqueueHeedsItsContext(t *testing.T) {
	c := connect(t, realRedis(t).RedisURL)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	batch := uuid.Must(uuid.NewV7())
	if err := c.Enqueue(ctx, 0, queue.Encode(batch, nil), batch); err == nil {
		t.Error("enqueued after its context had ended")
	}
	if _, err := c.Stats(ctx); err == nil {
		t.Error("inspected after its context had ended")
	}
}
