package postgres

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Judgement is what became of a record that is new.
type Judgement struct {
	Record    *billing.UsageRecord
	Batch     uuid.UUID
	Arrival   int64
	Outcome   billing.Outcome
	Reason    billing.Reason
	Charge    billing.Money // of a rated record
	Price     int32         // 0: none
	Band      int           // -1: the price's own model
	Placement int32         // 0: the service is not known
	Trace     []byte
}

const copyRecords = `
	copy records (account, source, id, arrival, batch, service, quantity, occurred_at, directive, amount, original_id,
	              attributes, outcome, reason, charge, price, band, placement, trace, rated_at)
	from stdin (format binary)`

// recordFields is how many columns copyRecords names.
const recordFields = 20

func (c *Commit) copyRecords(ctx context.Context, tx pgx.Tx) error {
	if len(c.Judgements) == 0 {
		return nil
	}
	var rows copyRows
	rows.b = make([]byte, 0, 320*len(c.Judgements))
	rows.begin()
	for _, i := range byAccount(c.Judgements) {
		c.Judgements[i].copyTo(&rows, c.Now)
	}
	_, err := tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(rows.end()), copyRecords)
	if isCode(err, "23505") {
		return fmt.Errorf("a record came in by another way meanwhile: %w", ErrStale)
	}
	if err != nil {
		return fmt.Errorf("copy records: %w", err)
	}
	return nil
}

// byAccount is the order in which judgements are written: account by account, as
// the key has them, so that records of one account go into one page of it one
// after the other. In the order of arrival the key cost a seventh of all that the
// database did. Each account's own records stay in their order.
func byAccount(judgements []Judgement) []int {
	next := make(map[string]int, len(judgements)/8) // how many an account has, then where its next one goes
	for i := range judgements {
		next[judgements[i].Record.Account]++
	}
	at := 0
	for _, account := range slices.Sorted(maps.Keys(next)) {
		at, next[account] = at+next[account], at
	}
	order := make([]int, len(judgements))
	for i := range judgements {
		account := judgements[i].Record.Account
		order[next[account]] = i
		next[account]++
	}
	return order
}

func (j *Judgement) copyTo(c *copyRows, now time.Time) {
	r := j.Record
	c.row(recordFields)
	c.text(r.Account)
	c.text(r.Source)
	c.text(r.ID)
	c.int64(j.Arrival)
	c.uuid(j.Batch)
	c.text(r.Service)
	c.numeric(r.Quantity)
	c.time(r.OccurredAt)
	c.int16(int16(r.Directive))
	if r.Amount != nil {
		c.money(*r.Amount)
	} else {
		c.null()
	}
	if r.OriginalID != "" {
		c.text(r.OriginalID)
	} else {
		c.null()
	}
	if len(r.Attributes) > 0 {
		c.bytes(r.Attributes)
	} else {
		c.null()
	}
	c.int16(int16(j.Outcome))
	c.int16(int16(j.Reason))
	if j.Outcome == billing.Rated {
		c.money(j.Charge)
	} else {
		c.null()
	}
	c.int32(j.Price)
	c.int16(int16(j.Band))
	c.int32(j.Placement)
	c.bytes(j.Trace)
	c.time(now)
}
