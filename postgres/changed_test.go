package postgres

import (
	"context"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/uuid"
)

// What moves updated_at of an account: its terms, links, limits, profile and
// status, by whomever. What moves its balance does not.
func TestWhatChangesAnAccount(t *testing.T) {
	const file = `
types: [{code: T}]
services: [{code: S, type: T}]
prices: [{id: p, service: S, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: 1}]
account_classes:
  - {key: k, payment_model: prepay, financial_blocking_threshold: 10, subzero_period: -1, buy_with_negative_balance: true, default: true}
  - {key: l, payment_model: prepay, financial_blocking_threshold: 20, subzero_period: -1}
customers: [{ref: c, accounts: [{number: A, currency: EUR, opening_balance: -5}]}]
`
	s := newStore(t, file)
	now := at("2026-01-01T00:00:00Z")
	text := func(v string) *string { return &v }
	set := func(c AccountChange) func() error {
		return func() error {
			c.Account, c.At = "A", now
			_, err := s.SetAccount(t.Context(), c)
			return err
		}
	}
	link := func(r LinkRequest) func() error {
		return func() error {
			r.Account, r.At = "A", now
			_, err := s.Link(t.Context(), r)
			return err
		}
	}
	status := func(a StatusAction) func() error {
		return func() error {
			_, err := s.SetStatus(t.Context(), StatusRequest{Account: "A", Action: a, Note: "n", At: now})
			return err
		}
	}
	post := func(kind billing.PostingKind, amount string) func() error {
		return func() error {
			_, err := s.Post(t.Context(), Posting{Kind: kind, Account: "A", Amount: money(t, amount), Key: uuid.NewString(), Note: "n", At: now})
			return err
		}
	}
	sweep := func() error {
		return s.Write(t.Context(), now, "", func(t *Tx) error {
			_, err := t.CreditTest(context.Background(), []string{"A"})
			return err
		})
	}
	apply := func(account string) func() error {
		return func() error {
			_, err := apply(t, s, now.Format(time.RFC3339), `customers: [{ref: c, accounts: [{number: A, currency: EUR, `+account+`}]}]`)
			return err
		}
	}
	line := &setup.PeriodicService{Name: "Line", Price: 1, Period: billing.Monthly, Every: 1, StartsOn: billing.DateOf(2027, 1, 1)}
	day := 5
	for _, c := range []struct {
		name  string
		do    func() error
		moves bool
	}{
		{"a threshold", set(AccountChange{Threshold: text("8")}), true},
		{"the same threshold", set(AccountChange{Threshold: text("8.0")}), false},
		{"a cycle day", set(AccountChange{CycleDay: &day}), true},
		{"a service", link(LinkRequest{Service: "S"}), true},
		{"the same service", link(LinkRequest{Service: "S"}), false},
		{"an application", link(LinkRequest{Application: "App"}), true},
		{"a periodic service", link(LinkRequest{Periodic: line}), true},
		{"the same periodic service", link(LinkRequest{Periodic: line}), false},
		{"a periodic service that ends", link(LinkRequest{PeriodicName: "Line"}), true},
		{"one that has ended", link(LinkRequest{PeriodicName: "Line"}), false},
		{"limits", func() error {
			_, err := s.SetLimits(t.Context(), LimitsRequest{Account: "A", At: now, Patch: func(*Snapshot, limits.Settings) (limits.Patch, error) {
				block := false
				percentage := money(t, "5").Decimal()
				return limits.Patch{BlockNotIncluded: &block, Percentage: &percentage}, nil
			}})
			return err
		}, true},
		{"a contact", apply(`class: k, financial_blocking_threshold: 8, cycle_day: 5, profile: {contact: {city: Minsk}}`), true},
		{"the same contact", apply(`class: k, financial_blocking_threshold: 8, cycle_day: 5, profile: {contact: {city: Minsk}}`), false},
		{"a class", apply(`class: l, financial_blocking_threshold: 8, cycle_day: 5`), true},
		{"an adjustment", post(billing.AdjustmentPosting, "-1"), false},
		{"a payment", post(billing.PaymentPosting, "1"), false},
		{"a sweep that finds nothing", sweep, false},
		{"a debt past the threshold", func() error {
			s.do(t, `update account_states set balance = -50, due_at = '0001-01-01'::timestamptz, version = version + 1`)
			return nil
		}, false},
		{"a sweep that holds", sweep, true},
		{"a payment that is not enough", post(billing.PaymentPosting, "1"), false},
		{"a payment that releases", post(billing.PaymentPosting, "45"), true},
		{"a hold", status(HoldAccount), true},
		{"the same hold", status(HoldAccount), false},
		{"a release", status(ReleaseAccount), true},
		{"an end", status(DeleteAccount), true},
		{"a payment afterwards", post(billing.PaymentPosting, "1"), false},
	} {
		was := s.changed(t, "A")
		now = now.Add(time.Hour)
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		want := was
		if c.moves {
			want = now
		}
		if got := s.changed(t, "A"); !got.Equal(want) {
			t.Errorf("%s: changed at %s, want %s", c.name, got, want)
		}
	}
}

func (s *Store) changed(t *testing.T, number string) time.Time {
	t.Helper()
	a, err := s.Account(t.Context(), number, march)
	if err != nil {
		t.Fatal(err)
	}
	return a.UpdatedAt
}
