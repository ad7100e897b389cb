package postgres

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

// A page of accounts reads what is on it and before it, whatever number of others
// there is, where lists are usual.
func TestAPageOfVendorAccountsReadsLittle(t *testing.T) {
	const accounts, page = 20_000, 50
	s := openTest(t)
	fill(t, s, accounts)
	for _, sql := range []string{
		`insert into resellers values (1, 'R', null, '{}', null, now(), now()), (2, 'Q', 1, '{}', null, now(), now())`,
		`insert into users (first_name, middle_name, last_name, email, account_status, global_status, created_at, updated_at)
		 select '', '', '', 'user' || i || '@example.com', 'active', 'active', now(), now() from generate_series(1, @accounts::integer) i`,
		`insert into profiles (account, owner, primary_name, first_name, middle_name, last_name, email, country, region, city, street,
		                       building, office, zip, phone, custom_attributes)
		 select number, vendor_id, '', 'F', '', 'L', 'Holder' || vendor_id || '@example.com', 'BY', '', '', '', '', '', '', '', '{}' from accounts
		 where  @accounts::integer > 0`,
		`update accounts set created_at = '2026-01-01'::timestamptz + make_interval(mins => vendor_id::integer),
		                     updated_at = '2026-02-01'::timestamptz + make_interval(mins => vendor_id::integer),
		                     reseller   = case when vendor_id % 200 = 0 then 2 else 1 end
		 where  @accounts::integer > 0`,
		`analyze`,
	} {
		if _, err := s.pool.Exec(t.Context(), sql, pgx.NamedArgs{"accounts": accounts}); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	day := Span{From: at("2026-01-05T00:00:00Z"), To: at("2026-01-06T00:00:00Z")}
	for _, c := range []struct {
		name      string
		f         VendorFilter
		resellers []int64
		most      int // rows that may be met
	}{
		{"by id", VendorFilter{}, nil, page},
		{"by id, from the end", VendorFilter{Descending: true}, nil, page},
		{"by id, some pages on", VendorFilter{Offset: 500}, nil, 500 + page},
		{"by creation", VendorFilter{Sort: "created_at", Descending: true}, nil, page + 1},
		{"by change", VendorFilter{Sort: "updated_at"}, nil, page + 1},
		{"created on a day", VendorFilter{Created: day, Sort: "created_at"}, nil, page + 1},
		{"changed from an instant on, by change", VendorFilter{Updated: Span{From: at("2026-02-05T00:00:00Z")}, Sort: "updated_at"}, nil, page + 1},
		{"of an e-mail address", VendorFilter{Emails: []string{"holder77@example.com", "holder78@example.com"}}, nil, 20},
		{"of a user's address", VendorFilter{UserEmails: []string{"user77@example.com"}}, nil, 20},
		{"of a reseller with few", VendorFilter{}, []int64{2}, accounts / 200},
	} {
		c.f.Most = page
		query, err := c.f.query()
		if err != nil {
			t.Fatal(err)
		}
		rows, indexes := explain(t, s, query, c.f.args(c.resellers))
		if rows > c.most {
			t.Errorf("%s: a page reads %d rows through %v, want at most %d", c.name, rows, indexes, c.most)
		}
	}
}
