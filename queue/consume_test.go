package queue_test

import (
	"context"
	"errors"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/hibiken/asynq"

	"github.com/chargehand/chargehand/queue"
)

var errSome = errors.New("the database is away")

func TestBatchIsDeliveredAndForgotten(t *testing.T) {
	for _, tc := range []struct {
		name string
		url  func(*testing.T) string
	}{
		{"redis", func(t *testing.T) string { return realRedis(t).RedisURL }},
		{"miniredis", func(t *testing.T) string { return "redis://" + miniredis.RunT(t).Addr() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := connect(t, tc.url(t))
			batch := enqueue(t, c)

			tasks := make(chan queue.Task, 1)
			consume(t, c, 1, func(_ context.Context, task queue.Task) error {
				tasks <- task
				return nil
			})
			got := <-tasks
			want := queue.Task{Shard: 0, ID: batch.String(), Payload: queue.Encode(batch, []byte("[]"))}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("task (-want +got):\n%s", diff)
			}
			eventually(t, "the task is acknowledged", func() bool { return stats(t, c).ProcessedToday == 1 })
			if diff := cmp.Diff(queue.Stats{Queue: "usage-00", ProcessedToday: 1}, stats(t, c)); diff != "" {
				t.Errorf("stats (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTasksOfAnotherShardStayWhereTheyAre(t *testing.T) {
	c := connect(t, realRedis(t).RedisURL)
	batch := enqueue(t, c)
	if err := c.Enqueue(t.Context(), 1, queue.Encode(batch, nil), batch); err != nil {
		t.Fatal(err)
	}
	consume(t, c, 1, func(context.Context, queue.Task) error { return nil })
	eventually(t, "shard 0 is idle", func() bool { return isIdle(t, c, 1) })
	if isIdle(t, c, 2) {
		t.Error("shard 1 was emptied by the consumer of shard 0")
	}
}

// TestFailingTaskIsNeverArchived lets a task fail more often than asynq allows
// by default, and one whose sender allowed a single retry.
func TestFailingTaskIsNeverArchived(t *testing.T) {
	s := realRedis(t)
	c := connect(t, s.RedisURL)
	inspector := asynq.NewInspectorFromRedisClient(raw(t, s.RedisURL))
	ours := enqueue(t, c).String()
	foreign := enqueueForeign(t, s.RedisURL, asynq.MaxRetry(1)).ID

	deliveries := make(chan queue.Task)
	consume(t, c, 1, func(_ context.Context, task queue.Task) error {
		deliveries <- task
		return errSome
	})
	retried := make(map[string]int)
	const rounds = 30
	for range rounds {
		for range 2 {
			task := <-deliveries
			retried[task.ID] = task.Retried
		}
		eventually(t, "both wait for their retry", func() bool { return stats(t, c).Retry == 2 })
		if _, err := inspector.RunAllRetryTasks(queue.Name(0)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := retried[ours], rounds-1; got != want {
		t.Errorf("our task was retried %d times, want %d", got, want)
	}
	if got, want := retried[foreign], 0; got != want {
		t.Errorf("the foreign task has used up %d retries, want %d", got, want)
	}
	<-deliveries
	<-deliveries
	eventually(t, "both wait again", func() bool { return stats(t, c).Retry == 2 })
	if got := stats(t, c).Archived; got != 0 {
		t.Errorf("%d tasks archived, want none", got)
	}
}

// enqueueForeign puts a task on shard 0 as a program would that has only asynq.
func enqueueForeign(t *testing.T, url string, opts ...asynq.Option) *asynq.TaskInfo {
	t.Helper()
	client := asynq.NewClientFromRedisClient(raw(t, url))
	opts = append([]asynq.Option{asynq.Queue(queue.Name(0))}, opts...)
	info, err := client.EnqueueContext(t.Context(), asynq.NewTask("usage:rate", []byte("{}")), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func TestGiveUpEndsATaskWithoutArchive(t *testing.T) {
	c := connect(t, realRedis(t).RedisURL)
	enqueue(t, c)
	consume(t, c, 1, func(context.Context, queue.Task) error {
		return queue.GiveUp(queue.ErrPayload)
	})
	eventually(t, "the task is gone", func() bool { return stats(t, c).ProcessedToday == 1 })
	if diff := cmp.Diff(queue.Stats{Queue: "usage-00", ProcessedToday: 1}, stats(t, c)); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func TestPanicInAHandlerIsAFailureOfItsTask(t *testing.T) {
	c := connect(t, realRedis(t).RedisURL)
	enqueue(t, c)
	calls := 0
	stop := consume(t, c, 1, func(_ context.Context, task queue.Task) error {
		if calls++; calls == 1 {
			panic("bug")
		}
		return nil
	})
	eventually(t, "the second delivery is acknowledged", func() bool {
		s := stats(t, c)
		return s.ProcessedToday == 2 && s.FailedToday == 1
	})
	stop()
	if calls != 2 {
		t.Errorf("%d deliveries, want 2", calls)
	}
}

func TestConsumeRefusesNonsense(t *testing.T) {
	c := connect(t, "redis://127.0.0.1:1")
	for _, tc := range []struct{ shard, concurrency int }{{-1, 1}, {0, 0}} {
		if err := c.Consume(t.Context(), tc.shard, tc.concurrency, nil); err == nil {
			t.Errorf("shard %d with %d handlers was accepted", tc.shard, tc.concurrency)
		}
	}
}

func isIdle(t *testing.T, c *queue.Client, shards int) bool {
	t.Helper()
	idle, err := c.Idle(t.Context(), shards)
	if err != nil {
		t.Fatal(err)
	}
	return idle
}
