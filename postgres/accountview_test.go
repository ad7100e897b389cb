package postgres

import (
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

func TestNearItsThresholdIsWhoUsedSoMuchOfIt(t *testing.T) {
	const unit = billing.MoneyUnit
	for _, c := range []struct {
		name      string
		model     billing.PaymentModel
		threshold billing.Money
		balance   billing.Money
		percent   string
		want      bool
	}{
		{"three quarters", billing.Prepay, 200 * unit, -150 * unit, "75", true},
		{"a millionth less", billing.Prepay, 200 * unit, -150*unit + 1, "75", false},
		{"a percentage with a fraction", billing.Prepay, 3, -1, "33.333333", true},
		{"a millionth more of it", billing.Prepay, 3, -1, "33.333334", false},
		{"past all of it", billing.Prepay, 200 * unit, -200*unit - 1, "100", true},
		{"no debt, of which none is asked", billing.Prepay, 200 * unit, 0, "0", true},
		{"in credit", billing.Prepay, 200 * unit, 1, "0", false},
		{"where nothing is tolerated nothing is near", billing.Prepay, 0, -unit, "75", false},
		{"postpay", billing.Postpay, 200 * unit, -200 * unit, "75", false},
	} {
		percent := decimal.RequireFromString(c.percent)
		v := &AccountView{PaymentModel: c.model, Threshold: c.threshold, Balance: c.balance}
		if got := (AccountFilter{NearThreshold: &percent}).near(v); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
		if !(AccountFilter{}).near(v) {
			t.Errorf("%s: left out though nobody asked", c.name)
		}
	}
}
