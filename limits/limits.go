package limits

import (
	"cmp"
	"slices"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// Ceiling is one maximum as it is judged (SPEC R4.2).
type Ceiling struct {
	Scope  billing.ScopeKind
	Target string // code of the service, type or family; empty for the account
	Window billing.WindowKind
	Metric billing.Metric
	// Ceiling is what was set; Effective is stretched by the percentage, exact
	// and never rounded.
	Ceiling, Effective decimal.Decimal
	// floor is the largest sum of twelve places that does not pass Effective: a
	// sum is above the one exactly if it is above the other.
	floor billing.Fixed
}

// breached tells whether value more than used passes the ceiling. Equality
// passes, and a value of 0 or less breaches nothing, not even what is over full.
func (c *Ceiling) breached(used, value billing.Fixed) bool {
	return value.Sign() > 0 && used.Add(value).Cmp(c.floor) > 0
}

// Limits are settings made ready to judge by. They never change, so any number
// of goroutines may share them.
type Limits struct {
	block    bool
	included map[billing.Scope]bool // what has an entry
	ceilings []Ceiling              // all of them, in the order of judgement
	others   *Rules                 // of every service that no entry matches
}

// Open makes settings ready. They are taken as valid: Apply and UnmarshalJSON
// let no others through, and whoever builds settings by hand calls Validate.
func Open(s Settings) *Limits {
	l := &Limits{block: s.BlockNotIncluded, included: make(map[billing.Scope]bool, len(s.Entries))}
	stretch := s.Percentage.Shift(-2).Add(decimal.NewFromInt(1))
	for _, e := range s.Entries {
		l.included[e.Target] = true
		l.ceilings = append(l.ceilings, compile(e.Target, e.Ceilings, stretch)...)
	}
	l.ceilings = append(l.ceilings, compile(accountWide, s.Account, stretch)...)
	// SPEC R4.5; among entries of one kind, of which a service has one, the order
	// in which they were set.
	slices.SortStableFunc(l.ceilings, func(a, b Ceiling) int {
		return cmp.Or(cmp.Compare(a.Window, b.Window), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Scope, b.Scope))
	})
	l.others = l.rules(billing.Placement{}, false)
	return l
}

func compile(target billing.Scope, c Ceilings, stretch decimal.Decimal) []Ceiling {
	var compiled []Ceiling
	for _, s := range slots {
		if d := c[s.window][s.metric]; d != nil {
			effective := d.Mul(stretch)
			compiled = append(compiled, Ceiling{
				Scope: target.Kind, Target: target.Target, Window: s.window, Metric: s.metric,
				Ceiling: *d, Effective: effective, floor: billing.FixedFloor(effective),
			})
		}
	}
	return compiled
}

// For is what binds a service that is placed so: the entries of the service, its
// type and its family, and the account-wide ceilings; none overrides another
// (SPEC R4.2). It allocates only for services that an entry matches; whoever
// judges many records of one service keeps the answer.
func (l *Limits) For(p billing.Placement) *Rules {
	if l.included[billing.Scope{Kind: billing.OfService, Target: p.Service}] ||
		l.included[billing.Scope{Kind: billing.OfType, Target: p.Type}] ||
		l.included[billing.Scope{Kind: billing.OfFamily, Target: p.Family}] {
		return l.rules(p, true)
	}
	return l.others
}

func (l *Limits) rules(p billing.Placement, included bool) *Rules {
	if l.block && !included {
		return &Rules{notIncluded: true}
	}
	var r Rules
	for _, c := range l.ceilings {
		if c.Target == p.Target(c.Scope) {
			r.ceilings = append(r.ceilings, c)
		}
	}
	return &r
}

// Rules are the ceilings that bind one service of an account, in the order in
// which they are judged and named: by window, within it usage before amount,
// within that service, type, family, account (SPEC R4.5). They never change.
type Rules struct {
	notIncluded bool // then no ceiling is looked at (SPEC R4.3)
	ceilings    []Ceiling
}

// Counters are what an account has counted so far in the windows of one record,
// by scope and window. The transaction's are always zero (SPEC R4.2).
type Counters [4][3]billing.Counter

// Judge is why a record of this quantity and charge is rejected: because its
// service is not included, or by the first ceiling that it breaches. 0 passes.
//
// It runs once a record and does not allocate; Explain tells the same at length.
func (r *Rules) Judge(c *Counters, quantity billing.Fixed, charge billing.Money) billing.Reason {
	if r.notIncluded {
		return billing.ServiceNotIncluded
	}
	value := [...]billing.Fixed{billing.Usage: quantity, billing.Amount: charge.Fixed()}
	for i := range r.ceilings {
		k := &r.ceilings[i]
		if k.breached(c[k.Scope][k.Window].Value(k.Metric), value[k.Metric]) {
			return billing.LimitReason(k.Window, k.Metric)
		}
	}
	return 0
}
