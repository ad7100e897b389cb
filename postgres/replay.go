package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// Replay is one account taken up so that records of it can be judged again or
// cancelled: what there is to read, as the transaction sees it, and, where it
// was begun by Correct, what is to be written.
type Replay struct {
	Number  string
	Account *Account // nil: records bear the number, but there is no such account
	Version int64    // of the settings that the account was taken up under

	tx     pgx.Tx
	t      *Tx // nil: only to be read
	filter CorrectionFilter
}

// Correction says for whom an account is corrected.
type Correction struct {
	Account string
	Filter  CorrectionFilter
	At      time.Time
	Actor   string
	DryRun  bool // the same, rolled back
}

// lockSettings comes first: an apply that waits for us must not hold what we
// wait for (ADR 0003).
const lockSettings = `lock table settings in row share mode`

// Correct takes up an account, locks it for as long as that takes, and runs do in
// one transaction: all that do writes is there together or not at all. It is
// tried again where an apply or another correction went first.
func (s *Store) Correct(ctx context.Context, c Correction, do func(context.Context, *Replay) error) error {
	write := s.Write
	if c.DryRun {
		write = s.WriteDry
	}
	err := write(about(ctx, c.Account), c.At, c.Actor, func(t *Tx) error {
		r := &Replay{Number: c.Account, tx: t.tx, t: t, filter: c.Filter}
		var b pgx.Batch
		b.Queue(probes)
		b.Queue(lockSettings)
		b.Queue(lockAccounts, pgx.NamedArgs{"numbers": []string{c.Account}})
		if err := t.tx.SendBatch(ctx, &b).Close(); err != nil {
			return err
		}
		if err := r.takeUp(ctx); err != nil {
			return err
		}
		return do(ctx, r)
	})
	return wrap(err, "correct account %s", c.Account)
}

// Replays takes up accounts for reading only, all as of one moment.
func (s *Store) Replays(ctx context.Context, f CorrectionFilter, numbers []string, do func(context.Context, *Replay) error) error {
	return s.view(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, probes); err != nil {
			return err
		}
		for _, number := range numbers {
			r := &Replay{Number: number, tx: tx, filter: f}
			if err := r.takeUp(ctx); err != nil {
				return err
			}
			if err := do(ctx, r); err != nil {
				return fmt.Errorf("account %s: %w", number, err)
			}
		}
		return nil
	})
}

// takeUp reads version and account in one round trip.
func (r *Replay) takeUp(ctx context.Context) error {
	a := Answer{Accounts: map[string]*Account{}}
	var b pgx.Batch
	b.Queue(settingsVersion).QueryRow(func(row pgx.Row) error { return row.Scan(&r.Version) })
	b.Queue(accountsFor, pgx.NamedArgs{"numbers": []string{r.Number}}).Query(a.readAccounts)
	if err := r.tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("take up account %s: %w", r.Number, err)
	}
	r.Account = a.Accounts[r.Number]
	return nil
}

// Now is that of the transaction.
func (r *Replay) Now() time.Time { return r.t.Now }

// Snapshot reads the settings as the transaction sees them.
func (r *Replay) Snapshot(ctx context.Context) (*Snapshot, error) { return readSnapshot(ctx, r.tx) }

// ReplayRecord is a record as a replay meets it, without its attributes.
type ReplayRecord struct {
	billing.UsageRecord
	Arrival int64
	Asked   bool // the filter names it
	// The judgement in force, and its place among the account's lines.
	Seq       int64
	Outcome   billing.Outcome
	Reason    billing.Reason
	Charge    billing.Money // of a rated record
	Price     int32
	Band      int
	Placement int32
	Trace     []byte
	// Where it counts: its own time of use, or its original's. After is the
	// arrival of the original of a credit, 0 where there is none.
	CountsAt time.Time
	After    int64
	// Settled says that a credit's original is cancelled: nothing happens to it
	// any more (SPEC R8.1).
	Settled bool
}

// The original of a credit, for what a replay asks of it.
const originalOfCredit = `
	left join lateral (
	       select o.arrival, o.occurred_at, o.outcome
	       from   records o
	       where  r.directive = 1
	       and    o.account   = r.account
	       and    o.source    = r.source
	       and    o.id        = r.original_id
	       limit  1) o on true`

// ReplaySpan narrows what is read of an account: what counts in [From, To), and
// arrived not before First. Credits that stand are read whenever they arrived.
type ReplaySpan struct {
	From, To time.Time
	First    int64
}

const replayRecords = `
	select r.source, r.id, r.arrival, r.service, r.quantity, r.occurred_at, r.directive, r.amount, r.original_id,
	       coalesce(r.seq, r.arrival), r.outcome, r.reason, r.charge, r.price, r.band, r.placement, r.trace,
	       o.arrival, o.occurred_at, coalesce(o.outcome = 3, false),` + asked + ` as asked
	from   records r ` + originalOfCredit + `
	where  r.account = @account
	and    coalesce(o.occurred_at, r.occurred_at) >= @span_from
	and    coalesce(o.occurred_at, r.occurred_at) <  @span_to
	and    (greatest(r.arrival, coalesce(o.arrival, 0)) >= @first or r.directive = 1)
	and    (r.outcome = 1 or ` + asked + `)`

// Records reads what a replay of a span may touch: the rated records, and the
// rejected ones that the filter names. They come in any order.
func (r *Replay) Records(ctx context.Context, in ReplaySpan) ([]ReplayRecord, error) {
	args := r.filter.args(r.Number)
	args["span_from"], args["span_to"], args["first"] = in.From, in.To, in.First
	services := map[string]string{} // one text for all records of a service
	found, err := queryRaw(ctx, r.tx, replayRecords, args, nil, func(row *rawRow, v *ReplayRecord) {
		v.Account = r.Number
		v.Source, v.ID, v.Arrival = row.text(), row.text(), row.int64()
		service := row.text()
		if one, met := services[service]; met {
			service = one
		} else {
			services[service] = service
		}
		v.Service, v.Quantity, v.OccurredAt = service, row.numeric(), row.time()
		v.Directive, v.Amount, v.OriginalID = billing.Directive(row.int16()), row.moneyOrNil(), row.text()
		v.Seq, v.Outcome, v.Reason = row.int64(), billing.Outcome(row.int16()), billing.Reason(row.int16())
		v.Charge, v.Price, v.Band, v.Placement = row.money(), row.int32(), row.int16(), row.int32()
		v.Trace = append([]byte(nil), row.bytes()...)
		v.CountsAt, v.After = v.OccurredAt, row.int64()
		if row.isNull() {
			row.skip(1)
		} else {
			v.CountsAt = row.time()
		}
		v.Settled, v.Asked = row.bool(), row.bool()
	})
	return found, wrap(err, "read the records of %s", r.Number)
}

// ReplayDay says how much of an account counts on a day of UTC.
type ReplayDay struct {
	Begin          time.Time
	Records, Asked int
	First          int64 // arrival of the first that is asked for; 0: none
}

const replayDays = `
	select   date_trunc('day', coalesce(o.occurred_at, r.occurred_at) at time zone 'UTC') at time zone 'UTC',
	         count(*), count(*) filter (where ` + asked + `),
	         coalesce(min(greatest(r.arrival, coalesce(o.arrival, 0))) filter (where ` + asked + `), 0)
	from     records r ` + originalOfCredit + `
	where    r.account = @account
	and      (r.outcome = 1 or ` + asked + `)
	group by 1
	order by 1`

// Days tells on which days records of the account count, oldest first: by this a
// replay is cut into parts that fit into memory.
func (r *Replay) Days(ctx context.Context) ([]ReplayDay, error) {
	days, err := collect(ctx, r.tx, replayDays, pgx.RowToStructByPos[ReplayDay], r.filter.args(r.Number))
	return days, wrap(err, "look through the records of %s", r.Number)
}

// Known answers records that exist by their identity, with what was credited of
// them so far.
func (r *Replay) Known(ctx context.Context, ids []billing.Identity) (map[billing.Identity]*Known, error) {
	a := &Answer{Known: map[billing.Identity]*Known{}}
	if len(ids) == 0 {
		return a.Known, nil
	}
	var b pgx.Batch
	b.Queue(recordsKnown, identityArgs(ids)).Query(func(rows pgx.Rows) error { return a.readKnown(rows, ids) })
	b.Queue(creditsOf, identityArgs(ids)).Query(func(rows pgx.Rows) error { return a.readCredits(rows, ids) })
	if err := r.tx.SendBatch(ctx, &b).Close(); err != nil {
		return nil, fmt.Errorf("read the originals of credits of %s: %w", r.Number, err)
	}
	return a.Known, nil
}

// Closed answers the counters of windows that are over.
func (r *Replay) Closed(ctx context.Context, windows []ClosedWindow) (map[ClosedKey]billing.Counter, error) {
	if len(windows) == 0 {
		return nil, nil
	}
	return readClosed(ctx, r.tx, windows)
}
