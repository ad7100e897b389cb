package main

import (
	"context"
	"fmt"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

type recordListCommand struct {
	Account string          `placeholder:"N" help:"Only those of an account, by the number as it was sent."`
	Service string          `placeholder:"CODE" help:"Only those of a service."`
	Outcome billing.Outcome `placeholder:"O" words:"rated,rejected,cancelled" help:"Only those that are rated, rejected or cancelled."`
	Reason  billing.Reason  `placeholder:"R" words:"reasons" help:"Only those rejected for a reason, like limit_day_usage."`
	From    *instant        `placeholder:"T" help:"That occurred from this time on, RFC 3339 with an offset."`
	To      *instant        `placeholder:"T" help:"That occurred before this time."`
	Limit   *int            `placeholder:"N" help:"Only the first N. Default: all."`
}

// Help is the longer text of --help.
func (*recordListCommand) Help() string {
	return "Account by account, each in the order of arrival; with --limit those of all in the order of account, source and id. With --json a line of JSON each, with the whole explanation. Duplicates are no records of their own; conflicts and unreadable lines are among the dead letters."
}

// Validate refuses a limit that lists nothing.
func (c *recordListCommand) Validate() error {
	if c.Limit != nil && *c.Limit < 1 {
		return fmt.Errorf("--limit %d: give at least 1, or leave it out for all", *c.Limit)
	}
	return nil
}

func (c *recordListCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	filter := postgres.RecordFilter{Account: c.Account, Service: c.Service, Outcome: c.Outcome, Reason: c.Reason,
		From: c.From.orZero(), To: c.To.orZero()}
	if c.Limit != nil {
		filter.Limit = *c.Limit
	}
	return listed(s, "No record matches.",
		[]string{"source", "id", "account", "service", ">quantity", "occurred", "outcome", ">charge", "currency", "why"}, eachOf(store.Records(ctx, filter)),
		func(r *postgres.RecordView) []any {
			charge, currency := "", ""
			if r.Charge != nil && r.Currency != nil {
				charge, currency = amount(*r.Charge, *r.Currency), *r.Currency
			}
			return []any{r.Source, r.ID, r.Account, r.Service, r.Quantity, moment(r.OccurredAt), r.Outcome, charge, currency, recordText(r)}
		})
}
