package limits_test

import (
	"errors"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"pgregory.net/rapid"
)

// within is terms of a threshold and a subzero period.
func within(threshold string, days int) limits.Terms {
	return limits.Terms{Threshold: money(threshold), SubzeroDays: days}
}

func funds(balance string, since time.Time) billing.Funds {
	return billing.Funds{Balance: money(balance), NegativeSince: since}
}

var (
	active = billing.Standing{}
	inDebt = billing.Standing{Status: billing.CreditHold, Reason: billing.ByThreshold, InactiveSince: day(2)}
)

func TestHold(t *testing.T) {
	three, ever, none := within("200", 3), within("200", -1), within("200", 0)
	for _, c := range []struct {
		name    string
		terms   limits.Terms
		balance string
		since   time.Time
		now     time.Time
		want    string
	}{
		{"in credit", three, "10", time.Time{}, day(1), ""},
		{"at zero", none, "0", time.Time{}, day(1), ""},
		{"exactly at the threshold is still served", three, "-200", day(1), day(2), ""},
		{"one cent past it", three, "-200.01", day(1), day(1), "threshold"},
		{"one millionth past it", three, "-200.000001", day(1), day(1), "threshold"},
		{"first moment of the subzero period", three, "-1", day(1), day(1), ""},
		{"last moment of the subzero period", three, "-1", day(1), day(4).Add(-1), ""},
		{"first moment after it", three, "-1", day(1), day(4), "subzero"},
		{"the threshold outranks the period", three, "-999", day(1), day(9), "threshold"},
		{"no subzero period: a millionth is too much", none, "-0.000001", day(1), day(1), "subzero"},
		{"an endless period, at the threshold", ever, "-200", day(1), day(1).AddDate(200, 0, 0), ""},
		{"an endless period does not stretch the threshold", ever, "-200.01", day(1), day(1), "threshold"},
		{"no threshold and no debt", within("0", 3), "0", time.Time{}, day(9), ""},
		{"no threshold and the least debt", within("0", 3), "-0.000001", day(1), day(1), "threshold"},
		{"a period of centuries, the last moment", within("200", 200_000), "-1", day(1), day(1).AddDate(0, 0, 200_000).Add(-1), ""},
		{"a period of centuries, the first moment after", within("200", 200_000), "-1", day(1), day(1).AddDate(0, 0, 200_000), "subzero"},
		{"a period that no time can end", within("200", 1<<62), "-1", day(1), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), ""},
		{"days have 24 hours where the clock is set forward", within("200", 1), "-1",
			athens("2026-03-28T12:00"), athens("2026-03-29T13:00").Add(-1), ""},
		{"and not a moment more", within("200", 1), "-1", athens("2026-03-28T12:00"), athens("2026-03-29T13:00"), "subzero"},
	} {
		v := c.terms.Judge(funds(c.balance, c.since), active, c.now)
		if v.Because.String() != c.want || v.Hold != (c.want != "") || v.Release {
			t.Errorf("%s: got %+v, want %q", c.name, v, c.want)
		}
	}
}

// athens is a local time of a zone that sets its clock forward on 29 March 2026.
func athens(local string) time.Time {
	zone, err := time.LoadLocation("Europe/Athens")
	if err != nil {
		panic(err)
	}
	at, err := time.ParseInLocation("2006-01-02T15:04", local, zone)
	if err != nil {
		panic(err)
	}
	return at
}

func TestReleaseAndExitPayment(t *testing.T) {
	three, ever, none := within("100", 3), within("100", -1), within("100", 0)
	for _, c := range []struct {
		name    string
		terms   limits.Terms
		balance string
		now     time.Time // the debt began on day 1
		release bool
		exit    string
	}{
		{"grace lasts, a cent past the threshold", three, "-100.01", day(2), false, "0.01"},
		{"grace lasts, exactly at the threshold", three, "-100", day(2), true, "0"},
		{"last moment of grace, at the threshold", three, "-100", day(4).Add(-1), true, "0"},
		{"grace used up, at the threshold", three, "-100", day(4), false, "100"},
		{"last moment of grace, far past it", three, "-150", day(4).Add(-1), false, "50"},
		{"grace used up, far past it", three, "-150", day(4), false, "150"},
		{"grace used up, a cent missing", three, "-0.01", day(5), false, "0.01"},
		{"grace used up, nothing missing", three, "0", day(5), true, "0"},
		{"endless grace, a millionth past the threshold", ever, "-100.000001", day(9), false, "0.000001"},
		{"endless grace, at the threshold", ever, "-100", day(9), true, "0"},
		{"no grace, the least debt", none, "-0.000001", day(1), false, "0.000001"},
		{"no grace, no debt", none, "0", day(1), true, "0"},
		{"in credit", none, "7", day(1), true, "0"},
	} {
		f := funds(c.balance, day(1))
		if v := c.terms.Judge(f, inDebt, c.now); v.Release != c.release || v.Hold {
			t.Errorf("%s: got %+v, want release %t", c.name, v, c.release)
		}
		if got := c.terms.ExitPayment(f, inDebt, c.now); got != money(c.exit) {
			t.Errorf("%s: got exit payment %s, want %s", c.name, got, c.exit)
		}
	}
	if got := three.ExitPayment(funds("-150", day(1)), active, day(2)); got != 0 {
		t.Errorf("an active account: got exit payment %s, want 0", got)
	}
}

func TestPostpayHeldByManagerAndDeletedAreLeftAlone(t *testing.T) {
	f, terms := funds("-999", day(1)), within("0", 0)
	for _, s := range []billing.Standing{
		{Status: billing.AdministrativeHold, Reason: billing.ByManager, InactiveSince: day(1)},
		{Status: billing.Deleted, InactiveSince: day(1)},
	} {
		for _, f := range []billing.Funds{f, {}} {
			if v := terms.Judge(f, s, day(9)); v != (limits.Verdict{}) {
				t.Errorf("%s at %s: got %+v, want nothing", s.Status, f.Balance, v)
			}
		}
	}
	terms.Model = billing.Postpay
	_, due := terms.DueAt(f, active, day(9))
	_, will := terms.HoldAt(f, active)
	v := terms.Judge(f, active, day(9))
	if exit := terms.ExitPayment(f, active, day(9)); v != (limits.Verdict{}) || due || will || exit != 0 {
		t.Errorf("postpay: got %+v, due %t, hold %t, exit %s, want nothing", v, due, will, exit)
	}
}

// A prepay account without postings may be held for its opening balance and then
// get a postpay class. Nothing else would ever lift that hold.
func TestAHoldDoesNotOutliveThePrepayModel(t *testing.T) {
	f, terms := funds("-999", day(1)), within("0", 0)
	terms.Model = billing.Postpay
	if v := terms.Judge(f, inDebt, day(9)); !v.Release || v.Hold {
		t.Errorf("got %+v, want a release", v)
	}
	if _, due := terms.DueAt(f, inDebt, day(9)); !due {
		t.Error("the sweep will not find it")
	}
}

func TestHoldAtAndDueAt(t *testing.T) {
	three, ever, none := within("100", 3), within("100", -1), within("100", 0)
	const never, anyNow = "never", "any now"
	for _, c := range []struct {
		name          string
		terms         limits.Terms
		standing      billing.Standing
		balance       string
		now           time.Time // the debt began on day 1
		holdAt, dueAt string
	}{
		{"in credit", three, active, "0", day(1), never, never},
		{"in debt, three days", three, active, "-100", day(1), "2026-03-04", "2026-03-04"},
		{"in debt, no day", none, active, "-1", day(1), "2026-03-01", "2026-03-01"},
		{"in debt, for ever", ever, active, "-100", day(1), never, never},
		{"past the threshold", three, active, "-100.01", day(1), never, anyNow},
		{"past the threshold, for ever", ever, active, "-100.01", day(1), never, anyNow},
		{"held past the threshold", three, inDebt, "-100.01", day(2), never, never},
		{"held within it, while grace lasts", three, inDebt, "-100", day(4).Add(-1), never, anyNow},
		{"held within it, grace used up", three, inDebt, "-100", day(4), never, never},
		{"held within it, endless grace", ever, inDebt, "-100", day(99), never, anyNow},
		{"held and paid up", three, inDebt, "0", day(99), never, anyNow},
		{"a period that ends in the last year that can be written", within("100", 2_912_383), active, "-1", day(1), "9999-12-31", "9999-12-31"},
		{"one that ends after it", within("100", 2_912_384), active, "-1", day(1), never, never},
		{"a period that no time can end", within("100", 4_000_000), active, "-1", day(1), never, never},
	} {
		f := funds(c.balance, day(1))
		if got := when(c.terms.HoldAt(f, c.standing)); got != c.holdAt {
			t.Errorf("%s: got hold at %s, want %s", c.name, got, c.holdAt)
		}
		if got := when(c.terms.DueAt(f, c.standing, c.now)); got != c.dueAt {
			t.Errorf("%s: got due at %s, want %s", c.name, got, c.dueAt)
		}
	}
}

func when(at time.Time, ok bool) string {
	switch {
	case !ok:
		return "never"
	case at.IsZero():
		return "any now"
	}
	return at.Format(time.DateOnly)
}

func TestEffectiveTermsAreTheClasssButForOnesOwn(t *testing.T) {
	class := billing.Class{PaymentModel: billing.Postpay, Threshold: 100, SubzeroDays: 3, CreditLimit: 7, BuyWithNegativeBalance: true}
	own, none := billing.Money(200), billing.Money(0)
	want := limits.Terms{Model: billing.Postpay, Threshold: 100, SubzeroDays: 3, CreditLimit: 7, BuyWithNegativeBalance: true}
	if got := limits.Effective(class, nil, nil); got != want {
		t.Errorf("nothing of one's own: got %+v, want %+v", got, want)
	}
	want.Threshold, want.CreditLimit = 200, 0
	if got := limits.Effective(class, &own, &none); got != want {
		t.Errorf("both one's own, 0 too: got %+v, want %+v", got, want)
	}
}

func TestAfford(t *testing.T) {
	prepay := limits.Terms{Threshold: money("100")}
	postpay := limits.Terms{Model: billing.Postpay, CreditLimit: money("100")}
	open := limits.Terms{Model: billing.Postpay}
	for _, c := range []struct {
		name    string
		terms   limits.Terms
		figure  string
		charge  string
		enforce bool
		want    string
	}{
		{"down to the threshold", prepay, "10", "110", true, ""},
		{"a millionth past it", prepay, "10", "110.000001", true, "insufficient_funds"},
		{"past it where it is not enforced", prepay, "10", "9999", false, ""},
		{"nothing is affordable past the threshold", prepay, "-150", "0", true, ""},
		{"and so is what gives back", prepay, "-150", "-1", true, ""},
		{"debt up to the credit limit", postpay, "60", "40", false, ""},
		{"a millionth over it", postpay, "60", "40.000001", false, "subscription_credit_limit"},
		{"the credit limit binds though no threshold is enforced", postpay, "100", "0.01", false, "subscription_credit_limit"},
		{"nothing is affordable over it", postpay, "150", "0", false, ""},
		{"paid ahead", postpay, "-50", "150", true, ""},
		{"a limit of 0 is none", open, "0", "100000", true, ""},
	} {
		f := billing.Funds{Balance: money(c.figure)}
		if c.terms.Model == billing.Postpay {
			f = billing.Funds{CurrentDebt: money(c.figure), Balance: money("-999")}
		}
		if got := c.terms.Afford(f, money(c.charge), c.enforce); got.String() != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestBuy(t *testing.T) {
	strict, generous := within("100", -1), within("100", -1)
	generous.BuyWithNegativeBalance = true
	postpay := limits.Terms{Model: billing.Postpay}
	for _, c := range []struct {
		name           string
		terms          limits.Terms
		balance, price string
		refused        bool
	}{
		{"exactly the price", strict, "5", "5", false},
		{"a millionth less", strict, "4.999999", "5", true},
		{"into debt, down to the threshold", generous, "-95", "5", false},
		{"a millionth past it", generous, "-95.000001", "5", true},
		{"for nothing, in debt", strict, "-1", "0", true},
		{"postpay", postpay, "0", "5", false},
	} {
		err := c.terms.Buy(funds(c.balance, day(1)), money(c.price))
		if refused := errors.Is(err, limits.ErrInsufficientFunds); refused != c.refused {
			t.Errorf("%s: got %v, want refused %t", c.name, err, c.refused)
		}
	}
}

// drawCredit draws an account, with balances and times close to every boundary.
func drawCredit(t *rapid.T) (limits.Terms, billing.Funds, billing.Standing, time.Time) {
	terms := limits.Terms{
		Model:       billing.PaymentModel(rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(t, "model")),
		Threshold:   billing.Money(rapid.SampledFrom([]int64{0, 1, 100, 200}).Draw(t, "threshold")),
		SubzeroDays: rapid.SampledFrom([]int{-1, 0, 1, 3, 36_525}).Draw(t, "days"),
	}
	edge := rapid.SampledFrom([]billing.Money{0, -terms.Threshold}).Draw(t, "edge")
	var f billing.Funds
	f = f.Move(billing.Prepay, edge+billing.Money(rapid.Int64Range(-2, 2).Draw(t, "off the edge")), day(1))
	now := day(1).AddDate(0, 0, max(0, terms.SubzeroDays)).Add(drawOffset(t, "now"))
	s := active
	if rapid.Bool().Draw(t, "held") {
		s = inDebt
	}
	return terms, f, s, now
}

func drawOffset(t *rapid.T, label string) time.Duration {
	return rapid.SampledFrom([]time.Duration{-200 * 24 * time.Hour, -time.Microsecond, 0, time.Microsecond, 24 * time.Hour}).Draw(t, label)
}

func TestVerdictDoesNotFlip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, f, s, now := drawCredit(t)
		after, change := terms.Test(f, s, now)
		if again, c := terms.Test(f, after, now); !c.Unchanged() || again != after {
			t.Errorf("%s after %s: got %s at once", after.Status, s.Status, again.Status)
		}
		if v := terms.Judge(f, s, now); change.Unchanged() != (v == limits.Verdict{}) || v.Hold && v.Release {
			t.Errorf("got change %+v of verdict %+v", change, v)
		}
	})
}

func TestExitPaymentReleasesAndAMillionthLessDoesNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, f, _, now := drawCredit(t)
		terms.Model = billing.Prepay
		exit := terms.ExitPayment(f, inDebt, now)
		paid := func(m billing.Money) bool {
			return terms.Judge(f.Move(billing.Prepay, m, now), inDebt, now).Release
		}
		if !paid(exit) {
			t.Errorf("%s paid of %s: got no release", exit, f.Balance)
		}
		if exit > 0 && paid(exit-1) {
			t.Errorf("%s was enough of %s, want %s", exit-1, f.Balance, exit)
		}
	})
}

func TestDueAtIsWhenJudgeFirstChangesSomething(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, f, s, now := drawCredit(t)
		at, due := terms.DueAt(f, s, now)
		later := now.Add(max(0, drawOffset(t, "later")))
		if due && rapid.Bool().Draw(t, "later than due") && !at.Before(now) {
			later = at.Add(drawOffset(t, "off the due instant"))
		}
		if later.Before(now) {
			return
		}
		changes := terms.Judge(f, s, later) != limits.Verdict{}
		want := due && !later.Before(at)
		if s.Status == billing.CreditHold && f.Balance < 0 && changes != want {
			// Due for release only while the grace lasts: the sweep that comes too
			// late learns that it is due no more.
			if _, due := terms.DueAt(f, s, later); due || changes {
				t.Errorf("due for release at %s: got changes %t, still due %t", later, changes, due)
			}
			return
		}
		if changes != want {
			t.Errorf("due %t at %s, judged at %s: got changes %t, want %t", due, at, later, changes, want)
		}
	})
}

func TestSweepDoesNotReadAnAccountTwiceForNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms, f, s, now := drawCredit(t)
		after, _ := terms.Test(f, s, now)
		if at, due := terms.DueAt(f, after, now); due && !at.After(now) {
			t.Errorf("judged at %s and due again at %s", now, at)
		}
	})
}
