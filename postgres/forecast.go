package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// ForecastAccount is an account with what will move it: all of its periodic
// services that go on, and what it used on late days.
type ForecastAccount struct {
	PeriodicAccount
	// Used is what each day's records were charged, by the account's own days.
	Used map[billing.Date]billing.Fixed
}

// The account's own counters of days: what was cancelled is not in them.
const usedOnDays = `
	select account, starts - date '1970-01-01', amount::text
	from   closed_counters
	where  account  = any(@numbers::text[])
	and    "window" = 1
	and    starts  >= @since::date
	and    scope    = 3`

// ForecastAccounts answers a page of accounts, or the one with a number, in the
// order of their numbers: those after one, all as of one moment. Of days before
// since their use is not told.
func (s *Store) ForecastAccounts(ctx context.Context, number, after string, since billing.Date, most int) (page []*ForecastAccount, err error) {
	err = s.view(ctx, func(tx pgx.Tx) error {
		page, err = (&Tx{tx: tx}).forecastAccounts(ctx, number, after, since, most)
		return err
	})
	return page, wrap(err, "read accounts to forecast")
}

func (t *Tx) forecastAccounts(ctx context.Context, number, after string, since billing.Date, most int) ([]*ForecastAccount, error) {
	numbers, err := collect(ctx, t.tx, auditedNumbers, pgx.RowTo[string],
		pgx.NamedArgs{"after": nullText(after), "only": nullText(number), "most": most})
	if err != nil {
		return nil, err
	}
	accounts, err := t.accounts(ctx, numbers)
	if err != nil {
		return nil, err
	}
	classes, err := t.classes(ctx)
	if err != nil {
		return nil, err
	}
	page, byNumber := make([]*ForecastAccount, len(accounts)), make(map[string]*ForecastAccount, len(accounts))
	for i, a := range accounts {
		page[i] = &ForecastAccount{PeriodicAccount: PeriodicAccount{Account: a, Terms: classes.Terms(a)}, Used: map[billing.Date]billing.Fixed{}}
		byNumber[a.Number] = page[i]
		for k, v := range a.Counters.All() {
			if k.Kind == billing.OfAccount && k.Window == billing.Day && k.Start >= since {
				page[i].Used[k.Start] = v.Amount
			}
		}
	}
	const ever = 9999 // the last year that a due time can have
	_, err = collect(ctx, t.tx, dueServices, func(r pgx.CollectableRow) (struct{}, error) {
		account, d, err := scanDueService(r)
		if a := byNumber[account]; a != nil {
			a.Due = append(a.Due, d)
		}
		return struct{}{}, err
	}, pgx.NamedArgs{"numbers": numbers, "now": time.Date(ever, time.December, 31, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		return nil, fmt.Errorf("read periodic services: %w", err)
	}
	return page, t.readUsed(ctx, numbers, since, byNumber)
}

func (t *Tx) readUsed(ctx context.Context, numbers []string, since billing.Date, byNumber map[string]*ForecastAccount) error {
	rows, err := t.tx.Query(ctx, usedOnDays, pgx.NamedArgs{"numbers": numbers, "since": dateTime(since)})
	if err != nil {
		return fmt.Errorf("read what was used: %w", err)
	}
	var (
		account, amount string
		day             billing.Date
	)
	_, err = pgx.ForEachRow(rows, []any{&account, &day, &amount}, func() error {
		var used billing.Fixed
		if err := used.UnmarshalText([]byte(amount)); err != nil {
			return err
		}
		byNumber[account].Used[day] = used
		return nil
	})
	return wrap(err, "read what was used")
}
