package main

import (
	"context"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/scheduler"
)

type sweepCommand struct{ at }

// Help is the longer text of --help.
func (sweepCommand) Help() string {
	return "Judges the accounts that may be due for a hold or a release, as the scheduler does by credit.sweep. It may run at any time, beside schedulers too: a second sweep finds nothing left."
}

func (c *sweepCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	runner := s.newRunner(store)
	done, err := runner.Sweep(ctx, scheduler.Order{At: c.now(s), Actor: s.actor()})
	if err != nil {
		return err
	}
	return s.print(done, func(p *page) {
		p.line("%s judged: %d held, %d released.", count(done.Judged, "account"), done.Held, done.Released)
	})
}

// newRunner carries out single runs of a scheduler's jobs.
func (s *session) newRunner(store *postgres.Store) *scheduler.Runner {
	return &scheduler.Runner{Store: store, Clock: s.environment.now, Log: s.log}
}
