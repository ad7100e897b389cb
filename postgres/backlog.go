package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const backlog = `
	select coalesce(sum(records), 0)
	from   batches
	where  done_at is null
	and    failed_at is null`

// Backlog counts the records that are accepted and not judged yet. It reads the
// batches that wait, through the index that holds no others, so that it costs
// what waits and not what there ever was.
func (s *Store) Backlog(ctx context.Context) (records int64, err error) {
	err = s.pool.QueryRow(ctx, backlog).Scan(&records)
	return records, wrap(err, "count the records that wait")
}

// Shard by shard, as batches_by_end begins with it.
const judged = `
	select coalesce(sum(b.records), 0)
	from   generate_series(0, @shards - 1) s (shard)
	cross join lateral (
	       select records
	       from   batches
	       where  shard   = s.shard
	       and    done_at > @since) b`

// Judged counts the records that were judged since then, on the first shards.
func (s *Store) Judged(ctx context.Context, shards int, since time.Time) (records int64, err error) {
	err = s.pool.QueryRow(ctx, judged, pgx.NamedArgs{"shards": shards, "since": since}).Scan(&records)
	return records, wrap(err, "count the records that were judged since %s", since.Format(time.RFC3339))
}
