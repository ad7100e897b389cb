package main

import (
	"context"
	"fmt"

	"github.com/chargehand/chargehand/configs"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/worker"
)

type workCommand struct{}

// Help is the longer text of --help.
func (workCommand) Help() string {
	return "Any number of workers may run; they share the shards among themselves. A signal ends it in order: what is at work is committed, what is in hand goes back to the queue."
}

func (workCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	q, err := s.openQueue(ctx)
	if err != nil {
		return err
	}
	defer q.Close()
	w, err := s.newWorker(ctx, store, q)
	if err != nil {
		return err
	}
	return s.measured(ctx, store, q, w.Run)
}

// newWorker is a worker as configured. What may lose or delay reminders in the
// Redis that it is given is logged.
func (s *session) newWorker(ctx context.Context, store *postgres.Store, q *queue.Client) (*worker.Worker, error) {
	warnings, err := q.Check(ctx)
	if err != nil {
		s.log.Warn("the queue's settings could not be looked at", "error", err)
	}
	for _, warning := range warnings {
		s.log.Warn(warning)
	}
	c := workerConfig(s.config)
	c.Observe = s.metrics.Batches
	w, err := worker.New(store, q, c, s.now, s.log)
	if err != nil {
		return nil, fmt.Errorf("start a worker: %w", err)
	}
	return w, nil
}

func workerConfig(c configs.Config) worker.Config {
	return worker.Config{
		Settings: worker.Settings{
			Lateness:         c.Rating.Lateness,
			FutureTolerance:  c.Rating.FutureTolerance,
			EnforceThreshold: c.Rating.EnforceThreshold,
			HoldOnDebit:      c.Credit.HoldOnDebit,
			LimitsForAll:     c.Limits.Scope == configs.AllAccounts,
		},
		Shards:           c.Queue.Shards,
		BatchesPerCommit: c.Worker.BatchesPerCommit,
		CacheAccounts:    c.Worker.CacheAccounts,
		Lease:            c.Worker.Lease,
	}
}
