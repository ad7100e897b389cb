package main

import (
	"context"

	"github.com/chargehand/chargehand/worker"
)

type cancelCommand struct {
	correctFlags
}

// Help is the longer text of --help.
func (*cancelCommand) Help() string {
	return `Posts back what each charge costs that was not yet credited, and takes quantity and amount out of the counters. A cancelled record stays cancelled. A filter leaves credits out; by --record they can be cancelled too.

    chargehand cancel --record ACR0000001526/pump-7/r1 --note "pump was being tested"
    chargehand cancel --account ACR0000001526 --from 2026-03-01T00:00:00Z --to 2026-03-02T00:00:00Z --note "feed sent twice" --dry-run`
}

func (c *cancelCommand) Run(ctx context.Context, s *session) error {
	return s.correct(ctx, &c.correctFlags, worker.Correction{Cancel: true, Filter: c.filter()})
}
