package postgres

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// AuditedBatch is a batch with what it says of itself and what is found of it.
type AuditedBatch struct {
	ID           uuid.UUID
	Exists       bool // false: records or dead letters name a batch that is not there
	Done, Failed bool
	Says, Found  BatchCounts
	FailedLetter bool // a dead letter tells why it was set aside
}

// BatchCounts are the numbers of a batch. Found have no Accepted and Duplicate:
// what was the same leaves no trace.
type BatchCounts struct {
	Accepted, Rated, Rejected, Duplicate, Conflict, Unreadable int64
}

// A batch counts what its records were at first; a record that was cancelled or
// rated again since shows that in its first judgement, whose place is that of
// its arrival.
const auditBatches = `
	with   first as (
	       select r.batch,
	              count(*) filter (where coalesce(j.outcome, r.outcome) = 1) as rated,
	              count(*) filter (where coalesce(j.outcome, r.outcome) = 2) as rejected
	       from   records r
	       left join judgements j
	       on     r.seq is not null
	       and    j.account = r.account
	       and    j.source  = r.source
	       and    j.id      = r.id
	       and    j.seq     = r.arrival
	       group  by r.batch),
	       letters as (
	       select batch,
	              count(*) filter (where kind = 1) as unreadable,
	              count(*) filter (where kind = 2) as conflict,
	              count(*) filter (where kind = 3) as failed
	       from   dead_letters
	       where  batch is not null
	       group  by batch)
	select coalesce(b.id, f.batch, l.batch), b.id is not null, b.done_at is not null, b.failed_at is not null,
	       b.records::bigint, b.rated::bigint, b.rejected::bigint, b.duplicate::bigint, b.conflict::bigint,
	       b.unreadable::bigint, f.rated, f.rejected, l.conflict, l.unreadable, coalesce(l.failed, 0) > 0
	from   batches b
	full join first   f on f.batch = b.id
	full join letters l on l.batch = coalesce(b.id, f.batch)`

// AuditBatches reads every batch, all as of one moment.
func (s *Store) AuditBatches(ctx context.Context, each func(*AuditedBatch) error) error {
	err := s.view(ctx, func(tx pgx.Tx) error {
		c, err := openCursor(ctx, tx, "audit_batches", auditBatches, nil, scanAuditedBatch)
		if err != nil {
			return err
		}
		var fault error
		err = eachRow(ctx, c, func(b *AuditedBatch) bool {
			fault = each(b)
			return fault == nil
		})
		if fault != nil {
			return fault
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("audit batches: %w", err)
	}
	return nil
}

func scanAuditedBatch(row *rawRow, b *AuditedBatch) {
	b.ID, b.Exists, b.Done, b.Failed = row.uuid(), row.bool(), row.bool(), row.bool()
	b.Says.Accepted, b.Says.Rated, b.Says.Rejected, b.Says.Duplicate = row.int64(), row.int64(), row.int64(), row.int64()
	b.Says.Conflict, b.Says.Unreadable = row.int64(), row.int64()
	b.Found.Rated, b.Found.Rejected, b.Found.Conflict, b.Found.Unreadable = row.int64(), row.int64(), row.int64(), row.int64()
	b.FailedLetter = row.bool()
}
