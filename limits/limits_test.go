package limits_test

import (
	"fmt"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// use is one record as the judgement sees it, and what it should say.
type use struct {
	name             string
	service          billing.Placement
	quantity, charge string
	want             string // reason, or "" where it passes
}

// judgeAll judges one record after the other in one day, and counts what passes.
func judgeAll(t *testing.T, s limits.Settings, uses []use) {
	t.Helper()
	l, b := limits.Open(s), book{}
	for _, u := range uses {
		q, charge := quantity(u.quantity), money(u.charge)
		got := l.For(u.service).Judge(b.of(u.service), q, charge)
		if got.String() != u.want {
			t.Errorf("%s: got %q, want %q", u.name, got, u.want)
		}
		if got == 0 {
			b.add(u.service, q, charge)
		}
	}
}

func TestSixCeilingsOfAServiceBindThatServiceAlone(t *testing.T) {
	judgeAll(t, read(t, `{"usage_services_allowance": [{"service": {"code": "unleaded"},
		"maximum_rated_amount_per_transaction": "23", "maximum_usage_per_transaction": "11.5",
		"maximum_rated_amount_per_day": "46", "maximum_usage_per_day": "23",
		"maximum_rated_amount_per_month": "60", "maximum_usage_per_month": "30"}]}`), []use{
		{"exactly one transaction's worth passes", unleaded, "11.5", "23", ""},
		{"the least more is refused", unleaded, "11.500000000001", "23", "limit_transaction_usage"},
		{"a millionth of money more is refused", unleaded, "11.5", "23.000001", "limit_transaction_amount"},
		{"the day is filled exactly", unleaded, "11.5", "23", ""},
		{"and takes no more usage", unleaded, "0.01", "0.02", "limit_day_usage"},
		{"another service of the type is free", premium, "100", "200", ""},
	})
}

func TestEntriesOfTypesAndFamiliesLimitTheSum(t *testing.T) {
	judgeAll(t, read(t, `{"usage_services_allowance": [
		{"service_type": {"code": "PETROL"}, "maximum_usage_per_day": "30"},
		{"service_family": {"code": "FUEL"}, "maximum_usage_per_month": "50"}]}`), []use{
		{"one service of the type", unleaded, "20", "20", ""},
		{"another one fills it", premium, "10", "10", ""},
		{"and neither may more", premium, "1", "1", "limit_day_usage"},
		{"another type of the family", diesel, "20", "20", ""},
		{"fills the family", diesel, "0.5", "0.5", "limit_month_usage"},
		{"a service outside is free", lone, "9", "45", ""},
	})
}

func TestPercentageStretchesEveryCeiling(t *testing.T) {
	judgeAll(t, read(t, `{"percentage_of_allowed_exceeded_usage_limit": 30,
		"accumulated_maximum_usage_per_transaction": "10", "accumulated_maximum_rated_amount_per_transaction": "50"}`), []use{
		{"well within", unleaded, "12.999999", "13", ""},
		{"exactly at 130 percent", unleaded, "13", "13", ""},
		{"a millionth past it", unleaded, "13.000001", "13", "limit_transaction_usage"},
		{"money exactly at 130 percent", diesel, "3.25", "65", ""},
		{"a cent past it", diesel, "3.2505", "65.01", "limit_transaction_amount"},
	})
	judgeAll(t, read(t, `{"percentage_of_allowed_exceeded_usage_limit": "0.000001", "accumulated_maximum_usage_per_transaction": "100"}`), []use{
		{"the smallest percentage is not rounded away", unleaded, "100.000001", "0", ""},
		{"and gives no more than itself", unleaded, "100.000001000001", "0", "limit_transaction_usage"},
	})
	judgeAll(t, read(t, `{"percentage_of_allowed_exceeded_usage_limit": "50", "accumulated_maximum_usage_per_transaction": "0.000000000001"}`), []use{
		{"the last quantity below a ceiling of thirteen places", unleaded, "0.000000000001", "0", ""},
		{"the first above it", unleaded, "0.000000000002", "0", "limit_transaction_usage"},
	})
}

func TestZeroAllowsNothingAndNothingBreachesNothing(t *testing.T) {
	judgeAll(t, read(t, `{"percentage_of_allowed_exceeded_usage_limit": 30, "accumulated_maximum_usage_per_day": null,
		"usage_services_allowance": [{"service": {"code": "unleaded"}, "maximum_rated_amount_per_transaction": "1.20"},
		{"service": {"code": "premium"}, "maximum_usage_per_month": "0"},
		{"service": {"code": "diesel"}, "maximum_rated_amount_per_month": "0"}]}`), []use{
		{"the rounded charge is compared", unleaded, "1.003", "1.56", ""},
		{"the next cent is refused", unleaded, "1.007", "1.57", "limit_transaction_amount"},
		{"no quantity is small enough for 0", premium, "0.000000000001", "0", "limit_month_usage"},
		{"a charge of 0 breaches no amount", diesel, "500", "0", ""},
		{"a charge below 0 breaches no amount", diesel, "1", "-3", ""},
		{"what a negative charge gave back may be spent", diesel, "1", "3", ""},
		{"and no more", diesel, "1", "0.01", "limit_month_amount"},
	})
	judgeAll(t, read(t, `{"accumulated_maximum_rated_amount_per_day": "10"}`), []use{
		{"filled", unleaded, "10", "10", ""},
		{"a charge of 0 passes a full ceiling", premium, "5", "0", ""},
		{"a millionth does not", unleaded, "1", "0.000001", "limit_day_amount"},
	})
}

func TestServicesWithoutEntryAreBlockedOnlyIfAsked(t *testing.T) {
	const entries = `"usage_services_allowance": [{"service": {"code": "unleaded"}, "maximum_usage_per_month": "2"},
		{"service_type": {"code": "DIESEL"}, "maximum_usage_per_transaction": "5"}], "accumulated_maximum_usage_per_day": "7"}`
	judgeAll(t, read(t, `{"block_services_not_included_in_usage_allowance_limits_settings": true, `+entries), []use{
		{"its own entry", unleaded, "2", "2", ""},
		{"its type's entry", diesel, "5", "5", ""},
		{"no entry of its own, though one of its type's other service", premium, "1", "1", "service_not_included"},
		{"before any ceiling is looked at", lone, "100", "1", "service_not_included"},
		{"an entry does not excuse from its ceiling", unleaded, "0.01", "0.01", "limit_day_usage"},
	})
	judgeAll(t, read(t, `{`+entries), []use{
		{"without the flag any service is free", premium, "7", "7", ""},
		{"within the account's ceilings", lone, "1", "1", "limit_day_usage"},
	})
	blocked := limits.Open(limits.Settings{BlockNotIncluded: true})
	if got := blocked.For(billing.Placement{}).Judge(&limits.Counters{}, quantity("1"), 0); got != billing.ServiceNotIncluded {
		t.Errorf("no entry at all: got %q, want service_not_included", got)
	}
}

// several is limits-several-at-once: ceilings of every scope at once.
const several = `{"accumulated_maximum_rated_amount_per_transaction": "90", "accumulated_maximum_usage_per_day": "100",
	"accumulated_maximum_rated_amount_per_month": "150", "usage_services_allowance": [
	{"service": {"code": "unleaded"}, "maximum_rated_amount_per_day": "60", "maximum_usage_per_month": "200"},
	{"service_type": {"code": "PETROL"}, "maximum_usage_per_day": "40"},
	{"service_family": {"code": "FUEL"}, "maximum_usage_per_month": "35"}]}`

func TestExplanationNamesEveryCeilingInOrder(t *testing.T) {
	b := book{}
	b.add(unleaded, quantity("30"), money("60"))
	r := limits.Open(read(t, several)).For(unleaded)
	var got []string
	for _, row := range r.Explain(r.Used(b.of(unleaded), nil), quantity("46"), money("92")) {
		got = append(got, fmt.Sprintf("%s %s %s %s: %s + %s ≤ %s, breached %t",
			row.Window, row.Metric, row.Scope, row.Target, row.Used, row.Requested, row.Effective, row.Breached))
	}
	want := []string{
		"transaction amount account : 0 + 92 ≤ 90, breached true",
		"day usage type PETROL: 30 + 46 ≤ 40, breached true",
		"day usage account : 30 + 46 ≤ 100, breached false",
		"day amount service unleaded: 60 + 92 ≤ 60, breached true",
		"month usage service unleaded: 30 + 46 ≤ 200, breached false",
		"month usage family FUEL: 30 + 46 ≤ 35, breached true",
		"month amount account : 60 + 92 ≤ 150, breached true",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
	if rows := r.Explain(nil, quantity("46"), money("92")); rows != nil {
		t.Errorf("values that are not of these rules: got %v, want nothing", rows)
	}
}

func TestExplanationAsJSON(t *testing.T) {
	r := limits.Open(read(t, `{"percentage_of_allowed_exceeded_usage_limit": 50, "accumulated_maximum_usage_per_day": "1.50",
		"usage_services_allowance": [{"service": {"code": "unleaded"}, "maximum_rated_amount_per_month": "2"}]}`)).For(unleaded)
	got := write(t, r.Explain(r.Used(&limits.Counters{}, nil), quantity("1"), money("4.10")))
	want := `[{"scope":"account","target":null,"window":"day","metric":"usage","ceiling":"1.5","effective":"2.25","used":"0","requested":"1","breached":false},` +
		`{"scope":"service","target":"unleaded","window":"month","metric":"amount","ceiling":"2","effective":"3","used":"0","requested":"4.1","breached":true}]`
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
}

func TestReasonIsTheFirstBreachedRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, b, p := drawSettings(t), drawBook(t), rapid.SampledFrom(placements).Draw(t, "service")
		q, charge := drawUse(t)
		r := limits.Open(s).For(p)
		got := r.Judge(b.of(p), q, charge)
		rows := r.Explain(r.Used(b.of(p), nil), q, charge)
		var want billing.Reason
		for _, row := range rows {
			sum := row.Used.Add(row.Requested).Decimal()
			if breached := row.Requested.Sign() > 0 && sum.GreaterThan(row.Effective); breached != row.Breached {
				t.Errorf("%s of %s in %s: got breached %t, want %t", row.Metric, row.Scope, row.Window, row.Breached, breached)
			}
			if row.Breached && want == 0 {
				want = billing.LimitReason(row.Window, row.Metric)
			}
		}
		if s.BlockNotIncluded && !hasEntry(s, p) {
			want = billing.ServiceNotIncluded
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func hasEntry(s limits.Settings, p billing.Placement) bool {
	for _, e := range s.Entries {
		if e.Target.Target == p.Target(e.Target.Kind) {
			return true
		}
	}
	return false
}

func TestJudgingDoesNotAllocate(t *testing.T) {
	r, c, q, charge := benchmarked(t)
	used := make([]billing.Fixed, 0, 24)
	if n := testing.AllocsPerRun(100, func() { r.Judge(c, q, charge) }); n != 0 {
		t.Errorf("Judge: got %v allocations, want 0", n)
	}
	if n := testing.AllocsPerRun(100, func() { r.Used(c, used[:0]) }); n != 0 {
		t.Errorf("Used: got %v allocations, want 0", n)
	}
}

// benchmarked is a service under all 24 ceilings, none of them breached.
func benchmarked(t testing.TB) (*limits.Rules, *limits.Counters, billing.Fixed, billing.Money) {
	s := limits.Settings{Percentage: number("30")}
	var c limits.Ceilings
	for _, w := range windows {
		for _, m := range metrics {
			d := number("1000000")
			c[w][m] = &d
		}
	}
	s.Account = c
	for _, scope := range unleaded.Scopes()[:3] {
		s.Entries = append(s.Entries, limits.Entry{Target: scope, Ceilings: c})
	}
	if err := s.Validate(); err != nil {
		t.Fatal(err)
	}
	b := book{}
	b.add(unleaded, quantity("12.5"), money("19.38"))
	return limits.Open(s).For(unleaded), b.of(unleaded), quantity("12.5"), money("19.38")
}

func BenchmarkJudge24Ceilings(b *testing.B) {
	r, c, q, charge := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		if r.Judge(c, q, charge) != 0 {
			b.Fatal("breached")
		}
	}
}

func BenchmarkJudge3Ceilings(b *testing.B) {
	r := limits.Open(read(b, `{"accumulated_maximum_usage_per_day": "1000",
		"usage_services_allowance": [{"service": {"code": "unleaded"}, "maximum_rated_amount_per_transaction": "90", "maximum_usage_per_month": "1000"}]}`)).For(unleaded)
	_, c, q, charge := benchmarked(b)
	b.ReportAllocs()
	for b.Loop() {
		if r.Judge(c, q, charge) != 0 {
			b.Fatal("breached")
		}
	}
}

func BenchmarkForWithoutEntry(b *testing.B) {
	l := limits.Open(read(b, several))
	b.ReportAllocs()
	for b.Loop() {
		l.For(lone)
	}
}
