package queue_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/hibiken/asynq"

	"github.com/chargehand/chargehand/queue"
)

// TestStatsAreWhatTheContractPrints pins the names of the fields.
func TestStatsAreWhatTheContractPrints(t *testing.T) {
	got, err := json.Marshal(queue.Stats{
		Queue: "usage-00", Pending: 1, Active: 2, Scheduled: 3, Retry: 4, Archived: 5,
		ProcessedToday: 6, FailedToday: 7, LatencySeconds: 8.5,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"queue":"usage-00","pending":1,"active":2,"scheduled":3,"retry":4,"archived":5,` +
		`"processed_today":6,"failed_today":7,"latency_seconds":8.5}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestNothingIsIdle(t *testing.T) {
	c := connect(t, realRedis(t).RedisURL)
	if !isIdle(t, c, 16) {
		t.Error("an empty Redis is not idle")
	}
	all, err := c.Stats(t.Context())
	if err != nil || len(all) != 0 {
		t.Errorf("got %v, %v; want no queues", all, err)
	}
}

// TestAsynqsToolsSeeOurQueues reads with asynq's own Inspector, which is what its
// command line and asynqmon stand on, what every state looks like.
func TestAsynqsToolsSeeOurQueues(t *testing.T) {
	s := realRedis(t)
	c := connect(t, s.RedisURL)
	tool := asynq.NewInspector(asynq.RedisClientOpt{Addr: raw(t, s.RedisURL).Options().Addr})
	defer func() { _ = tool.Close() }()

	failing, working, waiting := enqueue(t, c), enqueue(t, c), enqueue(t, c)
	batch := uuid.Must(uuid.NewV7())
	if err := c.Enqueue(t.Context(), 12, queue.Encode(batch, []byte("[]")), batch); err != nil {
		t.Fatal(err)
	}
	started, finish := make(chan struct{}), make(chan struct{})
	stop := consume(t, c, 1, func(_ context.Context, task queue.Task) error {
		if task.ID == failing.String() {
			return errSome
		}
		if task.ID == working.String() {
			close(started)
			<-finish
		}
		return nil
	})
	<-started

	names, err := tool.Queues()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]bool{"usage-00": true, "usage-12": true}, set(names)); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
	seesQueue(t, tool, c)
	seesTask(t, tool, failing, asynq.TaskStateRetry, errSome.Error())
	seesTask(t, tool, working, asynq.TaskStateActive, "")
	seesTask(t, tool, waiting, asynq.TaskStatePending, "")
	servers, err := tool.Servers()
	if err != nil {
		t.Fatal(err)
	}
	if len(servers) != 1 || servers[0].Concurrency != 1 || servers[0].Queues["usage-00"] != 1 {
		t.Errorf("got servers %+v, want one on usage-00", servers)
	}
	close(finish)
	stop()
	if servers, err := tool.Servers(); err != nil || len(servers) != 0 {
		t.Errorf("got servers %+v, %v after the stop, want none", servers, err)
	}
}

// seesQueue compares the tool's figures with ours.
func seesQueue(t *testing.T, tool *asynq.Inspector, c *queue.Client) {
	t.Helper()
	q, err := tool.GetQueueInfo("usage-00")
	if err != nil {
		t.Fatal(err)
	}
	if q.Pending != 1 || q.Active != 1 || q.Retry != 1 || q.Size != 3 || q.Failed != 1 || q.Latency <= 0 || q.MemoryUsage == 0 {
		t.Errorf("the tool sees %+v", q)
	}
	s := stats(t, c)
	if s.LatencySeconds < q.Latency.Seconds() {
		t.Errorf("latency was %v and is %v s", q.Latency, s.LatencySeconds)
	}
	s.LatencySeconds = 0
	want := queue.Stats{Queue: "usage-00", Pending: 1, Active: 1, Retry: 1, ProcessedToday: 1, FailedToday: 1}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}

func seesTask(t *testing.T, tool *asynq.Inspector, batch uuid.UUID, state asynq.TaskState, lastErr string) {
	t.Helper()
	info, err := tool.GetTaskInfo("usage-00", batch.String())
	if err != nil {
		t.Fatal(err)
	}
	if info.Type != "usage:rate" || info.State != state || info.LastErr != lastErr || info.Retention != 0 {
		t.Errorf("the tool sees %+v, want usage:rate %v with error %q", info, state, lastErr)
	}
	if p, err := queue.Decode(info.Payload); err != nil || p.Batch != batch {
		t.Errorf("its payload is %s", info.Payload)
	}
}

func set(names []string) map[string]bool {
	m := make(map[string]bool)
	for _, name := range names {
		m[name] = true
	}
	return m
}
