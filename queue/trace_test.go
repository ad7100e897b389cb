package queue_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/chargehand/chargehand/queue"
)

// trace is the n-th of many traceparents.
func trace(n int) string { return fmt.Sprintf("00-%032x-%016x-01", n, n) }

func TestATaskBearsTheTracesOfItsRequests(t *testing.T) {
	s := realRedis(t)
	c := connect(t, s.RedisURL)
	ctx := queue.WithTraces(t.Context(), trace(1), "no trace", trace(2), trace(1))
	batch := uuid.Must(uuid.NewV7())
	if err := c.Enqueue(ctx, 0, queue.Encode(batch, nil), batch); err != nil {
		t.Fatal(err)
	}
	info, err := asynq.NewInspectorFromRedisClient(raw(t, s.RedisURL)).GetTaskInfo(queue.Name(0), batch.String())
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Headers["traceparent"]; got != trace(1) {
		t.Errorf("got the header traceparent %q, want that of the first request", got)
	}
	tasks := make(chan queue.Task, 1)
	consume(t, c, 1, func(_ context.Context, task queue.Task) error {
		tasks <- task
		return nil
	})
	if got, want := (<-tasks).Traces, []string{trace(1), trace(2)}; !slices.Equal(got, want) {
		t.Errorf("delivered with the traces %q, want %q", got, want)
	}
}

func TestTracesAreBounded(t *testing.T) {
	var many []string
	for n := range 100 {
		many = append(many, trace(n+1))
	}
	got := queue.TracesOf(queue.WithTraces(t.Context(), many...))
	if !slices.Equal(got, many[:queue.TracesMax]) {
		t.Errorf("got %d traces, want the first %d", len(got), queue.TracesMax)
	}
}

func TestWhatIsATrace(t *testing.T) {
	valid := "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	for text, want := range map[string]bool{
		valid:                  true,
		strings.ToUpper(valid): false,
		"01" + valid[2:]:       false,
		valid + "-more":        false,
		" " + valid:            false,
		valid + "\n":           false,
		"":                     false,
		trace(0):               false,
		"00-" + strings.Repeat("0", 32) + valid[35:]: false,
		valid[:36] + strings.Repeat("0", 16) + "-01": false,
	} {
		if got := queue.IsTrace(text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
