package rating

import (
	"github.com/shopspring/decimal"
)

// cost is the exact price of a total quantity (SPEC R3.2). It is written as the
// rule is, and everything quicker or more talkative is held against it. Nothing,
// and a counter that was credited below nothing, cost 0.
func (m *Model) cost(q decimal.Decimal) decimal.Decimal {
	switch {
	case q.Sign() <= 0:
		return decimal.Zero
	case m.PerUnit != nil:
		return q.Mul(*m.PerUnit)
	case m.Package != nil:
		return m.Package.started(q).Mul(m.Package.Price)
	case m.Volume != nil:
		t := tierOf(m.Volume, q)
		return q.Mul(t.UnitPrice).Add(orZero(t.Flat))
	default:
		return graduatedCost(m.Graduated, q)
	}
}

func graduatedCost(tiers []Tier, q decimal.Decimal) decimal.Decimal {
	sum, lower := decimal.Zero, decimal.Zero
	for _, t := range tiers {
		if q.LessThanOrEqual(lower) {
			break
		}
		upper := t.end(q)
		sum = sum.Add(upper.Sub(lower).Mul(t.UnitPrice)).Add(orZero(t.Flat))
		lower = upper
	}
	return sum
}

// end is where the part of q in the tier ends.
func (t *Tier) end(q decimal.Decimal) decimal.Decimal {
	if t.UpTo == nil {
		return q
	}
	return decimal.Min(*t.UpTo, q)
}

// tierOf is the tier that q falls in; an upper edge belongs to its tier. The
// last tier has no edge, Validate saw to it.
func tierOf(tiers []Tier, q decimal.Decimal) *Tier {
	for i := range tiers[:len(tiers)-1] {
		if q.LessThanOrEqual(*tiers[i].UpTo) {
			return &tiers[i]
		}
	}
	return &tiers[len(tiers)-1]
}

// started is how many packages q has started.
func (p *Package) started(q decimal.Decimal) decimal.Decimal { return multiples(q, p.Size) }

// multiples is how many whole sizes hold q.
func multiples(q, size decimal.Decimal) decimal.Decimal {
	if q.Sign() <= 0 {
		return decimal.Zero
	}
	n, rest := q.QuoRem(size, 0)
	if !rest.IsZero() {
		n = n.Add(one)
	}
	return n
}

var one = decimal.NewFromInt(1)

func orZero(d *decimal.Decimal) decimal.Decimal {
	if d == nil {
		return decimal.Zero
	}
	return *d
}

// lines are the parts of cost(to) − cost(from) that an accountant would write
// down. Where to is below from, as for a credit, each is taken back.
func (m *Model) lines(from, to decimal.Decimal) []Line {
	from, to = decimal.Max(from, decimal.Zero), decimal.Max(to, decimal.Zero)
	if m.Volume != nil {
		return volumeLines(volumeLines(nil, m.Volume, to, one), m.Volume, from, one.Neg())
	}
	if to.LessThan(from) {
		lines := m.lines(to, from)
		for i := range lines {
			lines[i] = lineOf(lines[i].Quantity.Neg(), lines[i].UnitPrice)
		}
		return lines
	}
	switch {
	case m.PerUnit != nil:
		return []Line{lineOf(to.Sub(from), *m.PerUnit)}
	case m.Package != nil:
		return []Line{lineOf(m.Package.started(to).Sub(m.Package.started(from)), m.Package.Price)}
	default:
		return graduatedLines(m.Graduated, from, to)
	}
}

// graduatedLines are the parts of (from, to] at their tiers, and the flats of
// the tiers that it enters.
func graduatedLines(tiers []Tier, from, to decimal.Decimal) []Line {
	var lines []Line
	lower := decimal.Zero
	for _, t := range tiers {
		if to.LessThanOrEqual(lower) {
			break
		}
		upper := t.end(to)
		if part := upper.Sub(decimal.Max(from, lower)); part.IsPositive() {
			lines = append(lines, lineOf(part, t.UnitPrice))
			if t.Flat != nil && from.LessThanOrEqual(lower) {
				lines = append(lines, lineOf(one, *t.Flat))
			}
		}
		lower = upper
	}
	return lines
}

// volumeLines appends the whole of q at its tier's price, as a plus or a minus.
func volumeLines(lines []Line, tiers []Tier, q, sign decimal.Decimal) []Line {
	if q.IsZero() {
		return lines
	}
	t := tierOf(tiers, q)
	lines = append(lines, lineOf(q.Mul(sign), t.UnitPrice))
	if t.Flat != nil {
		lines = append(lines, lineOf(sign, *t.Flat))
	}
	return lines
}
