package crm

import (
	"cmp"
	"slices"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/shopspring/decimal"
)

// Remaining is what is left of an account's allowance (SPEC R4.9). Figures are
// texts, null where nothing limits. What is left of a day or a month is that of
// the ceiling stretched by the percentage, and never below 0.
type Remaining struct {
	RemainingCeilings

	// What the next transaction may take by the account-wide ceilings: the
	// smallest of the three above.
	NextAmount *string `json:"next_transaction_remaining_amount"`
	NextUsage  *string `json:"next_transaction_remaining_usage"`

	// What may still be charged until usage is blocked for debt: down to the
	// financial blocking threshold, or up to a postpaid account's credit limit;
	// null where there is none. 0 on hold.
	UntilBlocking *string `json:"remaining_amount_until_usage_blocking"`
	// Always 0: usage is debited when it is rated.
	Unbilled string `json:"unbilled_usage_amount"`

	Account    *Receivable      `json:"accounts_receivable"`
	PerService []RemainingEntry `json:"remaining_usage_allowance_per_service"`
}

// RemainingCeilings is what is left of the six ceilings of one target.
type RemainingCeilings struct {
	AmountPerTransaction *string `json:"remaining_rated_amount_per_transaction"`
	AmountPerDay         *string `json:"remaining_rated_amount_per_day"`
	AmountPerMonth       *string `json:"remaining_rated_amount_per_month"`
	UsagePerTransaction  *string `json:"remaining_usage_per_transaction"`
	UsagePerDay          *string `json:"remaining_usage_per_day"`
	UsagePerMonth        *string `json:"remaining_usage_per_month"`
}

// RemainingEntry is what is left of the ceilings of a service, service type or
// service family.
type RemainingEntry struct {
	Targets
	RemainingCeilings
}

// remainingOf writes what is left of an account's ceilings.
func remainingOf(left limits.Remaining, in *shelf) *Remaining {
	r := &Remaining{Unbilled: "0", PerService: []RemainingEntry{}}
	byTarget := map[billing.Scope]*limits.Ceilings{}
	for _, l := range left.Ceilings {
		scope := billing.Scope{Kind: l.Ceiling.Scope, Target: l.Target}
		if byTarget[scope] == nil {
			byTarget[scope] = &limits.Ceilings{}
		}
		byTarget[scope][l.Window][l.Metric] = new(l.Remaining)
	}
	if c := byTarget[billing.Scope{Kind: billing.OfAccount}]; c != nil {
		r.RemainingCeilings = ceilingsLeft(c)
		r.NextAmount, r.NextUsage = plain(smallest(c, billing.Amount)), plain(smallest(c, billing.Usage))
		delete(byTarget, billing.Scope{Kind: billing.OfAccount})
	}
	for _, scope := range inOrder(byTarget) {
		r.PerService = append(r.PerService, RemainingEntry{in.targets(scope), ceilingsLeft(byTarget[scope])})
	}
	return r
}

// inOrder is services, types and families, each by their codes.
func inOrder(of map[billing.Scope]*limits.Ceilings) []billing.Scope {
	all := make([]billing.Scope, 0, len(of))
	for scope := range of {
		all = append(all, scope)
	}
	slices.SortFunc(all, func(a, b billing.Scope) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Target, b.Target))
	})
	return all
}

func ceilingsLeft(c *limits.Ceilings) (r RemainingCeilings) {
	r.AmountPerTransaction, r.UsagePerTransaction = written(c, billing.Transaction)
	r.AmountPerDay, r.UsagePerDay = written(c, billing.Day)
	r.AmountPerMonth, r.UsagePerMonth = written(c, billing.Month)
	return r
}

// smallest is the least of the three windows, nil where none of them limits.
func smallest(c *limits.Ceilings, of billing.Metric) *decimal.Decimal {
	var least *decimal.Decimal
	for _, w := range c {
		if d := w[of]; d != nil && (least == nil || d.LessThan(*least)) {
			least = d
		}
	}
	return least
}
