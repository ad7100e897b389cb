package setup

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chargehand/chargehand/billing"
)

// Period is the unit in which a periodic service is charged (SPEC R7.1).
type Period uint8

// The periods. The numbers are stored; the zero value is none.
const (
	Daily Period = iota + 1
	Weekly
	Monthly
	Yearly
)

var periodNames = []string{"", "daily", "weekly", "monthly", "yearly"}

// String is the period's word.
func (p Period) String() string { return periodNames[p] }

// MarshalText writes the period's word.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the period's word.
func (p *Period) UnmarshalText(text []byte) error {
	i := slices.Index(periodNames, string(text))
	if i < 1 {
		return fmt.Errorf("period %q: not one of %s", clip(string(text)), strings.Join(periodNames[1:], ", "))
	}
	*p = Period(i)
	return nil
}

// PeriodicService is what an account is charged in advance, once per period
// (SPEC §7). Its JSON form is an entry of a set-up file's periodic_services.
type PeriodicService struct {
	Name     string        `json:"name"`
	Price    billing.Money `json:"price"` // ≥ 0, per Every periods
	Period   Period        `json:"period"`
	Every    int           `json:"every"` // periods that are charged as one; 1 to 1000
	StartsOn billing.Date  `json:"starts_on"`
	// AnchorDay is the day of the month on which months and years begin, 1 to
	// 31; 0: the day of StartsOn.
	AnchorDay int           `json:"anchor_day,omitempty"`
	EndsOn    *billing.Date `json:"ends_on,omitempty"` // exclusive
	Prorate   bool          `json:"prorate"`           // a period that is cut short costs its part by days
}

// everyMax bounds how many periods are charged as one: far past any contract,
// and far below a date that overflows.
const everyMax = 1000

// Validate tells what makes p no periodic service (SPEC R7.1): all of it.
func (p PeriodicService) Validate() error {
	var faults []error
	refuse := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	if err := checkText(p.Name); err != nil {
		refuse("name: %w", err)
	}
	if p.Price < 0 || !p.Price.InRange() {
		refuse("price: number %q: below zero or beyond money's range", p.Price)
	}
	if p.Period < Daily || p.Period > Yearly {
		refuse("period is missing: give one of %s", strings.Join(periodNames[1:], ", "))
	}
	if p.Every < 1 || p.Every > everyMax {
		refuse("every: %d: not from 1 to %d", p.Every, everyMax)
	}
	switch {
	case p.AnchorDay < 0 || p.AnchorDay > 31:
		refuse("anchor_day: %d: not a day of the month, 1 to 31", p.AnchorDay)
	case p.AnchorDay > 0 && p.Period != Monthly && p.Period != Yearly:
		refuse("anchor_day: %d: only monthly and yearly periods have one", p.AnchorDay)
	}
	if p.EndsOn != nil && *p.EndsOn < p.StartsOn {
		refuse("ends_on: %s is before starts_on %s", p.EndsOn, p.StartsOn)
	}
	return errors.Join(faults...)
}
