package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

// DueKey is a place in the index of what has come due: the instant, then names.
// The zero value is before all of it.
type DueKey struct {
	At      time.Time
	Account string
	Name    string // of the periodic service
}

// Before all due times: AtOnce is the earliest.
func (k DueKey) at() time.Time {
	if k.At.IsZero() && k.Account == "" {
		return AtOnce.AddDate(-1, 0, 0)
	}
	return k.At
}

const periodicDue = `
	select   due_at, account, name
	from     periodic_services
	where    due_at <= @now
	and      (due_at, account, name) > (@at, @account, @name)
	order by due_at, account, name
	limit    @most`

// PeriodicDue lists periodic services with a period that has begun by now, in the
// order in which they came due: a page of at most so many that follow one.
func (s *Store) PeriodicDue(ctx context.Context, now time.Time, after DueKey, most int) ([]DueKey, error) {
	page, err := collect(ctx, s.pool, periodicDue, func(r pgx.CollectableRow) (k DueKey, err error) {
		err = r.Scan(&k.At, &k.Account, &k.Name)
		return k, err
	}, pgx.NamedArgs{"now": now, "at": after.at(), "account": after.Account, "name": after.Name, "most": most})
	return page, wrap(err, "look for periodic services that are due")
}

// PeriodicAccount is an account with its periodic services that are due.
type PeriodicAccount struct {
	*Account
	Terms limits.Terms
	Due   []DueService
}

// DueService is a periodic service with periods that have begun and were neither
// charged nor skipped.
type DueService struct {
	Name string
	billing.Rhythm
	Prorate bool
	Prices  []PeriodPrice // in the order in which they were set; the first has no beginning
	NextOn  billing.Date  // where the first of these periods starts
	// Settled are starts from NextOn on that stand charged or skipped already. There
	// are none unless something went wrong; then charging goes on behind them.
	Settled map[billing.Date]bool
}

// PriceAt is the price in force for a period that begins at an instant: a change
// holds for periods that start when it was made or later (SPEC R7.2).
func (d *DueService) PriceAt(begin time.Time) billing.Money {
	for i := len(d.Prices) - 1; i > 0; i-- {
		if p := d.Prices[i]; p.From == nil || !p.From.After(begin) {
			return p.Price
		}
	}
	return d.Prices[0].Price
}

const dueServices = `
	select   p.account, p.name, p.period, p.every, p.starts_on, p.anchor_day, p.ends_on, p.prorate, p.prices, p.next_on,
	         array(select c.starts
	               from   periodic_charges c
	               where  c.account = p.account
	               and    c.name    = p.name
	               and    c.starts >= p.next_on)
	from     periodic_services p
	where    p.account = any(@numbers::text[])
	and      p.due_at <= @now
	order by p.account, p.name`

// PeriodicAccounts reads those of the accounts that have something due, to be
// charged and written back by SavePeriodic.
func (t *Tx) PeriodicAccounts(ctx context.Context, numbers []string) ([]*PeriodicAccount, error) {
	// First the accounts, then what they are judged by: whoever changes terms or
	// services raises the version of the account, so what was read too early
	// cannot be written.
	accounts, err := t.accounts(ctx, numbers)
	if err != nil {
		return nil, err
	}
	classes, err := t.classes(ctx)
	if err != nil {
		return nil, err
	}
	due := map[string][]DueService{}
	_, err = collect(ctx, t.tx, dueServices, func(r pgx.CollectableRow) (struct{}, error) {
		account, d, err := scanDueService(r)
		due[account] = append(due[account], d)
		return struct{}{}, err
	}, pgx.NamedArgs{"numbers": numbers, "now": t.Now})
	if err != nil {
		return nil, fmt.Errorf("read periodic services that are due: %w", err)
	}
	var found []*PeriodicAccount
	for _, a := range accounts {
		if len(due[a.Number]) > 0 {
			found = append(found, &PeriodicAccount{Account: a, Terms: classes.Terms(a), Due: due[a.Number]})
		}
	}
	return found, nil
}

// classes reads of the settings only the account classes: what credit control
// needs of them.
func (t *Tx) classes(ctx context.Context) (*Snapshot, error) {
	s := &Snapshot{Classes: map[string]billing.Class{}}
	return s, wrap(s.readClasses(ctx, t.tx), "read account classes")
}

func scanDueService(row pgx.Row) (account string, d DueService, err error) {
	var (
		p            setup.PeriodicService
		starts, next time.Time
		ends         *time.Time
		prices       []byte
		settled      []time.Time
	)
	if err := row.Scan(&account, &d.Name, &p.Period, &p.Every, &starts, &p.AnchorDay, &ends, &d.Prorate, &prices, &next, &settled); err != nil {
		return account, d, err
	}
	p.StartsOn, d.NextOn = billing.DateOf(starts.Date()), billing.DateOf(next.Date())
	if ends != nil {
		end := billing.DateOf(ends.Date())
		p.EndsOn = &end
	}
	d.Rhythm = p.Rhythm()
	d.Settled = make(map[billing.Date]bool, len(settled))
	for _, day := range settled {
		d.Settled[billing.DateOf(day.Date())] = true
	}
	if err := json.Unmarshal(prices, &d.Prices); err != nil || len(d.Prices) == 0 {
		return account, d, fmt.Errorf("prices %s of periodic service %s of account %s: %w", prices, d.Name, account, ErrDamaged)
	}
	return account, d, nil
}

// PeriodicCharge is a period that was charged, or skipped.
type PeriodicCharge struct {
	Account, Name string
	billing.Stretch
	Amount    billing.Money // what it costs; 0 where it is skipped
	Skipped   string        // why; empty: it is charged
	Uncovered bool          // charged though the funds did not cover it (SPEC R7.4, R7.5)
	After     billing.Money // the figure that the charge moves, afterwards
	Seq       int64         // its place among the account's lines
}

// PeriodicMove is where a periodic service goes on.
type PeriodicMove struct {
	Account, Name string
	From, To      billing.Date // starts of the next period, before and now
	DueAt         *time.Time   // when that begins; nil: there is none
}

// Periodic is what a run makes of accounts: as they are to be, their Versions
// still those that they were read with.
type Periodic struct {
	Accounts []*Account
	Charges  []PeriodicCharge
	Moves    []PeriodicMove
}

// SavePeriodic writes p: charges, their postings and notices, and the accounts.
// ErrStale says that what p was judged by is no longer true.
func (t *Tx) SavePeriodic(ctx context.Context, p *Periodic) error {
	classes, err := t.classes(ctx)
	if err != nil {
		return err
	}
	if err := t.save(ctx, classes, p.Accounts...); err != nil {
		return err
	}
	var b pgx.Batch
	if len(p.Moves) > 0 {
		expect(b.Queue(movePeriodic, movesArgs(p.Moves)), len(p.Moves), ErrStale)
	}
	if len(p.Charges) > 0 {
		b.Queue(insertCharges, t.chargesArgs(p.Charges))
		b.Queue(insertPostings, t.chargesArgs(p.Charges))
		queueNotices(&b, t.chargeNotices(p)...)
	}
	err = t.tx.SendBatch(ctx, &b).Close()
	if isCode(err, "23505") && constraintOf(err) == "a_period_is_charged_once" {
		return fmt.Errorf("a period was charged meanwhile: %w", ErrStale)
	}
	return wrap(err, "write periodic charges")
}

const (
	// A service that was changed, charged or ended since it was read stays out of
	// the count.
	movePeriodic = `
	update periodic_services p
	set    next_on = n.next_on,
	       due_at  = n.due_at
	from   unnest(@accounts::text[], @names::text[], @from::date[], @to::date[], @due::timestamptz[])
	         as n (account, name, was_on, next_on, due_at)
	where  p.account = n.account
	and    p.name    = n.name
	and    p.next_on = n.was_on
	and    not p.ended`

	// The key of this table is what makes a charge unique for ever.
	insertCharges = `
	insert into periodic_charges (account, name, starts, at, amount, skipped, seq)
	select account, name, starts, @now, amount * 0.000001, skipped, seq
	from   unnest(@accounts::text[], @names::text[], @starts::date[], @amounts::bigint[], @skipped::text[], @seqs::bigint[])
	         as n (account, name, starts, amount, skipped, seq)`

	insertPostings = `
	insert into entries (account, seq, at, kind, amount, balance_after, description, periodic, actor)
	select account, seq, @now, @kind, -amount * 0.000001, after * 0.000001, description, name, @actor
	from   unnest(@accounts::text[], @names::text[], @amounts::bigint[], @skipped::text[], @seqs::bigint[], @after::bigint[],
	              @descriptions::text[])
	         as n (account, name, amount, skipped, seq, after, description)
	where  skipped = ''`
)

func movesArgs(moves []PeriodicMove) pgx.NamedArgs {
	n := len(moves)
	accounts, names, from, to, due := make([]string, n), make([]string, n), make([]time.Time, n), make([]time.Time, n), make([]*time.Time, n)
	for i, m := range moves {
		accounts[i], names[i], from[i], to[i], due[i] = m.Account, m.Name, dateTime(m.From), dateTime(m.To), m.DueAt
	}
	return pgx.NamedArgs{"accounts": accounts, "names": names, "from": from, "to": to, "due": due}
}

func (t *Tx) chargesArgs(charges []PeriodicCharge) pgx.NamedArgs {
	n := len(charges)
	var (
		accounts, names, skipped, descriptions = make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		amounts, seqs, after                   = make([]int64, n), make([]int64, n), make([]int64, n)
		starts                                 = make([]time.Time, n)
	)
	for i := range charges {
		c := &charges[i]
		accounts[i], names[i], skipped[i], descriptions[i] = c.Account, c.Name, c.Skipped, c.description()
		amounts[i], seqs[i], after[i], starts[i] = int64(c.Amount), c.Seq, int64(c.After), dateTime(c.Start)
	}
	return pgx.NamedArgs{"accounts": accounts, "names": names, "skipped": skipped, "descriptions": descriptions,
		"amounts": amounts, "seqs": seqs, "after": after, "starts": starts, "now": t.Now, "actor": t.Actor,
		"kind": int16(billing.PeriodicPosting)}
}

// description says in a statement what was paid for: the first and the last day.
func (c *PeriodicCharge) description() string {
	if c.Days() == 1 {
		return fmt.Sprintf("%s, %s", c.Name, c.Start)
	}
	return fmt.Sprintf("%s, %s to %s", c.Name, c.Start, c.End-1)
}

// periodCharged is the data of a notice of a periodic charge.
type periodCharged struct {
	Account  string         `json:"account"`
	Periodic string         `json:"periodic"`
	From     billing.Date   `json:"from"`
	To       billing.Date   `json:"to"`               // exclusive
	Reason   string         `json:"reason,omitempty"` // why it was skipped
	Amount   *billing.Money `json:"amount,omitempty"` // what was charged
	After    billing.Money  `json:"balance_after"`    // postpay: current_debt
}

// chargeNotices are the notices of what was skipped, and of what was charged
// though the funds did not cover it.
func (t *Tx) chargeNotices(p *Periodic) (notices []notice) {
	for i := range p.Charges {
		c := &p.Charges[i]
		n := notice{account: c.Account, seq: c.Seq, at: t.Now, kind: skippedNotice}
		data := periodCharged{Account: c.Account, Periodic: c.Name, From: c.Start, To: c.End, Reason: c.Skipped, After: c.After}
		if c.Skipped == "" {
			n.kind, data.Amount = uncoveredNotice, &c.Amount
		}
		if c.Skipped != "" || c.Uncovered {
			n.data = data
			notices = append(notices, n)
		}
	}
	return notices
}
