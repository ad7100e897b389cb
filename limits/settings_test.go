package limits_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func TestNamesOfCeilings(t *testing.T) {
	want := []string{
		"accumulated_maximum_rated_amount_per_transaction", "accumulated_maximum_rated_amount_per_day",
		"accumulated_maximum_rated_amount_per_month", "accumulated_maximum_usage_per_transaction",
		"accumulated_maximum_usage_per_day", "accumulated_maximum_usage_per_month",
	}
	if diff := cmp.Diff(limits.CeilingNames(true), want); diff != "" {
		t.Error(diff)
	}
	for _, account := range []bool{true, false} {
		for _, name := range limits.CeilingNames(account) {
			w, m, ok := limits.CeilingOf(account, name)
			if got := limits.CeilingName(account, w, m); !ok || got != name {
				t.Errorf("got %q, %t, want %q", got, ok, name)
			}
			if _, _, ok := limits.CeilingOf(!account, name); ok {
				t.Errorf("%s is taken for the other kind of name", name)
			}
		}
	}
}

// one is settings with one ceiling in an entry of unleaded.
func one(w billing.WindowKind, m billing.Metric, d decimal.Decimal) limits.Settings {
	var c limits.Ceilings
	c[w][m] = &d
	return limits.Settings{Entries: []limits.Entry{{Target: billing.Scope{Target: "unleaded"}, Ceilings: c}}}
}

func TestValidateHoldsNumbersAgainstTheirDigits(t *testing.T) {
	for _, c := range []struct {
		name, value string
		metric      billing.Metric
		want        string
	}{
		{"twelve places of usage", "0.000000000001", billing.Usage, ""},
		{"thirteen places of usage", "0.0000000000001", billing.Usage, `limit service "unleaded": maximum_usage_per_day: number "0.0000000000001": too many digits: at most 12 before and 12 behind the point`},
		{"twelve digits of usage", "999999999999", billing.Usage, ""},
		{"thirteen digits of usage", "1000000000000", billing.Usage, `limit service "unleaded": maximum_usage_per_day: number "1000000000000": too many digits: at most 12 before and 12 behind the point`},
		{"six places of money", "0.000001", billing.Amount, ""},
		{"seven places of money", "0.0000001", billing.Amount, `limit service "unleaded": maximum_rated_amount_per_day: number "0.0000001": too many digits: at most 12 before and 6 behind the point`},
		{"zeros are no digits", "1.00000000000000", billing.Amount, ""},
		{"nothing is allowed", "0", billing.Amount, ""},
		{"less than nothing is not", "-0.01", billing.Amount, `limit service "unleaded": maximum_rated_amount_per_day: number "-0.01": below zero`},
	} {
		err := one(billing.Day, c.metric, number(c.value)).Validate()
		if got := text(err); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestValidateDoesNotExpandAnExponent(t *testing.T) {
	for _, d := range []decimal.Decimal{decimal.New(1, 2_000_000_000), decimal.New(-1, -2_000_000_000)} {
		if err := one(billing.Day, billing.Usage, d).Validate(); !errors.Is(err, billing.ErrTooManyDigits) {
			t.Errorf("got %v, want too many digits", err)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestValidateRefuses(t *testing.T) {
	tenth, negative, ok := number("0.0000001"), number("-1"), one(billing.Day, billing.Usage, number("1")).Entries[0]
	for _, c := range []struct {
		name string
		s    limits.Settings
		want string
	}{
		{"nothing", limits.Settings{}, ""},
		{"a percentage of seven places", limits.Settings{Percentage: tenth}, `limit account: percentage_of_allowed_exceeded_usage_limit: number "0.0000001": too many digits: at most 9 before and 6 behind the point`},
		{"a percentage below 0", limits.Settings{Percentage: negative}, `limit account: percentage_of_allowed_exceeded_usage_limit: number "-1": below zero`},
		{"an account-wide ceiling below 0", limits.Settings{Account: limits.Ceilings{{&negative}}}, `limit account: accumulated_maximum_usage_per_transaction: number "-1": below zero`},
		{"an entry without a ceiling", limits.Settings{Entries: []limits.Entry{{Target: ok.Target}}}, `limit service "unleaded": an entry needs a ceiling`},
		{"two entries for one target", limits.Settings{Entries: []limits.Entry{ok, ok}}, `limit service "unleaded": two entries for one target`},
		{"an entry without a target", limits.Settings{Entries: []limits.Entry{{Ceilings: ok.Ceilings}}}, `limit account: usage_services_allowance: an entry needs a service, a type or a family`},
		{"an entry for the account", limits.Settings{Entries: []limits.Entry{{Target: billing.Scope{Kind: billing.OfAccount, Target: "x"}, Ceilings: ok.Ceilings}}}, `limit account: usage_services_allowance: an entry needs a service, a type or a family`},
	} {
		if got := text(c.s.Validate()); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
	var fault *limits.Fault
	if err := (limits.Settings{Percentage: negative}).Validate(); !errors.As(err, &fault) || !errors.Is(err, billing.ErrNegative) {
		t.Errorf("got %v, want a fault that is billing.ErrNegative", err)
	}
}

func TestSettingsAsJSON(t *testing.T) {
	s := read(t, `{"usage_services_allowance": [
		{"service_type": {"code": "E2"}, "maximum_usage_per_day": 3e1, "service": null},
		{"maximum_rated_amount_per_transaction": "23.00", "service": {"code": "Exxon \"Unleaded\""}}],
		"percentage_of_allowed_exceeded_usage_limit": 30, "accumulated_maximum_rated_amount_per_day": "100"}`)
	want := `{"block_services_not_included_in_usage_allowance_limits_settings":false,"percentage_of_allowed_exceeded_usage_limit":"30",` +
		`"accumulated_maximum_rated_amount_per_transaction":null,"accumulated_maximum_rated_amount_per_day":"100","accumulated_maximum_rated_amount_per_month":null,` +
		`"accumulated_maximum_usage_per_transaction":null,"accumulated_maximum_usage_per_day":null,"accumulated_maximum_usage_per_month":null,` +
		`"usage_services_allowance":[{"service_type":{"code":"E2"},` +
		`"maximum_rated_amount_per_transaction":null,"maximum_rated_amount_per_day":null,"maximum_rated_amount_per_month":null,` +
		`"maximum_usage_per_transaction":null,"maximum_usage_per_day":"30","maximum_usage_per_month":null},` +
		`{"service":{"code":"Exxon \"Unleaded\""},` +
		`"maximum_rated_amount_per_transaction":"23","maximum_rated_amount_per_day":null,"maximum_rated_amount_per_month":null,` +
		`"maximum_usage_per_transaction":null,"maximum_usage_per_day":null,"maximum_usage_per_month":null}]}`
	if diff := cmp.Diff(write(t, s), want); diff != "" {
		t.Error(diff)
	}
}

func TestUnmarshalIsStrict(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"an unknown key", `{"colour": "red"}`, `key "colour": unknown`},
		{"a key in other letters", `{"Accumulated_maximum_usage_per_day": "1"}`, `unknown`},
		{"a doubled key", `{"accumulated_maximum_usage_per_day": "1", "accumulated_maximum_usage_per_day": "1"}`, `twice`},
		{"an entry's name for the account", `{"maximum_usage_per_day": "1"}`, `unknown`},
		{"the account's name in an entry", `{"usage_services_allowance": [{"service": {"code": "a"}, "accumulated_maximum_usage_per_day": "1"}]}`, `unknown`},
		{"a service by another name", `{"usage_services_allowance": [{"service": {"alternative_code": "a"}, "maximum_usage_per_day": "1"}]}`, `unknown`},
		{"no target", `{"usage_services_allowance": [{"maximum_usage_per_day": "1"}]}`, `it has 0`},
		{"two targets", `{"usage_services_allowance": [{"service": {"code": "a"}, "service_type": {"code": "b"}, "maximum_usage_per_day": "1"}]}`, `it has 2`},
		{"a target without code", `{"usage_services_allowance": [{"service": {}, "maximum_usage_per_day": "1"}]}`, `needs a service`},
		{"no entry", `{"usage_services_allowance": [null]}`, `not an object`},
		{"no number", `{"accumulated_maximum_usage_per_day": "much"}`, `accumulated_maximum_usage_per_day: number "much": not a number`},
		{"a flag that is none", `{"accumulated_maximum_usage_per_day": true}`, `not a number`},
		{"nothing", `null`, `not an object`},
		{"a list", `[]`, `not an object`},
		{"what Validate refuses", `{"accumulated_maximum_rated_amount_per_day": "0.0000001"}`, `too many digits`},
	} {
		var s limits.Settings
		if got := text(json.Unmarshal([]byte(c.text), &s)); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q in it", c.name, got, c.want)
		}
		if !s.Equal(limits.Settings{}) {
			t.Errorf("%s: refused, and yet left %s", c.name, write(t, s))
		}
	}
}

// set, clear are what a patch says of one ceiling of unleaded's day of usage.
func set(value string) limits.CeilingPatch {
	d := number(value)
	p := &d
	return limits.CeilingPatch{billing.Day: {billing.Usage: &p}}
}

func clearing() limits.CeilingPatch {
	var none *decimal.Decimal
	return limits.CeilingPatch{billing.Day: {billing.Usage: &none}}
}

func TestApply(t *testing.T) {
	service := func(code string) billing.Scope { return billing.Scope{Kind: billing.OfService, Target: code} }
	s := read(t, `{"accumulated_maximum_usage_per_day": "100", "usage_services_allowance": [
		{"service": {"code": "two"}, "maximum_usage_per_day": "95", "maximum_rated_amount_per_transaction": "15"},
		{"service": {"code": "one"}, "maximum_usage_per_day": "95"}]}`)
	before := write(t, s)
	entry := func(a limits.Action, code string, c limits.CeilingPatch) limits.Patch {
		return limits.Patch{Entries: []limits.EntryPatch{{Action: a, Target: service(code), Ceilings: c}}}
	}
	yes, percent := true, number("-30")
	for _, c := range []struct {
		name  string
		patch limits.Patch
		want  string // what the result has, or the error
	}{
		{"nothing named, nothing changed", limits.Patch{}, `"accumulated_maximum_usage_per_day":"100"`},
		{"an account-wide ceiling set", limits.Patch{Account: set("7")}, `"accumulated_maximum_usage_per_day":"7"`},
		{"an account-wide ceiling cleared", limits.Patch{Account: clearing()}, `"accumulated_maximum_usage_per_day":null`},
		{"the flag set", limits.Patch{BlockNotIncluded: &yes}, `{"block_services_not_included_in_usage_allowance_limits_settings":true`},
		{"an update keeps what it does not name", entry(limits.Update, "two", set("110")), `{"service":{"code":"two"},"maximum_rated_amount_per_transaction":"15","maximum_rated_amount_per_day":null,"maximum_rated_amount_per_month":null,"maximum_usage_per_transaction":null,"maximum_usage_per_day":"110"`},
		{"an update clears with null", entry(limits.Update, "two", clearing()), `"maximum_usage_per_transaction":null,"maximum_usage_per_day":null`},
		{"an add", entry(limits.Add, "three", set("1")), `{"service":{"code":"three"}`},
		{"a removal", entry(limits.Remove, "two", limits.CeilingPatch{}), `"usage_services_allowance":[{"service":{"code":"one"}`},
		{"add of what exists", entry(limits.Add, "two", set("1")), `limit service "two": add of an entry that exists`},
		{"update of what does not", entry(limits.Update, "three", set("1")), `limit service "three": no such entry`},
		{"removal of what does not", entry(limits.Remove, "three", limits.CeilingPatch{}), `limit service "three": no such entry`},
		{"removal of a ceiling", entry(limits.Remove, "two", set("1")), `limit service "two": remove takes no ceiling`},
		{"no action", entry(0, "two", set("1")), `limit service "two": an entry of a change needs an action: add, update or remove`},
		{"an add without a ceiling", entry(limits.Add, "three", clearing()), `limit service "three": an entry needs a ceiling`},
		{"an entry left without a ceiling", entry(limits.Update, "one", clearing()), `limit service "one": an entry needs a ceiling`},
		{"a percentage below 0", limits.Patch{Percentage: &percent}, `limit account: percentage_of_allowed_exceeded_usage_limit: number "-30": below zero`},
		{"two changes of one entry", limits.Patch{Entries: []limits.EntryPatch{
			{Action: limits.Remove, Target: service("two")}, {Action: limits.Add, Target: service("two"), Ceilings: set("1")},
		}}, `limit service "two": two entries for one target`},
		{"one good change and a bad one", limits.Patch{Account: set("500"), Entries: []limits.EntryPatch{
			{Action: limits.Update, Target: service("two"), Ceilings: set("500")}, {Action: limits.Remove, Target: service("three")},
		}}, `limit service "three": no such entry`},
	} {
		after, err := s.Apply(c.patch)
		got := text(err)
		if err == nil {
			got = write(t, after)
		}
		if err != nil && got != c.want || !strings.Contains(got, c.want) {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if now := write(t, s); now != before {
			t.Fatalf("%s: changed what it was applied to: got %s, want %s", c.name, now, before)
		}
	}
}

func TestSettingsSurvivePatchAndJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawSettings(t)
		p := limits.Patch{BlockNotIncluded: &want.BlockNotIncluded, Percentage: &want.Percentage, Account: whole(want.Account)}
		for _, e := range want.Entries {
			p.Entries = append(p.Entries, limits.EntryPatch{Action: limits.Add, Target: e.Target, Ceilings: whole(e.Ceilings)})
		}
		applied, err := limits.Settings{}.Apply(p)
		if err != nil {
			t.Fatal(err)
		}
		if !applied.Equal(want) {
			t.Errorf("applied: got %+v, want %+v", applied, want)
		}
		text, err := json.Marshal(applied)
		if err != nil {
			t.Fatal(err)
		}
		var got limits.Settings
		if err := json.Unmarshal(text, &got); err != nil || !got.Equal(want) {
			t.Errorf("read back from %s: got %+v, %v, want %+v", text, got, err, want)
		}
	})
}

// whole is a patch that makes any ceilings c.
func whole(c limits.Ceilings) (p limits.CeilingPatch) {
	for _, w := range windows {
		for _, m := range metrics {
			p[w][m] = &c[w][m]
		}
	}
	return p
}

func TestEqualIsByMeaning(t *testing.T) {
	a := read(t, several)
	b := read(t, `{"accumulated_maximum_rated_amount_per_transaction": 90.0, "accumulated_maximum_usage_per_day": 1e2,
		"accumulated_maximum_rated_amount_per_month": "150.00", "usage_services_allowance": [
		{"service_family": {"code": "FUEL"}, "maximum_usage_per_month": "35"},
		{"service_type": {"code": "PETROL"}, "maximum_usage_per_day": "40"},
		{"service": {"code": "unleaded"}, "maximum_rated_amount_per_day": "60", "maximum_usage_per_month": "200"}]}`)
	if !a.Equal(b) {
		t.Error("another order and other texts of numbers: got different, want equal")
	}
	b.Entries[1].Target.Kind = billing.OfService
	if a.Equal(b) {
		t.Error("a service where a type was: got equal, want different")
	}
}
