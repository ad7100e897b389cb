package limits

import (
	"encoding/json"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// Row is how one ceiling looked at one record (SPEC R4.5).
type Row struct {
	Ceiling
	Used      billing.Fixed // counted before the record
	Requested billing.Fixed // the record's quantity or charge
	Breached  bool
}

// Used appends what the counters have of each ceiling, in the order of the
// rules. It is all that has to be kept of a judgement for Explain to rebuild it.
func (r *Rules) Used(c *Counters, dst []billing.Fixed) []billing.Fixed {
	for i := range r.ceilings {
		k := &r.ceilings[i]
		dst = append(dst, c[k.Scope][k.Window].Value(k.Metric))
	}
	return dst
}

// Explain names every ceiling, in the order of the rules; the first breached one
// is the reason that Judge gives. used is what Used answered, of these rules: of
// values that are not one for each ceiling nothing can be told, and nothing is.
func (r *Rules) Explain(used []billing.Fixed, quantity billing.Fixed, charge billing.Money) []Row {
	if len(used) != len(r.ceilings) {
		return nil
	}
	value := [...]billing.Fixed{billing.Usage: quantity, billing.Amount: charge.Fixed()}
	rows := make([]Row, 0, len(used))
	for i, k := range r.ceilings {
		v := value[k.Metric]
		rows = append(rows, Row{Ceiling: k, Used: used[i], Requested: v, Breached: k.breached(used[i], v)})
	}
	return rows
}

// ceilingText is a ceiling as CONTRACT §3 prints it: the account has no target.
type ceilingText struct {
	Scope     billing.ScopeKind  `json:"scope"`
	Target    *string            `json:"target"`
	Window    billing.WindowKind `json:"window"`
	Metric    billing.Metric     `json:"metric"`
	Ceiling   decimal.Decimal    `json:"ceiling"`
	Effective decimal.Decimal    `json:"effective"`
	Used      billing.Fixed      `json:"used"`
}

func (c *Ceiling) text(used billing.Fixed) ceilingText {
	t := ceilingText{c.Scope, nil, c.Window, c.Metric, c.Ceiling, c.Effective, used}
	if c.Scope != billing.OfAccount {
		t.Target = &c.Target
	}
	return t
}

// MarshalJSON writes a row of explanation.ceilings (CONTRACT §3).
func (r Row) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		ceilingText
		Requested billing.Fixed `json:"requested"`
		Breached  bool          `json:"breached"`
	}{r.text(r.Used), r.Requested, r.Breached})
}
