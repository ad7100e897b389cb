package billing_test

import (
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
)

func TestARecordCountsInTheScopesOfItsPlacement(t *testing.T) {
	fuel := billing.Placement{Service: "unleaded", Type: "PETROL", Family: "FUEL"}
	lone := billing.Placement{Service: "lone", Type: "LONE"}
	for _, c := range []struct {
		name string
		p    billing.Placement
		want []billing.Scope
	}{
		{"with a family", fuel, []billing.Scope{
			{Kind: billing.OfService, Target: "unleaded"}, {Kind: billing.OfType, Target: "PETROL"},
			{Kind: billing.OfFamily, Target: "FUEL"}, {Kind: billing.OfAccount},
		}},
		{"without one", lone, []billing.Scope{
			{Kind: billing.OfService, Target: "lone"}, {Kind: billing.OfType, Target: "LONE"}, {Kind: billing.OfAccount},
		}},
	} {
		if diff := cmp.Diff(c.p.Scopes(), c.want); diff != "" {
			t.Errorf("%s: got -, want +:\n%s", c.name, diff)
		}
		place := billing.Place{Placement: c.p}
		var counted []billing.Scope
		for kind := billing.OfService; kind <= billing.OfAccount; kind++ {
			if place.Counts(kind) {
				counted = append(counted, billing.Scope{Kind: kind, Target: c.p.Target(kind)})
			}
		}
		if diff := cmp.Diff(counted, c.want); diff != "" {
			t.Errorf("%s, scope by scope: got -, want +:\n%s", c.name, diff)
		}
	}
}

func TestACounterSumsQuantitiesAndCharges(t *testing.T) {
	var c billing.Counter
	if !c.IsZero() {
		t.Errorf("got %+v at first, want zero", c)
	}
	c = c.Add(fixed(t, "2.5"), fixed(t, "0.1")).Add(fixed(t, "0.000000000001"), fixed(t, "-0.3"))
	if got, want := c.Value(billing.Usage), fixed(t, "2.500000000001"); got != want {
		t.Errorf("usage: got %s, want %s", got, want)
	}
	if got, want := c.Value(billing.Amount), fixed(t, "-0.2"); got != want {
		t.Errorf("amount: got %s, want %s", got, want)
	}
	back := c.Add(c.Quantity.Neg(), fixed(t, "0"))
	if back.IsZero() {
		t.Errorf("got zero with an amount of %s", back.Amount)
	}
	if back = back.Add(fixed(t, "0"), back.Amount.Neg()); !back.IsZero() {
		t.Errorf("got %+v when all was given back, want zero", back)
	}
}
