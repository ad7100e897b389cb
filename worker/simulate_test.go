package worker

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// simulate tries a file out on the records of a filter.
func (h *house) simulate(file string, f postgres.CorrectionFilter) (*SimulatedTotal, []SimulatedAccount) {
	h.t.Helper()
	parsed, err := setup.Parse("setup.yaml", []byte(file))
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := h.store.Imagine(h.t.Context(), parsed, postgres.ApplyOptions{At: noon, Actor: "test", TimeZone: time.UTC})
	if err != nil {
		h.t.Fatal(err)
	}
	var accounts []SimulatedAccount
	total, err := NewCorrector(h.store, eager).Simulate(h.t.Context(), Simulation{Imagined: m, Filter: f, Clock: fixed(noon),
		Each: func(a *SimulatedAccount) error {
			accounts = append(accounts, *a)
			return nil
		}})
	if err != nil {
		h.t.Fatal(err)
	}
	return total, accounts
}

func TestASimulationIsWhatApplyAndReRateThenDo(t *testing.T) {
	h, n := newHouse(t, plain("X", "0")), 0
	checkStories(t, func(rt *rapid.T) {
		d := draw(rt, false)
		n++
		number := fmt.Sprintf("S%d", n)
		d.begin(h, number, d.prices)
		f := anyFilter(rt, number)
		f.Rejected = rapid.Bool().Draw(rt, "rejected too")
		before := h.lines(number)
		if _, accounts := h.simulate(d.book(number, "a", d.prices, "2020-01-01T00:00:00Z", ""), f); len(accounts) > 0 && !accounts[0].Unchanged() {
			rt.Fatalf("no change, and yet: %+v", accounts)
		}
		file := d.book(number, "a", d.prices, "2020-01-01T00:00:00Z", ", valid_to: 2020-01-01T00:00:00Z") +
			strings.TrimPrefix(d.book(number, "b", d.right, "2020-01-01T00:00:00Z", ""), "prices:\n")
		limits := rapid.SampledFrom(limitsDrawn[1:]).Draw(rt, "other limits")
		file += "customers:\n  - ref: jane\n    accounts:\n      - " + strings.TrimSuffix(plain(number, "100"), "}") + limits + "}\n"
		total, accounts := h.simulate(file, f)
		if diff := cmp.Diff(h.lines(number), before); diff != "" {
			rt.Fatalf("a simulation wrote (-now +before):\n%s", diff)
		}
		h.apply(noon, file)
		balance := h.view(number).Balance
		done := h.correct(Correction{Filter: f})
		if done.Accepted != total.Records || done.Widened != total.Widened || done.Changed != total.Changed || done.Moved["EUR"] != -total.More["EUR"] {
			rt.Fatalf("got %+v, simulated %+v", done, total)
		}
		if len(accounts) > 0 && h.view(number).Balance != accounts[0].Figure {
			rt.Fatalf("balance %s, simulated %s", h.view(number).Balance, accounts[0].Figure)
		}
		if balance-total.More["EUR"] != h.view(number).Balance {
			rt.Fatalf("balance went from %s to %s, simulated difference %s", balance, h.view(number).Balance, total.More["EUR"])
		}
	})
}

func TestASimulationSaysWhoWouldBeHeldOrFreed(t *testing.T) {
	h := newHouse(t, plain("A", "10"), plain("B", "10"), plain("C", "10"))
	f := h.flow(eager, 0)
	h.commit(f, h.accept(use("1", "A", "unleaded", "40", "2026-03-10T10:00:00Z"), use("2", "B", "diesel", "1", "2026-03-10T10:00:00Z")))
	file := `
prices: [{id: u, service: unleaded, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "5"}]
`
	total, accounts := h.simulate(file, postgres.CorrectionFilter{})
	if total.Held != 1 || total.Freed != 0 || len(accounts) != 2 || !accounts[0].Hold || accounts[0].More != 120*billing.MoneyUnit {
		t.Errorf("a price of 5 for 2 on 40 litres: got %+v %+v", total, accounts)
	}
	// Of a class, whether or not there are records: all three have 10, and B owes.
	h.exec("update account_states set balance = -50, negative_since = '2026-03-21T11:00:00Z' where account = 'C'")
	total, accounts = h.simulate(`
account_classes:
  - {key: pre, name: Prepaid, payment_model: prepay, financial_blocking_threshold: "20", subzero_period: 3,
     subscription_credit_limit: "0", buy_with_negative_balance: false, default: true}
`, postgres.CorrectionFilter{})
	if total.Held != 2 || total.Accounts != 3 {
		t.Errorf("a threshold of 20 for accounts at -70, 8.66 and -50: got %+v %+v", total, accounts)
	}
}
