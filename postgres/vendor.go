package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

// VendorAccount is an account as vendor APIs show it (ActivePlatform). Its names
// and figures are those of the set-up file.
type VendorAccount struct {
	ID       int64
	Number   string
	Reseller int64  // 0: none
	Name     string // by its type's pattern; without a type by contact or customer
	billing.Contact

	Status                       billing.Status
	Balance, UsableBalance       billing.Money
	CurrentDebt                  billing.Money
	Threshold, CreditLimit       billing.Money // in force
	OwnThreshold, OwnCreditLimit bool          // whether they are the account's, not its class's
	Class                        VendorClass
	Type                         *VendorType    // nil: none
	Manager                      *VendorManager // nil: none
	Owner                        *VendorUser    // nil: none
	TechUser, BillUser           int64          // 0: none
	CustomAttributes             map[string]string
	CreatedAt, UpdatedAt         time.Time
}

// vendorNumber goes through the unique index of ids.
const vendorNumber = `
	select number
	from   accounts
	where  vendor_id = @id
	and    (@resellers::bigint[] is null or reseller = any(@resellers))`

// VendorAccount reads the account with an id. ErrNoAccount says that there is
// none within reach.
func (s *Store) VendorAccount(ctx context.Context, id int64, within Reach) (v *VendorAccount, err error) {
	err = s.view(ctx, func(tx pgx.Tx) error {
		resellers, err := within.resellersOf(ctx, tx)
		if err != nil {
			return err
		}
		numbers, err := collect(ctx, tx, vendorNumber, pgx.RowTo[string], pgx.NamedArgs{"id": id, "resellers": resellers})
		if err != nil {
			return fmt.Errorf("look up account %d: %w", id, err)
		}
		if len(numbers) == 0 {
			return fmt.Errorf("account %d: %w", id, ErrNoAccount)
		}
		found, err := vendorAccounts(ctx, tx, numbers)
		if err == nil {
			v = &found[0]
		}
		return err
	})
	return v, err
}

// calledAs is an account's name, of a, p, u and its type y.
const calledAs = `
	account_name(y.name_pattern, coalesce(p.primary_name, ''), coalesce(p.first_name, ''), coalesce(p.middle_name, ''),
	             coalesce(p.last_name, ''), coalesce(nullif(u.name, ''), u.ref))`

const vendorAccountsOf = `
	select   a.number, ` + calledAs + `, a.class, s.status, (s.balance * 1000000)::bigint,
	         (s.current_debt * 1000000)::bigint, (a.threshold * 1000000)::bigint, (a.credit_limit * 1000000)::bigint,
	         a.created_at, a.updated_at, ` + profileColumns + `
	from     unnest(@numbers::text[]) with ordinality as n (number, place)
	join     accounts       a on a.number  = n.number
	join     account_states s on s.account = a.number
	join     customers      u on u.ref     = a.customer
	left join profiles      p on p.account = a.number
	left join account_types y on y.id      = p.account_type
	order by n.place`

// shown is a row of vendorAccountsOf: an account with the ids of what hangs on it.
type shown struct {
	VendorAccount
	class                  string
	threshold, creditLimit *int64
	profile                setup.Profile
}

func scanShown(row pgx.CollectableRow) (v shown, err error) {
	var custom []byte
	if err := row.Scan(append([]any{&v.Number, &v.Name, &v.class, &v.Status, &v.Balance, &v.CurrentDebt, &v.threshold,
		&v.creditLimit, &v.CreatedAt, &v.UpdatedAt}, profileScan(&v.profile, &custom)...)...); err != nil {
		return v, err
	}
	v.CustomAttributes, err = readTexts(custom)
	v.ID, v.Reseller, v.Contact = v.profile.ID, v.profile.Reseller, v.profile.Contact
	v.TechUser, v.BillUser = v.profile.TechUser, v.profile.BillUser
	v.UsableBalance = v.Balance // no reservations yet (SPEC R6.6)
	return v, err
}

// vendorAccounts reads accounts, in the order of the numbers: a page of them at
// most, with five queries however many they are.
func vendorAccounts(ctx context.Context, q querier, numbers []string) ([]VendorAccount, error) {
	page, err := collect(ctx, q, vendorAccountsOf, scanShown, pgx.NamedArgs{"numbers": numbers})
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	l, err := readLinked(ctx, q, page)
	if err != nil {
		return nil, err
	}
	all := make([]VendorAccount, len(page))
	for i := range page {
		v, p := &page[i], &page[i].profile
		v.Class, v.Type, v.Manager, v.Owner = *l.classes[v.class], l.types[p.AccountType], l.managers[p.Manager], l.users[p.Owner]
		terms := limits.Effective(v.Class.Class, moneyOrNil(v.threshold), moneyOrNil(v.creditLimit))
		v.Threshold, v.CreditLimit = terms.Threshold, terms.CreditLimit
		v.OwnThreshold, v.OwnCreditLimit = v.threshold != nil, v.creditLimit != nil
		all[i] = v.VendorAccount
	}
	return all, nil
}

// linked is what accounts hang on, each read once.
type linked struct {
	classes  map[string]*VendorClass
	types    map[int64]*VendorType
	managers map[int64]*VendorManager
	users    map[int64]*VendorUser
}

func readLinked(ctx context.Context, q querier, page []shown) (l linked, err error) {
	classes, ids := map[string]bool{}, [3]map[int64]bool{{}, {}, {}}
	for i := range page {
		p := &page[i].profile
		classes[page[i].class] = true
		ids[0][p.AccountType], ids[1][p.Manager], ids[2][p.Owner] = true, true, true
	}
	if l.classes, err = vendorClasses(ctx, q, slices.Collect(maps.Keys(classes))); err != nil {
		return l, err
	}
	types, err := accountTypes(ctx, q, slices.AppendSeq([]int64{}, maps.Keys(ids[0])))
	if err != nil {
		return l, err
	}
	managers, err := managers(ctx, q, slices.AppendSeq([]int64{}, maps.Keys(ids[1])))
	if err != nil {
		return l, err
	}
	owners, err := users(ctx, q, slices.AppendSeq([]int64{}, maps.Keys(ids[2])))
	l.types = byID(types, func(v *VendorType) int64 { return v.ID })
	l.managers = byID(managers, func(v *VendorManager) int64 { return v.ID })
	l.users = byID(owners, func(v *VendorUser) int64 { return v.ID })
	return l, err
}

func byID[T any](all []T, id func(*T) int64) map[int64]*T {
	found := make(map[int64]*T, len(all))
	for i := range all {
		found[id(&all[i])] = &all[i]
	}
	return found
}

func vendorClasses(ctx context.Context, q querier, keys []string) (map[string]*VendorClass, error) {
	s := Snapshot{Classes: map[string]billing.Class{}}
	if err := s.readClasses(ctx, q); err != nil {
		return nil, fmt.Errorf("read account classes: %w", err)
	}
	rows, err := q.Query(ctx, classTimes, pgx.NamedArgs{"keys": keys})
	if err != nil {
		return nil, fmt.Errorf("read account classes: %w", err)
	}
	found := make(map[string]*VendorClass, len(keys))
	var (
		key              string
		created, updated time.Time
	)
	_, err = pgx.ForEachRow(rows, []any{&key, &created, &updated}, func() error {
		found[key] = &VendorClass{Class: s.Classes[key], CreatedAt: created, UpdatedAt: updated}
		return nil
	})
	return found, wrap(err, "read account classes")
}
