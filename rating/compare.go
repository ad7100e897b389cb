package rating

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// Equal tells whether p and o mean the same: numbers and times as values, no
// days as all days, no fee as a fee of 0, digits as they come out. Its receiver
// is a value so that cmp.Diff finds it.
func (p Price) Equal(o Price) bool {
	return p.SameButEnd(&o) && equal(p.ValidTo, o.ValidTo, time.Time.Equal)
}

// SameButEnd tells whether o is p but for its end: all that may change of a
// price that has rated records (SPEC R3.7).
func (p *Price) SameButEnd(o *Price) bool {
	return p.ID == o.ID && p.compareScope(o) == 0 &&
		p.ValidFrom.Equal(o.ValidFrom) && p.Accumulate == o.Accumulate &&
		p.Model.equal(&o.Model) &&
		equal(p.Step, o.Step, decimal.Decimal.Equal) &&
		orZero(p.PerRecord).Equal(orZero(o.PerRecord)) &&
		orZero(p.Minimum).Equal(orZero(o.Minimum)) &&
		equal(p.Maximum, o.Maximum, decimal.Decimal.Equal) &&
		p.MinorDigits() == o.MinorDigits() &&
		slices.EqualFunc(p.Bands, o.Bands, equalBands)
}

func equalBands(b, c Band) bool {
	return b.Name == c.Name && b.Days.all() == c.Days.all() && b.From == c.From && b.To == c.To && b.Model.equal(&c.Model)
}

func (m *Model) equal(o *Model) bool {
	return equal(m.PerUnit, o.PerUnit, decimal.Decimal.Equal) &&
		slices.EqualFunc(m.Graduated, o.Graduated, equalTiers) &&
		slices.EqualFunc(m.Volume, o.Volume, equalTiers) &&
		equal(m.Package, o.Package, equalPackages)
}

func equalTiers(t, u Tier) bool {
	return equal(t.UpTo, u.UpTo, decimal.Decimal.Equal) && t.UnitPrice.Equal(u.UnitPrice) && orZero(t.Flat).Equal(orZero(u.Flat))
}

func equalPackages(p, q Package) bool { return p.Size.Equal(q.Size) && p.Price.Equal(q.Price) }

// equal compares what may be absent; absent is equal to absent only.
func equal[T any](a, b *T, same func(T, T) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return same(*a, *b)
}
