package crm

import (
	"encoding/json"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/shopspring/decimal"
)

// Allowance is the limits of an account. Ceilings are texts, null where there is
// none.
type Allowance struct {
	Block      *int         `json:"block_services_not_included_in_usage_allowance_limits_settings"` // 1 or null
	Percentage *json.Number `json:"percentage_of_allowed_exceeded_usage_limit"`

	AmountPerTransaction *string `json:"accumulated_maximum_rated_amount_per_transaction"`
	AmountPerDay         *string `json:"accumulated_maximum_rated_amount_per_day"`
	AmountPerMonth       *string `json:"accumulated_maximum_rated_amount_per_month"`
	UsagePerTransaction  *string `json:"accumulated_maximum_usage_per_transaction"`
	UsagePerDay          *string `json:"accumulated_maximum_usage_per_day"`
	UsagePerMonth        *string `json:"accumulated_maximum_usage_per_month"`

	Currency *Currency        `json:"currency"`
	Entries  []AllowanceEntry `json:"usage_services_allowance"`
}

// AllowanceEntry is the limits of a service, service type or service family.
type AllowanceEntry struct {
	Targets

	AmountPerTransaction *string `json:"maximum_rated_amount_per_transaction"`
	AmountPerDay         *string `json:"maximum_rated_amount_per_day"`
	AmountPerMonth       *string `json:"maximum_rated_amount_per_month"`
	UsagePerTransaction  *string `json:"maximum_usage_per_transaction"`
	UsagePerDay          *string `json:"maximum_usage_per_day"`
	UsagePerMonth        *string `json:"maximum_usage_per_month"`
}

func allowanceOf(l limits.Settings, currency string, in *shelf) *Allowance {
	a := &Allowance{Currency: currencyOf(currency), Entries: make([]AllowanceEntry, 0, len(l.Entries))}
	if l.BlockNotIncluded {
		a.Block = new(1)
	}
	if !l.Percentage.IsZero() {
		a.Percentage = new(json.Number(l.Percentage.String()))
	}
	c := &l.Account
	a.AmountPerTransaction, a.UsagePerTransaction = written(c, billing.Transaction)
	a.AmountPerDay, a.UsagePerDay = written(c, billing.Day)
	a.AmountPerMonth, a.UsagePerMonth = written(c, billing.Month)
	for _, of := range l.Entries {
		e := AllowanceEntry{Targets: in.targets(of.Target)}
		e.AmountPerTransaction, e.UsagePerTransaction = written(&of.Ceilings, billing.Transaction)
		e.AmountPerDay, e.UsagePerDay = written(&of.Ceilings, billing.Day)
		e.AmountPerMonth, e.UsagePerMonth = written(&of.Ceilings, billing.Month)
		a.Entries = append(a.Entries, e)
	}
	return a
}

// written is the two ceilings of a window as they are printed.
func written(c *limits.Ceilings, w billing.WindowKind) (amount, usage *string) {
	return plain(c[w][billing.Amount]), plain(c[w][billing.Usage])
}

// plain is a number as a text without zeros at its end, or null.
func plain(d *decimal.Decimal) *string {
	if d == nil {
		return nil
	}
	return new(d.String())
}
