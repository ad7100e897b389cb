package limits_test

import (
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// The figures of limits-remaining: 60 of unleaded and 30 of diesel were used
// (SPEC R4.9).
func TestRemainingIsTheStretchedCeilingLessTheCounter(t *testing.T) {
	b := book{}
	b.add(unleaded, quantity("60"), money("60"))
	b.add(diesel, quantity("30"), money("30"))
	s := read(t, `{"percentage_of_allowed_exceeded_usage_limit": 50, "accumulated_maximum_usage_per_day": "100",
		"accumulated_maximum_rated_amount_per_transaction": "40",
		"usage_services_allowance": [{"service": {"code": "unleaded"}, "maximum_usage_per_month": "60"}]}`)
	got := write(t, limits.Open(s).Remaining(&unleaded, b.counted))
	want := `{"ceilings":[` +
		`{"scope":"account","target":null,"window":"transaction","metric":"amount","ceiling":"40","effective":"60","used":"0","remaining":"60"},` +
		`{"scope":"account","target":null,"window":"day","metric":"usage","ceiling":"100","effective":"150","used":"90","remaining":"60"},` +
		`{"scope":"service","target":"unleaded","window":"month","metric":"usage","ceiling":"60","effective":"90","used":"60","remaining":"30"}],` +
		`"next_transaction":{"usage":"30","amount":"60"}}`
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}

	low := number("50")
	s.Account[billing.Day][billing.Usage] = &low
	rest := limits.Open(s).Remaining(nil, b.counted)
	if got := rest.Ceilings[1].Remaining; !got.IsZero() {
		t.Errorf("over full: got %s left, want 0", got)
	}
	if rest.Next != nil {
		t.Errorf("no service asked about: got next %v, want none", rest.Next)
	}
}

func TestNextTransaction(t *testing.T) {
	for _, c := range []struct{ name, settings, want string }{
		{"nothing limits", `{}`, `{"usage":null,"amount":null}`},
		{"only money is limited", `{"accumulated_maximum_rated_amount_per_day":"7"}`, `{"usage":null,"amount":"7"}`},
		{"the smallest applies", `{"accumulated_maximum_usage_per_day":"7","usage_services_allowance":[{"service_type":{"code":"PETROL"},"maximum_usage_per_month":"6.5"}]}`, `{"usage":"6.5","amount":null}`},
		{"another service's entry does not", `{"accumulated_maximum_usage_per_day":"7","usage_services_allowance":[{"service":{"code":"diesel"},"maximum_usage_per_month":"1"}]}`, `{"usage":"7","amount":null}`},
		{"a service that is not included takes nothing", `{"block_services_not_included_in_usage_allowance_limits_settings":true,"accumulated_maximum_usage_per_day":"7"}`, `{"usage":"0","amount":"0"}`},
	} {
		left := limits.Open(read(t, c.settings)).Remaining(&unleaded, book{}.counted)
		if got := write(t, left.Next); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if got, want := write(t, limits.Open(limits.Settings{}).Remaining(nil, nil)), `{"ceilings":[]}`; got != want {
		t.Errorf("no limits: got %s, want %s", got, want)
	}
}

func TestRecordOfAllThatRemainsPassesAndTheLeastMoreDoesNot(t *testing.T) {
	least := quantity("0.000000000001")
	rapid.Check(t, func(t *rapid.T) {
		l, b, p := limits.Open(drawSettings(t)), drawBook(t), rapid.SampledFrom(placements).Draw(t, "service")
		r, c, next := l.For(p), b.of(p), l.Remaining(&p, b.counted).Next
		if r.Judge(c, billing.Fixed{}, 0) == billing.ServiceNotIncluded {
			if !next.Usage.IsZero() || !next.Amount.IsZero() {
				t.Errorf("not included: got %s and %s, want 0 and 0", next.Usage, next.Amount)
			}
			return
		}
		usage, amount := billing.FixedFloor(orMuch(next.Usage)), millionths(orMuch(next.Amount))
		if got := r.Judge(c, usage, amount); got != 0 {
			t.Errorf("all that remains, %s and %s: got %q, want none", usage, amount, got)
		}
		if next.Usage != nil && r.Judge(c, usage.Add(least), 0) == 0 {
			t.Errorf("the least more than %s passes", usage)
		}
		if next.Amount != nil && r.Judge(c, billing.Fixed{}, amount+1) == 0 {
			t.Errorf("a millionth more than %s passes", amount)
		}
	})
}

// orMuch is what remains, or where nothing limits more than anyone uses.
func orMuch(left *decimal.Decimal) decimal.Decimal {
	if left == nil {
		return number("999999999999")
	}
	return *left
}

func millionths(d decimal.Decimal) billing.Money {
	return billing.Money(d.Shift(6).Floor().IntPart())
}
