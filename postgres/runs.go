package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// The lease goes by the database's clock, the one that all schedulers share. It
// is taken when it has run out, or renewed by who holds it; the fence rises when
// it changes hands.
const (
	takeLead = `
	insert into leader as l (holder, fence, expires_at)
	values (@holder, 1, now() + @lease::interval)
	on conflict on constraint there_is_one_leader
	do update set holder     = excluded.holder,
	              fence      = l.fence + case when l.holder = excluded.holder then 0 else 1 end,
	              expires_at = excluded.expires_at
	where     l.holder = excluded.holder
	or        l.expires_at < now()
	returning fence`

	resignLead = `
	update leader
	set    expires_at = now() - interval '1 second'
	where  holder = @holder`
)

// Lead makes a scheduler the leader for as long as the lease says, or keeps it
// so. It answers the fence, and false where somebody else leads.
func (s *Store) Lead(ctx context.Context, holder uuid.UUID, lease time.Duration) (fence int64, leads bool, err error) {
	err = s.pool.QueryRow(ctx, takeLead, pgx.NamedArgs{"holder": holder, "lease": lease}).Scan(&fence)
	if isNoRows(err) {
		return 0, false, nil
	}
	return fence, err == nil, wrap(err, "lead the schedulers")
}

// Resign makes a leader's lease free at once. Of others nothing changes.
func (s *Store) Resign(ctx context.Context, holder uuid.UUID) error {
	_, err := s.pool.Exec(ctx, resignLead, pgx.NamedArgs{"holder": holder})
	return wrap(err, "resign as leader")
}

// Run is one run of a job, as the log keeps it and stats show it.
type Run struct {
	ID         uuid.UUID      `json:"-"`
	Job        string         `json:"-"`
	Fence      int64          `json:"-"` // of the leader; 0: a command
	AsOf       time.Time      `json:"as_of"`
	StartedAt  time.Time      `json:"started_at"`
	FinishedAt *time.Time     `json:"finished_at"` // nil: at work, or its process ended
	Counts     map[string]int `json:"counts"`
	Fault      string         `json:"error"` // empty: it did all that it should
}

const insertRun = `
	insert into runs (id, job, fence, as_of, started_at)
	values (@id, @job, nullif(@fence::bigint, 0), @as_of, @started_at)`

// BeginRun notes that a run has begun.
func (s *Store) BeginRun(ctx context.Context, r *Run) error {
	_, err := s.pool.Exec(ctx, insertRun, pgx.NamedArgs{"id": r.ID, "job": r.Job, "fence": r.Fence, "as_of": r.AsOf,
		"started_at": r.StartedAt})
	return wrap(err, "note a run of %s", r.Job)
}

const finishRun = `
	insert into runs (id, job, fence, as_of, started_at, finished_at, counts, fault)
	values (@id, @job, nullif(@fence::bigint, 0), @as_of, @started_at, @finished_at, @counts, @fault)
	on conflict on constraint a_run_has_one_id
	do update set finished_at = excluded.finished_at,
	              counts      = excluded.counts,
	              fault       = excluded.fault`

// FinishRun notes what came of a run. One that did not say that it had begun is
// noted whole.
func (s *Store) FinishRun(ctx context.Context, r *Run) error {
	counts := r.Counts
	if counts == nil {
		counts = map[string]int{}
	}
	_, err := s.pool.Exec(ctx, finishRun, pgx.NamedArgs{"id": r.ID, "job": r.Job, "fence": r.Fence, "as_of": r.AsOf,
		"started_at": r.StartedAt, "finished_at": r.FinishedAt, "counts": text(counts), "fault": keepable(r.Fault)})
	return wrap(err, "note the end of a run of %s", r.Job)
}

// ForgetRuns takes runs out of the log that began before a time.
func (s *Store) ForgetRuns(ctx context.Context, before time.Time) (n int, err error) {
	tag, err := s.pool.Exec(ctx, `delete from runs where started_at < @before`, pgx.NamedArgs{"before": before})
	return int(tag.RowsAffected()), wrap(err, "clear the log of runs")
}

// JobStats is how a job does: its last run, its last failure, and what its runs
// of the last day add up to.
type JobStats struct {
	Last        *Run           `json:"last"`
	LastFailure *Run           `json:"last_failure"`
	Day         map[string]int `json:"day"` // runs, failures, and the counts
}

const (
	runColumns = `job, as_of, started_at, finished_at, counts, fault`

	lastRun = `
	select   ` + runColumns + `
	from     runs
	where    job = @job
	order by started_at desc
	limit    1`

	lastFailure = `
	select   ` + runColumns + `
	from     runs
	where    job = @job
	and      fault <> ''
	order by started_at desc
	limit    1`

	runsOfADay = `
	select   c.key, sum(c.value)::bigint
	from     runs r
	cross join lateral (
	         select 'runs' as key, 1 as value
	         union all
	         select 'failures', 1 where r.fault <> ''
	         union all
	         select key, value::bigint from jsonb_each_text(r.counts)) c
	where    r.job        = @job
	and      r.started_at > now() - interval '24 hours'
	group by c.key`
)

// queueJobStats asks for the figures of a job.
func queueJobStats(b *pgx.Batch, job string, st *JobStats) {
	st.Day = map[string]int{"runs": 0, "failures": 0}
	args := pgx.NamedArgs{"job": job}
	one := func(to **Run) func(pgx.Row) error {
		return func(row pgx.Row) error {
			var r Run
			err := row.Scan(&r.Job, &r.AsOf, &r.StartedAt, &r.FinishedAt, &r.Counts, &r.Fault)
			if isNoRows(err) {
				return nil
			}
			r.AsOf, r.StartedAt = r.AsOf.UTC(), r.StartedAt.UTC()
			if r.FinishedAt != nil {
				end := r.FinishedAt.UTC()
				r.FinishedAt = &end
			}
			*to = &r
			return err
		}
	}
	b.Queue(lastRun, args).QueryRow(one(&st.Last))
	b.Queue(lastFailure, args).QueryRow(one(&st.LastFailure))
	b.Queue(runsOfADay, args).Query(func(rows pgx.Rows) error {
		var (
			key string
			n   int
		)
		_, err := pgx.ForEachRow(rows, []any{&key, &n}, func() error {
			st.Day[key] = n
			return nil
		})
		return err
	})
}

// SchedulerStats are the figures of a dashboard about what the schedulers do.
type SchedulerStats struct {
	Sweeps  JobStats    `json:"sweeps"`
	Charges JobStats    `json:"charges"`
	Leader  *Leader     `json:"leader"` // nil: no scheduler ever ran
	Notices NoticeStats `json:"notices"`
}

// Leader is who leads the schedulers.
type Leader struct {
	Fence     int64     `json:"fence"`
	ExpiresAt time.Time `json:"expires_at"` // in the past: nobody leads
}

// NoticeStats counts notices.
type NoticeStats struct {
	Waiting int `json:"waiting"` // to be delivered
	Dead    int `json:"dead"`    // given up, until they are replayed or discarded
}

// The jobs whose runs stats show.
const (
	SweepJob  = "sweep"
	ChargeJob = "charge"
)

// queueStats asks for all of st.
func (st *SchedulerStats) queueStats(b *pgx.Batch) {
	queueJobStats(b, SweepJob, &st.Sweeps)
	queueJobStats(b, ChargeJob, &st.Charges)
	b.Queue(`select fence, expires_at from leader`).QueryRow(func(row pgx.Row) error {
		var l Leader
		err := row.Scan(&l.Fence, &l.ExpiresAt)
		if isNoRows(err) {
			return nil
		}
		l.ExpiresAt = l.ExpiresAt.UTC()
		st.Leader = &l
		return err
	})
	b.Queue(`select count(due_at), count(*) - count(due_at) from deliveries`).QueryRow(func(row pgx.Row) error {
		return row.Scan(&st.Notices.Waiting, &st.Notices.Dead)
	})
}

// SchedulerStats reads how sweeps, charges and notices do.
func (s *Store) SchedulerStats(ctx context.Context) (*SchedulerStats, error) {
	st := &SchedulerStats{}
	var b pgx.Batch
	st.queueStats(&b)
	if err := s.pool.SendBatch(ctx, &b).Close(); err != nil {
		return nil, fmt.Errorf("read the statistics of the schedulers: %w", err)
	}
	return st, nil
}
