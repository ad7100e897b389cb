package verify

import (
	"context"
	"maps"
	"slices"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// periodicEntry is the posting of a periodic charge.
type periodicEntry struct {
	name    string
	amount  billing.Money
	claimed string // the period that it charges
}

// periods proves that no period was charged twice (SPEC R9.5). The key of
// periodic_charges lets a period stand once; so each posting must belong to one
// of these, and each of these that was charged to one posting of its amount.
func (v *verifier) periods(ctx context.Context, a *postgres.Audited, l *ledger) error {
	err := a.EachPeriod(ctx, func(p *postgres.AuditedPeriod) error {
		v.report.Checked.Periods++
		name := "period of " + p.Name + " from " + p.Starts.String()
		e := l.periodic[p.Seq]
		switch {
		case p.Skipped != "" && (e != nil || p.Amount != 0):
			v.broken(Broken{"R9.5", a.Number, name, "no charge: skipped, " + p.Skipped, p.Amount.String()})
		case p.Skipped != "" || e == nil && p.Amount == 0:
		case e == nil:
			v.broken(Broken{"R9.5", a.Number, name, "a posting of " + (-p.Amount).String(), "none"})
		case e.claimed != "":
			v.broken(Broken{"R9.5", a.Number, name, "a posting of its own", "that of the " + e.claimed})
		case e.name != p.Name || e.amount != -p.Amount:
			v.broken(Broken{"R9.5", a.Number, name, "a posting of " + (-p.Amount).String() + " for " + p.Name, e.amount.String() + " for " + e.name})
		}
		if e != nil {
			e.claimed = name
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, seq := range slices.Sorted(maps.Keys(l.periodic)) {
		if e := l.periodic[seq]; e.claimed == "" {
			v.broken(Broken{"R9.5", a.Number, "periodic posting of " + e.amount.String() + " for " + e.name, "a period that it charges", "none"})
		}
	}
	return nil
}
