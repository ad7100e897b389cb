package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Revisions are those of an account, or versions of its limits, by which a client
// judged: a change is refused (ErrChanged) where none is the one in force. nil is
// whichever there is.
//
// A revision is of what people set: terms, links, limits, profile, the status by
// hand. Usage and payments leave it, or no client could ever change the terms of
// an account that is used; against these the account's version guards.
type Revisions []int64

func (r Revisions) hold(what, number string, now int64) error {
	if r == nil || slices.Contains(r, now) {
		return nil
	}
	return fmt.Errorf("%s %s: %w", what, number, ErrChanged)
}

const revisionOf = `select revision from accounts where number = @number`

// unchanged holds revisions against an account that was read. Whoever raises its
// revision raises its version too, so that the guard of what is written next is
// that of this as well.
func (t *Tx) unchanged(ctx context.Context, number string, r Revisions) error {
	if r == nil {
		return nil
	}
	var now int64
	if err := t.tx.QueryRow(ctx, revisionOf, pgx.NamedArgs{"number": number}).Scan(&now); err != nil {
		return fmt.Errorf("read the revision of account %s: %w", number, err)
	}
	return r.hold("account", number, now)
}

// revise raises the revision of an account.
func (t *Tx) revise(ctx context.Context, number string) error {
	_, err := t.tx.Exec(ctx, `update accounts set revision = revision + 1 where number = @number`, pgx.NamedArgs{"number": number})
	return wrap(err, "raise the revision of account %s", number)
}
