package rating_test

import (
	"testing"

	"github.com/chargehand/chargehand/rating"
	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

func rich() rating.Price {
	p := from("p", 1)
	p.Step, p.PerRecord, p.Minimum, p.Maximum = dec("6"), dec("0.1"), dec("0.2"), dec("3")
	p.Model = rating.Model{Graduated: []rating.Tier{{UpTo: dec("10"), UnitPrice: *dec("1")}, {UnitPrice: *dec("2"), Flat: dec("5")}}}
	p.Bands = []rating.Band{{Name: "night", From: 1320, To: 360, Model: rating.Model{Package: &rating.Package{Size: *dec("10"), Price: *dec("4")}}}}
	return p
}

// SPEC R3.7: of a price that has rated records only the end may change.
func TestSameButEnd(t *testing.T) {
	tests := []struct {
		name      string
		change    func(*rating.Price)
		same, all bool // but for the end; altogether
	}{
		{"nothing", func(*rating.Price) {}, true, true},
		{"an end is set", func(p *rating.Price) { *p = ends(*p, 9) }, true, false},
		{"the same numbers in other digits", func(p *rating.Price) { p.Step, p.Graduated[0].UnitPrice = dec("6.000"), decimal.New(10, -1) }, true, true},
		{"the currency's digits spelled out", func(p *rating.Price) { p.Digits = new(2) }, true, true},
		{"all days spelled out", func(p *rating.Price) { p.Bands[0].Days = 127 }, true, true},
		{"a flat of 0 spelled out", func(p *rating.Price) { p.Graduated[0].Flat = dec("0") }, true, true},
		{"the same instant elsewhere", func(p *rating.Price) { p.ValidFrom = p.ValidFrom.Local() }, true, true},
		{"another id", func(p *rating.Price) { p.ID = "q" }, false, false},
		{"another service", func(p *rating.Price) { p.Service = "mms" }, false, false},
		{"another currency", func(p *rating.Price) { p.Currency = "USD" }, false, false},
		{"a class", func(p *rating.Price) { p.Class = "gold" }, false, false},
		{"an account", func(p *rating.Price) { p.Account = "A1" }, false, false},
		{"another beginning", func(p *rating.Price) { p.ValidFrom = day(2) }, false, false},
		{"an accumulation", func(p *rating.Price) { p.Accumulate = rating.ByDay }, false, false},
		{"another model", func(p *rating.Price) { p.Model = rating.Model{PerUnit: dec("1")} }, false, false},
		{"volume for graduated", func(p *rating.Price) { p.Model = rating.Model{Volume: p.Graduated} }, false, false},
		{"another price", func(p *rating.Price) { p.Graduated[1].UnitPrice = *dec("2.01") }, false, false},
		{"another edge", func(p *rating.Price) { p.Graduated[0].UpTo = dec("11") }, false, false},
		{"another flat", func(p *rating.Price) { p.Graduated[1].Flat = nil }, false, false},
		{"a tier more", func(p *rating.Price) { p.Graduated = append(p.Graduated[:1:1], p.Graduated...) }, false, false},
		{"no step", func(p *rating.Price) { p.Step = nil }, false, false},
		{"no fee", func(p *rating.Price) { p.PerRecord = nil }, false, false},
		{"another minimum", func(p *rating.Price) { p.Minimum = dec("0.21") }, false, false},
		{"no maximum", func(p *rating.Price) { p.Maximum = nil }, false, false},
		{"other digits", func(p *rating.Price) { p.Digits = new(3) }, false, false},
		{"a band's name", func(p *rating.Price) { p.Bands[0].Name = "day" }, false, false},
		{"a band's hours", func(p *rating.Price) { p.Bands[0].From = 1380 }, false, false},
		{"a band's end", func(p *rating.Price) { p.Bands[0].To = 300 }, false, false},
		{"a band's days", func(p *rating.Price) { p.Bands[0].Days = 1 }, false, false},
		{"a band's package", func(p *rating.Price) { p.Bands[0].Package.Size = *dec("11") }, false, false},
		{"a band's package's price", func(p *rating.Price) { p.Bands[0].Package.Price = *dec("5") }, false, false},
		{"a band less", func(p *rating.Price) { p.Bands = nil }, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, o := rich(), rich()
			tt.change(&o)
			if got := p.SameButEnd(&o); got != tt.same {
				t.Errorf("same but for the end: got %v, want %v", got, tt.same)
			}
			if got := o.SameButEnd(&p); got != tt.same {
				t.Errorf("the other way round: got %v, want %v", got, tt.same)
			}
			if got := cmp.Equal(p, o); got != tt.all { // cmp asks Equal
				t.Errorf("equal: got %v, want %v", got, tt.all)
			}
		})
	}
}
