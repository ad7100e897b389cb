package rating_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/rating"
	"github.com/shopspring/decimal"
)

// Each change makes one thing wrong with a price that is right, or nothing.
func TestValidate(t *testing.T) {
	tier := func(upTo, price string) rating.Tier {
		tier := rating.Tier{UnitPrice: *dec(price)}
		if upTo != "" {
			tier.UpTo = dec(upTo)
		}
		return tier
	}
	tiers := func(p *rating.Price, tiers ...rating.Tier) { p.Model = rating.Model{Graduated: tiers} }
	tests := []struct {
		name   string
		change func(*rating.Price)
		want   string // field, value and a part of what is wrong with it; "" for nothing
	}{
		{"as it is", func(*rating.Price) {}, ""},
		{"no id", func(p *rating.Price) { p.ID = "" }, "/id| missing"},
		{"no service", func(p *rating.Price) { p.Service = "" }, "/service| missing"},
		{"no currency", func(p *rating.Price) { p.Currency = "" }, `/currency|"" unknown`},
		{"a currency in lower case", func(p *rating.Price) { p.Currency = "eur" }, `/currency|"eur" unknown`},
		{"class and account", func(p *rating.Price) { p.Class, p.Account = "gold", "A1" }, `/account|"A1" not allowed beside class "gold"`},
		{"no beginning", func(p *rating.Price) { *p = rating.Price{ID: "p", Service: "s", Currency: "EUR", Model: p.Model} }, "/valid_from| missing"},
		{"void", func(p *rating.Price) { *p = ends(*p, 1) }, ""},
		{"an end before the beginning", func(p *rating.Price) { *p = ends(*p, 1); p.ValidFrom = day(2) }, "/valid_to|2026-03-01T12:00:00Z out of order: before valid_from 2026-03-02T12:00:00Z"},

		{"no model", func(p *rating.Price) { p.Model = rating.Model{} }, "/per_unit| not allowed: one of per_unit, graduated, volume, package, not 0"},
		{"two models", func(p *rating.Price) { p.Volume = []rating.Tier{tier("", "1")} }, "/per_unit| not allowed: one of per_unit, graduated, volume, package, not 2"},
		{"free", func(p *rating.Price) { p.PerUnit = dec("0") }, ""},
		{"a negative price", func(p *rating.Price) { p.PerUnit = dec("-0.01") }, "/per_unit|-0.01 below zero"},
		{"the longest price", func(p *rating.Price) { p.PerUnit = dec("999999999.999999999999") }, ""},
		{"a digit more before the point", func(p *rating.Price) { p.PerUnit = dec("1000000000") }, "/per_unit|1000000000 too many digits: at most 9 before and 12 behind the point"},
		{"a digit more behind it", func(p *rating.Price) { p.PerUnit = dec("0.0000000000001") }, "/per_unit|0.0000000000001 too many digits"},
		{"zeros are no digits", func(p *rating.Price) { p.PerUnit = dec("0.10000000000000000000") }, ""},
		{"an exponent that must not be written out", func(p *rating.Price) { p.PerUnit = huge() }, `/per_unit|"1e2000000000" too many digits`},
		{"a huge minimum under a maximum", func(p *rating.Price) { p.Minimum, p.Maximum = huge(), dec("1") }, `/minimum|"1e2000000000" too many digits`},

		{"no tier", func(p *rating.Price) { p.Model = rating.Model{Volume: []rating.Tier{}} }, "/volume| missing"},
		{"a single tier", func(p *rating.Price) { tiers(p, tier("", "1")) }, ""},
		{"tiers that rise", func(p *rating.Price) { tiers(p, tier("1", "1"), tier("1.000000000001", "2"), tier("", "3")) }, ""},
		{"tiers that stand still", func(p *rating.Price) { tiers(p, tier("1", "1"), tier("1.0", "2"), tier("", "3")) }, "/graduated/1/up_to|1 out of order: not above 1"},
		{"tiers that fall", func(p *rating.Price) { tiers(p, tier("2", "1"), tier("1", "2"), tier("", "3")) }, "/graduated/1/up_to|1 out of order: not above 2"},
		{"a tier up to 0", func(p *rating.Price) { tiers(p, tier("0", "1"), tier("", "3")) }, "/graduated/0/up_to|0 not above zero"},
		{"a tier up to less", func(p *rating.Price) { tiers(p, tier("-1", "1"), tier("", "3")) }, "/graduated/0/up_to|-1 below zero"},
		{"an end in the last tier", func(p *rating.Price) { tiers(p, tier("1", "1"), tier("2", "1")) }, "/graduated/1/up_to|2 not allowed in the last tier"},
		{"no end in another", func(p *rating.Price) { tiers(p, tier("", "1"), tier("", "1")) }, "/graduated/0/up_to| missing"},
		{"a negative price in a tier", func(p *rating.Price) { tiers(p, tier("", "-1")) }, "/graduated/0/unit_price|-1 below zero"},
		{"a negative flat", func(p *rating.Price) { tiers(p, rating.Tier{Flat: dec("-1")}) }, "/graduated/0/flat|-1 below zero"},
		{"a package", func(p *rating.Price) { p.Model = rating.Model{Package: &rating.Package{Size: *dec("1")}} }, ""},
		{"a package of nothing", func(p *rating.Price) { p.Model = rating.Model{Package: &rating.Package{}} }, "/package/size|0 not above zero"},
		{"a package at less than nothing", func(p *rating.Price) {
			p.Model = rating.Model{Package: &rating.Package{Size: *dec("1"), Price: *dec("-1")}}
		}, "/package/price|-1 below zero"},

		{"a step of 0", func(p *rating.Price) { p.Step = dec("0") }, "/step|0 not above zero"},
		{"a step of twelve digits", func(p *rating.Price) { p.Step = dec("999999999999") }, ""},
		{"a step that is too long", func(p *rating.Price) { p.Step = dec("1000000000000") }, "/step|1000000000000 too many digits: at most 12"},
		{"a negative fee", func(p *rating.Price) { p.PerRecord = dec("-0.01") }, "/per_record|-0.01 below zero"},
		{"minimum and maximum the same", func(p *rating.Price) { p.Minimum, p.Maximum = dec("1"), dec("1.0") }, ""},
		{"a minimum above the maximum", func(p *rating.Price) { p.Minimum, p.Maximum = dec("1.01"), dec("1") }, "/minimum|1.01 out of order: above maximum 1"},
		{"a negative maximum", func(p *rating.Price) { p.Maximum = dec("-1") }, "/maximum|-1 below zero"},
		{"six digits", func(p *rating.Price) { p.Digits = new(6) }, ""},
		{"seven", func(p *rating.Price) { p.Digits = new(7) }, "/digits|7 not allowed: 0 to 6"},
		{"less than none", func(p *rating.Price) { p.Digits = new(-1) }, "/digits|-1 not allowed"},
		{"an accumulation that is none", func(p *rating.Price) { p.Accumulate = 3 }, "/accumulate|3 unknown"},
		{"accumulating with a fee", func(p *rating.Price) { p.Accumulate, p.PerRecord = rating.ByDay, dec("1") }, ""},
		{"accumulating with a step", func(p *rating.Price) { p.Accumulate, p.Step = rating.ByDay, dec("1") }, "/step|1 not allowed with accumulate day"},
		{"accumulating with a minimum", func(p *rating.Price) { p.Accumulate, p.Minimum = rating.ByMonth, dec("1") }, "/minimum|1 not allowed with accumulate month"},
		{"accumulating with a maximum", func(p *rating.Price) { p.Accumulate, p.Maximum = rating.ByMonth, dec("1") }, "/maximum|1 not allowed with accumulate month"},

		{"a band of a whole day", func(p *rating.Price) { p.Bands = []rating.Band{{To: 1440, Model: p.Model}} }, ""},
		{"a band up to midnight", func(p *rating.Price) { p.Bands = []rating.Band{{From: 1320, Model: p.Model}} }, ""},
		{"a band from where to", func(p *rating.Price) { p.Bands = []rating.Band{{From: 60, To: 60, Model: p.Model}} }, "/bands/0/to|01:00 not allowed: the same as from"},
		{"a band from the end of the day", func(p *rating.Price) { p.Bands = []rating.Band{{From: 1440, To: 60, Model: p.Model}} }, "/bands/0/from|24:00 not allowed: before 24:00"},
		{"a band past the end of the day", func(p *rating.Price) { p.Bands = []rating.Band{{To: 1441, Model: p.Model}} }, "/bands/0/to|24:01 not allowed: at most 24:00"},
		{"an eighth day of the week", func(p *rating.Price) { p.Bands = []rating.Band{{Days: 128, To: 60, Model: p.Model}} }, "/bands/0/days|128 unknown"},
		{"a band without a model", func(p *rating.Price) { p.Bands = []rating.Band{{To: 60, Model: p.Model}, {To: 60}} }, "/bands/1/per_unit| not allowed: one of"},
		{"bands of one name", func(p *rating.Price) {
			p.Bands = []rating.Band{{Name: "n", To: 60, Model: p.Model}, {Name: "n", To: 60, Model: p.Model}}
		}, `/bands/1/name|"n" named twice`},
		{"bands of no name", func(p *rating.Price) {
			p.Bands = []rating.Band{{To: 60, Model: p.Model}, {To: 60, Model: p.Model}}
		}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := from("p", 1)
			tt.change(&p)
			err := p.Validate()
			if tt.want == "" {
				if err != nil {
					t.Errorf("got %v, want none", err)
				}
				return
			}
			var f *rating.Fault
			if !errors.As(err, &f) {
				t.Fatalf("got %v, want a fault", err)
			}
			if got := f.Field + "|" + f.Value + " " + f.Err.Error(); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestValidateTellsEveryFault(t *testing.T) {
	p := from("eu", 1)
	p.PerUnit, p.Currency, p.Digits = dec("-1"), "EURO", new(9)
	err := p.Validate()
	want := "price \"eu\": currency \"EURO\": unknown\nprice \"eu\": digits 9: not allowed: 0 to 6\nprice \"eu\": per_unit -1: below zero"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if !errors.Is(err, billing.ErrNegative) || !errors.Is(err, rating.ErrUnknown) {
		t.Errorf("got %v, want it to be ErrNegative and ErrUnknown", err)
	}
}

func huge() *decimal.Decimal {
	d := decimal.New(1, 2_000_000_000)
	return &d
}
