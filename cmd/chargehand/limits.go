package main

import (
	"strings"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/shopspring/decimal"
)

// limitsCommand is what can be done with allowance limits; each is a file.
type limitsCommand struct {
	Show      limitsShowCommand      `cmd:"" help:"Show the allowance limits that bind an account."`
	Remaining limitsRemainingCommand `cmd:"" help:"Show what an account may still use."`
	Set       limitsSetCommand       `cmd:"" help:"Change an account's allowance limits."`
}

// tellLimits prints limits for people, in the order in which they are judged.
func tellLimits(p *page, l limits.Settings) {
	none := func(billing.Scope, billing.WindowKind) billing.Counter { return billing.Counter{} }
	t := p.table("scope", "target", "window", "metric", ">ceiling", ">effective")
	for _, c := range limits.Open(l).Remaining(nil, none).Ceilings {
		t.row(c.Scope, c.Target, c.Window, c.Metric, c.Ceiling.Ceiling, c.Effective)
	}
	if len(t.rows) == 0 {
		p.line("No ceiling: nothing is limited.")
	}
	t.end()
	if !l.Percentage.IsZero() {
		p.line("Ceilings may be exceeded by %s %%.", l.Percentage)
	}
	if l.BlockNotIncluded {
		p.line("Services that neither they, their type nor their family has an entry here are blocked.")
	}
}

func tellRemaining(p *page, service string, r limits.Remaining) {
	t := p.table("scope", "target", "window", "metric", ">effective", ">used", ">remaining")
	for _, c := range r.Ceilings {
		t.row(c.Scope, c.Target, c.Window, c.Metric, c.Effective, c.Used, c.Remaining)
	}
	if len(t.rows) == 0 {
		p.line("No ceiling: nothing is limited.")
	}
	t.end()
	if r.Next != nil {
		p.line("The next transaction of %s may take %s.", service, nextText(r.Next))
	}
}

func nextText(n *limits.Next) string {
	var parts []string
	for _, side := range []struct {
		most *decimal.Decimal
		of   string
	}{{n.Usage, "a quantity"}, {n.Amount, "a charge"}} {
		if side.most != nil {
			parts = append(parts, side.of+" of "+side.most.String())
		}
	}
	if len(parts) == 0 {
		return "anything"
	}
	return strings.Join(parts, " and ") + " at most"
}
