package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// counters are what an account should have counted (SPEC R9.2): the sums over
// its rated records by scope, target and window.
type counters struct {
	calendar *calendar // nil: the account's zone is none, nothing can be counted
	sums     map[billing.CounterKey]*billing.Counter
}

func (c *counters) begin(cal *calendar) {
	c.calendar = cal
	if c.sums == nil {
		c.sums = map[billing.CounterKey]*billing.Counter{}
	}
	clear(c.sums)
}

// count adds a rated record. A credit takes off where its original counted, for
// as long as that stands: when an original is cancelled, what was credited of it
// and its credits stay counted, which together is nothing (SPEC R8.1).
func (c *counters) count(s *postgres.Snapshot, r *postgres.StoredRecord, place *billing.Place) {
	if c.calendar == nil || place == nil {
		return // named elsewhere
	}
	at, quantity := r.OccurredAt, r.Quantity
	if r.Directive == billing.Credit {
		if r.Original == nil || r.Original.Outcome != billing.Rated {
			return
		}
		at, quantity = r.Original.OccurredAt, quantity.Neg()
	}
	day, month := c.calendar.windows(at)
	for _, scope := range place.Scopes() {
		target, _ := s.Target(scope)
		c.add(billing.CounterKey{Kind: scope.Kind, Window: billing.Day, Target: target, Start: day}, quantity, r.Judged.Charge)
		c.add(billing.CounterKey{Kind: scope.Kind, Window: billing.Month, Target: target, Start: month}, quantity, r.Judged.Charge)
	}
}

func (c *counters) add(k billing.CounterKey, quantity billing.Fixed, charge billing.Money) {
	sum := c.sums[k]
	if sum == nil {
		sum = &billing.Counter{}
		c.sums[k] = sum
	}
	sum.Quantity = sum.Quantity.Add(quantity)
	sum.Amount = sum.Amount.Add(charge.Fixed())
}

// take is what a counter should be; it is then no longer missing.
func (c *counters) take(k billing.CounterKey) billing.Counter {
	sum := c.sums[k]
	if sum == nil {
		return billing.Counter{}
	}
	delete(c.sums, k)
	return *sum
}

// counters holds every counter that an account has against what it should be,
// and names those that it should have and has not.
func (v *verifier) counters(ctx context.Context, a *postgres.Audited) error {
	open, err := billing.ReadCounters(a.Counters)
	if err != nil {
		v.broken(Broken{"R9.2", a.Number, "open counters", "readable", err.Error()})
		open = billing.NewCounters()
	}
	if v.expected.calendar == nil {
		return a.EachCounter(ctx, func(*postgres.AuditedCounter) error { return nil })
	}
	for k, counted := range open.All() {
		v.counter(a, "open", k, v.expected.take(k), counted)
	}
	err = a.EachCounter(ctx, func(c *postgres.AuditedCounter) error {
		k := c.CounterKey
		if open.IsOpen(k.Window, k.Start) {
			v.broken(Broken{"R9.2", a.Number, "closed " + counterName(a, k), "none: its window is open", counterText(c.Counter)})
			return nil
		}
		v.counter(a, "closed", k, v.expected.take(k), c.Counter)
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range sortedKeys(v.expected.sums) {
		kind := "closed"
		if open.IsOpen(k.Window, k.Start) {
			kind = "open"
		}
		v.counter(a, kind, k, *v.expected.sums[k], billing.Counter{})
	}
	return nil
}

// counter compares; one that is absent is zero.
func (v *verifier) counter(a *postgres.Audited, kind string, k billing.CounterKey, expected, found billing.Counter) {
	v.report.Checked.Counters++
	if expected != found {
		v.broken(Broken{"R9.2", a.Number, kind + " " + counterName(a, k), counterText(expected), counterText(found)})
	}
}

func counterName(a *postgres.Audited, k billing.CounterKey) string {
	of := k.Kind.String()
	if k.Kind != billing.OfAccount {
		of += " " + a.Snapshot().Code(k.Target)
	}
	return fmt.Sprintf("counter of %s, %s of %s", of, k.Window, k.Start)
}

func counterText(c billing.Counter) string {
	return fmt.Sprintf("quantity %s, amount %s", c.Quantity, c.Amount)
}

func sortedKeys[V any](m map[billing.CounterKey]V) []billing.CounterKey {
	keys := make([]billing.CounterKey, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b billing.CounterKey) int {
		return cmp.Or(cmp.Compare(a.Window, b.Window), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Target, b.Target))
	})
	return keys
}
