package rating

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// Faults of a price that are no faults of a number (for those see billing).
var (
	ErrMissing     = errors.New("missing")
	ErrNotAllowed  = errors.New("not allowed")
	ErrWrongOrder  = errors.New("out of order")
	ErrUnknown     = errors.New("unknown")
	ErrNamedTwice  = errors.New("named twice")
	ErrOverlapping = errors.New("overlapping")
)

// Fault is one thing that is wrong with a price.
type Fault struct {
	Price string // its id
	Field string // JSON pointer into the price: /bands/0/per_unit
	Value string // what the field has; empty where it has nothing
	Other string // the id of the price that it does not go with, of two that overlap
	Err   error
}

// Error names price, field and value.
func (f *Fault) Error() string {
	if f.Value == "" {
		return fmt.Sprintf("price %s: %s: %v", clip(f.Price), f.Field[1:], f.Err)
	}
	return fmt.Sprintf("price %s: %s %s: %v", clip(f.Price), f.Field[1:], f.Value, f.Err)
}

// Unwrap is what is wrong.
func (f *Fault) Unwrap() error { return f.Err }

// Validate tells what must keep p from being loaded (SPEC R2.2, §3): every fault
// as a *Fault, joined, or nil.
func (p *Price) Validate() error {
	c := check{price: p.ID}
	c.names(p)
	c.validity(p)
	c.own(p)
	c.model("", &p.Model)
	for i := range p.Bands {
		c.band(p, i)
	}
	return errors.Join(c.faults...)
}

// check gathers the faults of one price.
type check struct {
	price  string
	faults []error
}

func (c *check) fault(field, value string, err error) {
	c.faults = append(c.faults, &Fault{Price: c.price, Field: field, Value: value, Err: err})
}

func (c *check) names(p *Price) {
	if p.ID == "" {
		c.fault("/id", "", ErrMissing)
	}
	if p.Service == "" {
		c.fault("/service", "", ErrMissing)
	}
	if _, known := billing.MinorUnits(p.Currency); !known {
		c.fault("/currency", clip(p.Currency), ErrUnknown)
	}
	if p.Class != "" && p.Account != "" {
		c.fault("/account", clip(p.Account), fmt.Errorf("%w beside class %s", ErrNotAllowed, clip(p.Class)))
	}
}

func (c *check) validity(p *Price) {
	if p.ValidFrom.IsZero() {
		c.fault("/valid_from", "", ErrMissing)
	}
	if p.ValidTo != nil && p.ValidTo.Before(p.ValidFrom) {
		c.fault("/valid_to", p.ValidTo.Format(time.RFC3339Nano),
			fmt.Errorf("%w: before valid_from %s", ErrWrongOrder, p.ValidFrom.Format(time.RFC3339Nano)))
	}
}

// own checks what a price has beside its models.
func (c *check) own(p *Price) {
	if p.Accumulate > ByMonth {
		c.fault("/accumulate", strconv.Itoa(int(p.Accumulate)), ErrUnknown)
	}
	c.byRecord(p, "/step", p.Step)
	c.byRecord(p, "/minimum", p.Minimum)
	c.byRecord(p, "/maximum", p.Maximum)
	if p.Step != nil {
		c.positive("/step", *p.Step)
	}
	c.optional("/per_record", p.PerRecord)
	minimum, maximum := c.optional("/minimum", p.Minimum), c.optional("/maximum", p.Maximum)
	if minimum && maximum && p.Minimum.GreaterThan(*p.Maximum) {
		c.fault("/minimum", text(*p.Minimum), fmt.Errorf("%w: above maximum %s", ErrWrongOrder, text(*p.Maximum)))
	}
	if p.Digits != nil && (*p.Digits < 0 || *p.Digits > digitsMax) {
		c.fault("/digits", strconv.Itoa(*p.Digits), fmt.Errorf("%w: 0 to %d", ErrNotAllowed, digitsMax))
	}
}

// digitsMax is the most decimal digits a charge may have (SPEC R2.3).
const digitsMax = 6

// byRecord refuses what only a price by the record may have: over a window, the
// charges would no longer add up to the price of the whole (SPEC R3.3).
func (c *check) byRecord(p *Price, field string, d *decimal.Decimal) {
	if d != nil && p.Accumulate != ByRecord {
		c.fault(field, text(*d), fmt.Errorf("%w with accumulate %s", ErrNotAllowed, p.Accumulate))
	}
}

// model checks a model that stands at a place in the price, "" for its own.
func (c *check) model(at string, m *Model) {
	set := 0
	for _, is := range []bool{m.PerUnit != nil, m.Graduated != nil, m.Volume != nil, m.Package != nil} {
		if is {
			set++
		}
	}
	if set != 1 {
		c.fault(at+"/per_unit", "", fmt.Errorf("%w: one of per_unit, graduated, volume, package, not %d", ErrNotAllowed, set))
	}
	c.optional(at+"/per_unit", m.PerUnit)
	if m.Graduated != nil {
		c.tiers(at+"/graduated", m.Graduated)
	}
	if m.Volume != nil {
		c.tiers(at+"/volume", m.Volume)
	}
	if m.Package != nil {
		c.positive(at+"/package/size", m.Package.Size)
		c.number(at+"/package/price", m.Package.Price, billing.PriceDigits)
	}
}

// tiers rise from above 0, and the last one has no end.
func (c *check) tiers(at string, tiers []Tier) {
	if len(tiers) == 0 {
		c.fault(at, "", ErrMissing)
	}
	lower := decimal.Zero
	for i, t := range tiers {
		field := at + "/" + strconv.Itoa(i)
		c.number(field+"/unit_price", t.UnitPrice, billing.PriceDigits)
		c.optional(field+"/flat", t.Flat)
		last := i == len(tiers)-1
		switch {
		case t.UpTo == nil && !last:
			c.fault(field+"/up_to", "", ErrMissing)
		case t.UpTo != nil && last:
			c.fault(field+"/up_to", text(*t.UpTo), fmt.Errorf("%w in the last tier", ErrNotAllowed))
		case t.UpTo != nil && c.positive(field+"/up_to", *t.UpTo):
			if t.UpTo.LessThanOrEqual(lower) {
				c.fault(field+"/up_to", text(*t.UpTo), fmt.Errorf("%w: not above %s", ErrWrongOrder, text(lower)))
			}
			lower = *t.UpTo
		}
	}
}

func (c *check) band(p *Price, i int) {
	b, at := &p.Bands[i], "/bands/"+strconv.Itoa(i)
	for _, other := range p.Bands[:i] {
		if b.Name != "" && b.Name == other.Name {
			c.fault(at+"/name", clip(b.Name), ErrNamedTwice)
		}
	}
	if b.Days&^everyDay != 0 {
		c.fault(at+"/days", strconv.Itoa(int(b.Days)), ErrUnknown)
	}
	if b.From >= endOfDay {
		c.fault(at+"/from", b.From.String(), fmt.Errorf("%w: before 24:00", ErrNotAllowed))
	}
	if b.To > endOfDay {
		c.fault(at+"/to", b.To.String(), fmt.Errorf("%w: at most 24:00", ErrNotAllowed))
	}
	if b.From == b.To {
		c.fault(at+"/to", b.To.String(), fmt.Errorf("%w: the same as from", ErrNotAllowed))
	}
	c.model(at, &b.Model)
}

// optional checks a price that may be absent, and tells whether there is a good one.
func (c *check) optional(field string, d *decimal.Decimal) bool {
	return d != nil && c.number(field, *d, billing.PriceDigits)
}

// positive checks a quantity above 0.
func (c *check) positive(field string, d decimal.Decimal) bool {
	if d.IsZero() {
		c.fault(field, "0", billing.ErrNotPositive)
		return false
	}
	return c.number(field, d, billing.QuantityDigits)
}

// number checks sign and length, and comes before any arithmetic: 1e999999999 is
// refused here and would be written out there.
func (c *check) number(field string, d decimal.Decimal, limit billing.Digits) bool {
	if d.IsNegative() {
		c.fault(field, text(d), billing.ErrNegative)
		return false
	}
	if _, err := billing.ParseDecimal(scientific(d), limit); err != nil {
		c.fault(field, text(d), fmt.Errorf("%w: at most %d before and %d behind the point",
			billing.ErrTooManyDigits, limit.Integer, limit.Fraction))
		return false
	}
	return true
}

func scientific(d decimal.Decimal) string {
	return d.Coefficient().String() + "e" + strconv.Itoa(int(d.Exponent()))
}

// text is d for an error, of bounded length.
func text(d decimal.Decimal) string {
	if e := d.Exponent(); -40 <= e && e <= 40 && d.NumDigits() <= 40 {
		return d.String()
	}
	return clip(scientific(d))
}
