package postgres

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
)

// province is accounts that differ in everything lists are sorted and chosen by.
// Account 5 has no profile at all, 4 and 3 share much.
const province = `
resellers:
  - {id: 10, name: Top}
  - {id: 20, name: Child, parent: 10}
  - {id: 30, name: Grandchild, parent: 20}
  - {id: 40, name: Sibling, parent: 10}
  - {id: 50, name: Elsewhere}
managers: [{id: 1, reseller: 10, name: M, email: m@x, role: sales}, {id: 2, reseller: 20, name: N, email: n@x, role: sales}]
users:
  - {id: 100, first_name: Ann, email: Ann@Example.com}
  - {id: 101, first_name: Ben, email: ben@example.com}
  - {id: 102, first_name: Cid, email: cid@example.com}
account_types:
  - {id: 71, key: person, name: Person, name_pattern: "%last_name, %first_name", attributes: [{key: size}]}
  - {id: 72, key: firm, name: Firm, name_pattern: "%primary_name"}
account_classes:
  - {key: k, name: Zeta, payment_model: prepay, financial_blocking_threshold: 10, subzero_period: 0, default: true, id: 9}
  - {key: p, name: Alpha, payment_model: postpay, subscription_credit_limit: 5, id: 8}
customers:
  - ref: c
    name: Cee
    accounts:
      - number: E
        currency: EUR
        opening_balance: 5
        profile: {id: 1, reseller: 20, account_type: 71, manager: 2, owner: 101, tech_user: 102, custom_attributes: {size: b},
          contact: {first_name: Zoe, last_name: Adams, email: Zoe@Example.com, country: GR, region: Αττική, city: Αθήνα, street: A, building: "2", office: "1", zip: "1", phone: "+301111"}}
      - number: D
        class: p
        currency: EUR
        subscription_credit_limit: 1
        profile: {id: 2, reseller: 30, account_type: 72, manager: 1, owner: 100, custom_attributes: {},
          contact: {primary_name: ACME, first_name: Ann, middle_name: B, last_name: Zane, email: ann@example.com, country: BY, region: Minsk, city: Minsk, street: B, building: "1", office: "2", zip: "2", phone: "00375222"}}
      - number: C
        currency: EUR
        opening_balance: -3
        financial_blocking_threshold: 99
        profile: {id: 3, reseller: 40, contact: {first_name: Same}}
      - {number: B, currency: EUR, profile: {id: 4, reseller: 50, contact: {first_name: Same}}}
      - {number: A, currency: EUR, opening_balance: 100, profile: {id: 5}}
`

func newProvince(t *testing.T) *Store {
	t.Helper()
	s := newStore(t, province)
	s.do(t,
		`update accounts set created_at = '2026-01-01'::timestamptz + make_interval(days => (7 * vendor_id % 5)::integer),
		                     updated_at = '2026-02-01'::timestamptz + make_interval(days => (3 * vendor_id % 5)::integer)`,
		`update account_states set status = 3, status_reason = 3, inactive_since = now() where account in ('C', 'D')`,
		`update account_states set status = 2, status_reason = 1, inactive_since = now() where account = 'E'`,
		`update account_states set current_debt = 7 where account = 'D'`)
	return s
}

func listed(t *testing.T, s *Store, f VendorFilter) (ids []int64) {
	t.Helper()
	if f.Most == 0 {
		f.Most = 1000
	}
	page, err := s.VendorAccounts(t.Context(), f)
	if err != nil {
		t.Fatalf("%+v: %v", f, err)
	}
	for i := range page {
		ids = append(ids, page[i].ID)
	}
	return ids
}

func TestVendorAccountsAreSortedByEveryField(t *testing.T) {
	s := newProvince(t)
	// What is empty comes first, what is null last; equal ones by id.
	want := map[string][]int64{
		"id":                    {1, 2, 3, 4, 5},
		"name":                  {2, 1, 5, 3, 4}, // ACME; Adams, Zoe; Cee; Same; Same
		"account_class_id":      {2, 1, 3, 4, 5},
		"account_class":         {2, 1, 3, 4, 5},
		"default_payment_model": {1, 3, 4, 5, 2},
		"primary_name":          {1, 3, 4, 5, 2},
		"first_name":            {5, 2, 3, 4, 1},
		"middle_name":           {1, 3, 4, 5, 2},
		"last_name":             {3, 4, 5, 1, 2},
		"country":               {3, 4, 5, 2, 1},
		"region":                {3, 4, 5, 2, 1},
		"city":                  {3, 4, 5, 2, 1},
		"street":                {3, 4, 5, 1, 2},
		"building":              {3, 4, 5, 2, 1},
		"office":                {3, 4, 5, 1, 2},
		"zip":                   {3, 4, 5, 1, 2},
		"phone":                 {3, 4, 5, 1, 2},
		"email":                 {3, 4, 5, 1, 2},
		"status":                {4, 5, 1, 2, 3},
		"balance":               {3, 2, 4, 1, 5},
		"usable_balance":        {3, 2, 4, 1, 5},
		"current_debt":          {1, 3, 4, 5, 2},
		"account_type_id":       {1, 2, 3, 4, 5},
		"account_type":          {2, 1, 3, 4, 5},
		"manager_id":            {2, 1, 3, 4, 5},
		"owner_id":              {2, 1, 3, 4, 5},
		"tech_user_id":          {2, 1, 3, 4, 5},
		"bill_user_id":          {2, 1, 3, 4, 5},
		"reseller_id":           {1, 2, 3, 4, 5},
		"custom_attributes":     {1, 2, 3, 4, 5},
		"created_at":            {5, 3, 1, 4, 2},
		"updated_at":            {5, 2, 4, 1, 3},
		"new_owner_first_name":  {1, 2, 3, 4, 5},
		"new_owner_middle_name": {1, 2, 3, 4, 5},
		"new_owner_last_name":   {1, 2, 3, 4, 5},
		"new_owner_email":       {1, 2, 3, 4, 5},

		"financial_blocking_threshold":            {2, 1, 4, 5, 3},
		"financial_blocking_threshold_use_system": {3, 1, 2, 4, 5},
		"subscription_credit_limit":               {1, 3, 4, 5, 2},
		"subscription_credit_limit_use_system":    {2, 1, 3, 4, 5},
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(vendorOrder))); diff != "" {
		t.Errorf("fields (-tested +sortable):\n%s", diff)
	}
	for _, field := range slices.Sorted(maps.Keys(want)) {
		if got := listed(t, s, VendorFilter{Sort: field}); !slices.Equal(got, want[field]) {
			t.Errorf("by %s: got %v, want %v", field, got, want[field])
		}
		down := listed(t, s, VendorFilter{Sort: field, Descending: true})
		if !slices.Equal(down, upsideDown(t, s, field, want[field])) {
			t.Errorf("by %s, descending: got %v", field, down)
		}
	}
}

// upsideDown is an order the other way round, but that equal ones stay by id.
func upsideDown(t *testing.T, s *Store, field string, ids []int64) (all []int64) {
	t.Helper()
	values := map[int64]string{}
	rows, err := s.pool.Query(t.Context(), fmt.Sprintf(`
		select a.vendor_id, coalesce((%s)::text, 'null')
		from   accounts a
		left join account_states s on s.account = a.number
		left join customers      u on u.ref     = a.customer
		left join classes        c on c.key     = a.class
		left join profiles       p on p.account = a.number
		left join account_types  y on y.id      = p.account_type`, vendorOrder[field]))
	if err != nil {
		t.Fatal(err)
	}
	var (
		id    int64
		value string
	)
	if _, err := pgx.ForEachRow(rows, []any{&id, &value}, func() error {
		values[id] = value
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for end := len(ids); end > 0; {
		start := end - 1
		for start > 0 && values[ids[start-1]] == values[ids[end-1]] {
			start--
		}
		all = append(all, ids[start:end]...)
		end = start
	}
	return all
}

func TestVendorAccountsAreFilteredThenSortedThenPaged(t *testing.T) {
	s := newProvince(t)
	deleted, active := billing.Deleted, billing.Active
	for _, c := range []struct {
		name string
		f    VendorFilter
		want []int64
	}{
		{"deleted ones are listed like all", VendorFilter{}, []int64{1, 2, 3, 4, 5}},
		{"of a status", VendorFilter{Status: &deleted}, []int64{2, 3}},
		{"of another", VendorFilter{Status: &active}, []int64{4, 5}},
		{"of an e-mail address, whatever its case", VendorFilter{Emails: []string{"zoe@EXAMPLE.com"}}, []int64{1}},
		{"of any of several", VendorFilter{Emails: []string{"zoe@example.com", "ann@example.com", "nobody@x"}}, []int64{1, 2}},
		{"part of an address is none", VendorFilter{Emails: []string{"%@example.com"}}, nil},
		{"an empty address is that of those without", VendorFilter{Emails: []string{""}}, []int64{3, 4}},
		{"no address at all", VendorFilter{Emails: []string{}}, nil},
		{"of an owner's address", VendorFilter{UserEmails: []string{"ann@example.COM"}}, []int64{2}},
		{"of a technical user's", VendorFilter{UserEmails: []string{"cid@example.com"}}, []int64{1}},
		{"of users' of several", VendorFilter{UserEmails: []string{"cid@example.com", "ben@example.com", "ann@example.com"}}, []int64{1, 2}},
		{"created from an instant on", VendorFilter{Created: Span{From: at("2026-01-03T00:00:00Z")}}, []int64{1, 2, 4}},
		{"created just after", VendorFilter{Created: Span{From: at("2026-01-03T00:00:00.000001Z")}}, []int64{2, 4}},
		{"created before an instant", VendorFilter{Created: Span{To: at("2026-01-03T00:00:00Z")}}, []int64{3, 5}},
		{"created on a day", VendorFilter{Created: Span{From: at("2026-01-03T00:00:00Z"), To: at("2026-01-04T00:00:00Z")}}, []int64{1}},
		{"changed on a day", VendorFilter{Updated: Span{From: at("2026-02-02T00:00:00Z"), To: at("2026-02-03T00:00:00Z")}}, []int64{2}},
		{"all together", VendorFilter{Status: &deleted, Within: Reach{Reseller: 10}, Created: Span{From: at("2026-01-01T00:00:00Z")}, Sort: "city", Descending: true}, []int64{2, 3}},
		{"a page", VendorFilter{Sort: "balance", Descending: true, Most: 2, Offset: 1}, []int64{1, 2}},
		{"the last page", VendorFilter{Most: 2, Offset: 4}, []int64{5}},
		{"beyond the end", VendorFilter{Most: 2, Offset: 5}, nil},
		{"filter, then sort, then page", VendorFilter{Status: &deleted, Descending: true, Most: 1, Offset: 1}, []int64{2}},
		{"of the top reseller and all below", VendorFilter{Within: Reach{Reseller: 10}}, []int64{1, 2, 3}},
		{"of a reseller and its child", VendorFilter{Within: Reach{Reseller: 20}}, []int64{1, 2}},
		{"of a reseller only", VendorFilter{Within: Reach{Reseller: 20, Own: true}}, []int64{1}},
		{"of a reseller without accounts of its own", VendorFilter{Within: Reach{Reseller: 10, Own: true}}, nil},
		{"of a reseller that there is not", VendorFilter{Within: Reach{Reseller: 99}}, nil},
	} {
		if got := listed(t, s, c.f); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
		all := c.f
		all.Most, all.Offset = 1000, 0
		want := int64(len(listed(t, s, all)))
		if n, err := s.CountVendorAccounts(t.Context(), c.f); err != nil || n != want {
			t.Errorf("%s: counted %d, %v, want %d on all pages", c.name, n, err, want)
		}
	}
	for _, f := range []VendorFilter{{Sort: "id; drop table accounts", Most: 1}, {Most: 0}, {Most: 1001}, {Most: 1, Offset: -1}} {
		if _, err := s.VendorAccounts(t.Context(), f); err == nil {
			t.Errorf("%+v: taken", f)
		}
	}
}

func TestReachGoesDownstreamOnly(t *testing.T) {
	s := newProvince(t)
	for _, c := range []struct {
		reseller int64
		numbers  string
		want     bool
	}{
		{20, "E", true},     // its own
		{20, "D", true},     // its child's
		{10, "E D C", true}, // its child's, grandchild's and other child's
		{20, "C B A", false}, {30, "E C B A", false}, {40, "E D", false}, {50, "E D C A", false},
		{99, "A B C D E", false}, {0, "A B C D E", false}, {10, "A B none", false},
	} {
		for number := range strings.FieldsSeq(c.numbers) {
			got, err := s.InReach(t.Context(), c.reseller, number)
			if err != nil || got != c.want {
				t.Errorf("account %s within reach of reseller %d: got %t, %v, want %t", number, c.reseller, got, err, c.want)
			}
			if some, err := s.AccountsInReach(t.Context(), c.reseller, []string{number, "none"}); err != nil || slices.Contains(some, number) != c.want {
				t.Errorf("account %s and none within reach of reseller %d: got %q, %v, want %t", number, c.reseller, some, err, c.want)
			}
			v, err := s.VendorAccount(t.Context(), int64('F'-number[0]), Reach{Reseller: c.reseller})
			if seen := err == nil && v.Number == number; c.reseller != 0 && number != "none" && seen != c.want {
				t.Errorf("account %s read by reseller %d: got %t, %v, want %t", number, c.reseller, seen, err, c.want)
			}
		}
	}
	for _, c := range []struct {
		id, within int64
		want       bool
	}{{20, 0, true}, {20, 20, true}, {20, 10, true}, {30, 10, true}, {10, 20, false}, {40, 20, false}, {50, 10, false}, {99, 0, false}} {
		r, err := s.Reseller(t.Context(), c.id, Reach{Reseller: c.within})
		if seen := err == nil && r.ID == c.id; seen != c.want {
			t.Errorf("reseller %d within reach of %d: got %t, %v, want %t", c.id, c.within, seen, err, c.want)
		}
	}
}
