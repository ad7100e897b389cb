package worker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/verify"
	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

// compare holds everything that was written against the oracle.
func (p *play) compare() {
	for _, c := range []struct {
		what, query string
		want        []string
	}{
		{"records", `select concat_ws(' ', r.account, r.id, case when r.reason = 0 then (r.charge + 0.000000)::text else 'reason ' || r.reason end, p.id)
			from records r left join prices p on p.ref = r.price and r.outcome = 1`, p.oracle.recordLines()},
		{"accounts", `select concat_ws(' ', account, (balance - current_debt)::text, status, to_char(negative_since at time zone 'UTC', 'MM-DD HH24:MI:SS'),
			to_char(inactive_since at time zone 'UTC', 'MM-DD HH24:MI:SS')) from account_states`, p.oracle.accountLines()},
		{"counters", `select concat_ws(' ', account, scope, "window", starts, target, round(quantity, 12), round(amount, 6)) from counters
			where quantity <> 0 or amount <> 0`, p.oracle.counterLines()},
		{"history", `select concat_ws(' ', account, row_number() over (partition by account order by seq), from_status, to_status)
			from status_history`, p.oracle.historyLines()},
	} {
		got := strings.Split(p.house.query(c.query), "\n")
		slices.Sort(got)
		slices.Sort(c.want)
		if diff := cmp.Diff(c.want, got); diff != "" && strings.Join(c.want, "") != strings.Join(got, "") {
			p.t.Fatalf("%s (-oracle +flow):\n%s", c.what, diff)
		}
	}
	p.compareOutcomes()
	report, err := verify.Run(context.WithoutCancel(p.house.t.Context()), p.house.store, verify.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	if !report.Sound() {
		p.t.Fatalf("verify: %+v", report.Broken)
	}
}

func (p *play) compareOutcomes() {
	out, waiting, err := p.house.store.OutcomesOf(p.house.t.Context(), p.ids)
	if err != nil || waiting != 0 {
		p.t.Fatalf("%d batches wait: %v", waiting, err)
	}
	got := map[string]int{"accepted": out.Accepted, "rated": out.Rated, "rejected": out.Rejected, "duplicate": out.Duplicate,
		"conflict": out.Conflict, "unreadable": out.Unreadable}
	maps.Copy(got, out.Reasons)
	maps.DeleteFunc(got, func(_ string, n int) bool { return n == 0 })
	maps.DeleteFunc(p.oracle.counts, func(_ string, n int) bool { return n == 0 })
	if diff := cmp.Diff(p.oracle.counts, got); diff != "" {
		p.t.Fatalf("outcomes (-oracle +flow):\n%s", diff)
	}
}

func (o *oracle) recordLines() (all []string) {
	for _, p := range o.payers {
		for _, l := range p.lines {
			text := fmt.Sprintf("%s %s reason %d", p.number, l.id, 1+slices.Index(billing.Reasons(), l.reason))
			if l.rated() {
				text = fmt.Sprintf("%s %s %s", p.number, l.id, l.charge.StringFixed(6))
			}
			if l.rated() && l.tariff != nil {
				text += " " + l.tariff.id
			}
			all = append(all, text)
		}
	}
	return all
}

var statusNumbers = map[string]string{"active": "0", "administrative_hold": "1", "credit_hold": "2"}

func (o *oracle) accountLines() (all []string) {
	for _, p := range o.payers {
		if p.status == "absent" {
			continue
		}
		text := fmt.Sprintf("%s %s %s", p.number, p.balance.StringFixed(6), statusNumbers[p.status])
		for _, t := range []time.Time{p.negativeSince, p.heldSince} {
			if !t.IsZero() {
				text += t.UTC().Format(" 01-02 15:04:05")
			}
		}
		all = append(all, text)
	}
	return all
}

// counterLines adds every counter up that there must be.
func (o *oracle) counterLines() (all []string) {
	for _, p := range o.payers {
		type sums struct{ units, money decimal.Decimal }
		found := map[string]sums{}
		for _, l := range p.lines {
			if !l.rated() {
				continue
			}
			place := o.services[l.service]
			for scope, target := range []string{l.service, place.kind, place.family, ""} {
				if scope == 2 && target == "" {
					continue
				}
				for kind, window := range []string{1: "day", 2: "month"} {
					if window == "" {
						continue
					}
					key := strings.TrimSuffix(fmt.Sprintf("%s %d %d %s %s", p.number, scope, kind, p.window(window, l.countsAt), target), " ")
					s := found[key]
					found[key] = sums{s.units.Add(l.units()), s.money.Add(l.charge)}
				}
			}
		}
		for key, s := range found {
			if !s.units.IsZero() || !s.money.IsZero() {
				all = append(all, fmt.Sprintf("%s %s %s", key, s.units.StringFixed(12), s.money.StringFixed(6)))
			}
		}
	}
	return all
}

func (o *oracle) historyLines() (all []string) {
	for _, p := range o.payers {
		for i, change := range p.history {
			from, to, _ := strings.Cut(change, " ")
			all = append(all, fmt.Sprintf("%s %d %s %s", p.number, i+1, statusNumbers[from], statusNumbers[to]))
		}
	}
	return all
}
