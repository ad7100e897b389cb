package setup_test

import (
	"strings"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
)

// stored is a catalogue that files refer to.
var stored = setup.Catalogue{
	Families: []billing.Family{{Code: "FUEL", Name: "Fuel"}},
	Types:    []billing.ServiceType{{Code: "E2", Name: "Exxon", Family: "FUEL"}},
	Services: []billing.Service{{Code: "Unleaded", AlternativeCode: "EU", Type: "E2"}},
	Classes:  []billing.Class{{Key: "std", Default: true}, {Key: "gold"}},
	Accounts: []string{"A9"},
}

func TestReferencesToWhatIsStored(t *testing.T) {
	f := mustResolve(t, parse(t, `
services: [{code: Diesel, type: E2}]
prices: [{id: p, service: Unleaded, account: A9, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: 1}]
customers:
  - ref: c
    accounts:
      - {number: A1, currency: EUR, services: [Unleaded, Diesel]}
      - number: A2
        class: gold
        currency: EUR
        limits:
          usage_services_allowance:
            - {service: {alternative_code: EU}, maximum_usage_per_day: 1}
            - {service_type: {name: Exxon}, maximum_usage_per_day: 2}
            - {service_family: {name: Fuel}, maximum_usage_per_day: 3}
`), stored)
	accounts := f.Customers[0].Accounts
	if got, want := accounts[0].Class, "std"; got != want {
		t.Errorf("class of an account that names none: got %q, want %q", got, want)
	}
	if got, want := accounts[1].Class, "gold"; got != want {
		t.Errorf("class: got %q, want %q", got, want)
	}
	var got []billing.Scope
	for _, e := range accounts[1].Limits.Entries {
		got = append(got, e.Target)
	}
	want := []billing.Scope{
		{Kind: billing.OfService, Target: "Unleaded"}, {Kind: billing.OfType, Target: "E2"}, {Kind: billing.OfFamily, Target: "FUEL"},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("targets (-got +want):\n%s", diff)
	}
}

func TestAgainstWhatIsStored(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{
			"a name that something stored bears", `services: [{code: Euro, alternative_code: EU, type: E2}]`,
			`setup.yaml:1: services[0]: service "Euro" has the alternative_code "EU", which service "Unleaded" bears too: give it another`,
		},
		{
			"a name that is given up in the same file",
			`services: [{code: Euro, alternative_code: EU, type: E2}, {code: Unleaded, alternative_code: E95, type: E2}]`, "",
		},
		{
			"a second default class", `account_classes: [{key: new, payment_model: postpay, subscription_credit_limit: 0, default: true}]`,
			`setup.yaml:1: account_classes[0]: account class "new" would be the default beside account class "std": only one can be, give the other default: false`,
		},
		{
			"a default class that takes over", `account_classes:
  - {key: std, payment_model: postpay, subscription_credit_limit: 0}
  - {key: new, payment_model: postpay, subscription_credit_limit: 0, default: true}`, "",
		},
		{
			"the default class that stops being it", `account_classes: [{key: std, payment_model: postpay, subscription_credit_limit: 0}]
customers: [{ref: c, accounts: [{number: A1, currency: EUR}]}]`,
			`setup.yaml:2: customers[0].accounts[0]: no class, and there is no default class: give it one`,
		},
		{
			"a type that was renamed", `types: [{code: E2, name: Fuel of Exxon}]
limits: {usage_services_allowance: [{service_type: {name: Exxon}, maximum_usage_per_day: 1}]}`,
			`setup.yaml:2: limits.usage_services_allowance[0].service_type: no type has the name "Exxon"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(t, c.text).Resolve(stored)
			if got := textOf(err); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestResolveAgainWhenTheStoreHasChanged(t *testing.T) {
	f := parse(t, `
customers: [{ref: c, accounts: [{number: A1, currency: EUR}]}]
limits: {usage_services_allowance: [{service: {alternative_code: EU}, maximum_usage_per_day: 1}]}`)
	first := mustResolve(t, f, stored)
	second := mustResolve(t, f, setup.Catalogue{
		Services: []billing.Service{{Code: "Euro", AlternativeCode: "EU"}},
		Classes:  []billing.Class{{Key: "new", Default: true}},
	})
	for _, c := range []struct {
		f               *setup.File
		class, services string
	}{{first, "std", "Unleaded"}, {second, "new", "Euro"}, {f, "", "EU"}} {
		if got := c.f.Customers[0].Accounts[0].Class; got != c.class {
			t.Errorf("class: got %q, want %q", got, c.class)
		}
		if got := c.f.Limits.Entries[0].Target.Target; got != c.services {
			t.Errorf("target: got %q, want %q", got, c.services)
		}
	}
}

func TestWhatTheStoreRefusesIsToldByLine(t *testing.T) {
	f := parse(t, `
customers:
  - ref: c
    accounts:
      - number: A1
        currency: EUR
        limits: {}
prices: [{id: p, service: S, account: A1, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: 1},
         {id: q, service: S, account: A3, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: 1},
         {id: r, service: S, account: A2, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: 1}]`)
	for _, c := range []struct {
		kind setup.Kind
		key  string
		want string
	}{
		{setup.KindAccount, "A1", "setup.yaml:5: customers[0].accounts[0]: its currency cannot change"},
		{setup.KindLimits, "A1", "setup.yaml:7: customers[0].accounts[0].limits: its currency cannot change"},
		{setup.KindPrice, "r", "setup.yaml:10: prices[2]: its currency cannot change"},
		{setup.KindAccount, "B1", `account "B1": its currency cannot change`},
	} {
		if got := f.Fault(c.kind, c.key, "its currency cannot change").Error(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
	if diff := cmp.Diff(f.PriceAccounts(), []string{"A2", "A3"}); diff != "" {
		t.Errorf("accounts of prices (-got +want):\n%s", diff)
	}
}

func TestJoin(t *testing.T) {
	const class = `account_classes: [{key: k, payment_model: postpay, subscription_credit_limit: 0, default: true}]`
	catalogue := named(t, "catalogue.yaml", "types: [{code: E2}]\nservices: [{code: Unleaded, alternative_code: EU, type: E2}]")
	customers := named(t, "customers.yaml", class+`
customers: [{ref: c, accounts: [{number: A1, currency: EUR, limits: {usage_services_allowance: [{service: {alternative_code: EU}, maximum_usage_per_day: 1}]}}]}]`)
	sum, err := setup.Join(customers, catalogue)
	if err != nil {
		t.Fatal(err)
	}
	sum = mustResolve(t, sum, setup.Catalogue{})
	if got, want := sum.Customers[0].Accounts[0].Limits.Entries[0].Target.Target, "Unleaded"; got != want {
		t.Errorf("target in another file: got %q, want %q", got, want)
	}

	_, err = setup.Join(catalogue, customers,
		named(t, "more.yaml", "services: [{code: Unleaded, type: E2}]\nlimits: {}"), named(t, "other.yaml", "limits: {}"))
	want := `more.yaml:1: services[0]: service "Unleaded" stands already at catalogue.yaml:2: keep one of them
other.yaml:1: limits: limits stands already at more.yaml:2: keep one of them`
	if got := textOf(err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	_, err = setup.Join(catalogue, named(t, "more.yaml", "services: [{code: Euro, alternative_code: EU, type: E2}]"))
	want = `more.yaml:1: services[0]: service "Euro" has the alternative_code "EU", which service "Unleaded" bears too: give it another`
	if got := textOf(err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestNames(t *testing.T) {
	names, err := setup.NewNames(stored)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name      string
		find      func() (string, error)
		want, not string
	}{
		{"service by code", func() (string, error) { return names.Service("Unleaded", "") }, "Unleaded", ""},
		{"service by alternative code", func() (string, error) { return names.Service("", "EU") }, "Unleaded", ""},
		{"an alternative code is no code", func() (string, error) { return names.Service("EU", "") }, "", `no service has the code "EU"`},
		{"type by alternative code", func() (string, error) { return names.Type("", "E2", "") }, "E2", ""},
		{"type by name", func() (string, error) { return names.Type("", "", "Exxon") }, "E2", ""},
		{"family by name", func() (string, error) { return names.Family("", "Fuel") }, "FUEL", ""},
		{"nearly a name", func() (string, error) { return names.Family("", "Fuels") }, "", `no family has the name "Fuels": did you mean Fuel?`},
		{"no name", func() (string, error) { return names.Family("", "") }, "", "family without a name: give one"},
	} {
		got, err := c.find()
		if got != c.want || textOf(err) != c.not {
			t.Errorf("%s: got %q, %v; want %q, %s", c.name, got, err, c.want, c.not)
		}
	}
}

func TestLimitsOfAFileThatNoTextWasReadFor(t *testing.T) {
	made := setup.File{Limits: &limits.Settings{Entries: []limits.Entry{
		{Target: billing.Scope{Kind: billing.OfService, Target: "Unleaded"}, Ceilings: ceilings(billing.Day, billing.Usage, "1")},
	}}}
	mustResolve(t, &made, stored)
	made.Limits.Entries[0].Target.Target = "EU" // no code
	if _, err := made.Resolve(stored); err == nil {
		t.Error("a target that is no code was taken")
	}
}

func named(t testing.TB, name, text string) *setup.File {
	t.Helper()
	f, err := setup.Parse(name, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustResolve(t testing.TB, f *setup.File, c setup.Catalogue) *setup.File {
	t.Helper()
	f, err := f.Resolve(c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return strings.TrimSpace(err.Error())
}
