package rating_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/rating"
)

// from is a price per unit from a day of March on; ends closes it.
func from(id string, n int) rating.Price {
	return rating.Price{ID: id, Service: "sms", Currency: "EUR", ValidFrom: day(n), Model: rating.Model{PerUnit: dec("1")}}
}

func ends(p rating.Price, n int) rating.Price {
	end := day(n)
	p.ValidTo = &end
	return p
}

func forClass(p rating.Price, class string) rating.Price     { p.Class = class; return p }
func forAccount(p rating.Price, account string) rating.Price { p.Account = account; return p }
func in(p rating.Price, currency string) rating.Price        { p.Currency = currency; return p }

func TestFind(t *testing.T) {
	book, err := rating.Open([]rating.Price{
		from("second", 10), ends(from("first", 5), 10), // in any order
		ends(from("void", 12), 12),
		ends(forClass(from("gold", 1), "gold"), 20),
		ends(forAccount(from("own", 8), "A3"), 12),
		ends(in(from("usd", 1), "USD"), 25),
		forAccount(in(from("usd own", 1), "USD"), "A4"),
		forClass(in(from("usd gold", 1), "USD"), "gold"),
	})
	if err != nil {
		t.Fatal(err)
	}
	const moment = time.Microsecond // times are cut to it
	tests := []struct {
		name              string
		account, class, c string
		at                time.Time
		want              string
	}{
		{"the first instant of a price", "A1", "std", "EUR", day(5), "first"},
		{"the last before it has none in euro", "A1", "std", "EUR", day(5).Add(-moment), "currency_mismatch"},
		{"the last instant of a price", "A1", "std", "EUR", day(10).Add(-moment), "first"},
		{"its end belongs to the next", "A1", "std", "EUR", day(10), "second"},
		{"a void price never applied", "A1", "std", "EUR", day(12), "second"},
		{"the class's goes before the default", "A1", "gold", "EUR", day(19), "gold"},
		{"and also where the default has not begun", "A1", "gold", "EUR", day(2), "gold"},
		{"when the class's has ended the default is back", "A1", "gold", "EUR", day(20), "second"},
		{"the own goes before the class's", "A3", "gold", "EUR", day(8), "own"},
		{"before the own the class's", "A3", "gold", "EUR", day(8).Add(-moment), "gold"},
		{"after the own the default", "A3", "std", "EUR", day(12), "second"},
		{"another account's own is not mine", "A2", "std", "EUR", day(9), "first"},
		{"each currency has its own prices", "A1", "std", "USD", day(5), "usd"},
		{"in a third currency there is none", "A1", "std", "JPY", day(5), "currency_mismatch"},
		{"before every price there is none at all", "A1", "std", "EUR", day(1).Add(-moment), "no_price"},
		{"another account's own in another currency is no mismatch", "A1", "std", "USD", day(25), "currency_mismatch"},
		{"an own price in another currency is", "A4", "std", "EUR", day(2), "currency_mismatch"},
		{"a class's too", "A1", "gold", "CHF", day(26), "currency_mismatch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := book.Find(rating.Query{Service: "sms", Account: tt.account, Class: tt.class, Currency: tt.c, At: tt.at})
			if got := found(p, err); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if _, err := book.Find(rating.Query{Service: "fax", Currency: "EUR", At: day(5)}); !errors.Is(err, rating.ErrNoPrice) {
		t.Errorf("unknown service: got %v, want %v", err, rating.ErrNoPrice)
	}
}

// What would not apply to the account is no reason to blame the currency.
func TestOthersPricesAreNoMismatch(t *testing.T) {
	book, err := rating.Open([]rating.Price{forAccount(from("own", 1), "A1"), forClass(from("gold", 1), "gold"), ends(from("old", 1), 5)})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[time.Time]string{day(4): "currency_mismatch", day(5): "no_price"} {
		p, err := book.Find(rating.Query{Service: "sms", Account: "A2", Class: "std", Currency: "USD", At: at})
		if got := found(p, err); got != want {
			t.Errorf("at %s: got %s, want %s", at, got, want)
		}
	}
}

func found(p *rating.Price, err error) string {
	switch {
	case errors.Is(err, rating.ErrNoPrice):
		return "no_price"
	case errors.Is(err, rating.ErrCurrencyMismatch):
		return "currency_mismatch"
	default:
		return p.ID
	}
}

func TestPriceByID(t *testing.T) {
	book, err := rating.Open([]rating.Price{from("p", 1), ends(from("void", 3), 3)})
	if err != nil {
		t.Fatal(err)
	}
	if p := book.Price("void"); p == nil || !p.Void() {
		t.Errorf("void: got %v, want the void price", p)
	}
	if p := book.Price("q"); p != nil {
		t.Errorf("unknown: got %v, want none", p)
	}
}

func TestOpenRefusesWhatIsAmbiguous(t *testing.T) {
	tests := []struct {
		name   string
		prices []rating.Price
		want   string // a part of the fault, "" for none
	}{
		{"no price at all", nil, ""},
		{"one ends where the next begins", []rating.Price{from("b", 5), ends(from("a", 1), 5)}, ""},
		{"one ends after the next began", []rating.Price{from("b", 5), ends(from("a", 1), 6)}, `price "b": valid_from 2026-03-05T12:00:00Z: overlapping: price "a"`},
		{"one has no end", []rating.Price{ends(from("b", 5), 6), from("a", 1)}, "overlapping"},
		{"both begin at once", []rating.Price{from("a", 1), from("b", 1)}, "overlapping"},
		{"one lies within another", []rating.Price{ends(from("a", 1), 9), ends(from("b", 2), 3)}, "overlapping"},
		{"one lies behind one within another", []rating.Price{ends(from("a", 1), 9), ends(from("b", 2), 3), ends(from("c", 4), 5)}, `price "c"`},
		{"a void one overlaps nothing", []rating.Price{from("a", 1), ends(from("b", 5), 5)}, ""},
		{"two void ones neither", []rating.Price{ends(from("a", 5), 5), ends(from("b", 5), 5)}, ""},
		{"a void one at the beginning of another", []rating.Price{from("a", 5), ends(from("b", 5), 5)}, ""},
		{"a class's beside the default", []rating.Price{from("a", 1), forClass(from("b", 1), "gold")}, ""},
		{"two of one class", []rating.Price{forClass(from("a", 1), "gold"), forClass(from("b", 2), "gold")}, "overlapping"},
		{"an account named as a class", []rating.Price{forAccount(from("a", 1), "gold"), forClass(from("b", 2), "gold")}, ""},
		{"two currencies", []rating.Price{from("a", 1), in(from("b", 1), "USD")}, ""},
		{"two prices of one id", []rating.Price{ends(from("a", 1), 2), from("a", 3)}, `price "a": id "a": named twice`},
		{"a price that is not valid", []rating.Price{in(from("a", 1), "XXX")}, `price "a": currency "XXX": unknown`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := rating.Open(tt.prices)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want one with %s", err, tt.want)
			}
		})
	}
}

// The caller's slice stays the caller's.
func TestBookKeepsItsPrices(t *testing.T) {
	prices := []rating.Price{from("p", 1)}
	book, err := rating.Open(prices)
	if err != nil {
		t.Fatal(err)
	}
	prices[0].PerUnit = dec("2")
	got := book.Price("p").Rate(rating.Use{Quantity: quantity("3")})
	if want := "3"; got.Amount.String() != want {
		t.Errorf("got %s, want %s", got.Amount, want)
	}
	changed := *book.Price("p") // and a copy is rated as it was changed
	changed.PerUnit = dec("2")
	if got, want := changed.Rate(rating.Use{Quantity: quantity("3")}).Amount.String(), "6"; got != want {
		t.Errorf("changed copy: got %s, want %s", got, want)
	}
}

func TestWarnings(t *testing.T) {
	small := func(p rating.Price, unit string) rating.Price { p.PerUnit = dec(unit); return p }
	tests := []struct {
		name   string
		prices []rating.Price
		want   []string
	}{
		{"a unit of half a cent is charged", []rating.Price{small(from("p", 1), "0.005")}, nil},
		{"a unit below it is not", []rating.Price{small(from("p", 1), "0.004")}, []string{
			`price "p": one unit costs 0.004 and is charged 0 after rounding to 2 digits; give it more digits or let it accumulate`}},
		{"a free unit is meant to be", []rating.Price{small(from("p", 1), "0")}, nil},
		{"over a month it adds up", []rating.Price{monthly(small(from("p", 1), "0.004"))}, nil},
		{"a void price charges nothing anyway", []rating.Price{ends(small(from("p", 1), "0.004"), 1)}, nil},
		{"one ends where the next begins", []rating.Price{from("b", 5), ends(from("a", 1), 5)}, nil},
		{"one ends before", []rating.Price{from("b", 5), ends(from("a", 1), 4)}, []string{
			`price "b": begins at 2026-03-05T12:00:00Z, but price "a" ended at 2026-03-04T12:00:00Z: between them there is none of its scope`}},
		{"a void one fills no gap", []rating.Price{from("b", 5), ends(from("a", 1), 4), ends(from("v", 4), 4)}, []string{
			`price "b": begins at 2026-03-05T12:00:00Z, but price "a" ended at 2026-03-04T12:00:00Z: between them there is none of its scope`}},
		{"other scopes have no gap between them", []rating.Price{ends(from("a", 1), 4), forClass(from("b", 5), "gold")}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, w := range rating.Warnings(tt.prices) {
				got = append(got, w.String())
			}
			if g, w := strings.Join(got, "\n"), strings.Join(tt.want, "\n"); g != w {
				t.Errorf("got\n%s\nwant\n%s", g, w)
			}
		})
	}
}

func monthly(p rating.Price) rating.Price { p.Accumulate = rating.ByMonth; return p }

// A band is a price of its own for this, and fee, step and minimum count.
func TestWarningsLookAtWhatAUnitCosts(t *testing.T) {
	p := from("p", 1)
	p.Bands = []rating.Band{
		{To: 60, Model: rating.Model{PerUnit: dec("0.001")}},
		{Name: "night", To: 60, Model: rating.Model{PerUnit: dec("0.002")}},
	}
	var got []string
	for _, w := range rating.Warnings([]rating.Price{p}) {
		got = append(got, strings.Fields(w.Text)[4])
	}
	if want := "0 \"night\""; strings.Join(got, " ") != want {
		t.Errorf("bands that are warned of: got %v, want %s", got, want)
	}
	for name, change := range map[string]func(*rating.Price){
		"fee":     func(p *rating.Price) { p.PerRecord = dec("0.004") },
		"step":    func(p *rating.Price) { p.Step = dec("5") },
		"minimum": func(p *rating.Price) { p.Minimum = dec("0.01") },
		"maximum": func(p *rating.Price) { p.Maximum = dec("0") },
	} {
		p := from("p", 1)
		p.PerUnit = dec("0.001")
		change(&p)
		if got := rating.Warnings([]rating.Price{p}); len(got) != 0 {
			t.Errorf("with %s: got %v, want none", name, got)
		}
	}
}
