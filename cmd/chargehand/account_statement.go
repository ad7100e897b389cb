package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/postgres"
)

// span is the flags of commands that list what lies between two times.
type span struct {
	From *instant `placeholder:"T" help:"From this time on, RFC 3339 with an offset."`
	To   *instant `placeholder:"T" help:"Before this time."`
}

type accountStatementCommand struct {
	Number string `arg:"" help:"Number of the account."`
	span
	CSV bool `help:"Print CSV with a header."`
}

// Help is the longer text of --help.
func (*accountStatementCommand) Help() string {
	return "A debit is below zero. The balance is that after the line; of a postpay account it is the current debt. The times are those of posting."
}

func (c *accountStatementCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	account, err := store.Account(ctx, c.Number, s.now())
	if err != nil {
		return err
	}
	lines := store.Statement(ctx, c.Number, postgres.Span{From: c.From.orZero(), To: c.To.orZero()})
	if c.CSV {
		return s.statementCSV(lines)
	}
	return listed(s, "No postings.", []string{"at", "kind", ">amount", ">balance", "description", "for"}, eachOf(lines),
		func(l *postgres.StatementLine) []any {
			return []any{moment(l.At), l.Kind, amount(l.Amount, account.Currency), amount(l.BalanceAfter, account.Currency), l.Description,
				cmp.Or(l.Record, l.Periodic, l.Key)}
		})
}

func (s *session) statementCSV(lines sequence[postgres.StatementLine]) error {
	w := csv.NewWriter(s.stdout)
	_ = w.Write([]string{"at", "kind", "amount", "balance_after", "description", "record", "periodic", "key"}) // Flush tells
	for l, err := range lines {
		if err != nil {
			return err
		}
		_ = w.Write([]string{l.At.Format(time.RFC3339Nano), l.Kind.String(), l.Amount.String(), l.BalanceAfter.String(),
			l.Description, l.Record, l.Periodic, l.Key})
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
