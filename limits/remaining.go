package limits

import (
	"encoding/json"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// CounterFunc is what an account has counted of a scope in the day or month that
// is asked about.
type CounterFunc func(billing.Scope, billing.WindowKind) billing.Counter

// Remaining is the allowance that is left (SPEC R4.9), with the JSON of CONTRACT
// §3.
type Remaining struct {
	Ceilings []Left `json:"ceilings"`                   // of every entry and of the account, in the order of judgement
	Next     *Next  `json:"next_transaction,omitempty"` // nil unless a service was asked about
}

// Left is what is left of one ceiling.
type Left struct {
	Ceiling
	Used      billing.Fixed
	Remaining decimal.Decimal // max(0, effective − used)
}

// Next is what the next transaction of a service may still take, by the smallest
// ceiling that applies; nil where nothing limits. A service that is not included
// may take 0.
type Next struct {
	Usage  *decimal.Decimal `json:"usage"`
	Amount *decimal.Decimal `json:"amount"`
}

// Remaining is what is left of every ceiling, and where a service is asked about
// (p is not nil) what its next transaction may take.
func (l *Limits) Remaining(p *billing.Placement, counted CounterFunc) Remaining {
	left := Remaining{Ceilings: make([]Left, 0, len(l.ceilings))}
	for i := range l.ceilings {
		left.Ceilings = append(left.Ceilings, l.ceilings[i].left(counted))
	}
	if p != nil {
		next := l.For(*p).next(counted)
		left.Next = &next
	}
	return left
}

func (c *Ceiling) left(counted CounterFunc) Left {
	left := Left{Ceiling: *c}
	if c.Window != billing.Transaction {
		scope := billing.Scope{Kind: c.Scope, Target: c.Target}
		left.Used = counted(scope, c.Window).Value(c.Metric)
	}
	left.Remaining = decimal.Max(decimal.Zero, c.Effective.Sub(left.Used.Decimal()))
	return left
}

func (r *Rules) next(counted CounterFunc) Next {
	if r.notIncluded {
		var none decimal.Decimal
		return Next{Usage: &none, Amount: &none}
	}
	var next Next
	for i := range r.ceilings {
		smallest := &next.Usage
		if r.ceilings[i].Metric == billing.Amount {
			smallest = &next.Amount
		}
		left := r.ceilings[i].left(counted).Remaining
		if *smallest == nil || left.LessThan(**smallest) {
			*smallest = &left
		}
	}
	return next
}

// MarshalJSON writes a row of remaining's ceilings (CONTRACT §3).
func (l Left) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ceilingText
		Remaining decimal.Decimal `json:"remaining"`
	}{l.text(l.Used), l.Remaining})
}
