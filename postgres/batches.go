package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/crc64"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/klauspost/compress/zstd"
)

type pgconnTag = pgconn.CommandTag

func isNoRows(err error) bool { return errors.Is(err, pgx.ErrNoRows) }

// StoredBatch is a batch as it was accepted: its records as a JSON array.
type StoredBatch struct {
	ID         uuid.UUID
	Shard      int
	Source     string
	Count      int // of readable records
	AcceptedAt time.Time
	Records    []byte // JSON array
}

var crcTable = crc64.MakeTable(crc64.ECMA)

// Checksum tells contents of one batch id apart.
func Checksum(records []byte) int64 { return int64(crc64.Checksum(records, crcTable)) }

// Payloads are compressed at the fastest level: the database reads them only
// where a task was lost, and they are gone when the batch is done.
var (
	zstdEncoder, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2))
	zstdDecoder, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(1<<30))
)

// All in one statement: what it stores is durable after one round trip.
const insertBatches = `
	insert into batches (id, shard, source, records, accepted_at, checksum, payload)
	select id, shard, source, records, accepted_at, checksum, payload
	from   unnest(@ids::uuid[], @shards::integer[], @sources::text[], @records::integer[], @times::timestamptz[],
	              @checksums::bigint[], @payloads::bytea[])
	              as n (id, shard, source, records, accepted_at, checksum, payload)`

// ErrBatchReused means that a batch id came again with other records: a feed
// that gives ids twice would lose the second batch in silence.
var ErrBatchReused = errors.New("this batch id was used for other records")

// Accept stores batches durably, all or none: from its return on they are
// accepted. A batch that is there already with the same records is left as it
// is.
func (s *Store) Accept(ctx context.Context, batches ...StoredBatch) error {
	args := batchArgs(batches)
	return s.again(ctx, func() error {
		_, err := s.pool.Exec(ctx, insertBatches, args)
		switch constraintOf(err) {
		case "":
			return wrap(err, "accept batches")
		case "a_batch_has_one_id":
			return s.acceptNew(ctx, batches, args)
		}
		return fmt.Errorf("accept batches: %w", err)
	})
}

func batchArgs(batches []StoredBatch) pgx.NamedArgs {
	n := len(batches)
	ids, shards, sources, records := make([]uuid.UUID, n), make([]int32, n), make([]string, n), make([]int32, n)
	times, sums, payloads := make([]time.Time, n), make([]int64, n), make([][]byte, n)
	for i := range batches {
		b := &batches[i]
		ids[i], shards[i], sources[i], records[i], times[i] = b.ID, int32(b.Shard), b.Source, int32(b.Count), b.AcceptedAt
		sums[i], payloads[i] = Checksum(b.Records), zstdEncoder.EncodeAll(b.Records, nil)
	}
	return pgx.NamedArgs{"ids": ids, "shards": shards, "sources": sources, "records": records, "times": times,
		"checksums": sums, "payloads": payloads}
}

// acceptNew stores those that are not there yet. Only a feed that sends again
// what is on its way already comes here.
func (s *Store) acceptNew(ctx context.Context, batches []StoredBatch, args pgx.NamedArgs) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, insertBatches+`
	on conflict on constraint a_batch_has_one_id do nothing`, args)
		if err != nil {
			return fmt.Errorf("accept batches: %w", err)
		}
		if tag.RowsAffected() == int64(len(batches)) {
			return nil
		}
		return sameBatches(ctx, tx, batches)
	})
}

func sameBatches(ctx context.Context, tx pgx.Tx, there []StoredBatch) error {
	for i := range there {
		var sum int64
		if err := tx.QueryRow(ctx, `select checksum from batches where id = @id`,
			pgx.NamedArgs{"id": there[i].ID}).Scan(&sum); err != nil {
			return fmt.Errorf("accept batch %s: %w", there[i].ID, err)
		}
		if sum != Checksum(there[i].Records) {
			return fmt.Errorf("accept batch %s: %w", there[i].ID, ErrBatchReused)
		}
	}
	return nil
}

// Checksums answers the checksums of the batches that are there.
func (s *Store) Checksums(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]int64, error) {
	found := make(map[uuid.UUID]int64, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	rows, err := s.pool.Query(ctx, `select id, checksum from batches where id = any(@ids::uuid[])`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("look batches up: %w", err)
	}
	var (
		id  uuid.UUID
		sum int64
	)
	if _, err := pgx.ForEachRow(rows, []any{&id, &sum}, func() error {
		found[id] = sum
		return nil
	}); err != nil {
		return nil, fmt.Errorf("look batches up: %w", err)
	}
	return found, nil
}

// A letter whose batch was tried again and failed again is open again.
const failBatch = `
	with failed as (
	       update    batches
	       set       failed_at = @at
	       where     id        = @batch
	       and       done_at is null
	       returning id)
	insert into dead_letters (id, kind, at, source, file, line, fault, payload, batch)
	select @id, @kind, @at, @source, @file, @line, @fault, @payload, f.id
	from   failed f
	on conflict on constraint a_dead_letter_has_one_id
	do update set at         = excluded.at,
	              fault      = excluded.fault,
	              settled_at = null,
	              settled_by = null`

// FailBatch takes a batch that cannot be committed out of the way and keeps why.
// One that was done meanwhile is left as it is.
func (s *Store) FailBatch(ctx context.Context, id uuid.UUID, why DeadLetter) error {
	why.Batch = id
	_, err := s.pool.Exec(ctx, failBatch, why.args())
	return wrap(err, "set batch %s aside", id)
}

// BatchHead is a batch without its records.
type BatchHead struct {
	ID         uuid.UUID
	AcceptedAt time.Time
}

const waitingUpTo = `
	select   id, accepted_at
	from     batches
	where    shard = @shard
	and      done_at is null
	and      failed_at is null
	and      id <= @id
	order by id
	limit    @most`

// Waiting lists the batches of a shard that are not done, oldest first, up to
// and including the batch id: what must be judged before or with it (SPEC R4.7).
func (s *Store) Waiting(ctx context.Context, shard int, id uuid.UUID, most int) ([]BatchHead, error) {
	heads, err := collect(ctx, s.pool, waitingUpTo, func(r pgx.CollectableRow) (h BatchHead, err error) {
		err = r.Scan(&h.ID, &h.AcceptedAt)
		return h, err
	}, pgx.NamedArgs{"shard": shard, "id": id, "most": most})
	if err != nil {
		return nil, fmt.Errorf("look for waiting batches of shard %d: %w", shard, err)
	}
	return heads, nil
}

// Batches reads batches with their records, oldest first; those that are done
// meanwhile are left out.
func (s *Store) Batches(ctx context.Context, ids []uuid.UUID) ([]StoredBatch, error) {
	const query = `
	select   id, shard, source, records, accepted_at, payload
	from     batches
	where    id = any(@ids::uuid[])
	and      done_at is null
	order by id`
	batches, err := collect(ctx, s.pool, query, func(r pgx.CollectableRow) (b StoredBatch, err error) {
		var payload []byte
		if err = r.Scan(&b.ID, &b.Shard, &b.Source, &b.Count, &b.AcceptedAt, &payload); err != nil {
			return b, err
		}
		if b.Records, err = zstdDecoder.DecodeAll(payload, nil); err != nil {
			return b, fmt.Errorf("records of batch %s: %w: %w", b.ID, ErrDamaged, err)
		}
		return b, nil
	}, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, fmt.Errorf("read batches: %w", err)
	}
	return batches, nil
}

// First the newest waiting batch of each shard, then whether the shard moves: as
// many looks into batches_by_end as there are shards, however many batches wait
// and however many there ever were.
const stalledShards = `
	select w.shard, w.id
	from   (select   distinct on (shard) shard, id
	        from     batches
	        where    done_at is null
	        and      failed_at is null
	        and      accepted_at < @before
	        order by shard, id desc) w
	where  not exists (
	       select from batches d
	       where  d.shard = w.shard
	       and    d.done_at > @before)`

// Stalled finds, for each shard that has finished nothing since before though
// batches accepted earlier wait, the newest of those: a reminder of it brings
// all of them on, as a shard works off what is older first.
func (s *Store) Stalled(ctx context.Context, before time.Time) (map[int]uuid.UUID, error) {
	rows, err := s.pool.Query(ctx, stalledShards, pgx.NamedArgs{"before": before})
	if err != nil {
		return nil, fmt.Errorf("look for lost batches: %w", err)
	}
	found := map[int]uuid.UUID{}
	var (
		shard int
		id    uuid.UUID
	)
	if _, err := pgx.ForEachRow(rows, []any{&shard, &id}, func() error {
		found[shard] = id
		return nil
	}); err != nil {
		return nil, fmt.Errorf("look for lost batches: %w", err)
	}
	return found, nil
}

// SetAside counts those of some batches that were set aside: waiting for them
// waits for a person.
func (s *Store) SetAside(ctx context.Context, ids []uuid.UUID) (n int, err error) {
	const query = `
	select count(*)
	from   batches
	where  id = any(@ids::uuid[])
	and    done_at is null
	and    failed_at is not null`
	err = s.pool.QueryRow(ctx, query, pgx.NamedArgs{"ids": ids}).Scan(&n)
	return n, wrap(err, "count batches that were set aside")
}

// OutcomesOf adds up what became of batches, and how many of them are not done.
func (s *Store) OutcomesOf(ctx context.Context, ids []uuid.UUID) (sum Outcomes, waiting int, err error) {
	const query = `
	select done_at is not null, records, rated, rejected, duplicate, conflict, unreadable, reasons
	from   batches
	where  id = any(@ids::uuid[])`
	rows, err := s.pool.Query(ctx, query, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return sum, 0, fmt.Errorf("read outcomes: %w", err)
	}
	sum.Reasons = map[string]int{}
	var (
		o    Outcomes
		done bool
	)
	_, err = pgx.ForEachRow(rows, []any{&done, &o.Accepted, &o.Rated, &o.Rejected, &o.Duplicate, &o.Conflict,
		&o.Unreadable, &o.Reasons}, func() error {
		if !done {
			waiting++
		}
		sum = sum.Add(o)
		o = Outcomes{}
		return nil
	})
	if err != nil {
		return sum, 0, fmt.Errorf("read outcomes: %w", err)
	}
	return sum, waiting, nil
}
