package limits_test

import (
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
)

func TestHeadroomIsWhatTheCreditTestWouldStillLetPass(t *testing.T) {
	three, ever, none := within("100", 3), within("100", -1), within("100", 0)
	for _, c := range []struct {
		name    string
		terms   limits.Terms
		balance string
		now     time.Time // a debt began on day 1
		want    string
	}{
		{"in credit, down to the threshold", three, "50", day(2), "150"},
		{"in credit, but no debt is tolerated", none, "50", day(2), "50"},
		{"nothing left but the threshold", ever, "0", day(9), "100"},
		{"in debt while the grace lasts", three, "-40", day(4).Add(-1), "60"},
		{"in debt, the grace used up", three, "-40", day(4), "0"},
		{"exactly at the threshold", ever, "-100", day(9), "0"},
		{"past it", ever, "-101", day(9), "0"},
	} {
		f := funds(c.balance, day(1))
		got, bounded := c.terms.Headroom(f, active, c.now)
		if got != money(c.want) || !bounded {
			t.Errorf("%s: got %s, %t, want %s", c.name, got, bounded, c.want)
			continue
		}
		if held := c.terms.Judge(funds(c.balance, day(1)), active, c.now).Hold; held {
			continue // the sweep is yet to come
		}
		since := day(1)
		if f.Balance >= 0 {
			since = c.now
		}
		spent := billing.Funds{Balance: f.Balance - got, NegativeSince: since}
		if spent.Balance >= 0 {
			spent.NegativeSince = time.Time{}
		}
		if c.terms.Judge(spent, active, c.now).Hold {
			t.Errorf("%s: a charge of %s is held", c.name, got)
		}
		spent = billing.Funds{Balance: spent.Balance - 1, NegativeSince: since}
		if !c.terms.Judge(spent, active, c.now).Hold {
			t.Errorf("%s: a millionth more than %s is not held", c.name, got)
		}
	}
}

func TestHeadroomOfOthers(t *testing.T) {
	postpay := limits.Terms{Model: billing.Postpay, CreditLimit: money("50"), Threshold: money("7")}
	endless := limits.Terms{Model: billing.Postpay}
	for _, c := range []struct {
		name    string
		terms   limits.Terms
		debt    string
		in      billing.Standing
		want    string
		bounded bool
	}{
		{"a credit limit", postpay, "20", active, "30", true},
		{"a credit limit that is reached", postpay, "50", active, "0", true},
		{"paid ahead", postpay, "-5", active, "55", true},
		{"no credit limit", endless, "20", active, "0", false},
		{"on hold", within("100", -1), "0", inDebt, "0", true},
		{"no credit limit, but deleted", endless, "0", billing.Standing{Status: billing.Deleted, InactiveSince: day(1)}, "0", true},
	} {
		got, bounded := c.terms.Headroom(billing.Funds{CurrentDebt: money(c.debt)}, c.in, day(2))
		if got != money(c.want) || bounded != c.bounded {
			t.Errorf("%s: got %s, %t, want %s, %t", c.name, got, bounded, c.want, c.bounded)
		}
	}
}
