package setup_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
)

func TestPeriodicServiceValidate(t *testing.T) {
	starts := billing.DateOf(2026, 1, 31)
	before := starts - 1
	good := setup.PeriodicService{Name: "Card", Price: 5 * billing.MoneyUnit, Period: billing.Monthly, Every: 1, StartsOn: starts}
	for _, c := range []struct {
		name   string
		change func(*setup.PeriodicService)
		want   string
	}{
		{"as it should be", func(p *setup.PeriodicService) {}, ""},
		{"free of charge", func(p *setup.PeriodicService) { p.Price = 0 }, ""},
		{"below nothing", func(p *setup.PeriodicService) { p.Price = -1 }, `price: number "-0.000001": below zero or beyond money's range`},
		{"the highest price", func(p *setup.PeriodicService) { p.Price = billing.MoneyMax }, ""},
		{"beyond it", func(p *setup.PeriodicService) { p.Price = billing.MoneyMax + 1 }, `price: number "1000000000000": below zero or beyond money's range`},
		{"the longest name", func(p *setup.PeriodicService) { p.Name = strings.Repeat("x", 256) }, ""},
		{"no name", func(p *setup.PeriodicService) { p.Name = "" }, "name: empty: give at least one character"},
		{"no period", func(p *setup.PeriodicService) { p.Period = 0 }, "period is missing: give one of daily, weekly, monthly, yearly"},
		{"every thousand", func(p *setup.PeriodicService) { p.Every = 1000 }, ""},
		{"every thousand and one", func(p *setup.PeriodicService) { p.Every = 1001 }, "every: 1001: not from 1 to 1000"},
		{"every none", func(p *setup.PeriodicService) { p.Every = 0 }, "every: 0: not from 1 to 1000"},
		{"the last anchor", func(p *setup.PeriodicService) { p.AnchorDay = 31 }, ""},
		{"past the last anchor", func(p *setup.PeriodicService) { p.AnchorDay = 32 }, "anchor_day: 32: not a day of the month, 1 to 31"},
		{"an anchor of a year", func(p *setup.PeriodicService) { p.Period, p.AnchorDay = billing.Yearly, 1 }, ""},
		{"an anchor of a week", func(p *setup.PeriodicService) { p.Period, p.AnchorDay = billing.Weekly, 1 }, "anchor_day: 1: only monthly and yearly periods have one"},
		{"over before it began", func(p *setup.PeriodicService) { p.EndsOn = &starts }, ""},
		{"an end before the start", func(p *setup.PeriodicService) { p.EndsOn = &before }, "ends_on: 2026-01-30 is before starts_on 2026-01-31"},
		{"two faults", func(p *setup.PeriodicService) { p.Name, p.Every = "a\x00", -1 }, "name: \"a\\x00\": holds a NUL\nevery: -1: not from 1 to 1000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := good
			c.change(&p)
			if got := textOf(p.Validate()); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestParsePeriodicService(t *testing.T) {
	ends := billing.DateOf(2027, 1, 1)
	want := setup.PeriodicService{
		Name: "Card", Price: 5 * billing.MoneyUnit, Period: billing.Yearly, Every: 2,
		StartsOn: billing.DateOf(2026, 1, 31), AnchorDay: 1, EndsOn: &ends, Prorate: true,
	}
	got, err := setup.ParsePeriodicService("link", []byte(
		`{"name": "Card", "price": 5, "period": "yearly", "every": 2, "starts_on": "2026-01-31", "anchor_day": 1, "ends_on": "2027-01-01", "prorate": true}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("read (-got +want):\n%s", diff)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var again setup.PeriodicService
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(again, want); diff != "" {
		t.Errorf("from its JSON %s (-got +want):\n%s", text, diff)
	}
	for body, want := range map[string]string{
		``:              "link: empty: a periodic service was expected",
		`{"name": "a"}`: "link:1: price: missing: give it a value\nlink:1: period: missing: give it a value\nlink:1: starts_on: missing: give it a value",
		`[]`:            "link:1: a list, not an object: write key: value pairs",
	} {
		if _, err := setup.ParsePeriodicService("link", []byte(body)); textOf(err) != want {
			t.Errorf("%s: got %v, want %s", body, err, want)
		}
	}
}
