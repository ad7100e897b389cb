package main

import (
	"context"

	"github.com/chargehand/chargehand/scheduler"
)

// byTheClock does once what a scheduler does all the time: charge what has begun,
// and judge debts.
func (d *demo) byTheClock(ctx context.Context) error {
	runner, begun := d.newRunner(d.store), d.now()
	order := scheduler.Order{At: begun, Actor: d.actor()}
	charged, err := runner.Charge(ctx, order, d.config.Scheduler.MaxCatchUp)
	if err != nil {
		return err
	}
	swept, err := runner.Sweep(ctx, order)
	if err != nil {
		return err
	}
	d.answer.Generated.Charged, d.answer.Generated.Swept = charged, swept
	d.page.line("")
	d.page.line("   Then the scheduler's turn: %s of phone plans and fleet cards charged, %d skipped on hold;",
		count(charged.Charged, "period"), charged.Skipped)
	d.page.line("   %s judged, %d held. It took %s.", count(swept.Judged, "account"), swept.Held, brief(d.now().Sub(begun)))
	return nil
}
