package postgres

import (
	"errors"
	"testing"

	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
)

// migratedTo is a database whose schema is as a migration left it.
func migratedTo(t *testing.T, version int64) (url string, pool *pgxpool.Pool) {
	t.Helper()
	url = pgtest.New(t)
	pool, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, err := pool.Exec(t.Context(), `drop schema public cascade; create schema public`); err != nil {
		t.Fatal(err)
	}
	p, err := provider(pool)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return url, pool
}

// 00003 gives ids to classes and accounts that are there: to accounts in the
// order in which they were created, and to those that come afterwards above them.
func TestAccountsAndClassesThatAreThereGetIDs(t *testing.T) {
	url, pool := migratedTo(t, 2)
	for _, statement := range []string{
		`insert into classes (key, name, payment_model, threshold, subzero_days, credit_limit, buy_with_negative_balance, is_default)
		 values ('std', 'Standard', 0, 10, -1, 0, false, true), ('gold', 'Gold', 1, 0, 0, 7, true, false)`,
		`insert into customers (ref, name, created_at) values ('c', 'Jane Lane', now())`,
		`insert into accounts (number, id, customer, class, currency, time_zone, cycle_day, opening_balance, created_at, updated_at)
		 values ('A', gen_random_uuid(), 'c', 'std', 'EUR', 'UTC', 1, 5, '2026-03-01', '2026-03-02'),
		        ('B', gen_random_uuid(), 'c', 'gold', 'EUR', 'UTC', 1, 0, '2026-01-01', '2026-03-03'),
		        ('C', gen_random_uuid(), 'c', 'std', 'EUR', 'UTC', 1, 0, '2026-01-01', '2026-03-04')`,
		`insert into account_states (account, version, status, status_reason, balance, current_debt, last_seq, counters)
		 select number, 1, 0, 0, opening_balance, 0, 1, '' from accounts`,
	} {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if _, err := Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), url, Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := apply(t, s, "2026-04-01T00:00:00Z", `
account_classes: [{key: new, payment_model: postpay, subscription_credit_limit: 1}]
customers: [{ref: c, accounts: [{number: D, currency: EUR}]}]`); err != nil {
		t.Fatal(err)
	}
	f, err := s.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int64{}
	for _, c := range f.Classes {
		got["class "+c.Key] = c.ID
	}
	for _, a := range f.Customers[0].Accounts {
		got["account "+a.Number] = a.Profile.ID
	}
	want := map[string]int64{"class gold": 1, "class std": 2, "class new": 3, "account B": 1, "account C": 2, "account A": 3, "account D": 4}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("ids (-got +want):\n%s", diff)
	}
	v, err := s.VendorAccount(t.Context(), 3, Reach{})
	if err != nil {
		t.Fatal(err)
	}
	if v.Number != "A" || v.Name != "Jane Lane" || v.Balance != money(t, "5") || !v.UpdatedAt.Equal(at("2026-03-02T00:00:00Z")) {
		t.Errorf("got %s, %q with %s, changed %s", v.Number, v.Name, v.Balance, v.UpdatedAt)
	}
	roundTrips(t, s)
}

// An installation without accounts is migrated too: their first id is 1.
func TestAnEmptyInstallationGetsIDsFromOne(t *testing.T) {
	url, _ := migratedTo(t, 2)
	if _, err := Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), url, Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := apply(t, s, "2026-04-01T00:00:00Z", town); err != nil {
		t.Fatal(err)
	}
	if v, err := s.VendorAccount(t.Context(), 1, Reach{}); err != nil || v.Number != "A1" {
		t.Errorf("got %v, %v, want account A1", v, err)
	}
}

// 00005 gives users to resellers: to those whose accounts name them, or the nearest
// that is above all of these.
func TestUsersThatAreThereBecomeTheResellersThatNameThem(t *testing.T) {
	url, pool := migratedTo(t, 4)
	for _, statement := range []string{
		`insert into classes (key, name, payment_model, threshold, subzero_days, credit_limit, buy_with_negative_balance, is_default, id)
		 values ('std', 'Standard', 0, 10, -1, 0, false, true, 1)`,
		`insert into resellers (id, name, parent, countries, created_at, updated_at)
		 values (1, 'Top', null, '{}', now(), now()), (2, 'Left', 1, '{}', now(), now()), (3, 'Right', 1, '{}', now(), now()),
		        (4, 'Below left', 2, '{}', now(), now()), (5, 'Beside it', 2, '{}', now(), now()), (6, 'Elsewhere', null, '{}', now(), now())`,
		`insert into customers (ref, name, created_at) values ('c', 'Jane Lane', now())`,
		`insert into accounts (number, id, customer, class, currency, time_zone, cycle_day, opening_balance, created_at, updated_at, reseller)
		 select coalesce(r::text, 'none'), gen_random_uuid(), 'c', 'std', 'EUR', 'UTC', 1, 0, now(), now(), r
		 from   unnest(array[1, 2, 3, 4, 5, 6, null]) r`,
		`insert into account_states (account, version, status, status_reason, balance, current_debt, last_seq, counters)
		 select number, 1, 0, 0, 0, 0, 1, '' from accounts`,
		`insert into users (id, first_name, middle_name, last_name, email, account_status, global_status, created_at, updated_at)
		 select i, '', '', '', i || '@x', 'active', 'active', '2026-01-01', '2026-01-02' from generate_series(11, 20) i`,
		`insert into profiles (account, owner, tech_user, bill_user, primary_name, first_name, middle_name, last_name, email, country, region,
		                       city, street, building, office, zip, phone, custom_attributes)
		 select account, owner, tech, bill, '', '', '', '', '', '', '', '', '', '', '', '', '', '{}'
		 from   (values ('1', 17, 17, 17), ('2', 18, 18, 17), ('3', 14, 14, 16), ('4', 11, 12, 13), ('5', 14, 13, 18),
		                ('6', 15, 16, 15), ('none', null, 15, 19)) n (account, owner, tech, bill)`,
	} {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if _, err := Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), url, Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all, err := users(t.Context(), s.pool, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int64]int64{}
	for i := range all {
		got[all[i].ID] = all[i].Reseller
		if !all[i].UpdatedAt.Equal(at("2026-01-02T00:00:00Z")) {
			t.Errorf("user %d changed at %s, though nobody changed it", all[i].ID, all[i].UpdatedAt)
		}
	}
	want := map[int64]int64{
		11: 4, // its owner
		12: 4, // for what is technical
		13: 2, // of 4 and of 5: what is above both, and no higher
		14: 1, // of 3 and of 5, two steps below
		15: 0, // of 6, and of an account of the installation
		16: 0, // of 3 and of 6, which nothing is above
		17: 1, // of 1, and of 2 below it
		18: 2, // of 2, and of 5 below it
		19: 0, // of an account of the installation
		20: 0, // of none
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("resellers of users (-got +want):\n%s", diff)
	}
	roundTrips(t, s)
}

// 00004 keeps what was answered, under the time of its claim, and frees the keys
// of requests that were in progress.
func TestAnswersThatAreThereAreGivenAgain(t *testing.T) {
	url, pool := migratedTo(t, 3)
	if _, err := pool.Exec(t.Context(), `
		insert into answers (token, key, hash, reserved, claimed_at, claim, status, head, body)
		values ('shop', 'done', decode(rpad('61', 64, '0'), 'hex'), 'ACR1', '2026-03-09', gen_random_uuid(), 201, '{"Location": ["/x"]}', '{}'),
		       ('shop', 'begun', decode(rpad('61', 64, '0'), 'hex'), '', '2026-03-09', gen_random_uuid(), null, null, null)`); err != nil {
		t.Fatal(err)
	}
	if _, err := Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), url, Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if answer, err := s.Once(t.Context(), keyed("done", "a"), never(t)); err != nil || answer == nil || answer.Status != 201 ||
		answer.Head.Get("Location") != "/x" || string(answer.Body) != "{}" {
		t.Errorf("got %+v, %v", answer, err)
	}
	if answer, err := s.Once(t.Context(), keyed("begun", "b"), s.adding(t, "mia")); answer != nil || err != nil {
		t.Errorf("got %v, %v", answer, err)
	}
	if n, err := s.ForgetAnswers(t.Context(), at("2026-03-09T12:00:00Z")); n != 1 || err != nil {
		t.Errorf("forgot %d, %v, want the one of the day before", n, err)
	}
}

// A binary that was left behind by an upgrade wrote by a schema that it did not
// know: it started, and some of its statements failed.
func TestASchemaThatIsNewerIsRefused(t *testing.T) {
	url := pgtest.New(t)
	s, err := Open(t.Context(), url, Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.pool.Exec(t.Context(), `
		insert into goose_db_version (version_id, is_applied)
		select max(version_id) + 1, true from goose_db_version`); err != nil {
		t.Fatal(err)
	}
	if left, err := Open(t.Context(), url, Options{Connections: 2}); !errors.Is(err, ErrNewSchema) {
		t.Errorf("opened: got %v, %v", left, err)
	}
	if ran, err := Migrate(t.Context(), url); ran != 0 || !errors.Is(err, ErrNewSchema) {
		t.Errorf("migrated: got %d, %v", ran, err)
	}
}
