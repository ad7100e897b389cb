package scheduler

import (
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
)

// Not covered is what could not be bought now (SPEC R7.5); it is charged all the
// same (SPEC R7.4).
func TestWhichChargesAreCovered(t *testing.T) {
	prepay := limits.Terms{Threshold: 10 * billing.MoneyUnit, SubzeroDays: 3}
	intoDebt := prepay
	intoDebt.BuyWithNegativeBalance = true
	postpay := limits.Terms{Model: billing.Postpay}
	for _, c := range []struct {
		name      string
		terms     limits.Terms
		balance   billing.Money
		uncovered bool
	}{
		{"the balance is the price", prepay, 5 * billing.MoneyUnit, false},
		{"a millionth less", prepay, 5*billing.MoneyUnit - 1, true},
		{"balance and threshold are the price", intoDebt, -5 * billing.MoneyUnit, false},
		{"a millionth less", intoDebt, -5*billing.MoneyUnit - 1, true},
		{"postpay", postpay, 0, false},
	} {
		now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
		a := &postgres.PeriodicAccount{
			Account: &postgres.Account{Number: "A", Currency: "EUR", Calendar: billing.Calendar{Zone: time.UTC, CycleDay: 1},
				Funds: billing.Funds{Balance: c.balance}},
			Terms: c.terms,
			Due: []postgres.DueService{{Name: "Line", Prices: []postgres.PeriodPrice{{Price: 5 * billing.MoneyUnit}},
				Rhythm: billing.Rhythm{Period: billing.Monthly, Every: 1, StartsOn: billing.DateOf(2026, 3, 1)},
				NextOn: billing.DateOf(2026, 3, 1)}},
		}
		var result postgres.Periodic
		if left := chargeAccount(&result, a, now, 31); left != 0 || len(result.Charges) != 1 {
			t.Fatalf("%s: got %d left and %+v", c.name, left, result.Charges)
		}
		charge := result.Charges[0]
		if charge.Uncovered != c.uncovered || charge.Amount != 5*billing.MoneyUnit || charge.Skipped != "" {
			t.Errorf("%s: got %+v, want it charged, uncovered %v", c.name, charge, c.uncovered)
		}
	}
}
