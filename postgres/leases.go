package postgres

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// LeaseRequest is a worker's wish for shards.
type LeaseRequest struct {
	Holder uuid.UUID
	Shards int // how many there are
	Lease  time.Duration
}

// Leases are the shards that a worker holds, and those of them that are more
// than its share: it stops consuming these and then frees them.
type Leases struct{ Shards, Surplus []int }

// All of it goes by the database's clock, the one that all workers share.
const (
	seeWorker = `
	insert into workers (id, seen_at) values (@holder, now())
	on conflict on constraint a_worker_has_one_id do update set seen_at = excluded.seen_at`

	liveWorkers = `select count(*) from workers where seen_at > now() - @lease::interval`

	forgetWorkers = `delete from workers where seen_at < now() - interval '1 hour'`

	renewLeases = `
	update    shard_leases
	set       expires_at = now() + @lease::interval
	where     holder = @holder
	and       shard < @shards
	returning shard`

	takeLease = `
	insert into shard_leases as l (shard, holder, fence, expires_at)
	values (@shard, @holder, 1, now() + @lease::interval)
	on conflict on constraint a_shard_has_one_lease
	do update set holder     = excluded.holder,
	              fence      = l.fence + 1,
	              expires_at = excluded.expires_at
	where     l.expires_at < now()
	returning shard`

	freeLeases = `
	update shard_leases
	set    expires_at = now() - interval '1 second',
	       holder     = '00000000-0000-0000-0000-000000000000'
	where  holder = @holder
	and    shard  = any(@shards::integer[])`
)

// LeaseShards renews a worker's leases and takes free shards up to its share:
// all shards by the number of workers that live.
func (s *Store) LeaseShards(ctx context.Context, r LeaseRequest) (held Leases, err error) {
	args := pgx.NamedArgs{"holder": r.Holder, "lease": r.Lease, "shards": r.Shards}
	err = s.again(ctx, func() error {
		held = Leases{}
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			live := 1
			var b pgx.Batch
			b.Queue(seeWorker, args)
			b.Queue(forgetWorkers)
			b.Queue(liveWorkers, args).QueryRow(func(row pgx.Row) error { return row.Scan(&live) })
			b.Queue(renewLeases, args).Query(func(rows pgx.Rows) (err error) {
				held.Shards, err = pgx.CollectRows(rows, pgx.RowTo[int])
				slices.Sort(held.Shards) // so that the surplus is the same until it is freed
				return err
			})
			if err := tx.SendBatch(ctx, &b).Close(); err != nil {
				return err
			}
			share := (r.Shards + live - 1) / max(live, 1)
			if surplus := len(held.Shards) - share; surplus > 0 {
				held.Surplus = held.Shards[:surplus]
				held.Shards = held.Shards[surplus:]
				return nil
			}
			return held.take(ctx, tx, args, r.Shards, share)
		})
	})
	if err != nil {
		return held, fmt.Errorf("lease shards: %w", err)
	}
	return held, nil
}

// take asks for every shard that is not held until the share is full; shards of
// others answer with no row.
func (l *Leases) take(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs, shards, share int) error {
	mine := map[int]bool{}
	for _, n := range l.Shards {
		mine[n] = true
	}
	for n := 0; n < shards && len(l.Shards) < share; n++ {
		if mine[n] {
			continue
		}
		args["shard"] = n
		err := tx.QueryRow(ctx, takeLease, args).Scan(new(int))
		if isNoRows(err) {
			continue
		}
		if err != nil {
			return err
		}
		l.Shards = append(l.Shards, n)
	}
	return nil
}

// FreeShards gives leases back that their holder no longer consumes.
func (s *Store) FreeShards(ctx context.Context, holder uuid.UUID, shards []int) error {
	if len(shards) == 0 {
		return nil
	}
	_, err := s.pool.Exec(ctx, freeLeases, pgx.NamedArgs{"holder": holder, "shards": shards})
	if err != nil {
		return fmt.Errorf("free shards: %w", err)
	}
	return nil
}

// LeaveShards ends a worker: its leases are free at once and nobody counts on it
// any more.
func (s *Store) LeaveShards(ctx context.Context, holder uuid.UUID) error {
	var b pgx.Batch
	args := pgx.NamedArgs{"holder": holder}
	b.Queue(`update shard_leases set expires_at = now() - interval '1 second' where holder = @holder`, args)
	b.Queue(`delete from workers where id = @holder`, args)
	if err := s.pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("leave shards: %w", err)
	}
	return nil
}
