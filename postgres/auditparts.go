package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// AuditedJudgement is a judgement that was replaced: it stays a posting.
type AuditedJudgement struct {
	Account, Source, ID string
	StoredJudgement
}

// AuditedEntry is a posting that is no usage record.
type AuditedEntry struct {
	Account      string
	Seq          int64
	Kind         billing.PostingKind
	Amount       billing.Money
	BalanceAfter billing.Money
	Source       string // of the record that a reversal takes back
	Record       string
	Periodic     string
	Key          string
}

// AuditedChange is a line of an account's history.
type AuditedChange struct {
	Account            string
	Seq                int64
	At                 time.Time
	From, To           billing.Status
	Reason             billing.StatusReason
	Balance, Threshold billing.Money
	Actor              string
}

// AuditedCounter is a counter of a window that is over.
type AuditedCounter struct {
	ClosedKey
	billing.Counter
}

// AuditedPeriod is a period that was charged or skipped.
type AuditedPeriod struct {
	Account, Name string
	Starts        billing.Date
	Amount        billing.Money
	Skipped       string // why; empty: charged
	Seq           int64  // of its entry, or of the skip
}

// part is one of the tables whose rows belong to accounts.
type part[T any] struct {
	table   string
	account func(*T) string
	what    func(*T) string // which row of the account
}

// eachOf hands over the rows that are of the account, and those of nobody that
// stand before them. It leaves the rows of the accounts that follow.
func eachOf[T any](ctx context.Context, a *Audited, c *cursor[T], of part[T], take func(*T) error) error {
	for {
		row, err := c.peek(ctx)
		if row == nil || err != nil {
			return err
		}
		switch number := of.account(row); {
		case take != nil && number == a.Number:
			err = take(row)
		case a.audit.numbers[number]:
			return nil
		default:
			s := Stray{Account: number, Table: of.table, What: of.what(row)}
			s.Record, _ = any(row).(*StoredRecord)
			err = a.audit.stray(s)
		}
		if err != nil {
			return err
		}
		c.at++
	}
}

// EachRecord reads the account's records in the order of their keys, each with
// what it was judged by. The record is the caller's until take returns.
func (a *Audited) EachRecord(ctx context.Context, take func(*StoredRecord, Basis) error) error {
	return eachOf(ctx, a, a.audit.records, part[StoredRecord]{
		"records",
		func(r *StoredRecord) string { return r.Account },
		func(r *StoredRecord) string { return r.Source + "/" + r.ID },
	}, func(r *StoredRecord) error {
		b := a.audit.explainer.basis(r)
		b.Model, b.Currency = a.Model, a.Currency
		return take(r, b)
	})
}

// EachJudgement reads the judgements of the account that were replaced.
func (a *Audited) EachJudgement(ctx context.Context, take func(*AuditedJudgement) error) error {
	return eachOf(ctx, a, a.audit.judgements, part[AuditedJudgement]{
		"judgements",
		func(j *AuditedJudgement) string { return j.Account },
		func(j *AuditedJudgement) string { return fmt.Sprintf("%s/%s at %d", j.Source, j.ID, j.Seq) },
	}, take)
}

// EachEntry reads the account's postings that are no usage records, in order.
func (a *Audited) EachEntry(ctx context.Context, take func(*AuditedEntry) error) error {
	return eachOf(ctx, a, a.audit.entries, part[AuditedEntry]{
		"entries",
		func(e *AuditedEntry) string { return e.Account },
		func(e *AuditedEntry) string { return fmt.Sprint(e.Seq) },
	}, take)
}

// EachChange reads the history of the account's status, in order.
func (a *Audited) EachChange(ctx context.Context, take func(*AuditedChange) error) error {
	return eachOf(ctx, a, a.audit.changes, part[AuditedChange]{
		"status_history",
		func(c *AuditedChange) string { return c.Account },
		func(c *AuditedChange) string { return fmt.Sprint(c.Seq) },
	}, take)
}

// EachCounter reads the account's counters of windows that are over.
func (a *Audited) EachCounter(ctx context.Context, take func(*AuditedCounter) error) error {
	return eachOf(ctx, a, a.audit.counters, part[AuditedCounter]{
		"closed_counters",
		func(c *AuditedCounter) string { return c.Account },
		func(c *AuditedCounter) string {
			return fmt.Sprintf("%s %d of the %s %s", c.Kind, c.Target, c.Window, c.Start)
		},
	}, take)
}

// EachPeriod reads the account's periods that were charged or skipped, in order.
func (a *Audited) EachPeriod(ctx context.Context, take func(*AuditedPeriod) error) error {
	return eachOf(ctx, a, a.audit.periods, part[AuditedPeriod]{
		"periodic_charges",
		func(p *AuditedPeriod) string { return p.Account },
		func(p *AuditedPeriod) string { return fmt.Sprintf("%s from %s", p.Name, p.Starts) },
	}, take)
}

func scanAuditedJudgement(row *rawRow, j *AuditedJudgement) {
	j.Account, j.Source, j.ID = row.text(), row.text(), row.text()
	scanJudgement(row, &j.StoredJudgement)
}

func scanAuditedEntry(row *rawRow, e *AuditedEntry) {
	e.Account, e.Seq, e.Kind = row.text(), row.int64(), billing.PostingKind(row.int16())
	e.Amount, e.BalanceAfter = row.money(), row.money()
	e.Source, e.Record, e.Periodic, e.Key = row.text(), row.text(), row.text(), row.text()
}

func scanAuditedChange(row *rawRow, c *AuditedChange) {
	c.Account, c.Seq, c.At = row.text(), row.int64(), row.time()
	c.From, c.To, c.Reason = billing.Status(row.int16()), billing.Status(row.int16()), billing.StatusReason(row.int16())
	c.Balance, c.Threshold, c.Actor = row.money(), row.money(), row.text()
}

func scanAuditedCounter(row *rawRow, c *AuditedCounter) {
	c.Account, c.Kind, c.Window = row.text(), billing.ScopeKind(row.int16()), billing.WindowKind(row.int16())
	c.Target, c.Start = billing.TargetID(row.int32()), row.date()
	c.Quantity, c.Amount = row.numeric(), row.numeric()
}

func scanAuditedPeriod(row *rawRow, p *AuditedPeriod) {
	p.Account, p.Name, p.Starts = row.text(), row.text(), row.date()
	p.Amount, p.Skipped, p.Seq = row.money(), row.text(), row.int64()
}
