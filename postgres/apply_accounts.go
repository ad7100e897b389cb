package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// accountRow is the seldom-changing columns of an account.
type accountRow struct {
	Customer, Class, Currency, TimeZone string
	CycleDay                            int
	Opening                             billing.Money
	Threshold, CreditLimit              *billing.Money
	Services, Applications              []string
	LimitsVersion                       int32
	Revision                            int64
	Profile                             setup.Profile
}

const accountRows = `
	select a.number, a.customer, a.class, a.currency, a.time_zone, a.cycle_day, (a.opening_balance * 1000000)::bigint,
	       (a.threshold * 1000000)::bigint, (a.credit_limit * 1000000)::bigint, a.services, a.applications,
	       a.limits_version, a.revision, ` + profileColumns + `
	from   accounts a
	left join profiles p on p.account = a.number
	where  a.number = any(@numbers::text[])`

func (t *Tx) accountRows(ctx context.Context, numbers []string) (map[string]*accountRow, error) {
	rows, err := t.tx.Query(ctx, accountRows, pgx.NamedArgs{"numbers": numbers})
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	found := make(map[string]*accountRow, len(numbers))
	for rows.Next() {
		var (
			number string
			r      accountRow
			custom []byte
		)
		if err := rows.Scan(append([]any{&number, &r.Customer, &r.Class, &r.Currency, &r.TimeZone, &r.CycleDay, &r.Opening,
			&r.Threshold, &r.CreditLimit, &r.Services, &r.Applications, &r.LimitsVersion, &r.Revision},
			profileScan(&r.Profile, &custom)...)...); err != nil {
			return nil, fmt.Errorf("read accounts: %w", err)
		}
		if r.Profile.CustomAttributes, err = readTexts(custom); err != nil {
			return nil, fmt.Errorf("read account %s: %w", number, err)
		}
		found[number] = &r
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	return found, nil
}

// accountPage is how many accounts of a file are read and written at once.
const accountPage = 1000

func (a *applier) customers(ctx context.Context) error {
	a.moved = map[string]bool{}
	names, err := a.customerNames(ctx)
	if err != nil {
		return err
	}
	var b pgx.Batch
	for i := range a.file.Customers {
		c := &a.file.Customers[i]
		old, exists := names[c.Ref]
		if exists && (old == c.Name || c.Name == "") {
			continue
		}
		b.Queue(saveCustomer, pgx.NamedArgs{"ref": c.Ref, "name": c.Name, "now": a.Now})
		a.did("customer", c.Ref, map[bool]string{true: "changed", false: "added"}[exists], "")
	}
	if b.Len() > 0 {
		if err := a.tx.SendBatch(ctx, &b).Close(); err != nil {
			return fmt.Errorf("write customers: %w", err)
		}
	}
	if err := a.passIDs(ctx); err != nil {
		return err
	}
	for i := range a.file.Customers {
		c := &a.file.Customers[i]
		for page := range slices.Chunk(c.Accounts, accountPage) {
			if err := a.accountPage(ctx, c.Ref, page); err != nil {
				return err
			}
		}
	}
	return nil
}

const saveCustomer = `
	insert into customers (ref, name, created_at)
	values (@ref, @name, @now)
	on conflict on constraint a_customer_has_one_ref do update set name = excluded.name`

func (a *applier) customerNames(ctx context.Context) (map[string]string, error) {
	refs := make([]string, len(a.file.Customers))
	for i := range a.file.Customers {
		refs[i] = a.file.Customers[i].Ref
	}
	rows, err := a.tx.Query(ctx, `select ref, name from customers where ref = any(@refs::text[])`, pgx.NamedArgs{"refs": refs})
	if err != nil {
		return nil, fmt.Errorf("read customers: %w", err)
	}
	names := map[string]string{}
	var ref, name string
	if _, err := pgx.ForEachRow(rows, []any{&ref, &name}, func() error {
		names[ref] = name
		return nil
	}); err != nil {
		return nil, fmt.Errorf("read customers: %w", err)
	}
	return names, nil
}

// accountPage makes the accounts of a page what the file says.
func (a *applier) accountPage(ctx context.Context, customer string, page []setup.Account) error {
	numbers := make([]string, len(page))
	for i := range page {
		numbers[i] = page[i].Number
	}
	stored, err := a.accountRows(ctx, numbers)
	if err != nil {
		return err
	}
	if err := a.accountIDs(ctx, page); err != nil {
		return err
	}
	var added pgx.Batch
	for i := range page {
		v := &page[i]
		if a.options.LimitsForAll && v.Limits != nil {
			return a.refuse(setup.KindLimits, v.Number, "%v", ErrLimitsGlobal)
		}
		if old := stored[v.Number]; old != nil {
			if err := a.change(ctx, customer, v, old); err != nil {
				return err
			}
			continue
		}
		if err := a.add(&added, customer, v); err != nil {
			return err
		}
	}
	if err := addedMeanwhile(a.tx.SendBatch(ctx, &added).Close()); err != nil {
		return fmt.Errorf("write accounts: %w", err)
	}
	return nil
}

const (
	insertAccount = `
	insert into accounts (number, id, customer, class, currency, time_zone, cycle_day, opening_balance, threshold,
	                      credit_limit, services, applications, limits_version, created_at, updated_at, vendor_id, reseller)
	values (@number, @id, @customer, @class, @currency, @time_zone, @cycle_day, @opening::bigint * 0.000001,
	        @threshold::bigint * 0.000001, @credit_limit::bigint * 0.000001, @services, @applications, @limits_version,
	        @now, @now, coalesce(@vendor_id, nextval('account_ids')), @reseller)`

	insertState = `
	insert into account_states (account, version, status, status_reason, inactive_since, balance, current_debt,
	                            negative_since, due_at, last_seq, counters)
	values (@number, 1, 0, 0, null, @opening::bigint * 0.000001, 0, @negative_since, @due_at, @seq, '')`

	insertLimits = `
	insert into limits (account, version, body, set_at, actor)
	values (@number, 1, @body, @now, @actor)`
)

// add queues a new account. An opening balance below zero counts from now (SPEC
// R6.2); the sweep tests it.
func (a *applier) add(b *pgx.Batch, customer string, v *setup.Account) error {
	n := NewAccount{Number: v.Number, Customer: customer, Class: v.Class, Currency: v.Currency, TimeZone: v.TimeZone,
		CycleDay: v.CycleDay, Threshold: v.Threshold, CreditLimit: v.CreditLimit, Services: v.Services,
		Applications: v.Applications, Periodic: v.PeriodicServices, Limits: v.Limits}
	if v.Profile != nil {
		n.Profile = *v.Profile
	}
	if n.Profile.ID == 0 && a.dry {
		n.Profile.ID = -int64(len(a.done.Changes)) - 1 // one that is nobody's: chosen ones are not given back
	}
	if v.OpeningBalance != nil {
		n.Opening = *v.OpeningBalance
	}
	if n.TimeZone == "" {
		n.TimeZone = a.options.TimeZone.String()
	}
	if err := a.queueAccount(b, a.now, &n); err != nil {
		return err
	}
	a.did("account", v.Number, "added", "")
	return nil
}

// NewAccount is an account to be.
type NewAccount struct {
	Number, Customer, Class, Currency, TimeZone string
	CycleDay                                    int
	Opening                                     billing.Money
	Threshold, CreditLimit                      *billing.Money
	Services, Applications                      []string
	Periodic                                    []setup.PeriodicService
	Limits                                      *limits.Settings
	Profile                                     setup.Profile // of id 0: it is chosen
}

func (t *Tx) queueAccount(b *pgx.Batch, s *Snapshot, n *NewAccount) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an account id: %w", err)
	}
	zone, err := billing.LoadZone(n.TimeZone)
	if err != nil {
		return fmt.Errorf("account %s: %w", n.Number, err)
	}
	state := Account{Number: n.Number, Class: n.Class, Threshold: n.Threshold, CreditLimit: n.CreditLimit}
	terms := s.Terms(&state)
	state.Funds = state.Move(billing.Prepay, n.Opening, t.Now) // whatever the model: an opening balance is balance
	version := 0
	if n.Limits != nil {
		version = 1
		b.Queue(insertLimits, pgx.NamedArgs{"number": n.Number, "body": text(n.Limits), "now": t.Now, "actor": t.Actor})
	}
	b.Queue(insertAccount, pgx.NamedArgs{"number": n.Number, "id": id, "customer": n.Customer, "class": n.Class,
		"currency": n.Currency, "time_zone": n.TimeZone, "cycle_day": n.CycleDay, "opening": int64(n.Opening),
		"threshold": n.Threshold.OrNil(), "credit_limit": n.CreditLimit.OrNil(), "services": sorted(n.Services),
		"applications": sorted(n.Applications), "limits_version": version, "now": t.Now,
		"vendor_id": nullID(n.Profile.ID), "reseller": nullID(n.Profile.Reseller)})
	if beside(&n.Profile) {
		queueProfile(b, n.Number, &n.Profile)
	}
	b.Queue(insertState, pgx.NamedArgs{"number": n.Number, "opening": int64(n.Opening),
		"negative_since": nullTime(state.NegativeSince), "due_at": dueAt(terms, &state, t.Now), "seq": t.Now.UnixMicro()})
	for i := range n.Periodic {
		b.Queue(insertPeriodic, periodicArgs(n.Number, &n.Periodic[i], zone, t.Now))
	}
	return nil
}

// sorted is a list as it is stored: in order, each name once, never null.
func sorted(names []string) []string {
	own := append([]string{}, names...)
	slices.Sort(own)
	return slices.Compact(own)
}

const insertPeriodic = `
	insert into periodic_services (account, name, period, every, starts_on, anchor_day, ends_on, prorate, prices, next_on, due_at)
	values (@account, @name, @period, @every, @starts_on, @anchor_day, @ends_on, @prorate, @prices, @starts_on, @due_at)`

// PeriodPrice is what periods that start from an instant on cost; the first one
// has no beginning.
type PeriodPrice struct {
	From  *time.Time    `json:"from"`
	Price billing.Money `json:"price"`
}

func periodicArgs(account string, p *setup.PeriodicService, zone *time.Location, now time.Time) pgx.NamedArgs {
	calendar := billing.Calendar{Zone: zone, CycleDay: 1}
	due := calendar.Begin(p.StartsOn)
	args := pgx.NamedArgs{"account": account, "name": p.Name, "period": int16(p.Period), "every": p.Every,
		"starts_on": dateTime(p.StartsOn), "anchor_day": p.AnchorDay, "ends_on": dateOrNil(p.EndsOn), "prorate": p.Prorate,
		"prices": text([]PeriodPrice{{Price: p.Price}}), "due_at": &due}
	if p.EndsOn != nil && *p.EndsOn <= p.StartsOn {
		args["due_at"] = nil
	}
	return args
}

func dateOrNil(d *billing.Date) *time.Time {
	if d == nil {
		return nil
	}
	t := dateTime(*d)
	return &t
}

// change makes a stored account what the file says of it.
func (a *applier) change(ctx context.Context, customer string, v *setup.Account, old *accountRow) error {
	refuse := func(format string, args ...any) error { return a.refuse(setup.KindAccount, v.Number, format, args...) }
	switch {
	case old.Customer != customer:
		return refuse("account %s belongs to customer %s, not %s", v.Number, old.Customer, customer)
	case v.OpeningBalance != nil && *v.OpeningBalance != old.Opening:
		return refuse("account %s was opened with %s, not %s: an opening balance never changes, adjust the account instead",
			v.Number, old.Opening, *v.OpeningBalance)
	}
	now := *old
	now.Class, now.Currency, now.Threshold, now.CreditLimit = v.Class, v.Currency, v.Threshold, v.CreditLimit
	now.CycleDay = v.CycleDay
	if v.TimeZone != "" {
		now.TimeZone = v.TimeZone
	}
	if v.Services != nil {
		now.Services = sorted(v.Services)
	}
	if v.Applications != nil {
		now.Applications = sorted(v.Applications)
	}
	if v.Profile != nil {
		now.Profile = *v.Profile
		now.Profile.ID = cmp.Or(v.Profile.ID, old.Profile.ID)
	}
	details, err := a.saveChange(ctx, v.Number, old, &now, v.Limits)
	if err != nil {
		return err
	}
	if v.PeriodicServices != nil {
		more, err := a.replacePeriodic(ctx, v.Number, now.TimeZone, v.PeriodicServices)
		var r *Refusal
		if errors.As(err, &r) {
			return refuse("%v", r)
		}
		if err != nil {
			return err
		}
		details = append(details, more...)
	}
	if len(details) > 0 {
		a.moved[v.Number] = true
		a.did("account", v.Number, "changed", strings.Join(details, ", "))
	}
	return nil
}

func (a *applier) saveChange(ctx context.Context, number string, old, now *accountRow, l *limits.Settings) ([]string, error) {
	details, err := a.changeAccount(ctx, a.now, number, old, now, l)
	var r *Refusal
	if errors.As(err, &r) {
		return nil, a.refuse(setup.KindAccount, number, "%v", r)
	}
	return details, err
}
