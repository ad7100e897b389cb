package queue

import (
	"context"
	"errors"
	"time"

	"github.com/hibiken/asynq"
)

// final is an error that ends a task.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

// GiveUp is what a handler returns when a task must not come back: the queue
// logs err and forgets the task. The handler has kept a dead letter before.
func GiveUp(err error) error {
	if err == nil {
		return nil
	}
	return final{err}
}

// lastTry marks the error of a task that another failure would archive.
type lastTry struct{ error }

func (l lastTry) Unwrap() error { return l.error }

// spare keeps a task out of the archive that was not enqueued by this room and
// allows asynq few retries, 25 if its sender did not think about it: the failure
// before the last is not counted, however often it happens. Only a task that
// allows none at all cannot be spared.
func spare(ctx context.Context, err error) error {
	n, _ := asynq.GetRetryCount(ctx)
	most, ok := asynq.GetMaxRetry(ctx)
	if err != nil && ok && n+1 >= most {
		return lastTry{err}
	}
	return err
}

// isFailure reports whether err counts against a task's retries and in its
// queue's statistics. A worker that died or was told to stop says nothing about
// the task.
func isFailure(err error) bool {
	if spared := (lastTry{}); errors.As(err, &spared) {
		return false
	}
	return !errors.Is(err, asynq.ErrLeaseExpired) && !errors.Is(err, context.Canceled)
}

// retryDelayMax is how long work rests at most after what stopped it has ended.
// It is no shorter because every attempt writes the whole task to Redis again,
// and thousands may wait for the same database.
const retryDelayMax = 10 * time.Second

// retryDelay is how long a task waits that has failed n times before: 1, 2, 4, 8
// and then 10 seconds, and not at all if its worker died, which has cost a
// minute already. asynq keeps whole seconds, so less would be the same.
func retryDelay(n int, err error, _ *asynq.Task) time.Duration {
	switch {
	case errors.Is(err, asynq.ErrLeaseExpired):
		return 0
	case n >= 4:
		return retryDelayMax
	default:
		return time.Second << n
	}
}
