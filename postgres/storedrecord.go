package postgres

import (
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/uuid"
)

// StoredRecord is a usage record as it is stored, without its attributes, and
// with its judgement in force.
type StoredRecord struct {
	billing.UsageRecord
	Arrival  int64
	Batch    uuid.UUID
	Judged   StoredJudgement
	Original *StoredOriginal // of a credit; nil where there is none
}

// StoredJudgement is what became of a record, and by what.
type StoredJudgement struct {
	Seq       int64 // its place among the lines of the account
	Outcome   billing.Outcome
	Reason    billing.Reason
	Charge    billing.Money // of a rated record
	Price     int32         // 0: none
	Band      int           // -1: the price's own model
	Placement int32         // 0: the service was not known
	Trace     Trace
	// TraceFault is why the stored trace cannot be read; Trace is then empty.
	TraceFault error
	RatedAt    time.Time
}

// StoredOriginal is what a credit needs of the record that it is of.
type StoredOriginal struct {
	Service    string
	OccurredAt time.Time
	Directive  billing.Directive
	Amount     *billing.Money
	Outcome    billing.Outcome
	Placement  int32
}

// What scanRecord reads. The original of a credit is looked up by its identity;
// for a record that is none the look-up ends at once.
const (
	recordColumns = `
	       r.account, r.source, r.id, r.arrival, r.batch, r.service, r.quantity, r.occurred_at, r.directive, r.amount,
	       r.original_id, coalesce(r.seq, r.arrival), r.outcome, r.reason, r.charge, r.price, r.band, r.placement, r.trace,
	       r.rated_at, o.service, o.occurred_at, o.directive, o.amount, o.outcome, o.placement`

	withOriginal = `
	left join lateral (
	       select service, occurred_at, directive, amount, outcome, placement
	       from   records o
	       where  o.account = r.account
	       and    o.source  = r.source
	       and    o.id      = r.original_id
	       limit  1) o on true`
)

func scanRecord(row *rawRow, r *StoredRecord) {
	r.Account, r.Source, r.ID = row.text(), row.text(), row.text()
	r.Arrival, r.Batch = row.int64(), row.uuid()
	r.Service, r.Quantity, r.OccurredAt = row.text(), row.numeric(), row.time()
	r.Directive, r.Amount, r.OriginalID = billing.Directive(row.int16()), row.moneyOrNil(), row.text()
	scanJudgement(row, &r.Judged)
	if row.isNull() {
		row.skip(6)
		return
	}
	r.Original = &StoredOriginal{
		Service: row.text(), OccurredAt: row.time(), Directive: billing.Directive(row.int16()),
		Amount: row.moneyOrNil(), Outcome: billing.Outcome(row.int16()), Placement: row.int32(),
	}
}

func scanJudgement(row *rawRow, j *StoredJudgement) {
	j.Seq, j.Outcome, j.Reason = row.int64(), billing.Outcome(row.int16()), billing.Reason(row.int16())
	j.Charge, j.Price, j.Band, j.Placement = row.money(), row.int32(), row.int16(), row.int32()
	if j.Trace, j.TraceFault = ReadTrace(row.bytes()); j.TraceFault != nil {
		j.Trace = Trace{}
	}
	j.RatedAt = row.time()
}
