package main

import (
	"context"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/worker"
)

type rerateCommand struct {
	correctFlags
	Reason   billing.Reason `placeholder:"R" xor:"rejected" help:"Only those rejected for a reason, like no_price."`
	Rejected bool           `xor:"rejected" help:"Rejected ones too, not only those that are rated."`
}

// Help is the longer text of --help.
func (*rerateCommand) Help() string {
	return `Judges records again as if they came now, in the order in which they first came, by the prices and limits in force; neither time nor status of the account is asked again. It takes credits along, and what counts on a record that it touches: "widened to". What comes out as it was is left as it is, so a run that was stopped goes on when it is started again. Workers may run meanwhile.

    chargehand rerate --service SMS --from 2026-03-01T00:00:00Z --note "price was wrong" --dry-run
    chargehand rerate --reason account_not_found --note "account was late"`
}

func (c *rerateCommand) Run(ctx context.Context, s *session) error {
	f := c.filter()
	f.Reason, f.Rejected = c.Reason, c.Rejected
	return s.correct(ctx, &c.correctFlags, worker.Correction{Filter: f})
}
