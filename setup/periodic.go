package setup

import (
	"errors"
	"fmt"

	"github.com/chargehand/chargehand/billing"
)

// PeriodicService is what an account is charged in advance, once per period
// (SPEC §7). Its JSON form is an entry of a set-up file's periodic_services.
type PeriodicService struct {
	Name     string         `json:"name"`
	Price    billing.Money  `json:"price"` // ≥ 0, per Every periods
	Period   billing.Period `json:"period"`
	Every    int            `json:"every"` // periods that are charged as one; 1 to 1000
	StartsOn billing.Date   `json:"starts_on"`
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
	if p.Period < billing.Daily || p.Period > billing.Yearly {
		refuse("period is missing: give one of daily, weekly, monthly, yearly")
	}
	if p.Every < 1 || p.Every > everyMax {
		refuse("every: %d: not from 1 to %d", p.Every, everyMax)
	}
	switch {
	case p.AnchorDay < 0 || p.AnchorDay > 31:
		refuse("anchor_day: %d: not a day of the month, 1 to 31", p.AnchorDay)
	case p.AnchorDay > 0 && p.Period != billing.Monthly && p.Period != billing.Yearly:
		refuse("anchor_day: %d: only monthly and yearly periods have one", p.AnchorDay)
	}
	if p.EndsOn != nil && *p.EndsOn < p.StartsOn {
		refuse("ends_on: %s is before starts_on %s", p.EndsOn, p.StartsOn)
	}
	return errors.Join(faults...)
}

// Rhythm is when p is charged.
func (p *PeriodicService) Rhythm() billing.Rhythm {
	return billing.Rhythm{Period: p.Period, Every: p.Every, StartsOn: p.StartsOn, AnchorDay: p.AnchorDay, EndsOn: p.EndsOn}
}
