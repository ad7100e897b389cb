package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

// Refusal is a change that a rule forbids. Its text says which value and what to
// do; trying again cannot help.
type Refusal struct {
	Text  string
	cause error // what the text was made of, for those who branch on it; or nil
}

// Error is the refusal's text.
func (r *Refusal) Error() string { return r.Text }

// Unwrap is the rule that refused, where it has a name.
func (r *Refusal) Unwrap() error { return r.cause }

func refuse(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Refusal{Text: err.Error(), cause: errors.Unwrap(err)}
}

// updateAccount writes all that is of the row, also what was only read: not over
// what another transaction has made of it since. Whoever writes what this does
// raises the revision; a change of status notes only when it was.
const updateAccount = `
	update accounts
	set    class          = @class,
	       currency       = @currency,
	       time_zone      = @time_zone,
	       cycle_day      = @cycle_day,
	       threshold      = @threshold::bigint * 0.000001,
	       credit_limit   = @credit_limit::bigint * 0.000001,
	       services       = @services,
	       applications   = @applications,
	       limits_version = @limits_version,
	       vendor_id      = @vendor_id,
	       reseller       = @reseller,
	       updated_at     = @now,
	       revision       = revision + 1
	where  number     = @number
	and    revision   = @revision`

const hasPostings = `
	select exists (select from records r where r.account = @number and r.outcome = 1)
	    or exists (select from judgements j where j.account = @number and j.outcome = 1)
	    or exists (select from entries e where e.account = @number)`

// changeAccount makes an account's row now, raises its version, and follows with
// the credit test (SPEC R6.4, R6.8). It answers what changed, in words. Of l nil
// stays as it is.
func (t *Tx) changeAccount(ctx context.Context, s *Snapshot, number string, old, now *accountRow, l *limits.Settings) ([]string, error) {
	details, err := t.newLimits(ctx, number, old, now, l)
	if err != nil {
		return nil, err
	}
	details = append(details, differences(old, now)...)
	if len(details) == 0 {
		return nil, nil
	}
	if err := t.mayChange(ctx, s, number, old, now); err != nil {
		return nil, err
	}
	args := pgx.NamedArgs{"number": number, "class": now.Class, "currency": now.Currency, "time_zone": now.TimeZone,
		"cycle_day": now.CycleDay, "threshold": now.Threshold.OrNil(), "credit_limit": now.CreditLimit.OrNil(),
		"services": now.Services, "applications": now.Applications, "limits_version": now.LimitsVersion, "now": t.Now, "revision": old.Revision,
		"vendor_id": now.Profile.ID, "reseller": nullID(now.Profile.Reseller)}
	var b pgx.Batch
	b.Queue(lockAccounts, pgx.NamedArgs{"numbers": []string{number}})
	expect(b.Queue(updateAccount, args), 1, ErrStale)
	if profileDifferences(&old.Profile, &now.Profile) != nil {
		queueProfile(&b, number, &now.Profile)
	}
	if err := t.tx.SendBatch(ctx, &b).Close(); err != nil {
		return nil, fmt.Errorf("change account %s: %w", number, err)
	}
	a, err := t.account(ctx, number)
	if err != nil {
		return nil, err
	}
	if old.TimeZone != now.TimeZone || old.CycleDay != now.CycleDay {
		if err := t.recount(ctx, a); err != nil {
			return nil, err
		}
	}
	t.creditTest(a, s)
	return details, t.save(ctx, s, a)
}

// newLimits writes a new version of limits where they change.
func (t *Tx) newLimits(ctx context.Context, number string, old, now *accountRow, l *limits.Settings) ([]string, error) {
	if l == nil {
		return nil, nil
	}
	_, stored, err := t.limitsOf(ctx, number, old.LimitsVersion)
	if err != nil || stored.Equal(*l) {
		return nil, err
	}
	var newest int32
	if err := t.tx.QueryRow(ctx, `select coalesce(max(version), 0) from limits where account = @number`,
		pgx.NamedArgs{"number": number}).Scan(&newest); err != nil {
		return nil, fmt.Errorf("count the limits of %s: %w", number, err)
	}
	now.LimitsVersion = newest + 1
	return []string{"limits"}, t.saveLimits(ctx, number, now.LimitsVersion, *l)
}

func differences(old, now *accountRow) (details []string) {
	note := func(what string, before, after any) {
		if b, a := fmt.Sprint(before), fmt.Sprint(after); b != a {
			details = append(details, fmt.Sprintf("%s %s → %s", what, b, a))
		}
	}
	note("class", old.Class, now.Class)
	note("currency", old.Currency, now.Currency)
	note("time zone", old.TimeZone, now.TimeZone)
	note("cycle day", old.CycleDay, now.CycleDay)
	note("threshold", own(old.Threshold), own(now.Threshold))
	note("credit limit", own(old.CreditLimit), own(now.CreditLimit))
	if !slices.Equal(old.Services, now.Services) {
		details = append(details, "services")
	}
	if !slices.Equal(old.Applications, now.Applications) {
		details = append(details, "applications")
	}
	return append(details, profileDifferences(&old.Profile, &now.Profile)...)
}

func own(m *billing.Money) string {
	if m == nil {
		return "the class's"
	}
	return m.String()
}

// mayChange refuses what an account with postings keeps: its currency and its
// payment model (SPEC R5.8).
func (t *Tx) mayChange(ctx context.Context, s *Snapshot, number string, old, now *accountRow) error {
	class, exists := s.Classes[now.Class]
	if !exists {
		return refuse("account %s: there is no account class %q", number, now.Class)
	}
	model := s.Classes[old.Class].PaymentModel
	if old.Currency == now.Currency && model == class.PaymentModel {
		return nil
	}
	var has bool
	if err := t.tx.QueryRow(ctx, hasPostings, pgx.NamedArgs{"number": number}).Scan(&has); err != nil {
		return fmt.Errorf("look for postings of %s: %w", number, err)
	}
	switch {
	case has && old.Currency != now.Currency:
		return refuse("account %s has postings: its currency stays %s", number, old.Currency)
	case has:
		return refuse("account %s has postings: its payment model stays %s, class %s is %s", number, model, now.Class, class.PaymentModel)
	}
	return nil
}

const countedRecords = `
	select   r.placement, coalesce(o.occurred_at, r.occurred_at), r.quantity::text, (r.charge * 1000000)::bigint,
	         r.directive
	from     records r
	left join records o
	on       r.directive   = 1
	and      o.account     = r.account
	and      o.source      = r.source
	and      o.id          = r.original_id
	where    r.account = @number
	and      r.outcome = 1
	and      (r.directive <> 1 or o.outcome = 1)`

// recount works all counters of an account out from its records, by its zone and
// cycle day as they are now (SPEC R6.8). It reads every rated record of the
// account.
func (t *Tx) recount(ctx context.Context, a *Account) error {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return err
	}
	rows, err := t.tx.Query(ctx, countedRecords, pgx.NamedArgs{"number": a.Number})
	if err != nil {
		return fmt.Errorf("read the records of %s: %w", a.Number, err)
	}
	all := billing.NewCounters()
	lastDay, lastMonth := billing.Earliest, billing.Earliest
	var (
		placement int32
		at        time.Time
		quantity  string
		charge    billing.Money
		directive billing.Directive
	)
	_, err = pgx.ForEachRow(rows, []any{&placement, &at, &quantity, &charge, &directive}, func() error {
		var q billing.Fixed
		if err := q.UnmarshalText([]byte(quantity)); err != nil {
			return err
		}
		if directive == billing.Credit {
			q = q.Neg()
		}
		day, month := a.Calendar.Day(at), a.Calendar.Month(at)
		lastDay, lastMonth = max(lastDay, day.Start), max(lastMonth, month.Start)
		all.Count(s.PlaceOf(placement), day, month, q, charge.Fixed())
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the records of %s: %w", a.Number, err)
	}
	closed := map[ClosedKey]billing.Counter{}
	if lastDay != billing.Earliest {
		for k, v := range all.Close(lastDay-1, a.Calendar.MonthOf(lastMonth-1).Start) {
			closed[ClosedKey{a.Number, k}] = v
		}
	}
	a.Counters = all
	var b pgx.Batch
	b.Queue(`delete from closed_counters where account = @number`, pgx.NamedArgs{"number": a.Number})
	(&Commit{Closed: closed}).queueClosed(&b)
	if err := t.tx.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("write the counters of %s: %w", a.Number, err)
	}
	return t.moveDueDates(ctx, a)
}

// moveDueDates puts what an account's periodic services wait for to the same
// dates of its zone (SPEC R6.8: anchors stay).
func (t *Tx) moveDueDates(ctx context.Context, a *Account) error {
	type next struct {
		Name string
		On   time.Time
	}
	waiting, err := collect(ctx, t.tx, `select name, next_on from periodic_services where account = @number and due_at is not null`,
		pgx.RowToStructByPos[next], pgx.NamedArgs{"number": a.Number})
	if err != nil {
		return fmt.Errorf("read the periodic services of %s: %w", a.Number, err)
	}
	for _, w := range waiting {
		due := a.Calendar.Begin(billing.DateOf(w.On.Date()))
		if _, err := t.tx.Exec(ctx, `update periodic_services set due_at = @due where account = @number and name = @name`,
			pgx.NamedArgs{"number": a.Number, "name": w.Name, "due": due}); err != nil {
			return fmt.Errorf("move periodic service %s of %s: %w", w.Name, a.Number, err)
		}
	}
	return nil
}

// storedPeriodic is a periodic service with what only the store knows of it.
type storedPeriodic struct {
	setup.PeriodicService
	Account string
	Prices  []PeriodPrice
	Ended   bool
	Charged bool // a period was charged or skipped
}

const periodicOf = `
	select   p.account, p.name, p.period, p.every, p.starts_on, p.anchor_day, p.ends_on, p.prorate, p.prices, p.ended,
	         exists (select from periodic_charges c where c.account = p.account and c.name = p.name)
	from     periodic_services p
	where    p.account = any(@numbers::text[])
	order by p.account, p.name`

func periodicServices(ctx context.Context, q querier, numbers ...string) ([]storedPeriodic, error) {
	return collect(ctx, q, periodicOf, func(r pgx.CollectableRow) (p storedPeriodic, err error) {
		var (
			starts time.Time
			ends   *time.Time
			prices []byte
			period int16
		)
		if err := r.Scan(&p.Account, &p.Name, &period, &p.Every, &starts, &p.AnchorDay, &ends, &p.Prorate, &prices, &p.Ended, &p.Charged); err != nil {
			return p, err
		}
		p.Period, p.StartsOn = billing.Period(period), billing.DateOf(starts.Date())
		if ends != nil {
			d := billing.DateOf(ends.Date())
			p.EndsOn = &d
		}
		if err := json.Unmarshal(prices, &p.Prices); err != nil {
			return p, err
		}
		p.Price = p.Prices[len(p.Prices)-1].Price
		return p, nil
	}, pgx.NamedArgs{"numbers": numbers})
}

// replacePeriodic makes an account's periodic services those of a list. One that
// is no longer there ends; a new price holds for periods that start from now on
// (SPEC R7.2); the rhythm of one that was charged stays.
func (t *Tx) replacePeriodic(ctx context.Context, number, zone string, list []setup.PeriodicService) (details []string, err error) {
	stored, err := periodicServices(ctx, t.tx, number)
	if err != nil {
		return nil, fmt.Errorf("read the periodic services of %s: %w", number, err)
	}
	if samePeriodic(stored, list) {
		return nil, nil
	}
	if err := t.raise(ctx, number); err != nil {
		return nil, err
	}
	if stored, err = periodicServices(ctx, t.tx, number); err != nil {
		return nil, fmt.Errorf("read the periodic services of %s: %w", number, err)
	}
	location, err := billing.LoadZone(zone)
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", number, err)
	}
	for i := range list {
		old := find(stored, list[i].Name, func(p storedPeriodic) string { return p.Name })
		did, err := t.putPeriodic(ctx, number, location, &list[i], old)
		if err != nil {
			return nil, err
		}
		details = append(details, did...)
	}
	for i := range stored {
		name := stored[i].Name
		if stored[i].Ended || find(list, name, func(p setup.PeriodicService) string { return p.Name }) != nil {
			continue
		}
		if err := t.endPeriodic(ctx, number, name); err != nil {
			return nil, err
		}
		details = append(details, "periodic service "+name+" ended")
	}
	return details, nil
}

// samePeriodic tells whether those that have not ended are those of a list.
func samePeriodic(stored []storedPeriodic, list []setup.PeriodicService) bool {
	running := 0
	for i := range stored {
		if !stored[i].Ended {
			running++
		}
	}
	for i := range list {
		old := find(stored, list[i].Name, func(p storedPeriodic) string { return p.Name })
		if old == nil || old.Ended || text(old.PeriodicService) != text(list[i]) {
			return false
		}
	}
	return running == len(list)
}

// raise gives an account a new version and keeps it to this transaction: no run
// that was judged by what stood before can be written any more, and none comes
// between what is read from here on and our commit.
func (t *Tx) raise(ctx context.Context, number string) error {
	_, err := t.tx.Exec(ctx, `update account_states set version = version + 1 where account = @number`, pgx.NamedArgs{"number": number})
	return wrap(err, "raise the version of account %s", number)
}

const touchAccount = `update accounts set updated_at = @now, revision = revision + 1 where number = @number`

// savePeriodic writes a change of an account's periodic services, and that the
// account changed with it.
func (t *Tx) savePeriodic(ctx context.Context, number, statement string, args pgx.NamedArgs) error {
	var b pgx.Batch
	b.Queue(statement, args)
	b.Queue(touchAccount, pgx.NamedArgs{"number": number, "now": t.Now})
	return t.send(ctx, &b)
}

func (t *Tx) endPeriodic(ctx context.Context, number, name string) error {
	err := t.savePeriodic(ctx, number, `update periodic_services set ended = true, due_at = null where account = @number and name = @name`,
		pgx.NamedArgs{"number": number, "name": name})
	return wrap(err, "end periodic service %s of %s", name, number)
}

const changePeriodic = `
	update periodic_services
	set    period     = @period,
	       every      = @every,
	       starts_on  = @starts_on,
	       anchor_day = @anchor_day,
	       ends_on    = @ends_on,
	       prorate    = @prorate,
	       prices     = @prices,
	       ended      = false,
	       next_on    = coalesce(@next_on, next_on),
	       due_at     = @due_at
	where  account = @account
	and    name    = @name`

func (t *Tx) putPeriodic(ctx context.Context, number string, zone *time.Location, p *setup.PeriodicService, old *storedPeriodic) ([]string, error) {
	args := periodicArgs(number, p, zone, t.Now)
	if old == nil {
		err := t.savePeriodic(ctx, number, insertPeriodic, args)
		return []string{"periodic service " + p.Name + " added"}, wrap(err, "add periodic service %s of %s", p.Name, number)
	}
	if !old.Ended && text(old.PeriodicService) == text(*p) {
		return nil, nil
	}
	sameRhythm := old.Period == p.Period && old.Every == p.Every && old.StartsOn == p.StartsOn && old.AnchorDay == p.AnchorDay
	if old.Charged && !sameRhythm {
		if old.Ended {
			return t.beginAgain(ctx, number, p, args)
		}
		return nil, refuse("periodic service %s of account %s has charged periods: its period, every, starts_on and anchor_day "+
			"stay; end it and add another", p.Name, number)
	}
	prices := old.Prices
	if old.Price != p.Price {
		prices = append(prices, PeriodPrice{From: &t.Now, Price: p.Price})
	}
	args["prices"], args["next_on"] = text(prices), args["starts_on"]
	if old.Charged {
		args["next_on"] = nil
		due, err := t.dueAgain(ctx, number, p, zone)
		if err != nil {
			return nil, err
		}
		args["due_at"] = due
	}
	err := t.savePeriodic(ctx, number, changePeriodic, args)
	return []string{"periodic service " + p.Name + " changed"}, wrap(err, "change periodic service %s of %s", p.Name, number)
}

// beginAgain links a periodic service that had ended, with another rhythm and
// behind all that was charged of it.
func (t *Tx) beginAgain(ctx context.Context, number string, p *setup.PeriodicService, args pgx.NamedArgs) ([]string, error) {
	next, err := t.nextOn(ctx, number, p.Name)
	if err != nil {
		return nil, err
	}
	if p.StartsOn < next {
		return nil, refuse("periodic service %s of account %s was charged up to %s: start it then or later, or give it another name",
			p.Name, number, next)
	}
	args["next_on"] = args["starts_on"]
	err = t.savePeriodic(ctx, number, changePeriodic, args)
	return []string{"periodic service " + p.Name + " added"}, wrap(err, "add periodic service %s of %s", p.Name, number)
}

// nextOn is where the next period of a periodic service starts.
func (t *Tx) nextOn(ctx context.Context, number, name string) (billing.Date, error) {
	var on time.Time
	err := t.tx.QueryRow(ctx, `select next_on from periodic_services where account = @number and name = @name`,
		pgx.NamedArgs{"number": number, "name": name}).Scan(&on)
	return billing.DateOf(on.Date()), wrap(err, "read periodic service %s of %s", name, number)
}

// dueAgain is when a charged service's next period begins; nil where it ends
// before.
func (t *Tx) dueAgain(ctx context.Context, number string, p *setup.PeriodicService, zone *time.Location) (*time.Time, error) {
	next, err := t.nextOn(ctx, number, p.Name)
	if err != nil {
		return nil, err
	}
	if p.EndsOn != nil && *p.EndsOn <= next {
		return nil, nil
	}
	due := (billing.Calendar{Zone: zone, CycleDay: 1}).Begin(next)
	return &due, nil
}

// wrap says what failed, and nothing where nothing did.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}
