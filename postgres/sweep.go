package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// The partial index accounts_due_for_the_credit_test holds only accounts that the
// test would change at some instant: what is read are the due ones among them, in
// its order, whatever number of accounts there is (SPEC R6.4).
const creditDue = `
	select   due_at, account
	from     account_states
	where    due_at <= @now
	and      (due_at, account) > (@at, @account)
	order by due_at, account
	limit    @most`

// CreditDue lists accounts that the credit test may change at now: a page of at
// most so many that follow one.
func (s *Store) CreditDue(ctx context.Context, now time.Time, after DueKey, most int) ([]DueKey, error) {
	page, err := collect(ctx, s.pool, creditDue, func(r pgx.CollectableRow) (k DueKey, err error) {
		err = r.Scan(&k.At, &k.Account)
		return k, err
	}, pgx.NamedArgs{"now": now, "at": after.at(), "account": after.Account, "most": most})
	return page, wrap(err, "look for accounts that are due for the credit test")
}

// Swept counts what a credit sweep did.
type Swept struct {
	Judged   int `json:"judged"`
	Held     int `json:"held"`
	Released int `json:"released"`
}

// Add is s and more.
func (s Swept) Add(more Swept) Swept {
	return Swept{Judged: s.Judged + more.Judged, Held: s.Held + more.Held, Released: s.Released + more.Released}
}

const stillDue = `
	select account
	from   account_states
	where  account = any(@numbers::text[])
	and    due_at <= @now`

// CreditTest runs the credit test on those of the accounts that are still due and
// writes them, also where it changes nothing: then the row learns that it is not
// due (limits.Terms.DueAt).
func (t *Tx) CreditTest(ctx context.Context, numbers []string) (done Swept, err error) {
	// First the accounts, then their terms: see PeriodicAccounts. And last which of
	// them are due: of two sweeps at once one finds nothing to do, or that its
	// accounts are stale.
	accounts, err := t.accounts(ctx, numbers)
	if err != nil {
		return done, err
	}
	classes, err := t.classes(ctx)
	if err != nil {
		return done, err
	}
	due, err := collect(ctx, t.tx, stillDue, pgx.RowTo[string], pgx.NamedArgs{"numbers": numbers, "now": t.Now})
	if err != nil {
		return done, fmt.Errorf("look which accounts are still due: %w", err)
	}
	accounts = slices.DeleteFunc(accounts, func(a *Account) bool { return !slices.Contains(due, a.Number) })
	done.Judged = len(accounts)
	for _, a := range accounts {
		switch change := t.creditTest(a, classes); {
		case change.Unchanged():
		case change.To == billing.Active:
			done.Released++
		default:
			done.Held++
		}
	}
	return done, t.save(ctx, classes, accounts...)
}
