package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// CorrectionFilter names the records that a cancel, a re-rate or a simulation is
// about (SPEC R8.1, R8.2). What is zero does not narrow.
type CorrectionFilter struct {
	Record           *billing.Identity // only this one
	Account, Service string
	From, To         time.Time // of occurred_at, half-open
	// Rated asks for records that are rated, of these Credits for credits too;
	// Rejected for rejected ones, with a Reason for those rejected by it only.
	Rated, Credits, Rejected bool
	Reason                   billing.Reason
}

// asked is what a filter asks of a record r.
const asked = `
	       (r.source = @source::text or @source::text is null)
	and    (r.id = @id::text or @id::text is null)
	and    (r.service = @service::text or @service::text is null)
	and    (r.occurred_at >= @from::timestamptz or @from::timestamptz is null)
	and    (r.occurred_at < @to::timestamptz or @to::timestamptz is null)
	and    (   r.outcome = 1 and @rated::boolean and (r.directive <> 1 or @credits::boolean)
	        or r.outcome = 2 and @rejected::boolean and (r.reason = @reason::smallint or @reason::smallint is null))`

func (f *CorrectionFilter) args(account string) pgx.NamedArgs {
	args := pgx.NamedArgs{"account": nullText(account), "service": nullText(f.Service), "from": nullTime(f.From),
		"to": nullTime(f.To), "rated": f.Rated, "credits": f.Credits, "rejected": f.Rejected, "reason": nil, "source": nil, "id": nil}
	if f.Reason != 0 {
		args["reason"] = int16(f.Reason)
	}
	if f.Record != nil {
		args["account"], args["source"], args["id"] = f.Record.Account, f.Record.Source, f.Record.ID
	}
	return args
}

// The accounts are met in the order of the records' key, so a page reads no
// further than it has to.
const accountsAsked = `
	select   r.account, count(*)
	from     records r
	where    (r.account = @account::text or @account::text is null)
	and      (r.account > @after::text or @after::text is null)
	and      ` + asked + `
	group by r.account
	order by r.account
	limit    @most`

// AskedAccount is an account with how many of its records a filter names.
type AskedAccount struct {
	Number  string // as the records have it; there need not be such an account
	Records int
}

// AccountsAsked answers a page of the accounts of which a filter names records,
// in the order of their numbers: those after one.
func (s *Store) AccountsAsked(ctx context.Context, f CorrectionFilter, after string, most int) ([]AskedAccount, error) {
	args := f.args(f.Account)
	args["after"], args["most"] = nullText(after), most
	found, err := collect(ctx, s.pool, accountsAsked, pgx.RowToStructByPos[AskedAccount], args)
	return found, wrap(err, "look for the records to correct")
}

// Corrected is a record with the judgement that takes the place of the one in
// force (SPEC R8.1).
type Corrected struct {
	Record *ReplayRecord
	Judgement
	// Reversal is what is posted back of the old charge, and After the figure that
	// it leaves; nothing is posted where Reversal is 0.
	Reversal billing.Money
	After    billing.Money
	// EndedSeq is the place of the reversal, Seq that of the new judgement: one
	// place for both where the record is cancelled.
	EndedSeq, Seq int64
}

// keepJudgements copies what is in force before it is replaced.
const keepJudgements = `
	insert into judgements (account, source, id, seq, outcome, reason, charge, price, band, placement, trace, rated_at,
	                        ended_at, ended_seq, actor, note)
	select r.account, r.source, r.id, coalesce(r.seq, r.arrival), r.outcome, r.reason, r.charge, r.price, r.band,
	       r.placement, r.trace, r.rated_at, @now, n.ended_seq, @actor, @note
	from   unnest(@sources::text[], @ids::text[], @ended::bigint[]) as n (source, id, ended_seq)
	join   records r
	on     r.account = @account
	and    r.source  = n.source
	and    r.id      = n.id`

// replaceJudgements puts new ones in force. The place that the old one had is
// asked for as well: it is what was judged by.
const replaceJudgements = `
	update records r
	set    outcome   = n.outcome,
	       reason    = n.reason,
	       charge    = n.charge * 0.000001,
	       price     = n.price,
	       band      = n.band,
	       placement = n.placement,
	       trace     = n.trace,
	       rated_at  = @now,
	       seq       = n.seq
	from   unnest(@sources::text[], @ids::text[], @was::bigint[], @outcomes::smallint[], @reasons::smallint[],
	              @charges::bigint[], @prices::integer[], @bands::smallint[], @placements::integer[], @traces::bytea[],
	              @seqs::bigint[])
	         as n (source, id, was, outcome, reason, charge, price, band, placement, trace, seq)
	where  r.account = @account
	and    r.source  = n.source
	and    r.id      = n.id
	and    coalesce(r.seq, r.arrival) = n.was`

const insertReversals = `
	insert into entries (account, seq, at, kind, amount, balance_after, description, source, record, actor)
	select @account, n.seq, @now, @kind, n.amount * 0.000001, n.after * 0.000001, @note, n.source, n.id, @actor
	from   unnest(@sources::text[], @ids::text[], @seqs::bigint[], @amounts::bigint[], @afters::bigint[])
	         as n (source, id, seq, amount, after)`

// correctedMax is how many corrected records one statement writes.
const correctedMax = 5000

// Replace writes corrected records of the account: history, judgement in force
// and reversal. The account itself is written by Save.
func (r *Replay) Replace(ctx context.Context, all []Corrected, note string) error {
	for len(all) > 0 {
		n := min(len(all), correctedMax)
		if err := r.replace(ctx, all[:n], note); err != nil {
			return fmt.Errorf("correct records of %s: %w", r.Number, err)
		}
		all = all[n:]
	}
	return nil
}

func (r *Replay) replace(ctx context.Context, part []Corrected, note string) error {
	n := len(part)
	var (
		sources, ids            = make([]string, n), make([]string, n)
		ended, was, seqs        = make([]int64, n), make([]int64, n), make([]int64, n)
		outcomes, reasons, band = make([]int16, n), make([]int16, n), make([]int16, n)
		charges                 = make([]*int64, n)
		prices, placements      = make([]int32, n), make([]int32, n)
		traces                  = make([][]byte, n)
	)
	for i := range part {
		c := &part[i]
		sources[i], ids[i], ended[i], was[i], seqs[i] = c.Record.Source, c.Record.ID, c.EndedSeq, c.Record.Seq, c.Seq
		outcomes[i], reasons[i], band[i] = int16(c.Outcome), int16(c.Reason), int16(c.Band)
		prices[i], placements[i], traces[i] = c.Price, c.Placement, c.Trace
		if c.Outcome == billing.Rated {
			charges[i] = c.Charge.OrNil()
		}
	}
	args := pgx.NamedArgs{"account": r.Number, "now": r.t.Now, "actor": r.t.Actor, "note": note, "sources": sources, "ids": ids,
		"ended": ended, "was": was, "outcomes": outcomes, "reasons": reasons, "charges": charges, "prices": prices,
		"bands": band, "placements": placements, "traces": traces, "seqs": seqs}
	var b pgx.Batch
	expect(b.Queue(keepJudgements, args), n, ErrStale)
	expect(b.Queue(replaceJudgements, args), n, ErrStale)
	r.queueReversals(&b, part, note)
	return r.tx.SendBatch(ctx, &b).Close()
}

func (r *Replay) queueReversals(b *pgx.Batch, part []Corrected, note string) {
	var (
		sources, ids          []string
		seqs, amounts, afters []int64
	)
	for i := range part {
		if c := &part[i]; c.Reversal != 0 {
			sources, ids, seqs = append(sources, c.Record.Source), append(ids, c.Record.ID), append(seqs, c.EndedSeq)
			amounts, afters = append(amounts, int64(c.Reversal)), append(afters, int64(c.After))
		}
	}
	if len(seqs) > 0 {
		b.Queue(insertReversals, pgx.NamedArgs{"account": r.Number, "now": r.t.Now, "kind": int16(billing.ReversalPosting), "note": note,
			"actor": r.t.Actor, "sources": sources, "ids": ids, "seqs": seqs, "amounts": amounts, "afters": afters})
	}
}

// SaveClosed writes counters of windows that are over.
func (r *Replay) SaveClosed(ctx context.Context, closed map[ClosedKey]billing.Counter) error {
	if len(closed) == 0 {
		return nil
	}
	_, err := r.tx.Exec(ctx, saveClosed, closedArgs(closed))
	return wrap(err, "write the counters of %s", r.Number)
}

// MarkRated notes that prices have rated records (SPEC R3.7).
func (r *Replay) MarkRated(ctx context.Context, refs []int32) error {
	if len(refs) == 0 {
		return nil
	}
	_, err := r.tx.Exec(ctx, markRated, pgx.NamedArgs{"refs": refs})
	return wrap(err, "note which prices have rated")
}

// Save writes the account under the version that it was read with, and follows
// with the credit test where that is asked for (SPEC R6.4).
func (r *Replay) Save(ctx context.Context, s *Snapshot, test bool) error {
	if test {
		r.t.creditTest(r.Account, s)
	}
	return r.t.save(ctx, s, r.Account)
}
