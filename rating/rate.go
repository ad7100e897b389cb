package rating

import (
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// Charge is the money that a record costs, and what it follows from.
type Charge struct {
	Amount billing.Money
	// OutOfRange says that the charge is beyond money's range, or the price of a
	// counter beyond 26 integer digits; Amount is then 0 and the record must be
	// rejected (SPEC R2.2).
	OutOfRange bool
	// Band is the index of the band that priced the record, -1 for the price's
	// own model.
	Band int
	// PriceBefore and PriceAfter are the rounded prices of the counter before and
	// after the record where the price accumulates, else 0. They are sums, so
	// unlike the charge they may pass money's range.
	PriceBefore, PriceAfter billing.Fixed
}

// Rate is what the record costs (SPEC R3.2, R3.3, R3.4). For a price from a Book
// it does not allocate while the numbers are of everyday size.
func (p *Price) Rate(u Use) Charge {
	band := p.BandAt(u.At, u.Zone)
	if q := p.quick; q != nil && q.of == p {
		if c, ok := q.charge(band, u); ok {
			return c
		}
	}
	return p.settle(band, p.span(u)).charge(band)
}

// BandAt is the index of the first band that contains at, or -1 (SPEC R3.4).
// The zone is that of the account; a price without bands does not look at it.
func (p *Price) BandAt(at time.Time, zone *time.Location) int {
	if len(p.Bands) == 0 {
		return -1
	}
	local := at.In(zone)
	for i := range p.Bands {
		if p.Bands[i].contains(local) {
			return i
		}
	}
	return -1
}

// contains tells whether the wall time of t is in the band. A band that crosses
// midnight belongs to the day on which it begins.
func (b *Band) contains(t time.Time) bool {
	minute := TimeOfDay(t.Hour()*60 + t.Minute())
	if b.From < b.To {
		return b.From <= minute && minute < b.To && b.Days.Contains(t.Weekday())
	}
	if b.From <= minute {
		return b.Days.Contains(t.Weekday())
	}
	return minute < b.To && b.Days.Contains(dayBefore(t, minute))
}

// dayBefore is the weekday that ended when the day of t began. Going back three
// hours past midnight reaches it over any change of clocks, and where a zone
// skipped a date, reaches the day that there was.
func dayBefore(t time.Time, minute TimeOfDay) time.Weekday {
	return t.Add(-time.Duration(minute+3*60) * time.Minute).Weekday()
}

// MinorDigits is how many decimal digits a charge of the price has: its own, or
// those of its currency (SPEC R2.3).
func (p *Price) MinorDigits() int {
	if p.Digits != nil {
		return *p.Digits
	}
	digits, _ := billing.MinorUnits(p.Currency) // known: Validate saw to it
	return digits
}

// model is the band's model, or for -1 the price's own.
func (p *Price) model(band int) *Model {
	if band < 0 {
		return &p.Model
	}
	return &p.Bands[band].Model
}

// span is what one record moves: the total that the model counts goes from one
// quantity to another, and a fee is added. Where the price does not accumulate
// the total begins at 0.
type span struct{ from, to, fee decimal.Decimal }

func (p *Price) span(u Use) span {
	s := span{to: u.Quantity.Decimal(), fee: orZero(p.PerRecord)}
	if p.Accumulate != ByRecord {
		s.from = u.Before.Decimal()
		s.to = s.to.Add(s.from)
	} else if p.Step != nil {
		s.to = multiples(s.to, *p.Step).Mul(*p.Step)
	}
	return s
}

// settled is a charge in exact decimals, before it is put into a Charge.
type settled struct {
	before, after decimal.Decimal // rounded prices, where the price accumulates
	amount        billing.Money
	inRange       bool
}

// settle turns a span into a charge by the letter of SPEC R3.3.
func (p *Price) settle(band int, s span) settled {
	m, digits := p.model(band), p.MinorDigits()
	if p.Accumulate != ByRecord {
		r := settled{before: rounded(m.cost(s.from), digits), after: rounded(m.cost(s.to), digits)}
		r.amount, r.inRange = billing.Round(r.after.Sub(r.before).Add(s.fee), digits)
		r.inRange = r.inRange && isFixed(r.before) && isFixed(r.after)
		return r
	}
	exact := m.cost(s.to).Add(s.fee)
	if p.Minimum != nil {
		exact = decimal.Max(exact, *p.Minimum)
	}
	if p.Maximum != nil {
		exact = decimal.Min(exact, *p.Maximum)
	}
	var r settled
	r.amount, r.inRange = billing.Round(exact, digits)
	return r
}

// rounded is a price of a counter, rounded as billing rounds money but of any
// size: whole units are taken off first, for they round to themselves.
func rounded(price decimal.Decimal, digits int) decimal.Decimal {
	whole := price.Truncate(0)
	part, _ := billing.Round(price.Sub(whole), digits) // at most 1
	return whole.Add(part.Decimal())
}

func isFixed(d decimal.Decimal) bool {
	_, err := billing.FixedOf(d)
	return err == nil
}

func (r settled) charge(band int) Charge {
	if !r.inRange {
		return Charge{OutOfRange: true, Band: band}
	}
	c := Charge{Amount: r.amount, Band: band}
	c.PriceBefore, _ = billing.FixedOf(r.before) // settle saw to both
	c.PriceAfter, _ = billing.FixedOf(r.after)
	return c
}
