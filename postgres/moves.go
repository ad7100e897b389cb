package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/jackc/pgx/v5"
)

// ErrNoAccount means that there is no account with a number.
var ErrNoAccount = errors.New("no such account")

// lockAccounts is in the order of numbers, so that of two that lock none waits
// for the other.
const lockAccounts = `
	select   account
	from     account_states
	where    account = any(@numbers::text[])
	order by account
	for update`

// lock keeps accounts as they are for others until the transaction ends. Versions
// guard without it; but who changes many accounts at once, or takes long over
// one, would be overtaken by batches and payments for ever. It comes before what
// the accounts are changed by is read.
func (t *Tx) lock(ctx context.Context, numbers ...string) error {
	_, err := t.tx.Exec(ctx, lockAccounts, pgx.NamedArgs{"numbers": numbers})
	return wrap(err, "lock accounts")
}

// account reads the state of one account, or says ErrNoAccount.
func (t *Tx) account(ctx context.Context, number string) (*Account, error) {
	found, err := t.accounts(ctx, []string{number})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("account %s: %w", number, ErrNoAccount)
	}
	return found[0], nil
}

// locked reads the state of one account as account does, and keeps it as it is.
// Where one account is paid by many at once each would else overtake most of the
// others, until they gave up.
func (t *Tx) locked(ctx context.Context, number string) (*Account, error) {
	if err := t.lock(ctx, number); err != nil {
		return nil, err
	}
	return t.account(ctx, number)
}

// accounts reads the states of those accounts that exist, in the order of their
// numbers. No lock is taken: save finds out whether one has moved on.
func (t *Tx) accounts(ctx context.Context, numbers []string) ([]*Account, error) {
	rows, err := t.tx.Query(ctx, accountsFor, pgx.NamedArgs{"numbers": numbers})
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	a := Answer{Accounts: make(map[string]*Account, len(numbers))}
	if err := a.readAccounts(rows); err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	rows.Close()
	return slices.SortedFunc(maps.Values(a.Accounts), func(a, b *Account) int {
		return strings.Compare(a.Number, b.Number)
	}), nil
}

// Terms are what is in force for an account (SPEC R6.5).
func (s *Snapshot) Terms(a *Account) limits.Terms {
	return limits.Effective(s.Classes[a.Class], a.Threshold, a.CreditLimit)
}

// save writes accounts back under the versions that they were read with.
func (t *Tx) save(ctx context.Context, s *Snapshot, accounts ...*Account) error {
	if len(accounts) == 0 {
		return nil
	}
	moved := make([]Moved, len(accounts))
	for i, a := range accounts {
		moved[i] = Moved{Account: a, DueAt: dueAt(s.Terms(a), a, t.Now)}
	}
	c := Commit{Moved: moved, Changes: t.changes}
	t.changes = nil
	var b pgx.Batch
	c.queueMoved(&b)
	for i := range c.Changes {
		c.Changes[i].queue(&b)
	}
	if err := t.tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("write accounts: %w", err)
	}
	for _, a := range accounts {
		a.Version++
	}
	return nil
}

func dueAt(terms limits.Terms, a *Account, now time.Time) *time.Time {
	at, due := terms.DueAt(a.Funds, a.Standing, now)
	if !due {
		return nil
	}
	if at.IsZero() {
		at = AtOnce
	}
	return &at
}

// DueAt is from when on the credit test would change the account, as its row
// keeps it; nil is never.
func (a *Account) DueAt(terms limits.Terms, now time.Time) *time.Time { return dueAt(terms, a, now) }

// creditTest carries out what the credit test says of an account, and keeps the
// line of its history for save. It tells whether the status changed.
func (t *Tx) creditTest(a *Account, s *Snapshot) limits.Change {
	terms := s.Terms(a)
	standing, change := terms.Test(a.Funds, a.Standing, t.Now)
	if !change.Unchanged() {
		a.Standing = standing
		t.changed(a, terms, change, "")
	}
	return change
}

// changed keeps a line of history until the account is saved.
func (t *Tx) changed(a *Account, terms limits.Terms, c limits.Change, note string) {
	t.changes = append(t.changes, StatusChange{
		Account: a.Number, Seq: a.NextSeq(t.Now.UnixMicro()), At: t.Now, From: c.From, To: c.To, Reason: c.Reason,
		Note: note, Balance: a.Figure(billing.Prepay), Threshold: terms.Threshold, Actor: t.Actor,
	})
}
