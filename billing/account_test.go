package billing_test

import (
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"pgregory.net/rapid"
)

// at is the start of the nth day of March 2026.
func at(n int) time.Time { return time.Date(2026, time.March, n, 0, 0, 0, 0, time.UTC) }

// Every row posts on day 5.
func TestMoveKeepsSinceWhenTheBalanceIsBelowZero(t *testing.T) {
	for _, c := range []struct {
		name    string
		balance string
		since   time.Time
		amount  string
		want    string
		wantAt  time.Time
	}{
		{"a debit that leaves credit", "10", time.Time{}, "-1", "9", time.Time{}},
		{"a debit of all there is", "10", time.Time{}, "-10", "0", time.Time{}},
		{"a millionth more starts the clock", "10", time.Time{}, "-10.000001", "-0.000001", at(5)},
		{"a debit from zero starts it", "0", time.Time{}, "-1", "-1", at(5)},
		{"more debt does not move it", "-1", at(2), "-1", "-2", at(2)},
		{"a payment that leaves debt does not move it", "-2", at(2), "1.999999", "-0.000001", at(2)},
		{"a payment of all debt clears it", "-2", at(2), "2", "0", time.Time{}},
		{"a payment of more clears it", "-2", at(2), "3", "1", time.Time{}},
		{"nothing moves nothing in debt", "-2", at(2), "0", "-2", at(2)},
		{"nothing moves nothing in credit", "2", time.Time{}, "0", "2", time.Time{}},
		{"a credit note to an account in credit", "2", time.Time{}, "1", "3", time.Time{}},
	} {
		f := billing.Funds{Balance: money(t, c.balance), CurrentDebt: 7, NegativeSince: c.since}
		got := f.Move(billing.Prepay, money(t, c.amount), at(5))
		want := billing.Funds{Balance: money(t, c.want), CurrentDebt: 7, NegativeSince: c.wantAt}
		if got != want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, want)
		}
		if figure := got.Figure(billing.Prepay); figure != want.Balance {
			t.Errorf("%s: got figure %s, want %s", c.name, figure, want.Balance)
		}
	}
}

func TestMoveOfAPostpayAccountMovesItsDebtOnly(t *testing.T) {
	for _, c := range []struct{ name, debt, amount, want string }{
		{"a debit raises it", "0", "-1.5", "1.5"},
		{"a payment lowers it", "1.5", "1", "0.5"},
		{"paid ahead it is below zero", "0.5", "1", "-0.5"},
	} {
		f := billing.Funds{Balance: -3, CurrentDebt: money(t, c.debt), NegativeSince: at(2)}
		got := f.Move(billing.Postpay, money(t, c.amount), at(5))
		want := f
		want.CurrentDebt = money(t, c.want)
		if got != want || got.Figure(billing.Postpay) != want.CurrentDebt {
			t.Errorf("%s: got %+v, want %+v", c.name, got, want)
		}
	}
}

// Whatever is posted, the balance is the sum, and the clock shows the last move
// that took it below zero (SPEC R6.2).
func TestMovesSumUpAndShowTheLastFallBelowZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var f billing.Funds
		var sum billing.Money
		var fell time.Time
		for n, amount := range rapid.SliceOf(rapid.Int64Range(-5, 5)).Draw(t, "amounts") {
			before := sum
			sum += billing.Money(amount)
			if before >= 0 && sum < 0 {
				fell = at(n)
			}
			f = f.Move(billing.Prepay, billing.Money(amount), at(n))
			if f.Balance != sum || f.NegativeSince.IsZero() != (sum >= 0) || sum < 0 && f.NegativeSince != fell {
				t.Fatalf("got %+v, want balance %s, below zero since %s", f, sum, fell)
			}
		}
	})
}
