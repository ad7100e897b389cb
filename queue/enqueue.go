package queue

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
)

// TaskType is the asynq type of every task on a usage queue.
const TaskType = "usage:rate"

const (
	// retryMax is as good as for ever: at ten seconds each, 680 years. asynq
	// archives what has used its retries up, and its archive forgets.
	retryMax = math.MaxInt32

	// taskTimeout is after how long asynq gives up on a handler. A batch commits
	// within a second; a handler may sit out minutes of a database that is away
	// or a predecessor that is slow. One that still runs after half an hour hangs,
	// and its place is worth more than its answer. There is no deadline: an
	// accepted batch is never too old.
	taskTimeout = 30 * time.Minute
)

// Enqueue reminds the consumer of a shard of a batch; payload is what Encode
// made of it. It is done when Redis has the task, or had one of the batch's id
// already, and gives up after two seconds.
//
// The task's headers bear the traces of ctx (WithTraces). They are for logs: a
// reminder that is lost loses them.
//
// Enqueue the batch after PostgreSQL has it. A feed that has only Redis relies on
// Redis' append-only file, and repeats an Enqueue that failed.
func (c *Client) Enqueue(ctx context.Context, shard int, payload []byte, batch uuid.UUID) error {
	return ignoreConflict(c.enqueue(ctx, shard, payload, batch.String()))
}

// Nudge reminds the consumer of a shard of a batch that PostgreSQL has, without
// sending the records again, and whatever became of the batch's own task. Nudges
// of one batch do not pile up while nobody consumes the shard.
func (c *Client) Nudge(ctx context.Context, shard int, batch uuid.UUID) error {
	id := "nudge:" + batch.String()
	payload := Encode(batch, nil)
	err := c.enqueue(ctx, shard, payload, id)
	if !errors.Is(err, asynq.ErrTaskIDConflict) || c.isDue(shard, id) {
		return ignoreConflict(err)
	}
	// The earlier nudge is being worked on, or was when its worker died.
	return c.enqueue(ctx, shard, payload, id+":"+uuid.NewString())
}

// ignoreConflict is nil for a task that is there already.
func ignoreConflict(err error) error {
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// isDue reports whether a task waits to be delivered without anybody's help.
func (c *Client) isDue(shard int, id string) bool {
	t, err := c.inspect.GetTaskInfo(Name(shard), id)
	if err != nil {
		return false
	}
	switch t.State {
	case asynq.TaskStatePending, asynq.TaskStateScheduled, asynq.TaskStateRetry:
		return true
	default:
		return false
	}
}

func (c *Client) enqueue(ctx context.Context, shard int, payload []byte, id string) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueWait)
	defer cancel()
	if c.reconnected.Swap(false) {
		c.tasks.Store(asynq.NewClientFromRedisClient(c.redis))
	}
	_, err := c.tasks.Load().EnqueueContext(ctx, asynq.NewTaskWithHeaders(TaskType, payload, traceHeaders(TracesOf(ctx))),
		asynq.Queue(Name(shard)),
		asynq.TaskID(id),
		asynq.MaxRetry(retryMax),
		asynq.Timeout(taskTimeout))
	if err != nil {
		return fmt.Errorf("enqueue %s on %s: %w", id, Name(shard), err)
	}
	return nil
}
