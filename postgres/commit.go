package postgres

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Outcomes counts what became of the records of a batch (SPEC R9.3).
type Outcomes struct {
	Accepted   int            `json:"accepted"`
	Rated      int            `json:"rated"`
	Rejected   int            `json:"rejected"`
	Duplicate  int            `json:"duplicate"`
	Conflict   int            `json:"conflict"`
	Unreadable int            `json:"unreadable"`
	Cancelled  int            `json:"cancelled"`
	Reasons    map[string]int `json:"reasons"`
}

// Add is o and p together.
func (o Outcomes) Add(p Outcomes) Outcomes {
	sum := Outcomes{
		Accepted: o.Accepted + p.Accepted, Rated: o.Rated + p.Rated, Rejected: o.Rejected + p.Rejected,
		Duplicate: o.Duplicate + p.Duplicate, Conflict: o.Conflict + p.Conflict,
		Unreadable: o.Unreadable + p.Unreadable, Cancelled: o.Cancelled + p.Cancelled,
		Reasons: map[string]int{},
	}
	for _, reasons := range []map[string]int{o.Reasons, p.Reasons} {
		for reason, n := range reasons {
			sum.Reasons[reason] += n
		}
	}
	return sum
}

// BatchResult is a batch that is done.
type BatchResult struct {
	ID uuid.UUID
	Outcomes
}

// Moved is an account that a commit writes: as it is to be, its Version still
// the one it was judged by.
type Moved struct {
	*Account
	DueAt *time.Time // from when on the credit test would change it; nil: never
}

// Commit is everything that a group of batches changes (SPEC R5.12).
type Commit struct {
	Now         time.Time
	Version     int64 // of the settings judged by
	Batches     []BatchResult
	Moved       []Moved
	Closed      map[ClosedKey]billing.Counter
	Judgements  []Judgement
	DeadLetters []DeadLetter
	Changes     []StatusChange
	RatedBy     []int32 // prices that rate for the first time
}

// ErrDone means that one of the batches was done by somebody else meanwhile.
var ErrDone = fmt.Errorf("a batch is done already: %w", ErrStale)

// A batch counts itself done only once: whoever comes second finds no row.
const finishBatches = `
	update batches b
	set    done_at    = @now,
	       payload    = null,
	       records    = n.accepted,
	       rated      = n.rated,
	       rejected   = n.rejected,
	       duplicate  = n.duplicate,
	       conflict   = n.conflict,
	       unreadable = n.unreadable,
	       reasons    = n.reasons::jsonb
	from   unnest(@ids::uuid[], @accepted::integer[], @rated::integer[], @rejected::integer[], @duplicate::integer[],
	              @conflict::integer[], @unreadable::integer[], @reasons::text[])
	         as n (id, accepted, rated, rejected, duplicate, conflict, unreadable, reasons)
	where  b.id = n.id
	and    b.done_at is null`

// moveAccounts writes what a group of batches made of the accounts it touched.
// The version is the guard: whoever changed an account since it was read - a
// payment, new limits, another worker - raised it, our row stays out of the
// count, and the caller judges again from what is true now. The numbers come
// sorted, so that two writers of the same accounts queue up and do not deadlock.
const moveAccounts = `
	update account_states a
	set    version        = a.version + 1,
	       status         = n.status,
	       status_reason  = n.status_reason,
	       inactive_since = n.inactive_since,
	       balance        = n.balance * 0.000001,
	       current_debt   = n.current_debt * 0.000001,
	       negative_since = n.negative_since,
	       due_at         = n.due_at,
	       last_seq       = n.last_seq,
	       counters       = n.counters
	from   unnest(@accounts::text[], @versions::bigint[], @statuses::smallint[], @reasons::smallint[],
	              @inactive::timestamptz[], @balances::bigint[], @debts::bigint[], @negative::timestamptz[],
	              @due::timestamptz[], @seqs::bigint[], @counters::bytea[])
	         as n (account, version, status, status_reason, inactive_since, balance, current_debt, negative_since,
	               due_at, last_seq, counters)
	where  a.account = n.account
	and    a.version = n.version`

const saveClosed = `
	insert into closed_counters (account, "window", starts, scope, target, quantity, amount)
	select * from unnest(@accounts::text[], @windows::smallint[], @starts::date[], @scopes::smallint[],
	                     @targets::integer[], @quantities::numeric[], @amounts::numeric[])
	on conflict on constraint a_closed_counter_stands_once
	do update set quantity = excluded.quantity,
	              amount   = excluded.amount`

const markRated = `update prices set rated = true where ref = any(@refs::integer[]) and not rated`

// Commit writes c, all of it or nothing. ErrStale (or ErrDone) says that what c
// was judged by is no longer true, or that the database gave the transaction up
// for another one, which comes to the same.
func (s *Store) Commit(ctx context.Context, c *Commit) error {
	err := s.commit(ctx, c)
	if err != nil && yields(err) && !errors.Is(err, ErrStale) {
		return fmt.Errorf("%w: %w", err, ErrStale)
	}
	return err
}

func (s *Store) commit(ctx context.Context, c *Commit) error {
	all, err := s.pool.alone(ctx)
	if err != nil {
		return fmt.Errorf("commit a batch: %w", err)
	}
	conn, err := all.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("commit a batch: %w", err)
	}
	defer conn.Release()
	tx, err := conn.Begin(ctx)
	if err != nil {
		return fmt.Errorf("commit a batch: %w", err)
	}
	if err := c.write(ctx, tx); err != nil {
		// Also where ctx has ended the connection must not go back to the pool
		// inside a transaction.
		return errors.Join(err, ignoreClosed(tx.Rollback(context.WithoutCancel(ctx))))
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("commit a batch: %w", err)
	}
	return nil
}

func ignoreClosed(err error) error {
	if errors.Is(err, pgx.ErrTxClosed) {
		return nil
	}
	return err
}

func (c *Commit) write(ctx context.Context, tx pgx.Tx) error {
	var b pgx.Batch
	b.Queue(probes)
	b.Queue(`lock table settings in row share mode`)
	b.Queue(settingsVersion).QueryRow(func(row pgx.Row) error {
		var version int64
		if err := row.Scan(&version); err != nil {
			return err
		}
		if version != c.Version {
			return fmt.Errorf("settings of version %d, now %d: %w", c.Version, version, ErrStale)
		}
		return nil
	})
	c.queueBatches(&b)
	c.queueMoved(&b)
	c.queueClosed(&b)
	if len(c.RatedBy) > 0 {
		slices.Sort(c.RatedBy)
		b.Queue(markRated, pgx.NamedArgs{"refs": c.RatedBy})
	}
	for i := range c.DeadLetters {
		c.DeadLetters[i].queue(&b)
	}
	for i := range c.Changes {
		c.Changes[i].queue(&b)
	}
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("write a batch: %w", err)
	}
	return c.copyRecords(ctx, tx)
}

// expect makes a statement that must touch n rows an error where it does not.
func expect(q *pgx.QueuedQuery, n int, otherwise error) {
	q.Exec(func(tag pgconnTag) error {
		if tag.RowsAffected() != int64(n) {
			return otherwise
		}
		return nil
	})
}

func (c *Commit) queueBatches(b *pgx.Batch) {
	if len(c.Batches) == 0 {
		return
	}
	n := len(c.Batches)
	ids, reasons := make([]uuid.UUID, n), make([]string, n)
	counts := map[string][]int{}
	for i, r := range c.Batches {
		ids[i] = r.ID
		text, err := json.Marshal(r.Reasons)
		if err != nil || r.Reasons == nil {
			text = []byte("{}") // a map of strings to integers always marshals
		}
		reasons[i] = string(text)
		for name, v := range map[string]int{"accepted": r.Accepted, "rated": r.Rated, "rejected": r.Rejected,
			"duplicate": r.Duplicate, "conflict": r.Conflict, "unreadable": r.Unreadable} {
			counts[name] = append(counts[name], v)
		}
	}
	args := pgx.NamedArgs{"now": c.Now, "ids": ids, "reasons": reasons}
	for name, v := range counts {
		args[name] = v
	}
	expect(b.Queue(finishBatches, args), n, ErrDone)
}

func (c *Commit) queueMoved(b *pgx.Batch) {
	if len(c.Moved) > 0 {
		slices.SortFunc(c.Moved, func(a, b Moved) int { return strings.Compare(a.Number, b.Number) })
		expect(b.Queue(moveAccounts, movedArgs(c.Moved)), len(c.Moved), ErrStale)
	}
}

func movedArgs(moved []Moved) pgx.NamedArgs {
	n := len(moved)
	var (
		accounts                        = make([]string, n)
		versions, balances, debts, seqs = make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
		statuses, reasons               = make([]int16, n), make([]int16, n)
		inactive, negative, due         = make([]*time.Time, n), make([]*time.Time, n), make([]*time.Time, n)
		counters                        = make([][]byte, n)
	)
	for i, m := range moved {
		accounts[i], versions[i], seqs[i] = m.Number, m.Version, m.LastSeq
		statuses[i], reasons[i] = int16(m.Status), int16(m.Reason)
		balances[i], debts[i] = int64(m.Balance), int64(m.CurrentDebt)
		inactive[i], negative[i], due[i] = nullTime(m.InactiveSince), nullTime(m.NegativeSince), m.DueAt
		counters[i] = m.Counters.AppendBinary(nil)
	}
	return pgx.NamedArgs{"accounts": accounts, "versions": versions, "statuses": statuses, "reasons": reasons,
		"inactive": inactive, "balances": balances, "debts": debts, "negative": negative, "due": due, "seqs": seqs,
		"counters": counters}
}

func (c *Commit) queueClosed(b *pgx.Batch) {
	if len(c.Closed) > 0 {
		b.Queue(saveClosed, closedArgs(c.Closed))
	}
}

func closedArgs(closed map[ClosedKey]billing.Counter) pgx.NamedArgs {
	var (
		accounts, quantities, amounts []string
		windows, scopes               []int16
		starts                        []time.Time
		targets                       []int32
	)
	// In one order, so that two writers queue up and do not deadlock.
	for _, k := range slices.SortedFunc(maps.Keys(closed), compareClosed) {
		v := closed[k]
		accounts, windows, starts = append(accounts, k.Account), append(windows, int16(k.Window)), append(starts, dateTime(k.Start))
		scopes, targets = append(scopes, int16(k.Kind)), append(targets, int32(k.Target))
		quantities, amounts = append(quantities, v.Quantity.String()), append(amounts, v.Amount.String())
	}
	return pgx.NamedArgs{"accounts": accounts, "windows": windows, "starts": starts, "scopes": scopes,
		"targets": targets, "quantities": quantities, "amounts": amounts}
}

func compareClosed(a, b ClosedKey) int {
	return cmp.Or(strings.Compare(a.Account, b.Account), cmp.Compare(a.Window, b.Window), cmp.Compare(a.Start, b.Start),
		cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Target, b.Target))
}
