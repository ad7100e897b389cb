package queue

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/hibiken/asynq"
)

// gate is what handlers of one consumer pass through. asynq goes on without a
// handler that it has given up; the gate counts it until it returns, and lets
// none in any more once it is closed.
type gate struct {
	halted chan struct{} // handlers are to return now
	freed  chan struct{} // asynq has handed back what they did not finish

	mu      sync.Mutex
	closed  bool
	running sync.WaitGroup
}

func newGate() *gate {
	return &gate{halted: make(chan struct{}), freed: make(chan struct{})}
}

// halt ends the context of all handlers.
func (g *gate) halt() { g.signal(g.halted) }

// free lets handlers go that run holds back.
func (g *gate) free() { g.signal(g.freed) }

func (g *gate) signal(c chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-c:
	default:
		close(c)
	}
}

// close waits for the last handler. asynq must have stopped.
func (g *gate) close() {
	g.halt()
	g.free()
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.running.Wait()
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.running.Add(1)
	return true
}

// errClosed is told to nobody: asynq has handed the task back by then.
var errClosed = errors.New("consumer has stopped")

// handler is h as asynq wants it.
func (g *gate) handler(shard int, h Handler, log *slog.Logger) asynq.HandlerFunc {
	return func(ctx context.Context, t *asynq.Task) error {
		if !g.enter() {
			return errClosed
		}
		defer g.running.Done()
		task := Task{Shard: shard, Payload: t.Payload(), Traces: tracesIn(t.Headers())}
		task.ID, _ = asynq.GetTaskID(ctx)
		task.Retried, _ = asynq.GetRetryCount(ctx)
		err := g.run(ctx, task, h)
		if f := (final{}); errors.As(err, &f) {
			log.Error("task given up", "task", task.ID, "retried", task.Retried, "error", f.error)
			return nil
		}
		return spare(ctx, err)
	}
}

// run calls h with a context that also ends with halt. What h then does not
// finish is no failure: run holds its answer back until asynq has run out of
// patience, because it then puts the task back where it was, at the head of the
// queue; an error would send it to wait for its retry.
func (g *gate) run(ctx context.Context, t Task, h Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	returned := make(chan struct{})
	defer close(returned)
	go func() {
		select {
		case <-g.halted:
			cancel()
		case <-returned:
		}
	}()
	err := h(ctx, t)
	if f := (final{}); err == nil || errors.As(err, &f) {
		return err
	}
	select {
	case <-g.halted:
		<-g.freed
	default:
	}
	return err
}
