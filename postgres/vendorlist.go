package postgres

import (
	"context"
	"fmt"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// VendorFilter chooses accounts, their order and a page of them; what is empty
// chooses all.
type VendorFilter struct {
	Within           Reach
	Status           *billing.Status
	Emails           []string // of the contact: any of them, whatever their case
	UserEmails       []string // of owner, technical or billing user: any of them
	Created, Updated Span
	// Sort is a field of the documents like "id" or "created_at"; empty: id.
	// VendorSorts knows which there are. Equal ones are ordered by id.
	Sort       string
	Descending bool
	Offset     int
	Most       int // at most so many accounts, 1 to 1000
}

const vendorPageMax = 1000

// vendorOrder is what accounts are sorted by, for each field of the documents:
// by what it prints, and nothing of it comes from a request. Statuses are stored
// in the order of their words; so are payment models.
var vendorOrder = map[string]string{
	"id": "a.vendor_id", "name": calledAs, "reseller_id": "a.reseller",
	"account_class_id": "c.id", "account_class": "c.name", "default_payment_model": "c.payment_model",
	"account_type_id": "p.account_type", "account_type": "y.name",
	"primary_name": "coalesce(p.primary_name, '')", "first_name": "coalesce(p.first_name, '')",
	"middle_name": "coalesce(p.middle_name, '')", "last_name": "coalesce(p.last_name, '')",
	"country": "coalesce(p.country, '')", "region": "coalesce(p.region, '')", "city": "coalesce(p.city, '')",
	"street": "coalesce(p.street, '')", "building": "coalesce(p.building, '')", "office": "coalesce(p.office, '')",
	"zip": "coalesce(p.zip, '')", "phone": "coalesce(p.phone, '')", "email": "coalesce(p.email, '')",
	"status": "s.status", "balance": "s.balance", "usable_balance": "s.balance", "current_debt": "s.current_debt",
	"financial_blocking_threshold_use_system": "a.threshold is null",
	"financial_blocking_threshold":            "coalesce(a.threshold, c.threshold)",
	"subscription_credit_limit_use_system":    "a.credit_limit is null",
	"subscription_credit_limit":               "coalesce(a.credit_limit, c.credit_limit)",
	"manager_id":                              "p.manager", "owner_id": "p.owner", "tech_user_id": "p.tech_user", "bill_user_id": "p.bill_user",
	"custom_attributes": "coalesce(p.custom_attributes, '{}')::text collate \"C\"",
	"created_at":        "a.created_at", "updated_at": "a.updated_at",
	// Printed null always: all are equal.
	"new_owner_first_name": "null::text", "new_owner_middle_name": "null::text", "new_owner_last_name": "null::text",
	"new_owner_email": "null::text",
}

// VendorSorts tells whether accounts can be sorted by a field.
func VendorSorts(field string) bool { return vendorOrder[field] != "" }

// vendorPage lists the numbers of a page of accounts.
//
// The statement is planned anew for each call, with the values in it: a filter
// that is null falls away, and with it the join that only it needed (each joined
// table has one row for an account, and is joined on the left so that it may).
// What is left by itself is fast where lists are usual:
//   - by id: the index of ids in its order, as far as offset and page reach, and
//     nothing but it and accounts is read; so are created_at and updated_at, by
//     their own indexes, each run of equal times sorted by id;
//   - of resellers with few accounts: accounts_of_a_reseller; with many, as if all
//     were theirs;
//   - of an e-mail address: profiles_by_email, then what it found; of a user's,
//     users_by_email and the profiles' indexes of users;
//   - by another field: all accounts that pass are met (a third of a second for
//     100,000), and the best offset + page of them kept in a heap; past work_mem
//     they are sorted on disk.
//
// So memory is bounded by the page, and by the database's work_mem.
const (
	vendorPage = `
	select   a.number` + vendorChosen + `
	order by %s %s, a.vendor_id
	limit    @most
	offset   @offset`

	// A count meets every account that passes; without a filter that is an index
	// from end to end.
	vendorCount = `
	select   count(*)` + vendorChosen

	vendorChosen = `
	from     accounts a
	left join account_states s on s.account = a.number
	left join customers      u on u.ref     = a.customer
	left join classes        c on c.key     = a.class
	left join profiles       p on p.account = a.number
	left join account_types  y on y.id      = p.account_type
	where    (@resellers::bigint[]      is null or a.reseller    = any(@resellers))
	and      (@status::smallint         is null or s.status      = @status)
	and      (@emails::text[]           is null or lower(p.email) = any(array(
	             select lower(e collate "C") from unnest(@emails) e)))
	and      (@user_emails::text[]      is null or a.number in (
	             select o.account
	             from   users    v
	             join   profiles o on v.id in (o.owner, o.tech_user, o.bill_user)
	             where  lower(v.email) = any(array(select lower(e collate "C") from unnest(@user_emails) e))))
	and      (@created_from::timestamptz is null or a.created_at >= @created_from)
	and      (@created_to::timestamptz   is null or a.created_at <  @created_to)
	and      (@updated_from::timestamptz is null or a.updated_at >= @updated_from)
	and      (@updated_to::timestamptz   is null or a.updated_at <  @updated_to)`
)

// VendorAccounts lists accounts of every status: those that the filter chooses,
// in its order, and of these a page.
func (s *Store) VendorAccounts(ctx context.Context, f VendorFilter) (page []VendorAccount, err error) {
	query, err := f.query()
	if err != nil {
		return nil, err
	}
	err = s.view(ctx, func(tx pgx.Tx) error {
		resellers, err := f.Within.resellersOf(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, query, pgx.QueryExecModeDescribeExec, f.args(resellers))
		if err != nil {
			return fmt.Errorf("list accounts: %w", err)
		}
		numbers, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("list accounts: %w", err)
		}
		page, err = vendorAccounts(ctx, tx, numbers)
		return err
	})
	return page, err
}

// CountVendorAccounts counts the accounts that the filter chooses, on whichever
// page of them.
func (s *Store) CountVendorAccounts(ctx context.Context, f VendorFilter) (n int64, err error) {
	err = s.view(ctx, func(tx pgx.Tx) error {
		resellers, err := f.Within.resellersOf(ctx, tx)
		if err != nil {
			return err
		}
		row := tx.QueryRow(ctx, vendorCount, pgx.QueryExecModeDescribeExec, f.args(resellers))
		return wrap(row.Scan(&n), "count accounts")
	})
	return n, err
}

func (f *VendorFilter) query() (string, error) {
	field := f.Sort
	if field == "" {
		field = "id"
	}
	by := vendorOrder[field]
	switch {
	case by == "":
		return "", refuse("accounts cannot be sorted by %q", field)
	case f.Most < 1 || f.Most > vendorPageMax:
		return "", refuse("a page of %d accounts: ask for 1 to %d", f.Most, vendorPageMax)
	case f.Offset < 0:
		return "", refuse("accounts from %d on: begin at 0 or later", f.Offset)
	}
	direction := "asc"
	if f.Descending {
		direction = "desc"
	}
	return fmt.Sprintf(vendorPage, by, direction), nil
}

func (f *VendorFilter) args(resellers []int64) pgx.NamedArgs {
	return pgx.NamedArgs{"resellers": resellers, "status": f.Status, "emails": f.Emails, "user_emails": f.UserEmails,
		"created_from": nullTime(f.Created.From), "created_to": nullTime(f.Created.To),
		"updated_from": nullTime(f.Updated.From), "updated_to": nullTime(f.Updated.To),
		"most": f.Most, "offset": f.Offset}
}
