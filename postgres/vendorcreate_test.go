package postgres

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
)

// clotilde is what the documents' example of a creation asks for.
func clotilde() NewVendorAccount {
	return NewVendorAccount{
		Reseller: 1, Type: 1, ClassKey: "postpaytest", Manager: 188,
		Contact: billing.Contact{FirstName: "Clotilde", LastName: "Ledner", Email: "ClotildeLedner@example.com", Country: "BY",
			Region: "Minsk", City: "Minsk", Street: "Mira", Building: "1", Office: "2", Zip: "220000", Phone: "+375290000000"},
		NewOwner:         &billing.User{FirstName: "Alba", LastName: "Stehr", Email: "AlbaStehr@example.com"},
		CustomAttributes: map[string]string{"signer_name": "Signer"},
		TimeZone:         "Europe/Minsk", At: at("2026-02-11T10:18:19.148+03:00"), Actor: "token t",
	}
}

func TestCreateVendorAccount(t *testing.T) {
	s := documents(t)
	if _, err := apply(t, s, "2025-01-01T00:00:00Z", `resellers: [{id: 4, name: Brest, parent: 1}]`); err != nil {
		t.Fatal(err)
	}
	n := clotilde()
	id, err := s.CreateVendorAccount(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.VendorAccount(t.Context(), id, Reach{Reseller: 1})
	if err != nil {
		t.Fatal(err)
	}
	like, err := s.VendorAccount(t.Context(), 789, Reach{}) // the same, by a set-up file
	if err != nil {
		t.Fatal(err)
	}
	when := n.At.UTC()
	want := *like
	want.ID, want.Number, want.CreatedAt, want.UpdatedAt = 790, got.Number, when, when
	want.Owner = &VendorUser{User: like.Owner.User, CreatedAt: when, UpdatedAt: when}
	want.Owner.ID, want.Owner.Reseller, want.TechUser, want.BillUser = 988, 1, 988, 988
	if diff := cmp.Diff(*got, want); diff != "" {
		t.Errorf("created (-got +want):\n%s", diff)
	}
	if !regexp.MustCompile(`^ACR\d{10}$`).MatchString(got.Number) {
		t.Errorf("number %q is none of the house's", got.Number)
	}
	v, err := s.Account(t.Context(), got.Number, n.At)
	if err != nil {
		t.Fatal(err)
	}
	if v.Customer != "user-988" || v.Currency != "BYN" || v.TimeZone != "Europe/Minsk" || v.CycleDay != 1 {
		t.Errorf("got an account of %s in %s, %s, %d", v.Customer, v.Currency, v.TimeZone, v.CycleDay)
	}

	// A second one of another owner, Greek, of a reseller without a currency: the
	// one that its customer's accounts have.
	n.NewOwner, n.Owner, n.Reseller, n.ClassKey = nil, 846, 4, "new"
	n.FirstName, n.MiddleName, n.LastName, n.City = "Γιάννης", "Σ.", "Παπαδόπουλος", "Αθήνα"
	if id, err = s.CreateVendorAccount(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if got, err = s.VendorAccount(t.Context(), id, Reach{}); err != nil {
		t.Fatal(err)
	}
	if got.Name != "Γιάννης Σ. Παπαδόπουλος" || got.City != "Αθήνα" || got.Owner.ID != 846 {
		t.Errorf("got %q of %q, owner %d", got.Name, got.City, got.Owner.ID)
	}
	if v, err = s.Account(t.Context(), got.Number, n.At); err != nil || v.Customer != "user-846" || v.Currency != "USD" {
		t.Errorf("got %+v, %v, want an account of user-846 in USD", v, err)
	}
	roundTrips(t, s)
}

// roundTrips applies what is exported, which changes nothing.
func roundTrips(t *testing.T, s *Store) {
	t.Helper()
	f, err := s.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := f.YAML()
	if err != nil {
		t.Fatal(err)
	}
	done, err := apply(t, s, "2026-03-01T00:00:00Z", string(text))
	if err != nil || len(done.Changes) > 0 {
		t.Errorf("applying what was exported: %v, changes %+v", err, done)
	}
}

func TestEveryFaultOfANewVendorAccountIsTold(t *testing.T) {
	s := documents(t)
	if _, err := apply(t, s, "2025-01-01T00:00:00Z", `
resellers: [{id: 5, name: Elsewhere}]
managers:
  - {id: 1, reseller: 1, name: Clerk, email: c@x, role: accountant}
  - {id: 2, reseller: 1, name: Left, email: c@x, role: sales, status: dismissed}
  - {id: 3, reseller: 5, name: Other, email: c@x, role: sales}
  - {id: 4, reseller: 2, name: Below, email: c@x, role: sales}
users:
  - {id: 50, email: installation@x}
  - {id: 51, email: own@x, reseller: 1}
  - {id: 52, email: below@x, reseller: 2}
  - {id: 54, email: elsewhere@x, reseller: 5}
  - {id: 55, email: other@x}
  - {id: 56, email: shared@x}
account_types:
  - id: 9
    key: strict
    name_pattern: x
    attributes: [{key: must, required: true}, {key: check, kind: checkbox}, {key: day, kind: date}, {key: pick, kind: list, elements: [{key: a}]}]
  - {id: 10, key: other, name_pattern: x, reseller: 5}
account_classes: [{key: theirs, payment_model: postpay, subscription_credit_limit: 0, reseller: 5}]
customers:
  - ref: o
    accounts:
      - {number: O, currency: EUR, profile: {reseller: 5, owner: 55}}
      - {number: P, currency: EUR, profile: {reseller: 5, owner: 55, tech_user: 56}}
      - {number: Q, currency: EUR, profile: {reseller: 2, owner: 52, bill_user: 56}}`); err != nil {
		t.Fatal(err)
	}
	one := Reach{Reseller: 1}
	for _, c := range []struct {
		name string
		make func(*NewVendorAccount)
		want AttributeFaults
	}{
		{"nothing at all", func(n *NewVendorAccount) { *n = NewVendorAccount{Reseller: 1, TimeZone: "UTC", At: n.At} }, AttributeFaults{
			{"account_type_id", "", missing}, {"first_name", "", missing}, {"last_name", "", missing}, {"email", "", missing},
			{"country", "", missing}, {"region", "", missing}, {"city", "", missing}, {"street", "", missing}, {"zip", "", missing},
			{"phone", "", missing}, {"new_owner_first_name", "", missing}, {"new_owner_last_name", "", missing},
			{"new_owner_email", "", missing}, {"account_class_key", "", missing},
		}},
		{"blanks where something is required", func(n *NewVendorAccount) { n.FirstName, n.MiddleName, n.NewOwner.LastName = " ", " ", "\t" },
			AttributeFaults{{"first_name", "", missing}, {"new_owner_last_name", "", missing}}},
		{"a manager who is no sales person", func(n *NewVendorAccount) { n.Manager = 1 }, AttributeFaults{{"manager_id", "", noSalesPerson}}},
		{"a manager who is not active", func(n *NewVendorAccount) { n.Manager = 2 }, AttributeFaults{{"manager_id", "", noSalesPerson}}},
		{"a manager that there is not", func(n *NewVendorAccount) { n.Manager = 77 }, AttributeFaults{{"manager_id", "", noSalesPerson}}},
		{"another reseller's manager", func(n *NewVendorAccount) { n.Within, n.Manager = one, 3 }, AttributeFaults{{"manager_id", "", noSalesPerson}}},
		{"the same, for who sees all", func(n *NewVendorAccount) { n.Manager = 3 }, nil},
		{"a manager below who asks", func(n *NewVendorAccount) { n.Within, n.Manager = one, 4 }, nil},
		{"a manager above who asks", func(n *NewVendorAccount) { n.Reseller, n.Within, n.Manager = 2, Reach{Reseller: 2}, 188 },
			AttributeFaults{{"manager_id", "", noSalesPerson}}},
		{"a country that the reseller leaves out", func(n *NewVendorAccount) { n.Reseller, n.Country = 2, "GR" },
			AttributeFaults{{"country", "", "Available options: BY, RU"}}},
		{"a country that there is not, of a list", func(n *NewVendorAccount) { n.Reseller, n.Country = 2, "BLR" },
			AttributeFaults{{"country", "", "Available options: BY, RU"}}},
		{"a country that there is not", func(n *NewVendorAccount) { n.Country = "BLR" },
			AttributeFaults{{"country", "", `"BLR": not a country code of ISO 3166-1 alpha-2 like BY`}}},
		{"a country in lower case", func(n *NewVendorAccount) { n.Country = "by" },
			AttributeFaults{{"country", "", `"by": not a country code of ISO 3166-1 alpha-2 like BY`}}},
		{"a phone without a country", func(n *NewVendorAccount) { n.Phone = "290000000" },
			AttributeFaults{{"phone", "", `"290000000": not a phone number: write + or 00, the country's code and digits, like +375290000000`}}},
		{"a phone with 00", func(n *NewVendorAccount) { n.Phone = "00375290000000" }, nil},
		{"addresses that are none", func(n *NewVendorAccount) { n.Email, n.NewOwner.Email = "x", "y@" }, AttributeFaults{
			{"email", "", `"x": not an e-mail address like jane@example.com`},
			{"new_owner_email", "", `"y@": not an e-mail address like jane@example.com`},
		}},
		{"texts that cannot be kept", func(n *NewVendorAccount) { n.City, n.Zip = "a\x00b", strings.Repeat("9", 257) }, AttributeFaults{
			{"city", "", "it must be UTF-8 without NUL"}, {"zip", "", "257 bytes, at most 256 are taken"},
		}},
		{"a type that there is not", func(n *NewVendorAccount) { n.Type = 77 },
			AttributeFaults{{"account_type_id", "", "77: there is no account type with this id"}}},
		{"another reseller's type", func(n *NewVendorAccount) { n.Within, n.Type, n.CustomAttributes = one, 10, nil },
			AttributeFaults{{"account_type_id", "", "10: there is no account type with this id"}}},
		{"a class that there is not", func(n *NewVendorAccount) { n.ClassKey = "gold" },
			AttributeFaults{{"account_class_key", "", `"gold": there is no account class with this key`}}},
		{"another reseller's class", func(n *NewVendorAccount) { n.Within, n.ClassKey = one, "theirs" },
			AttributeFaults{{"account_class_key", "", `"theirs": there is no account class with this key`}}},
		{"an owner that there is not", func(n *NewVendorAccount) { n.NewOwner, n.Owner = nil, 77 },
			AttributeFaults{{"owner_id", "", "77: there is no user with this id"}}},
		{"another reseller's user", func(n *NewVendorAccount) { n.Within, n.NewOwner, n.Owner = one, nil, 55 },
			AttributeFaults{{"owner_id", "", "55: there is no user with this id"}}},
		{"another reseller's user whom no account names", func(n *NewVendorAccount) { n.Within, n.NewOwner, n.Owner = one, nil, 54 },
			AttributeFaults{{"owner_id", "", "54: there is no user with this id"}}},
		{"the same, for who sees all", func(n *NewVendorAccount) { n.NewOwner, n.Owner = nil, 54 }, nil},
		{"a user of the installation", func(n *NewVendorAccount) { n.Within, n.NewOwner, n.Owner = one, nil, 50 },
			AttributeFaults{{"owner_id", "", "50: there is no user with this id"}}},
		{"a user of who asks", func(n *NewVendorAccount) { n.Within, n.NewOwner, n.Owner = one, nil, 51 }, nil},
		{"a user of one below who asks", func(n *NewVendorAccount) { n.Within, n.NewOwner, n.Owner = one, nil, 52 }, nil},
		{"a user of one above who asks", func(n *NewVendorAccount) {
			n.Reseller, n.Within, n.NewOwner, n.Owner, n.Manager = 2, Reach{Reseller: 2}, nil, 51, 0
		},
			AttributeFaults{{"owner_id", "", "51: there is no user with this id"}}},
		{"a user whom an account within reach names", func(n *NewVendorAccount) { n.Within, n.NewOwner, n.Owner = one, nil, 56 }, nil},
		{"two owners", func(n *NewVendorAccount) { n.Owner = 23 },
			AttributeFaults{{"owner_id", "", "23: a new owner is given as well, give one of the two"}}},
		{"custom attributes by kind", func(n *NewVendorAccount) {
			n.Type, n.CustomAttributes = 9, map[string]string{"check": "yes", "day": "2026-01-31", "pick": "b", "more": "x"}
		}, AttributeFaults{
			{"custom_attributes", "check", `"yes": give 1 for true or 0 for false`},
			{"custom_attributes", "day", `"2026-01-31": not a date like 31.01.2026`},
			{"custom_attributes", "more", `"more": account type "strict" has no attribute of this key`},
			{"custom_attributes", "pick", `"b": not the key of an element: give one of a`},
			{"custom_attributes", "must", `"must" is missing: account type "strict" requires it`},
		}},
		{"custom attributes that are legal", func(n *NewVendorAccount) {
			n.Type, n.CustomAttributes = 9, map[string]string{"check": "0", "day": "31.01.2026", "pick": "a", "must": "x"}
		}, nil},
		{"an attribute that cannot be kept", func(n *NewVendorAccount) { n.CustomAttributes = map[string]string{"signer_name": "\xff"} },
			AttributeFaults{{"custom_attributes", "signer_name", "it must be UTF-8 without NUL"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := counts(t, s)
			n := clotilde()
			c.make(&n)
			_, err := s.CreateVendorAccount(t.Context(), n)
			var got AttributeFaults
			if err != nil && !errors.As(err, &got) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("faults (-got +want):\n%s", diff)
			}
			if after := counts(t, s); c.want != nil && before != after {
				t.Errorf("refused, but users, customers, accounts and profiles are %v, were %v", after, before)
			}
		})
	}
	for _, n := range []NewVendorAccount{{Reseller: 77}, {Reseller: 1, Within: Reach{Reseller: 2}}} {
		n.At = at("2026-01-01T00:00:00Z")
		if _, err := s.CreateVendorAccount(t.Context(), n); !errors.Is(err, ErrNoReseller) {
			t.Errorf("of reseller %d within %+v: got %v, want %v", n.Reseller, n.Within, err, ErrNoReseller)
		}
	}
	roundTrips(t, s)
}

func counts(t *testing.T, s *Store) (n [4]int) {
	t.Helper()
	err := s.pool.QueryRow(t.Context(), `select (select count(*) from users), (select count(*) from customers),
		(select count(*) from accounts), (select count(*) from profiles)`).Scan(&n[0], &n[1], &n[2], &n[3])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Ids are chosen side by side: nobody waits for another, none is given twice, and
// those that a file gives meanwhile are passed.
func TestVendorAccountsAreCreatedAtOnce(t *testing.T) {
	const each = 5
	s := documents(t)
	var (
		wg   sync.WaitGroup
		lock sync.Mutex
		ids  = map[int64]int{}
	)
	for range 4 {
		wg.Go(func() {
			for range each {
				n := clotilde()
				n.Reseller = 2
				id, err := s.CreateVendorAccount(t.Context(), n)
				if err != nil {
					t.Error(err)
					return
				}
				lock.Lock()
				ids[id]++
				lock.Unlock()
			}
		})
	}
	wg.Go(func() {
		_, err := apply(t, s, "2026-01-01T00:00:00Z", `
users: [{id: 995, email: u@x}]
customers: [{ref: c, accounts: [{number: N, currency: EUR, class: new, profile: {id: 797, owner: 995}}, {number: M, currency: EUR, class: new}]}]`)
		var taken setup.Faults // whether it was first or not, nothing is given twice
		if err != nil && !errors.As(err, &taken) {
			t.Error(err)
		}
	})
	wg.Wait()
	if len(ids) != 4*each {
		t.Errorf("got %d ids for %d accounts: %v", len(ids), 4*each, slices.Sorted(maps.Keys(ids)))
	}
}
