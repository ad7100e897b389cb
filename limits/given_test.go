package limits_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func number(text string) decimal.Decimal { return decimal.RequireFromString(text) }

func quantity(text string) billing.Fixed {
	f, err := billing.FixedOf(number(text))
	if err != nil {
		panic(err)
	}
	return f
}

func money(text string) billing.Money {
	m, err := billing.ParseMoney(text)
	if err != nil {
		panic(err)
	}
	return m
}

func read(t testing.TB, text string) limits.Settings {
	t.Helper()
	var s limits.Settings
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// day is the start of the nth day of March 2026.
func day(n int) time.Time { return time.Date(2026, time.March, n, 0, 0, 0, 0, time.UTC) }

// The placements that the tests use; lone belongs to no family.
var (
	unleaded = billing.Placement{Service: "unleaded", Type: "PETROL", Family: "FUEL"}
	premium  = billing.Placement{Service: "premium", Type: "PETROL", Family: "FUEL"}
	diesel   = billing.Placement{Service: "diesel", Type: "DIESEL", Family: "FUEL"}
	lone     = billing.Placement{Service: "lone", Type: "LONE"}

	placements = []billing.Placement{unleaded, premium, diesel, lone}
	windows    = []billing.WindowKind{billing.Transaction, billing.Day, billing.Month}
	metrics    = []billing.Metric{billing.Usage, billing.Amount}
)

// book is what an account has counted: the counters of one day and one month.
type book map[billing.Scope]*[3]billing.Counter

func (b book) of(p billing.Placement) *limits.Counters {
	var c limits.Counters
	for _, s := range p.Scopes() {
		if have := b[s]; have != nil {
			c[s.Kind] = *have
		}
	}
	return &c
}

func (b book) counted(s billing.Scope, w billing.WindowKind) billing.Counter {
	if w == billing.Transaction {
		panic("asked what a transaction had counted before it")
	}
	if have := b[s]; have != nil {
		return have[w]
	}
	return billing.Counter{}
}

func (b book) add(p billing.Placement, q billing.Fixed, charge billing.Money) {
	for _, s := range p.Scopes() {
		if b[s] == nil {
			b[s] = new([3]billing.Counter)
		}
		for _, w := range windows[1:] {
			b[s][w] = b[s][w].Add(q, charge.Fixed())
		}
	}
}

// drawCeiling draws a ceiling, often none, with few enough values for counters
// to meet it exactly.
func drawCeiling(t *rapid.T, m billing.Metric, label string) *decimal.Decimal {
	if rapid.Bool().Draw(t, label+" limits nothing") {
		return nil
	}
	places := int32(2)
	if m == billing.Usage {
		places = rapid.SampledFrom([]int32{0, 2, 12}).Draw(t, label+" places")
	}
	d := decimal.New(rapid.Int64Range(0, 3000).Draw(t, label), -places)
	return &d
}

func drawCeilings(t *rapid.T, label string) (c limits.Ceilings) {
	for _, w := range windows {
		for _, m := range metrics {
			c[w][m] = drawCeiling(t, m, label+" "+w.String()+" "+m.String())
		}
	}
	return c
}

// targets is every target that an entry of the tests' services may have.
func targets() (all []billing.Scope) {
	seen := map[billing.Scope]bool{}
	for _, p := range placements {
		for _, s := range p.Scopes() {
			if s.Kind != billing.OfAccount && !seen[s] {
				seen[s] = true
				all = append(all, s)
			}
		}
	}
	return all
}

func drawSettings(t *rapid.T) limits.Settings {
	s := limits.Settings{
		BlockNotIncluded: rapid.IntRange(0, 3).Draw(t, "block") == 0,
		Percentage:       number(rapid.SampledFrom([]string{"0", "30", "33.333333", "0.000001"}).Draw(t, "percentage")),
		Account:          drawCeilings(t, "account"),
	}
	for _, target := range targets() {
		if c := drawCeilings(t, target.Target); rapid.Bool().Draw(t, target.Target+" has an entry") && c != (limits.Ceilings{}) {
			s.Entries = append(s.Entries, limits.Entry{Target: target, Ceilings: c})
		}
	}
	return s
}

func drawBook(t *rapid.T) book {
	b := book{}
	for range rapid.IntRange(0, 3).Draw(t, "records before") {
		q, charge := drawUse(t)
		b.add(rapid.SampledFrom(placements).Draw(t, "service before"), q, charge)
	}
	return b
}

func drawUse(t *rapid.T) (billing.Fixed, billing.Money) {
	q := quantity(decimal.New(rapid.Int64Range(1, 2000).Draw(t, "quantity"), -2).String())
	return q, billing.Money(rapid.Int64Range(-500, 2000).Draw(t, "cents")) * billing.MoneyUnit / 100
}
