package main

import (
	"context"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/scheduler"
)

type forecastCommand struct {
	Account string `placeholder:"N" help:"Only this account."`
	Days    int    `default:"366" placeholder:"N" help:"How far to look ahead. Default: ${default}."`
	at
}

// Help is the longer text of --help.
func (*forecastCommand) Help() string {
	return `When each account will be past its threshold or at the end of its subzero period, if nothing is paid. Periodic charges are exact. Use is that of the last four weeks: the earliest date supposes the use of the week in which most was charged, the latest that of the week in which least was. Listed are accounts that will get there; with --json all are.

    chargehand forecast --days 14`
}

// Validate refuses what looks nowhere, or further than dates go.
func (c *forecastCommand) Validate() error {
	if c.Days < 1 || c.Days > 3660 {
		return fmt.Errorf("--days %d: give 1 to 3660", c.Days)
	}
	return nil
}

func (c *forecastCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	now := c.now(s).UTC().Truncate(time.Microsecond)
	found := false
	each := func(take func(*scheduler.Forecast) error) error {
		for f, err := range scheduler.Forecasts(ctx, store, c.Account, now, time.Duration(c.Days)*24*time.Hour) {
			if err != nil {
				return err
			}
			found = true
			if s.json || f.Earliest != nil || c.Account != "" {
				if err := take(f); err != nil {
					return err
				}
			}
		}
		if c.Account != "" && !found {
			return fmt.Errorf("account %s: %w", c.Account, postgres.ErrNoAccount)
		}
		return nil
	}
	return listed(s, "No account gets there.", []string{"account", ">balance", ">threshold", "currency", "earliest", "latest", "why", ">used per day"}, each,
		func(f *scheduler.Forecast) []any {
			why := "status " + f.Status.String()
			switch {
			case f.Reason != nil:
				why = f.Reason.String()
			case f.Earliest == nil && f.Status.String() == "active":
				why = fmt.Sprintf("not within %d days", c.Days)
			}
			use := amount(f.UsedFrom, f.Currency) + " to " + amount(f.UsedTo, f.Currency)
			if f.Exact {
				use = "none"
			}
			return []any{f.Account, amount(f.Balance, f.Currency), amount(f.Threshold, f.Currency), f.Currency, momentOr(f.Earliest), momentOr(f.Latest), why, use}
		})
}

func momentOr(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return moment(*t)
}
