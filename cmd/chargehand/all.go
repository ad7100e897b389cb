package main

import (
	"context"

	"github.com/chargehand/chargehand/metrics"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"golang.org/x/sync/errgroup"
)

type allCommand struct{}

func (allCommand) Run(ctx context.Context, s *session) error {
	if err := s.checkSchedules(); err != nil {
		return err
	}
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
	return s.runAll(ctx, store, q)
}

// runAll runs every part of the product in this process until ctx ends, or until
// one of them fails, which ends the others.
func (s *session) runAll(ctx context.Context, store *postgres.Store, q *queue.Client) error {
	w, err := s.newWorker(ctx, store, q)
	if err != nil {
		return err
	}
	scheduler, err := s.newScheduler(store, q)
	if err != nil {
		return err
	}
	return s.measured(ctx, store, q, w.Run, scheduler.Run, s.server(store, q))
}

// measured runs parts of the product until ctx ends, or until one of them fails,
// which ends the others; beside them it serves what they count, if configured, and
// whether the servers are there that they stand on.
func (s *session) measured(ctx context.Context, store *postgres.Store, q *queue.Client, parts ...func(context.Context) error) error {
	s.metrics.Watch(metrics.Database, store.Ping)
	s.metrics.Watch(metrics.Queue, q.Ping)
	group, ctx := errgroup.WithContext(ctx)
	for _, part := range parts {
		group.Go(func() error { return part(ctx) })
	}
	if address := s.config.Metrics.Listen; address != "" {
		group.Go(func() error { return s.metrics.Serve(ctx, address, s.log) })
	}
	return group.Wait()
}
