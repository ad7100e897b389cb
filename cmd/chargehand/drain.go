package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
)

type drainCommand struct {
	Timeout time.Duration `default:"10m" placeholder:"D" help:"How long to wait at most; then say what is left and exit 1. Default: ${default}."`
}

// Help is the longer text of --help.
func (*drainCommand) Help() string {
	return "Stop the feeds first, and have a worker run. Batches that were set aside as faulty are not waited for: they are among the dead letters."
}

func (c *drainCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	q, err := s.reachQueue(ctx)
	if err != nil {
		return err
	}
	defer q.Close()
	begun := s.now()
	if err := s.drain(ctx, store, q, c.Timeout); err != nil {
		return err
	}
	return s.print(map[string]bool{"drained": true}, func(p *page) {
		p.line("Nothing is queued, active or due for retry. Waited %s.", brief(s.now().Sub(begun)))
	})
}

// drain waits until no batch waits in the database and no task in the queues.
func (s *session) drain(ctx context.Context, store *postgres.Store, q *queue.Client, timeout time.Duration) error {
	var waiting int
	err := until(ctx, timeout, func(ctx context.Context) (_ bool, err error) {
		if waiting, err = store.WaitingBatches(ctx); err != nil || waiting > 0 {
			return false, err
		}
		return q.Idle(ctx, s.config.Queue.Shards)
	})
	if !errors.As(err, new(errTimeout)) {
		return err
	}
	left := plural(waiting, "accepted batch", "accepted batches")
	if waiting == 0 {
		left = "tasks of batches that are done"
	}
	return fmt.Errorf("drain: after %s %s still wait: see that a worker runs (chargehand work) and look at chargehand stats", timeout, left)
}
