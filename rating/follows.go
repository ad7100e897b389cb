package rating

import (
	"fmt"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// Mismatch is where an explanation does not hold.
type Mismatch struct {
	Price, What     string // the price's id, and what of the explanation
	Expected, Found string
}

// Error says what does not hold.
func (m *Mismatch) Error() string {
	return fmt.Sprintf("explanation by price %s: %s is %s, expected %s", m.Price, m.What, m.Found, m.Expected)
}

// Follows proves an explanation from nothing but the price and the quantity: its
// lines multiply and sum to Exact, Exact is the model's price of what the record
// moved, and the charge follows by SPEC R3.2 and R3.3 (R9.4). The answer is a
// *Mismatch, or nil. The quantity of a credit is passed below zero.
//
// The counter and the band are taken as explained: other checks prove counters,
// and a zone that has changed since would find another band.
func (p *Price) Follows(e Explanation, quantity billing.Fixed) error {
	band, ok := p.bandOf(e.Price.Band)
	if e.Price.ID != p.ID || !ok {
		return p.mismatch("price", p.ID, fmt.Sprintf("%s band %d %q", e.Price.ID, e.Price.Band.Index, e.Price.Band.Name))
	}
	if (e.Accumulated != nil) != (p.Accumulate != ByRecord) {
		return p.mismatch("accumulated", p.Accumulate.String(), fmt.Sprint(e.Accumulated != nil))
	}
	for i, l := range e.Lines {
		if want := l.Quantity.Mul(l.UnitPrice); !want.Equal(l.Amount) {
			return p.mismatch(fmt.Sprintf("amount of line %d", i), want.String(), l.Amount.String())
		}
	}
	if want := sum(e.Lines); !want.Equal(e.Exact) {
		return p.mismatch("exact", want.String(), e.Exact.String())
	}
	return p.followsFrom(e, band, p.explainedSpan(e, quantity))
}

// followsFrom checks the sums against the model and the rounding.
func (p *Price) followsFrom(e Explanation, band int, s span) error {
	m := p.model(band)
	if want := m.cost(s.to).Sub(m.cost(s.from)).Add(s.fee); !want.Equal(e.Exact) {
		return p.mismatch("exact", want.String(), e.Exact.String())
	}
	r := p.settle(band, s)
	if a := e.Accumulated; a != nil {
		if !a.PriceBefore.Equal(r.before) {
			return p.mismatch("price before", r.before.String(), a.PriceBefore.String())
		}
		if !a.PriceAfter.Equal(r.after) {
			return p.mismatch("price after", r.after.String(), a.PriceAfter.String())
		}
	}
	switch {
	case e.Charge == nil && r.inRange:
		return p.mismatch("charge", r.amount.String(), "none")
	case e.Charge != nil && !r.inRange:
		return p.mismatch("charge", "none: out of range", e.Charge.String())
	case e.Charge != nil && *e.Charge != r.amount:
		return p.mismatch("charge", r.amount.String(), e.Charge.String())
	}
	return nil
}

func (p *Price) explainedSpan(e Explanation, quantity billing.Fixed) span {
	var before billing.Fixed
	if e.Accumulated != nil {
		before = e.Accumulated.Before
	}
	if quantity.Sign() < 0 {
		return span{from: before.Decimal(), to: before.Add(quantity).Decimal(), fee: decimal.Zero}
	}
	return p.span(Use{Quantity: quantity, Before: before})
}

// bandOf is the index of the band that b names.
func (p *Price) bandOf(b BandRef) (int, bool) {
	if b.Name == "" {
		return b.Index, -1 <= b.Index && b.Index < len(p.Bands)
	}
	for i := range p.Bands {
		if p.Bands[i].Name == b.Name {
			return i, true
		}
	}
	return 0, false
}

func (p *Price) mismatch(what, expected, found string) error {
	return &Mismatch{Price: p.ID, What: what, Expected: expected, Found: found}
}
