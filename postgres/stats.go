package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Stats are the figures of a dashboard that the database knows.
type Stats struct {
	Batches  BatchStats `json:"batches"`
	Outcomes Outcomes   `json:"outcomes"`
	SchedulerStats
}

// BatchStats counts batches.
type BatchStats struct {
	Accepted int64 `json:"accepted"`
	Done     int64 `json:"done"`
	Waiting  int64 `json:"waiting"` // not done, those set aside among them
}

const batchStats = `
	select count(*), count(done_at), coalesce(sum(records), 0), coalesce(sum(rated), 0), coalesce(sum(rejected), 0),
	       coalesce(sum(duplicate), 0), coalesce(sum(conflict), 0), coalesce(sum(unreadable), 0),
	       (select count(*) from records where outcome = 3)
	from   batches`

const reasonStats = `
	select   r.key, sum(r.value::bigint)
	from     batches b
	cross join lateral jsonb_each_text(b.reasons) r
	where    b.reasons <> '{}'
	group by r.key`

// Stats adds up what became of all records so far. Unreadable lines that never
// came to a batch are counted with the dead letters.
func (s *Store) Stats(ctx context.Context) (*Stats, error) {
	st := &Stats{}
	st.Outcomes.Reasons = map[string]int{}
	var b pgx.Batch
	b.Queue(batchStats).QueryRow(func(row pgx.Row) error {
		o := &st.Outcomes
		return row.Scan(&st.Batches.Accepted, &st.Batches.Done, &o.Accepted, &o.Rated, &o.Rejected, &o.Duplicate, &o.Conflict,
			&o.Unreadable, &o.Cancelled)
	})
	b.Queue(reasonStats).Query(func(rows pgx.Rows) error {
		var (
			reason string
			n      int
		)
		_, err := pgx.ForEachRow(rows, []any{&reason, &n}, func() error {
			st.Outcomes.Reasons[reason] = n
			return nil
		})
		return err
	})
	b.Queue(`select count(*) from dead_letters where kind = 1`).QueryRow(func(row pgx.Row) error {
		return row.Scan(&st.Outcomes.Unreadable)
	})
	st.queueStats(&b)
	if err := s.pool.SendBatch(ctx, &b).Close(); err != nil {
		return nil, fmt.Errorf("read the statistics: %w", err)
	}
	st.Batches.Waiting = st.Batches.Accepted - st.Batches.Done
	return st, nil
}

// WaitingBatches counts batches that are accepted and neither done nor set aside.
func (s *Store) WaitingBatches(ctx context.Context) (n int, err error) {
	err = s.pool.QueryRow(ctx, `select count(*) from batches where done_at is null and failed_at is null`).Scan(&n)
	return n, wrap(err, "count waiting batches")
}
