package postgres

import (
	"context"
	"maps"
	"slices"

	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

// Imagined is what settings and accounts would be if a set-up file were applied.
type Imagined struct {
	Now      *Snapshot // as they are
	Then     *Snapshot // as they would be
	Accounts map[string]*Account
	// Classes are those whose terms would change.
	Classes []string
	// Renewed are prices that have rated records and that the file changes: apply
	// refuses that (SPEC R3.7); here they are taken as voided, with another in
	// their place.
	Renewed []string
}

// Imagine tries a set-up file out, in a transaction that is rolled back, and
// answers what it would make of the settings and of the accounts it names.
func (s *Store) Imagine(ctx context.Context, f *setup.File, o ApplyOptions) (*Imagined, error) {
	var m *Imagined
	err := s.WriteDry(ctx, o.At, o.Actor, func(t *Tx) error {
		m = &Imagined{}
		var err error
		if m.Now, err = t.Snapshot(ctx); err != nil {
			return err
		}
		file := *f
		m.renew(&file)
		a := &applier{Tx: t, options: o, file: &file}
		if err := a.run(ctx); err != nil {
			return err
		}
		if m.Then, err = t.Snapshot(ctx); err != nil {
			return err
		}
		for key, class := range m.Then.Classes {
			old, was := m.Now.Classes[key]
			old.ID, old.Profile = class.ID, class.Profile // nothing is judged by them
			if was && old != class {
				m.Classes = append(m.Classes, key)
			}
		}
		return m.readAccounts(ctx, t, f)
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// renew takes prices that may no longer change out of the way of those that the
// file has in their place.
func (m *Imagined) renew(f *setup.File) {
	stated := f.Prices
	f.Prices = nil
	for _, p := range stated {
		old := m.Now.Book.Price(p.ID)
		if old != nil && m.Now.Rated(m.Now.Ref(old)) && !old.SameButEnd(&p) {
			void := *old
			void.ValidTo = &void.ValidFrom
			f.Prices = append(f.Prices, void)
			m.Renewed = append(m.Renewed, p.ID)
			p.ID += "'"
		}
		f.Prices = append(f.Prices, p)
	}
}

func (m *Imagined) readAccounts(ctx context.Context, t *Tx, f *setup.File) error {
	var numbers []string
	for i := range f.Customers {
		for k := range f.Customers[i].Accounts {
			numbers = append(numbers, f.Customers[i].Accounts[k].Number)
		}
	}
	found, err := t.accounts(ctx, numbers)
	if err != nil {
		return err
	}
	m.Accounts = make(map[string]*Account, len(found))
	for _, a := range found {
		m.Accounts[a.Number] = a
	}
	return nil
}

// Of is what an account would be by the file: with its terms, links and limits,
// and with the funds, status and counters that it has. One that is not there yet
// is nil before.
func (m *Imagined) Of(number string, now *Account) (*Account, error) {
	then := m.Accounts[number]
	if now == nil || then == nil {
		if now == nil && then == nil {
			return nil, nil
		}
		if now == nil {
			return then, nil
		}
		then = now
	}
	if then.Calendar.CycleDay != now.Calendar.CycleDay || then.Calendar.Zone.String() != now.Calendar.Zone.String() {
		return nil, refuse("account %s: another time zone or cycle day moves every window of it and cannot be tried out", number)
	}
	a := *now
	a.Class, a.Threshold, a.CreditLimit, a.Services = then.Class, then.Threshold, then.CreditLimit, then.Services
	a.Limits, a.LimitsVersion = then.Limits, then.LimitsVersion
	a.Counters = now.Counters.Clone()
	return &a, nil
}

// What a file touches without touching a record: accounts of classes that it
// changes, and those that it names.
const accountsTouched = `
	select   a.number
	from     accounts a
	where    (a.class = any(@classes::text[]) or a.number = any(@numbers::text[]))
	and      (a.number > @after::text or @after::text is null)
	and      (a.number = @account::text or @account::text is null)
	and      not exists (select from records r where r.account = a.number and ` + asked + `)
	order by a.number
	limit    @most`

// AccountsTouched answers a page of the accounts whose terms a file would change
// and of which a filter names no record, in the order of their numbers: those
// after one.
func (s *Store) AccountsTouched(ctx context.Context, m *Imagined, f CorrectionFilter, after string, most int) ([]string, error) {
	args := f.args(f.Account)
	args["classes"], args["numbers"] = m.Classes, slices.Sorted(maps.Keys(m.Accounts))
	args["after"], args["most"] = nullText(after), most
	found, err := collect(ctx, s.pool, accountsTouched, pgx.RowTo[string], args)
	return found, wrap(err, "look for the accounts of a file")
}
