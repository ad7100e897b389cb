package main

import (
	"context"

	"github.com/chargehand/chargehand/scheduler"
)

type chargeCommand struct{ at }

// Help is the longer text of --help.
func (chargeCommand) Help() string {
	return "Charges every period of a periodic service that has begun, once, as the scheduler does by scheduler.charge: of one service at most scheduler.max_catch_up missed periods, oldest first. What is left is told; the next run goes on."
}

func (c *chargeCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	runner := s.newRunner(store)
	done, err := runner.Charge(ctx, scheduler.Order{At: c.now(s), Actor: s.actor()}, s.config.Scheduler.MaxCatchUp)
	if err != nil {
		return err
	}
	return s.print(done, func(p *page) {
		p.line("%s charged, %d skipped.", count(done.Charged, "period"), done.Skipped)
		if done.Left > 0 {
			p.line("%s left: run it again, or raise scheduler.max_catch_up.", count(done.Left, "period"))
		}
	})
}
