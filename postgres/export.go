package postgres

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

// Export is the set-up file of what is stored: applying it changes nothing.
func (s *Store) Export(ctx context.Context) (f *setup.File, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		snap, err := readSnapshot(ctx, tx)
		if err != nil {
			return err
		}
		f = &setup.File{Families: snap.Families, Types: snap.Types, Services: snap.Services}
		for _, ref := range slices.Sorted(maps.Keys(snap.prices)) {
			f.Prices = append(f.Prices, *snap.prices[ref])
		}
		if err := exportPeople(ctx, tx, f); err != nil {
			return err
		}
		f.Classes = slices.SortedFunc(maps.Values(snap.Classes), func(a, b billing.Class) int { return cmp.Compare(a.Key, b.Key) })
		if snap.LimitsVersion > 0 {
			_, l, err := limitsAt(ctx, tx, "", snap.LimitsVersion)
			if err != nil {
				return err
			}
			f.Limits = &l
		}
		f.Customers, err = exportCustomers(ctx, tx)
		return err
	})
	return f, err
}

func exportPeople(ctx context.Context, tx pgx.Tx, f *setup.File) (err error) {
	if f.Resellers, err = resellers(ctx, tx); err != nil {
		return err
	}
	staff, err := managers(ctx, tx, nil)
	if err != nil {
		return err
	}
	for i := range staff {
		f.Managers = append(f.Managers, staff[i].Manager)
	}
	all, err := users(ctx, tx, nil)
	if err != nil {
		return err
	}
	for i := range all {
		f.Users = append(f.Users, all[i].User)
	}
	types, err := accountTypes(ctx, tx, nil)
	for i := range types {
		f.AccountTypes = append(f.AccountTypes, types[i].AccountType)
	}
	return err
}

func exportCustomers(ctx context.Context, tx pgx.Tx) ([]setup.Customer, error) {
	customers, err := collect(ctx, tx, `select ref, name from customers order by ref`, func(r pgx.CollectableRow) (c setup.Customer, err error) {
		err = r.Scan(&c.Ref, &c.Name)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read customers: %w", err)
	}
	at := make(map[string]int, len(customers))
	for i := range customers {
		at[customers[i].Ref] = i
	}
	t := &Tx{tx: tx}
	for after := ""; ; {
		numbers, err := collect(ctx, tx, `select number from accounts where number > @after order by number limit @most`,
			pgx.RowTo[string], pgx.NamedArgs{"after": after, "most": accountPage})
		if err != nil {
			return nil, fmt.Errorf("list accounts: %w", err)
		}
		if len(numbers) == 0 {
			return customers, nil
		}
		after = numbers[len(numbers)-1]
		rows, err := t.accountRows(ctx, numbers)
		if err != nil {
			return nil, err
		}
		for _, number := range numbers {
			a, err := t.exportAccount(ctx, number, rows[number])
			if err != nil {
				return nil, err
			}
			c := &customers[at[rows[number].Customer]]
			c.Accounts = append(c.Accounts, *a)
		}
	}
}

func (t *Tx) exportAccount(ctx context.Context, number string, r *accountRow) (*setup.Account, error) {
	a := &setup.Account{Number: number, Class: r.Class, Currency: r.Currency, TimeZone: r.TimeZone, CycleDay: r.CycleDay,
		OpeningBalance: &r.Opening, Threshold: r.Threshold, CreditLimit: r.CreditLimit, Services: r.Services,
		Applications: r.Applications, PeriodicServices: []setup.PeriodicService{}, Profile: &r.Profile}
	stored, err := periodicServices(ctx, t.tx, number)
	if err != nil {
		return nil, fmt.Errorf("read the periodic services of %s: %w", number, err)
	}
	for _, p := range stored {
		if !p.Ended {
			a.PeriodicServices = append(a.PeriodicServices, p.PeriodicService)
		}
	}
	if r.LimitsVersion > 0 {
		var l limits.Settings
		if _, l, err = t.limitsOf(ctx, number, r.LimitsVersion); err != nil {
			return nil, err
		}
		a.Limits = &l
	}
	return a, nil
}
