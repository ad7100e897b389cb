package setup_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/rating"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
)

// same compares files by what they say: numbers by value, and nothing of where a
// thing stood in its text.
var same = []cmp.Option{
	cmpopts.IgnoreUnexported(setup.File{}, rating.Price{}),
	cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) }),
}

// contract is what the example of CONTRACT §2 leaves to what is stored.
var contract = setup.Catalogue{
	Classes:  []billing.Class{{Key: "gold"}},
	Services: []billing.Service{{Code: "SMS", Type: "MSG"}},
}

func TestContractExample(t *testing.T) {
	f, err := setup.Parse("contract.yaml", read(t, "testdata/contract.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if f, err = f.Resolve(contract); err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	want := &setup.File{
		Families: []billing.Family{{Code: "FUEL", Name: "Fuel"}},
		Types:    []billing.ServiceType{{Code: "E2", Name: "Exxon", Family: "FUEL", Unit: billing.Unit{Code: "L", Name: "Litre"}}},
		Services: []billing.Service{{Code: "Exxon Unleaded", AlternativeCode: "EU", Description: "Unleaded 95", Type: "E2"}},
		Prices: []rating.Price{
			{ID: "eu", Service: "Exxon Unleaded", Currency: "EUR", ValidFrom: from, Model: rating.Model{PerUnit: dec("1.55")}},
			{
				ID: "sms", Service: "SMS", Currency: "EUR", ValidFrom: from, Class: "gold", Accumulate: rating.ByMonth,
				Model: rating.Model{Graduated: []rating.Tier{{UpTo: dec("100")}, {UnitPrice: *dec("0.04"), Flat: dec("1")}}},
			},
		},
		Classes: []billing.Class{{Key: "default", Name: "Default", Threshold: 100 * billing.MoneyUnit, SubzeroDays: 3, Default: true}},
		Customers: []setup.Customer{{Ref: "jane", Name: "Jane Lane", Accounts: []setup.Account{{
			Number: "ACR0000001526", Class: "default", Currency: "EUR", TimeZone: "Europe/Athens", CycleDay: 1,
			OpeningBalance: money(50), Threshold: money(200),
			Services: []string{"Exxon Unleaded", "SMS"}, Applications: []string{"Fleet app"},
			PeriodicServices: []setup.PeriodicService{{
				Name: "Fleet card", Price: 5 * billing.MoneyUnit, Period: billing.Monthly, Every: 1, StartsOn: billing.DateOf(2026, 1, 31),
			}},
			Limits: &limits.Settings{
				BlockNotIncluded: true, Percentage: *dec("30"),
				Account: ceilings(billing.Day, billing.Amount, "100"),
				Entries: []limits.Entry{
					{Target: billing.Scope{Kind: billing.OfService, Target: "Exxon Unleaded"}, Ceilings: ceilings(billing.Transaction, billing.Amount, "23")},
					{Target: billing.Scope{Kind: billing.OfType, Target: "E2"}, Ceilings: ceilings(billing.Day, billing.Usage, "30")},
					{Target: billing.Scope{Kind: billing.OfFamily, Target: "FUEL"}, Ceilings: ceilings(billing.Month, billing.Usage, "300")},
				},
			},
		}}}},
	}
	if diff := cmp.Diff(f, want, same...); diff != "" {
		t.Errorf("contract.yaml (-got +want):\n%s", diff)
	}
	got, err := f.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), string(read(t, "testdata/contract.export.yaml"))); diff != "" {
		t.Errorf("exported (-got +want):\n%s", diff)
	}
}

func TestWhatMeansTheSame(t *testing.T) {
	price := `prices: [{id: p, service: S, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: "1.55"}]`
	account := `customers: [{ref: c, accounts: [{number: A1, class: k, currency: EUR, cycle_day: 1}]}]`
	for _, c := range []struct{ name, text, as string }{
		{"nothing", "", "{}"},
		{"blanks and comments", "\n# nothing\n\n", "{}"},
		{"null", "null", "{}"},
		{"an empty document", "---\n", "{}"},
		{"empty lists", "families: []\nprices: []\ncustomers: [{ref: c, accounts: []}]", "customers: [{ref: c}]"},
		{"a byte order mark", "\ufeff" + price, price},
		{"CRLF", strings.ReplaceAll(price, ", ", ",\r\n"), price},
		{"JSON", `{"prices":[{"id":"p","service":"S","currency":"EUR","valid_from":"2026-01-01T00:00:00Z","per_unit":1.55}]}`, price},
		{"JSON with tabs", "{\n\t\"prices\":\t[{\"id\":\"p\",\"service\":\"S\",\"currency\":\"EUR\",\"valid_from\":\"2026-01-01T00:00:00Z\",\"per_unit\":1.55}]}", price},
		{"a number without quotes", strings.ReplaceAll(price, `"1.55"`, "1.55"), price},
		{"zeros and exponents", strings.ReplaceAll(price, `"1.55"`, "15.5000e-1"), price},
		{"a time in quotes", strings.ReplaceAll(price, "2026-01-01T00:00:00Z", `"2026-01-01T02:00:00+02:00"`), price},
		{"beyond microseconds", strings.ReplaceAll(price, "00:00:00Z", "00:00:00.0000009Z"), price},
		{"null for a value", strings.ReplaceAll(price, "per_unit:", "valid_to: null, class: ~, per_unit:"), price},
		{"defaults of a price", strings.ReplaceAll(price, "per_unit:", "accumulate: record, bands: [], per_unit:"), price},
		{"defaults of an account", strings.ReplaceAll(account, ", cycle_day: 1", ""), account},
		{"an empty name", `families: [{code: F, name: ""}]`, "families: [{code: F}]"},
		{"JSON's surrogate pairs", `{"families":[{"code":"\ud83d\ude00\/"}]}`, "families: [{code: \"😀/\"}]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(parse(t, c.text), parse(t, c.as), same...); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

func TestExactText(t *testing.T) {
	f := parse(t, `prices: [{id: p, service: S, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: 123456789.000000000001}]`)
	if got, want := f.Prices[0].PerUnit.String(), "123456789.000000000001"; got != want {
		t.Errorf("per_unit: got %s, want %s", got, want)
	}
}

func TestAbsentAndEmptyListsDiffer(t *testing.T) {
	f := parse(t, `customers: [{ref: c, accounts: [
		{number: absent, class: k, currency: EUR},
		{number: empty, class: k, currency: EUR, services: [], applications: [], periodic_services: [], limits: {}}]}]`)
	absent, empty := f.Customers[0].Accounts[0], f.Customers[0].Accounts[1]
	if absent.Services != nil || absent.Applications != nil || absent.PeriodicServices != nil || absent.Limits != nil || absent.OpeningBalance != nil {
		t.Errorf("what is not named is there: %+v", absent)
	}
	if empty.Services == nil || empty.Applications == nil || empty.PeriodicServices == nil || empty.Limits == nil {
		t.Errorf("what is named and empty is absent: %+v", empty)
	}
	survives(t, f)
}

func parse(t testing.TB, text string) *setup.File {
	t.Helper()
	f, err := setup.Parse("setup.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func dec(text string) *decimal.Decimal {
	d := decimal.RequireFromString(text)
	return &d
}

func money(units billing.Money) *billing.Money {
	units *= billing.MoneyUnit
	return &units
}

func ceilings(w billing.WindowKind, m billing.Metric, ceiling string) (c limits.Ceilings) {
	c[w][m] = dec(ceiling)
	return c
}
