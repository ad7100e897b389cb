package rating

import (
	"math"
	"math/bits"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// quick is a price compiled for Rate: the same arithmetic as cost and settle in
// integers, exact or not at all. A quantity is a whole number of 10^-12, so is a
// price, and what they make is a whole number of 10^-24 in 128 bits. Whatever
// does not fit makes charge answer false, and the decimals take over: quantities
// and counters from nine million on, and odd numbers of extreme length.
type quick struct {
	of          *Price // whose it is: a copied price may have been changed since
	accumulates bool
	step        uint64 // 0: none
	fee         wide
	least, most billing.Money // minimum and maximum, rounded
	// feeMoney is the rounded fee; feeWhole tells that rounding did not move it.
	feeMoney billing.Money
	feeWhole bool
	rounding rounding
	curves   []curve // the price's own model, then the bands'
}

// curve is a model as pieces of straight line: all four models are.
type curve struct {
	size   uint64 // of a package, which is counted before it is priced; else 0
	pieces []piece
}

// piece is base + (q − lower) × price for q ≤ upTo.
type piece struct {
	upTo, lower, price uint64
	base               wide
}

// compile is the quick form of p, or nil where a number of p's own is too long
// for it. The price has been validated.
func compile(p *Price) *quick {
	c := &quick{of: p, accumulates: p.Accumulate != ByRecord, most: math.MaxInt64, rounding: roundingTo(p.MinorDigits())}
	var ok bool
	if c.fee, ok = wideOf(orZero(p.PerRecord)); !ok {
		return nil
	}
	c.feeMoney, _ = billing.Round(orZero(p.PerRecord), p.MinorDigits())
	c.feeWhole = c.feeMoney.Decimal().Equal(orZero(p.PerRecord))
	if p.Step != nil {
		if c.step, ok = unitsOf(*p.Step); !ok {
			return nil
		}
	}
	// Rounding keeps order, so a rounded charge may be held against rounded bounds.
	if p.Minimum != nil {
		c.least, _ = billing.Round(*p.Minimum, p.MinorDigits())
	}
	if p.Maximum != nil {
		c.most, _ = billing.Round(*p.Maximum, p.MinorDigits())
	}
	c.curves = append(c.curves, curveOf(&p.Model))
	for i := range p.Bands {
		c.curves = append(c.curves, curveOf(&p.Bands[i].Model))
	}
	return c
}

// charge is what settle would answer, and whether it could tell.
func (c *quick) charge(band int, u Use) (Charge, bool) {
	k := &c.curves[band+1]
	units, ok := u.Quantity.Units()
	if !ok || units <= 0 {
		return Charge{}, false
	}
	if c.accumulates {
		return c.difference(k, band, uint64(units), u.Before)
	}
	x, ok := k.cost(roundedUp(uint64(units), c.step))
	if !ok {
		return Charge{}, false
	}
	m, ok := c.rounding.round(x.add(c.fee))
	return Charge{Amount: min(max(m, c.least), c.most), Band: band}, ok
}

func (c *quick) difference(k *curve, band int, q uint64, counter billing.Fixed) (Charge, bool) {
	units, ok := counter.Units()
	if !ok || units < 0 {
		return Charge{}, false
	}
	before, ok := c.price(k, uint64(units))
	if !ok {
		return Charge{}, false
	}
	after, ok := c.price(k, uint64(units)+q) // two int64: no overflow
	if !ok {
		return Charge{}, false
	}
	part := after - before
	if !c.feeWhole && part < 0 {
		return Charge{}, false // the sum may cross zero, where rounding turns
	}
	amount := part + c.feeMoney
	return Charge{Amount: amount, Band: band, PriceBefore: before.Fixed(), PriceAfter: after.Fixed()}, amount.InRange()
}

func (c *quick) price(k *curve, q uint64) (billing.Money, bool) {
	x, ok := k.cost(q)
	if !ok {
		return 0, false
	}
	return c.rounding.round(x)
}

// cost is the exact price of q, if that fits an int64: a sum or a step may not,
// and would pass an edge that curveOf took for out of reach.
func (k *curve) cost(q uint64) (wide, bool) {
	switch {
	case q == 0:
		return wide{}, true
	case q > math.MaxInt64:
		return wide{}, false
	}
	if k.size > 0 {
		n := (q-1)/k.size + 1
		if n > math.MaxUint64/unit {
			return wide{}, false
		}
		q = n * unit
	}
	for i := range k.pieces {
		if s := &k.pieces[i]; q <= s.upTo {
			hi, lo := bits.Mul64(q-s.lower, s.price)
			return wide{hi, lo}.add(s.base), true
		}
	}
	return wide{}, false
}

// unit is 1 in units of 10^-12.
const unit uint64 = 1e12

// roundedUp is q, which is not 0, rounded up to a multiple of step. Both come
// from an int64, so 64 bits hold it.
func roundedUp(q, step uint64) uint64 {
	if step == 0 {
		return q
	}
	return ((q-1)/step + 1) * step
}

// curveOf draws the model. Where a number does not fit it ends early, and cost
// answers false from there on.
func curveOf(m *Model) (k curve) {
	switch {
	case m.PerUnit != nil:
		k.pieces = pieces([]Tier{{UnitPrice: *m.PerUnit}}, false)
	case m.Package != nil:
		size, ok := unitsOf(m.Package.Size)
		if !ok {
			return curve{}
		}
		k.size = size
		k.pieces = pieces([]Tier{{UnitPrice: m.Package.Price}}, false)
	case m.Volume != nil:
		k.pieces = pieces(m.Volume, false)
	default:
		k.pieces = pieces(m.Graduated, true)
	}
	return k
}

// pieces has a piece a tier. Graduated tiers stand on what the tiers below them
// cost; those of a volume price on nothing but their flat.
func pieces(tiers []Tier, graduated bool) (pp []piece) {
	lower, below := decimal.Zero, decimal.Zero
	for _, t := range tiers {
		s := piece{upTo: math.MaxUint64}
		var okPrice, okBase, okLower bool
		s.price, okPrice = unitsOf(t.UnitPrice)
		s.base, okBase = wideOf(below.Add(orZero(t.Flat)))
		s.lower, okLower = unitsOf(lower)
		if !okPrice || !okBase || !okLower {
			return pp
		}
		if t.UpTo != nil {
			if up, ok := unitsOf(*t.UpTo); ok { // else out of reach: cost is asked for an int64
				s.upTo = up
			}
			if graduated {
				below = below.Add(orZero(t.Flat)).Add(t.UpTo.Sub(lower).Mul(t.UnitPrice))
				lower = *t.UpTo
			}
		}
		pp = append(pp, s)
	}
	return pp
}

// unitsOf is d, which is not negative, in units of 10^-12.
func unitsOf(d decimal.Decimal) (uint64, bool) {
	f, err := billing.FixedOf(d)
	u, ok := f.Units()
	return uint64(u), ok && err == nil
}
