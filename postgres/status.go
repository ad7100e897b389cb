package postgres

import (
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// StatusChange is a line of an account's history (SPEC R6.1).
type StatusChange struct {
	Account   string
	Seq       int64
	At        time.Time
	From, To  billing.Status
	Reason    billing.StatusReason
	Note      string
	Balance   billing.Money
	Threshold billing.Money // in force then
	Actor     string
}

// The account's own row learns that the account changed. Whoever changes a status
// holds the row of the state, as everybody does who writes the account's, so none
// waits for the other in a circle.
const insertStatusChange = `
	with touched as (
	     update accounts
	     set    updated_at = @at
	     where  number     = @account)
	insert into status_history (account, seq, at, from_status, to_status, status_reason, note, balance, threshold, actor)
	values (@account, @seq, @at, @from, @to, @reason, @note, @balance::bigint * 0.000001, @threshold::bigint * 0.000001, @actor)`

// queue writes the line, and the notice that tells others of it.
func (c *StatusChange) queue(b *pgx.Batch) {
	b.Queue(insertStatusChange, pgx.NamedArgs{"account": c.Account, "seq": c.Seq, "at": c.At, "from": int16(c.From),
		"to": int16(c.To), "reason": int16(c.Reason), "note": c.Note, "balance": int64(c.Balance),
		"threshold": int64(c.Threshold), "actor": c.Actor})
	queueNotices(b, c.notice())
}

// AtOnce is the due time of an account that the credit test would change at any
// now: one fixed instant, so that the index of due accounts stays as it is while
// the account stays due.
var AtOnce = time.Date(1, time.January, 1, 0, 0, 0, 0, time.UTC)
