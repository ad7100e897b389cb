package rating

import (
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// Warning is what a person should know of a price that may be loaded all the same.
type Warning struct {
	Price string // its id
	Text  string
}

// String is the warning as a sentence.
func (w Warning) String() string { return fmt.Sprintf("price %s: %s", clip(w.Price), w.Text) }

// MarshalText writes the sentence.
func (w Warning) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// Warnings is what apply says of valid prices: a price, or a band of one, whose
// single unit costs something that rounds to nothing (SPEC R2.3), in the order
// of prices, then gaps between prices of one scope (R3.7).
//
// A price that accumulates is left out of the first: over its window small
// charges add up, which is what one would be told to do about the warning. So is
// a unit that is free to begin with, and a void price.
func Warnings(prices []Price) []Warning {
	var warnings []Warning
	for i := range prices {
		warnings = append(warnings, prices[i].smallUnits()...)
	}
	for _, l := range timelines(prices) {
		warnings = append(warnings, l.gaps()...)
	}
	return warnings
}

func (p *Price) smallUnits() (warnings []Warning) {
	if p.Accumulate != ByRecord || p.Void() {
		return nil
	}
	for band := -1; band < len(p.Bands); band++ {
		e := p.ExplainIn(band, Use{Quantity: billing.FixedInt(1)})
		free := e.Exact.IsZero() || p.Maximum != nil && p.Maximum.IsZero()
		if free || e.Charge == nil || *e.Charge != 0 {
			continue
		}
		which := ""
		if band >= 0 {
			which = fmt.Sprintf(" in band %d", band)
			if name := p.Bands[band].Name; name != "" {
				which = fmt.Sprintf(" in band %q", name)
			}
		}
		warnings = append(warnings, Warning{Price: p.ID, Text: fmt.Sprintf(
			"one unit%s costs %s and is charged 0 after rounding to %d digits; give it more digits or let it accumulate",
			which, e.Exact, p.MinorDigits())})
	}
	return warnings
}

func (l timeline) gaps() (warnings []Warning) {
	for i := 1; i < len(l); i++ {
		p, next := l[i-1], l[i]
		if p.ValidTo != nil && p.ValidTo.Before(next.ValidFrom) {
			warnings = append(warnings, Warning{Price: next.ID, Text: fmt.Sprintf(
				"begins at %s, but price %s ended at %s: between them there is none of its scope",
				next.ValidFrom.Format(time.RFC3339Nano), clip(p.ID), p.ValidTo.Format(time.RFC3339Nano))})
		}
	}
	return warnings
}
