package main

import (
	"context"

	"github.com/chargehand/chargehand/postgres"
)

type accountHistoryCommand struct {
	Number string `arg:"" help:"Number of the account."`
}

func (c *accountHistoryCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	account, err := store.Account(ctx, c.Number, s.now())
	if err != nil {
		return err
	}
	return listed(s, "Its status has never changed.", []string{"at", "from", "to", "reason", ">balance", ">threshold", "actor", "note"},
		eachOf(store.History(ctx, c.Number, postgres.Span{})), func(l *postgres.HistoryLine) []any {
			reason := ""
			if l.Reason != nil {
				reason = l.Reason.String()
			}
			return []any{moment(l.At), l.From, l.To, reason, amount(l.Balance, account.Currency), amount(l.Threshold, account.Currency),
				l.Actor, l.Note}
		})
}
