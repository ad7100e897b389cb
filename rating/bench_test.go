package rating_test

import (
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/rating"
	"github.com/shopspring/decimal"
)

// everyday are prices as they are met, one of each model and manner.
func everyday() []struct {
	name string
	rating.Price
} {
	included := []rating.Tier{{UpTo: dec("100"), UnitPrice: decimal.Zero}, {UnitPrice: *dec("0.035"), Flat: dec("1")}}
	calls := []rating.Tier{{UpTo: dec("60"), UnitPrice: *dec("0.01")}, {UpTo: dec("600"), UnitPrice: *dec("0.005"), Flat: dec("0.25")}, {UnitPrice: *dec("0.0015")}}
	perUnit := rating.Model{PerUnit: dec("1.555")}
	return []struct {
		name string
		rating.Price
	}{
		{"per unit", rating.Price{Model: perUnit}},
		{"graduated", rating.Price{Model: rating.Model{Graduated: calls}}},
		{"graduated over a month", rating.Price{Accumulate: rating.ByMonth, Model: rating.Model{Graduated: included}}},
		{"volume", rating.Price{Model: rating.Model{Volume: calls}}},
		{"volume over a month", rating.Price{Accumulate: rating.ByMonth, Model: rating.Model{Volume: calls}}},
		{"package", rating.Price{Model: rating.Model{Package: &rating.Package{Size: *dec("60"), Price: *dec("0.0295")}}}},
		{"step, fee and bounds", rating.Price{Model: perUnit, Step: dec("6"), PerRecord: dec("0.105"), Minimum: dec("0.25"), Maximum: dec("999")}},
		{"fee over a day", rating.Price{Accumulate: rating.ByDay, Model: perUnit, PerRecord: dec("0.02")}},
		{"bands", rating.Price{Model: perUnit, Bands: []rating.Band{
			{Days: rating.WeekdaysOf(time.Saturday), From: 22 * 60, To: 6 * 60, Model: perUnit},
			{From: 8 * 60, To: 19 * 60, Model: rating.Model{PerUnit: dec("0.06")}},
		}}},
	}
}

func everydayUse(tb testing.TB) rating.Use {
	zone, err := billing.LoadZone("Europe/Athens")
	if err != nil {
		tb.Fatal(err)
	}
	return rating.Use{Quantity: quantity("119.7"), Before: quantity("88.25"), At: day(10), Zone: zone}
}

func BenchmarkRate(b *testing.B) {
	u := everydayUse(b)
	for _, e := range everyday() {
		compiled := openTB(b, e.Price)
		exact := *compiled
		for _, p := range []struct {
			name string
			*rating.Price
		}{{"compiled", compiled}, {"decimals", &exact}} {
			b.Run(e.name+"/"+p.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					p.Rate(u)
				}
			})
		}
	}
}

func BenchmarkFind(b *testing.B) {
	book := openYears(b, 10)
	q := rating.Query{Service: "s", Account: "ACR0000001526", Class: "gold", Currency: "EUR", At: day(10)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := book.Find(q); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExplain(b *testing.B) {
	u := everydayUse(b)
	for _, e := range everyday() {
		p := openTB(b, e.Price)
		b.Run(e.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Explain(u)
			}
		})
	}
}

// The worker rates 150,000 records a second; garbage would be its largest cost.
func TestEverydayRatingDoesNotAllocate(t *testing.T) {
	u := everydayUse(t)
	for _, e := range everyday() {
		t.Run(e.name, func(t *testing.T) {
			p := openTB(t, e.Price)
			if n := testing.AllocsPerRun(100, func() { p.Rate(u) }); n != 0 {
				t.Errorf("got %v allocations, want 0", n)
			}
		})
	}
	book := openYears(t, 3)
	for _, q := range []rating.Query{
		{Service: "s", Currency: "EUR", At: day(10)}, // found
		{Service: "s", Currency: "USD", At: day(10)}, // in another currency
		{Service: "t", Currency: "EUR", At: day(10)}, // not there
	} {
		if n := testing.AllocsPerRun(100, func() { _, _ = book.Find(q) }); n != 0 {
			t.Errorf("find %+v: got %v allocations, want 0", q, n)
		}
	}
}

func openTB(tb testing.TB, p rating.Price) *rating.Price {
	tb.Helper()
	p.ID, p.Service, p.Currency, p.ValidFrom = "p", "s", "EUR", day(1)
	book, err := rating.Open([]rating.Price{p})
	if err != nil {
		tb.Fatal(err)
	}
	return book.Price("p")
}

// openYears is a book with a price for each of the last years, and one for gold.
func openYears(tb testing.TB, years int) *rating.Book {
	tb.Helper()
	one := rating.Model{PerUnit: dec("1")}
	prices := []rating.Price{{ID: "gold", Service: "s", Currency: "EUR", Class: "gold", ValidFrom: day(20), Model: one}}
	for i := range years {
		from, to := day(1).AddDate(-i, 0, 0), day(1).AddDate(1-i, 0, 0)
		prices = append(prices, rating.Price{ID: from.Format(time.DateOnly), Service: "s", Currency: "EUR", ValidFrom: from, ValidTo: &to, Model: one})
	}
	book, err := rating.Open(prices)
	if err != nil {
		tb.Fatal(err)
	}
	return book
}
