package main

import (
	"context"
	"errors"

	"github.com/chargehand/chargehand/postgres"
)

type accountSetCommand struct {
	Number      string  `arg:"" help:"Number of the account."`
	Threshold   *string `placeholder:"A|class" help:"Debt that is tolerated, or class for its class's."`
	CreditLimit *string `placeholder:"A|class" help:"Subscription credit limit of a postpay account (0 is none), or class for its class's."`
	Class       *string `placeholder:"K" help:"Key of its account class."`
	TimeZone    *zone   `placeholder:"Z" help:"IANA name. Open windows are counted anew."`
	CycleDay    *int    `placeholder:"D" help:"Day of the month on which its months begin, 1 to 31. Open windows are counted anew."`
	at
}

// Help is the longer text of --help.
func (*accountSetCommand) Help() string {
	return "The credit test follows at once, for hold and for release."
}

// Validate refuses a change that changes nothing.
func (c *accountSetCommand) Validate() error {
	if c.Threshold == nil && c.CreditLimit == nil && c.Class == nil && c.TimeZone == nil && c.CycleDay == nil {
		return errors.New("nothing to set: give --threshold, --credit-limit, --class, --time-zone or --cycle-day")
	}
	return nil
}

func (c *accountSetCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	change := postgres.AccountChange{Account: c.Number, Threshold: c.Threshold, CreditLimit: c.CreditLimit, Class: c.Class,
		CycleDay: c.CycleDay, At: c.now(s), Actor: s.actor()}
	if zone := c.TimeZone.location(); zone != nil {
		name := zone.String()
		change.TimeZone = &name
	}
	did, err := store.SetAccount(ctx, change)
	if err != nil {
		return err
	}
	return s.printChanges(did)
}

// printChanges prints what changed of an account, in words.
func (s *session) printChanges(did *postgres.Changes) error {
	return s.print(did, func(p *page) {
		for _, d := range did.Changed {
			p.line("%s: %s.", did.Account, d)
		}
		if len(did.Changed) == 0 {
			p.line("Nothing changes: %s is like that already.", did.Account)
		}
	})
}
