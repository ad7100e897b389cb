package main

import (
	"context"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

type accountAdjustCommand struct {
	Number string       `arg:"" help:"Number of the account."`
	Amount signedAmount `arg:"" help:"By how much: 12.50 or +12.50 in the account's favour, -12.50 against it."`
	Key    string       `required:"" placeholder:"K" help:"Makes it happen once: the same key and amount again changes nothing."`
	Note   string       `required:"" placeholder:"T" help:"Why."`
	at
}

// Help is the longer text of --help.
func (*accountAdjustCommand) Help() string {
	return `The credit test follows at once, for hold and for release.

    chargehand account adjust ACR0000001526 -30 --key fix-17 --note "charged at the wrong pump"`
}

func (c *accountAdjustCommand) Run(ctx context.Context, s *session) error {
	return s.post(ctx, postgres.Posting{Account: c.Number, Kind: billing.AdjustmentPosting, Amount: c.Amount.Money, Key: c.Key,
		Note: c.Note, At: c.now(s), Actor: s.actor()})
}
