package queue_test

import (
	"context"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/chargehand/chargehand/queue"
)

func TestBatchIsDeliveredAndForgotten(t *testing.T) {
	for _, tc := range []struct {
		name string
		url  func(*testing.T) string
	}{
		{"redis", func(t *testing.T) string { return startRedis(t).url() }},
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
			task := <-tasks
			p, err := queue.Decode(task.Payload)
			if err != nil {
				t.Fatal(err)
			}
			if p.Batch != batch || string(p.Records) != "[]" || task.ID != batch.String() || task.Shard != 0 || task.Retried != 0 {
				t.Errorf("got %+v with %+v, want batch %v", task, p, batch)
			}
			eventually(t, "the task is acknowledged", func() bool { return stats(t, c).ProcessedToday == 1 })
			if s := stats(t, c); s.Pending+s.Active+s.Retry+s.Archived != 0 {
				t.Errorf("got %+v, want nothing left", s)
			}
		})
	}
}
