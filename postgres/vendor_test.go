package postgres

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
)

// documents is a store with what ActivePlatform's documents show.
func documents(t *testing.T) *Store {
	t.Helper()
	text, err := os.ReadFile("../setup/testdata/vendor.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return newStore(t, string(text))
}

// apply makes a file true, as of one instant.
func apply(t *testing.T, s *Store, when, file string) (*Applied, error) {
	t.Helper()
	f, err := setup.Parse("setup.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	return s.Apply(t.Context(), f, ApplyOptions{At: at(when), Actor: "test", TimeZone: time.UTC})
}

func TestTheDocumentsAccounts(t *testing.T) {
	s := documents(t)
	t0 := at("2025-01-01T00:00:00Z")
	jane, err := s.VendorAccount(t.Context(), 431, Reach{})
	if err != nil {
		t.Fatal(err)
	}
	want := &VendorAccount{
		ID: 431, Number: "ACR0000000431", Reseller: 1, Name: "Jane Lane",
		Contact: billing.Contact{FirstName: "Jane", LastName: "Lane", Email: "test@example.com", Country: "BY", Region: "minski",
			City: "minsk", Street: "minsk", Zip: "220000", Phone: "+375291234567"},
		Balance: money(t, "453.2"), UsableBalance: money(t, "453.2"), Threshold: money(t, "100"),
		Class: VendorClass{
			Class:     billing.Class{ID: 1, Key: "default", Name: "Default", Threshold: money(t, "100"), SubzeroDays: 3, Default: true},
			CreatedAt: t0, UpdatedAt: t0,
		},
		Type: &VendorType{
			AccountType: billing.AccountType{
				ID: 1564, Key: "personal", Name: "Personal", Reseller: 1, NamePattern: "%first_name %last_name",
				Attributes: []billing.Attribute{
					{Key: "personal_number", Name: "Personal number"}, {Key: "birth_date", Name: "Birth date", Kind: billing.DateAttribute},
					{Key: "issued", Name: "Issued", Kind: billing.DateAttribute}, {Key: "passport_number", Name: "Passport number"},
					{Key: "issued_by", Name: "Issued by"},
				},
			},
			CreatedAt: t0, UpdatedAt: t0,
		},
		Owner: &VendorUser{
			User:      billing.User{ID: 23, FirstName: "Jane", LastName: "Lane", Email: "test@example.com", AccountStatus: "active", GlobalStatus: "active"},
			CreatedAt: t0, UpdatedAt: t0,
		},
		TechUser: 23, BillUser: 23,
		CustomAttributes: map[string]string{"personal_number": "A4411111BB1123", "birth_date": "10.08.2016", "issued": "01.07.2016",
			"passport_number": "1124111111123", "issued_by": "Government"},
		CreatedAt: t0, UpdatedAt: t0,
	}
	if diff := cmp.Diff(jane, want); diff != "" {
		t.Errorf("account 431 (-got +want):\n%s", diff)
	}
	for _, c := range []struct {
		id            int64
		name, balance string
		class         int64
		threshold     string
	}{
		{486, "John Doe", "8.22", 1, "100"},
		{300, "Kate S Closecharges", "0", 1180, "0"},
		{789, "Clotilde  Ledner", "0", 2121, "0"},
	} {
		v, err := s.VendorAccount(t.Context(), c.id, Reach{})
		if err != nil {
			t.Fatal(err)
		}
		if v.Name != c.name || v.Balance != money(t, c.balance) || v.Class.ID != c.class || v.Threshold != money(t, c.threshold) {
			t.Errorf("account %d: got %q with %s, class %d, threshold %s, want %+v", c.id, v.Name, v.Balance, v.Class.ID, v.Threshold, c)
		}
	}
	v, err := s.VendorAccount(t.Context(), 789, Reach{})
	if err != nil {
		t.Fatal(err)
	}
	wantClass := billing.Class{
		ID: 2121, Key: "postpaytest", Name: "POSTPAY", PaymentModel: billing.Postpay, SubzeroDays: 1, CreditLimit: money(t, "10000"),
		Profile: billing.ClassProfile{Reseller: 1, Color: "grey", DueOrderDays: 15, DuePaymentDays: 3, GuaranteedLimit: money(t, "1000"), GuaranteedDays: 7},
	}
	if diff := cmp.Diff(v.Class.Class, wantClass); diff != "" {
		t.Errorf("class 2121 (-got +want):\n%s", diff)
	}
	wantManager := &VendorManager{
		Manager: billing.Manager{ID: 188, Reseller: 1, Name: "Alena R", Email: "alena87@example.com", Role: "sales", Status: "active",
			CustomAttributes: map[string]string{"manager": ""}},
		CreatedAt: t0, UpdatedAt: t0,
	}
	if diff := cmp.Diff(v.Manager, wantManager); diff != "" {
		t.Errorf("manager 188 (-got +want):\n%s", diff)
	}
	if _, err := s.VendorAccount(t.Context(), 1, Reach{}); !errors.Is(err, ErrNoAccount) {
		t.Errorf("account 1: got %v, want %v", err, ErrNoAccount)
	}
}

func money(t *testing.T, text string) billing.Money {
	t.Helper()
	m, err := billing.ParseMoney(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestProfilesRoundTrip(t *testing.T) {
	s := documents(t)
	f, err := s.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := f.YAML()
	if err != nil {
		t.Fatal(err)
	}
	done, err := apply(t, s, "2026-01-01T00:00:00Z", string(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(done.Changes) > 0 {
		t.Errorf("applying what was exported changes %v", done.Changes)
	}
	other := newStore(t, string(text)) // another installation
	g, err := other.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again, err := g.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(again), string(text)); diff != "" {
		t.Errorf("exported from where it was applied (-got +want):\n%s", diff)
	}
}

// town is two accounts without a profile.
const town = `
account_classes: [{key: k, payment_model: prepay, financial_blocking_threshold: 10, subzero_period: 0, default: true},
  {key: a, payment_model: postpay, subscription_credit_limit: 5, id: 7}]
customers: [{ref: c, name: Jane Lane, accounts: [{number: A1, currency: EUR}, {number: A2, currency: EUR}]}]
`

func TestIDsAreChosenAndStay(t *testing.T) {
	s := newStore(t, "")
	f, err := setup.Parse("setup.yaml", []byte(town))
	if err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, false} { // a dry run leaves no gap
		if _, err := s.Apply(t.Context(), f, ApplyOptions{At: at("2025-01-01T00:00:00Z"), DryRun: dry, TimeZone: time.UTC}); err != nil {
			t.Fatal(err)
		}
	}
	if f, err = s.Export(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids := map[string]int64{}
	for _, a := range f.Customers[0].Accounts {
		ids[a.Number] = a.Profile.ID
	}
	if diff := cmp.Diff(ids, map[string]int64{"A1": 1, "A2": 2}); diff != "" {
		t.Errorf("accounts (-got +want):\n%s", diff)
	}
	if f.Classes[0].ID != 7 || f.Classes[1].ID != 8 {
		t.Errorf("classes: got ids %d and %d, want the one that was given and the next: 7 and 8", f.Classes[0].ID, f.Classes[1].ID)
	}
	for _, c := range []struct{ name, file, refused string }{
		{"the same again", town, ""},
		{"an id that is free", `customers: [{ref: c, accounts: [{number: A1, currency: EUR, profile: {id: 50}}]}]`, ""},
		{"another account's id", `customers: [{ref: c, accounts: [{number: A1, currency: EUR, profile: {id: 2}}]}]`,
			"setup.yaml:1: customers[0].accounts[0]: account A1 would have the id 2, which account A2 has: give it another"},
		{"a new account with another's id", `customers: [{ref: c, accounts: [{number: A9, currency: EUR, profile: {id: 2}}]}]`,
			"setup.yaml:1: customers[0].accounts[0]: account A9 would have the id 2, which account A2 has: give it another"},
		{"two that change places", `customers: [{ref: c, accounts: [{number: A1, currency: EUR, profile: {id: 2}}, {number: A2, currency: EUR, profile: {id: 50}}]}]`, ""},
		{"another class's id", `account_classes: [{key: b, payment_model: postpay, subscription_credit_limit: 5, id: 7}]`,
			"setup.yaml:1: account_classes[0]: class b would have the id 7, which class a has: give it another"},
		{"classes that change places", `account_classes: [{key: a, payment_model: postpay, subscription_credit_limit: 5, id: 8},
			{key: k, payment_model: prepay, financial_blocking_threshold: 10, subzero_period: 0, default: true, id: 7}]`, ""},
		{"a new account, above what was given", `customers: [{ref: c, accounts: [{number: A3, currency: EUR}]}]`, ""},
	} {
		_, err := apply(t, s, "2026-01-01T00:00:00Z", c.file)
		if c.refused == "" && err != nil || c.refused != "" && (err == nil || err.Error() != c.refused) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.refused)
		}
	}
	if f, err = s.Export(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, a := range f.Customers[0].Accounts {
		ids[a.Number] = a.Profile.ID
	}
	if diff := cmp.Diff(ids, map[string]int64{"A1": 2, "A2": 50, "A3": 51}); diff != "" {
		t.Errorf("accounts afterwards (-got +want):\n%s", diff)
	}
	if f.Classes[0].ID != 8 || f.Classes[1].ID != 7 {
		t.Errorf("classes afterwards: got ids %d and %d, want 8 and 7", f.Classes[0].ID, f.Classes[1].ID)
	}
}

func TestWhatChangesOfAProfileIsTold(t *testing.T) {
	s := documents(t)
	const file = `
resellers: [{id: 1, name: Minsk and around}, {id: 3, name: Brest, parent: 2}]
managers: [{id: 188, reseller: 1, name: Alena R, email: alena87@example.com, role: sales, status: dismissed, custom_attributes: {manager: ""}}]
users: [{id: 23, first_name: Jane, last_name: Lane, email: jane@example.com}]
customers:
  - ref: user-23
    accounts:
      - {number: ACR0000000431, class: default, currency: BYN, profile: {reseller: 3, account_type: 1564, owner: 23, contact: {first_name: Jeanne}}}
`
	want := []Change{
		{What: "reseller", Key: "1", Did: "changed"},
		{What: "reseller", Key: "3", Did: "added"},
		{What: "manager", Key: "188", Did: "changed"},
		{What: "user", Key: "23", Did: "changed"},
		{What: "account", Key: "ACR0000000431", Did: "changed", Detail: "profile (reseller, contact, custom_attributes)"},
	}
	f, err := setup.Parse("setup.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, dry := range []bool{true, false} {
		done, err := s.Apply(t.Context(), f, ApplyOptions{At: at("2026-01-01T00:00:00Z"), DryRun: dry, TimeZone: time.UTC})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(done.Changes, want); diff != "" {
			t.Errorf("dry run %t (-got +want):\n%s", dry, diff)
		}
	}
	v, err := s.VendorAccount(t.Context(), 431, Reach{})
	if err != nil {
		t.Fatal(err)
	}
	if v.Name != "Jeanne " || v.Reseller != 3 || v.CustomAttributes != nil || !v.UpdatedAt.Equal(at("2026-01-01T00:00:00Z")) {
		t.Errorf("got %q of reseller %d with %v, changed %s", v.Name, v.Reseller, v.CustomAttributes, v.UpdatedAt)
	}
	if v.Owner.Email != "jane@example.com" || !v.Owner.CreatedAt.Equal(at("2025-01-01T00:00:00Z")) || !v.Owner.UpdatedAt.Equal(v.UpdatedAt) {
		t.Errorf("got owner %+v", v.Owner)
	}
}

// A type may not leave accounts with attributes that an export could not bring
// back.
func TestATypeKeepsTheValuesOfItsAccountsLegal(t *testing.T) {
	s := documents(t)
	for _, c := range []struct{ attributes, refused string }{
		{`[{key: signer_name, kind: date}]`, `account ACR0000000300 has a value for "birth_date" that would not be legal: "birth_date": account type "personalblr" has no attribute of this key`},
		{`[{key: signer_name}, {key: passport_date_of_issue}, {key: personal_number, kind: checkbox}, {key: invoice}, {key: dns},
			{key: passport_issued_by}, {key: birth_date}, {key: passport_number}, {key: tenantname}, {key: tenantID}]`,
			`account ACR0000000300 has a value for "personal_number" that would not be legal: "3213213": give 1 for true or 0 for false`},
		{`[{key: signer_name}, {key: passport_date_of_issue}, {key: personal_number}, {key: invoice}, {key: dns}, {key: more, required: true},
			{key: passport_issued_by}, {key: birth_date}, {key: passport_number}, {key: tenantname}, {key: tenantID}]`, ""},
	} {
		_, err := apply(t, s, "2026-01-01T00:00:00Z", `account_types: [{id: 1, key: personalblr, name_pattern: x, attributes: `+c.attributes+`}]`)
		want := "setup.yaml:1: account_types[0]: " + c.refused
		if c.refused == "" && err != nil || c.refused != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: got %v, want %s", c.attributes, err, c.refused)
		}
	}
}
