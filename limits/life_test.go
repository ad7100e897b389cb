package limits_test

import (
	"errors"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
)

var (
	byManager = billing.Standing{Status: billing.AdministrativeHold, Reason: billing.ByManager, InactiveSince: day(2)}
	gone      = billing.Standing{Status: billing.Deleted, InactiveSince: day(2)}
)

// Every row happens on day 5 to an account that ceased to be active on day 2.
func TestTransitions(t *testing.T) {
	terms := within("100", 3)
	release := func(balance string) func(billing.Standing) (billing.Standing, limits.Change, error) {
		return func(s billing.Standing) (billing.Standing, limits.Change, error) {
			return terms.Release(funds(balance, day(1)), s, day(5))
		}
	}
	test := func(balance string) func(billing.Standing) (billing.Standing, limits.Change, error) {
		return func(s billing.Standing) (billing.Standing, limits.Change, error) {
			after, c := terms.Test(funds(balance, day(1)), s, day(5))
			return after, c, nil
		}
	}
	hold := func(s billing.Standing) (billing.Standing, limits.Change, error) { return limits.Hold(s, day(5)) }
	remove := func(s billing.Standing) (billing.Standing, limits.Change, error) {
		after, c := limits.Delete(s, day(5))
		return after, c, nil
	}
	held := func(to billing.Status, because billing.StatusReason, since int) billing.Standing {
		return billing.Standing{Status: to, Reason: because, InactiveSince: day(since)}
	}
	for _, c := range []struct {
		name string
		from billing.Standing
		do   func(billing.Standing) (billing.Standing, limits.Change, error)
		want billing.Standing
		err  error
	}{
		{"a manager holds an active account", active, hold, held(billing.AdministrativeHold, billing.ByManager, 5), nil},
		{"a manager holds one in credit hold, inactive since then", inDebt, hold, byManager, nil},
		{"holding what a manager holds changes nothing", byManager, hold, byManager, nil},
		{"holding what is deleted", gone, hold, gone, limits.ErrDeleted},

		{"released in credit", byManager, release("0"), active, nil},
		{"released in debt goes over to credit hold, inactive since then", byManager, release("-0.01"), held(billing.CreditHold, billing.BySubzero, 2), nil},
		{"released past the threshold likewise", byManager, release("-100.01"), held(billing.CreditHold, billing.ByThreshold, 2), nil},
		{"releasing what is active changes nothing, in debt too", active, release("-100.01"), active, nil},
		{"releasing a credit hold by hand", inDebt, release("0"), inDebt, limits.ErrHeldForDebt},
		{"releasing what is deleted", gone, release("0"), gone, limits.ErrDeleted},

		{"an active account is deleted", active, remove, held(billing.Deleted, 0, 5), nil},
		{"a held account is deleted", inDebt, remove, gone, nil},
		{"an account on administrative hold is deleted", byManager, remove, gone, nil},
		{"deleting what is deleted changes nothing", gone, remove, gone, nil},

		{"the test holds", active, test("-0.01"), held(billing.CreditHold, billing.BySubzero, 5), nil},
		{"the test finds nothing", active, test("0"), active, nil},
		{"the test releases", inDebt, test("0"), active, nil},
		{"the test keeps a hold and its first reason", inDebt, test("-0.01"), inDebt, nil},
		{"the test leaves a manager's hold", byManager, test("-999"), byManager, nil},
		{"the test leaves what is deleted", gone, test("-999"), gone, nil},
	} {
		got, change, err := c.do(c.from)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: got %+v, %v, want %+v, %v", c.name, got, err, c.want, c.err)
		}
		want := limits.Change{From: c.from.Status, To: c.from.Status}
		if c.want != c.from {
			want = limits.Change{From: c.from.Status, To: c.want.Status, Reason: c.want.Reason, At: day(5)}
		}
		if change != want || change.Unchanged() != (c.want == c.from) {
			t.Errorf("%s: got change %+v, unchanged %t, want %+v", c.name, change, change.Unchanged(), want)
		}
	}
}

func TestAdmits(t *testing.T) {
	last, first := day(2).Add(-time.Microsecond), day(2)
	for _, c := range []struct {
		name     string
		standing billing.Standing
		asks     billing.Directive
		at       time.Time
		want     string
	}{
		{"an active account", active, billing.Charge, first, ""},
		{"used in the last moment before a credit hold", inDebt, billing.Charge, last, ""},
		{"used in its first moment", inDebt, billing.Charge, first, "account_credit_hold"},
		{"counted without a charge in its first moment", inDebt, billing.NoCharge, first, "account_credit_hold"},
		{"a credit passes a credit hold", inDebt, billing.Credit, first, ""},
		{"used in the last moment before a manager's hold", byManager, billing.Charge, last, ""},
		{"used in its first moment", byManager, billing.Charge, first, "account_administrative_hold"},
		{"a credit does not pass a manager's hold", byManager, billing.Credit, first, "account_administrative_hold"},
		{"used before it was deleted", gone, billing.Charge, last, "account_deleted"},
		{"a credit of a deleted account", gone, billing.Credit, last, "account_deleted"},
	} {
		if got := limits.Admits(c.standing, c.asks, c.at); got.String() != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestTransitionsJudgeByThePresentHold(t *testing.T) {
	// Held for debt on day 2, by a manager on day 5, released into debt on day 9:
	// never active in between, so what was used on day 3 is still rejected.
	s := inDebt
	s, _, _ = limits.Hold(s, day(5))
	s, _, err := within("100", -1).Release(funds("-150", day(1)), s, day(9))
	if err != nil {
		t.Fatal(err)
	}
	if got := limits.Admits(s, billing.Charge, day(3)); got != billing.AccountCreditHold {
		t.Errorf("used on day 3: got %q, want account_credit_hold", got)
	}
	// Paid up on day 10 and held again on day 12: the first hold counts no more.
	s, _ = within("100", -1).Test(funds("0", time.Time{}), s, day(10))
	s, _, _ = limits.Hold(s, day(12))
	if got := limits.Admits(s, billing.Charge, day(3)); got != 0 {
		t.Errorf("used on day 3, of which the hold was lifted: got %q, want none", got)
	}
}
