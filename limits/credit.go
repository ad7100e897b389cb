package limits

import (
	"errors"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// Terms are what is in force for one account: its class's, but for what it has
// of its own (SPEC R6.5).
type Terms struct {
	Model       billing.PaymentModel
	Threshold   billing.Money // financial blocking threshold, ≥ 0
	SubzeroDays int           // subzero period; -1 is for ever, 0 is none
	CreditLimit billing.Money // subscription credit limit of a postpay account; 0 is none
	// BuyWithNegativeBalance lets a periodic service be bought into debt (SPEC R7.5).
	BuyWithNegativeBalance bool
}

// Effective is the terms of an account of a class; nil is what it has not of its
// own.
func Effective(class billing.Class, ownThreshold, ownCreditLimit *billing.Money) Terms {
	t := Terms{
		Model:                  class.PaymentModel,
		Threshold:              class.Threshold,
		SubzeroDays:            class.SubzeroDays,
		CreditLimit:            class.CreditLimit,
		BuyWithNegativeBalance: class.BuyWithNegativeBalance,
	}
	if ownThreshold != nil {
		t.Threshold = *ownThreshold
	}
	if ownCreditLimit != nil {
		t.CreditLimit = *ownCreditLimit
	}
	return t
}

// Verdict is what the credit test obliges us to do; the zero value is nothing.
type Verdict struct {
	Hold    bool
	Release bool
	Because billing.StatusReason // of a hold
}

// Judge says what a balance obliges us to do at now (SPEC R6.2, R6.3).
//
// An active account is held when its debt passes the threshold, or when it has
// been negative for as long as its class allows; one in credit hold is released
// as soon as neither is true. Administrative holds and deleted accounts are left
// alone; a postpay account is never held, and one that was held before it became
// postpay is released. Judge only decides: the caller carries the verdict out
// (see Test) under the account's version, or a payment that arrives in between
// would be judged by a balance it changed.
func (t Terms) Judge(f billing.Funds, s billing.Standing, now time.Time) Verdict {
	because := t.debtReason(f, now)
	switch {
	case s.Status == billing.Active && because != 0:
		return Verdict{Hold: true, Because: because}
	case s.Status == billing.CreditHold && because == 0:
		return Verdict{Release: true}
	}
	return Verdict{}
}

// debtReason is why an account with these funds may not be active at now; 0 if
// it may, as a postpay account always may. Hold and release both ask it, so they
// cannot disagree.
func (t Terms) debtReason(f billing.Funds, now time.Time) billing.StatusReason {
	switch {
	case t.Model != billing.Prepay:
		return 0
	case f.Balance < -t.Threshold:
		return billing.ByThreshold
	case f.Balance < 0 && t.graceUsedUp(f, now):
		return billing.BySubzero
	}
	return 0
}

// The last instant that RFC 3339 can write has a year of four digits. A grace
// that would end after it never ends: no now can reach it.
const (
	yearMax = 9999
	daysMax = yearMax * 366
)

// graceEnd is when the grace of a debt that began at since is used up, if it
// ever is: P × 24 h later (SPEC R6.2). It counts in days of UTC, which have 24
// hours each, because a time.Duration ends after 292 years.
func (t Terms) graceEnd(since time.Time) (end time.Time, ends bool) {
	if t.SubzeroDays < 0 || t.SubzeroDays > daysMax {
		return time.Time{}, false
	}
	end = since.UTC().AddDate(0, 0, t.SubzeroDays)
	if end.Year() > yearMax {
		return time.Time{}, false
	}
	return end, true
}

func (t Terms) graceUsedUp(f billing.Funds, now time.Time) bool {
	end, ends := t.graceEnd(f.NegativeSince)
	return ends && !now.Before(end)
}

// ExitPayment is the least payment that would release an account in credit hold
// at now, and 0 where none is needed or none would help (SPEC R6.6): up to the
// threshold while the grace lasts, up to zero once it is used up.
func (t Terms) ExitPayment(f billing.Funds, s billing.Standing, now time.Time) billing.Money {
	if t.Model != billing.Prepay || s.Status != billing.CreditHold {
		return 0
	}
	target := -t.Threshold
	if t.graceUsedUp(f, now) {
		target = 0
	}
	return max(0, target-f.Balance)
}

// HoldAt is when the subzero period of an active account runs out, if it will
// (SPEC R6.6). An account past its threshold has no subzero period: it is due
// already.
func (t Terms) HoldAt(f billing.Funds, s billing.Standing) (at time.Time, will bool) {
	if t.Model != billing.Prepay || s.Status != billing.Active || f.Balance >= 0 || f.Balance < -t.Threshold {
		return time.Time{}, false
	}
	return t.graceEnd(f.NegativeSince)
}

// DueAt is the earliest instant at which Judge would change something if nothing
// else happens, as seen from now; the zero time means at any now. Not due means
// at no instant from now on. It is what the sweep's index holds (SPEC R6.4).
//
// Whoever writes an account's funds, terms or standing stores the answer with
// them, and so does the sweep for every account that it has judged, changed or
// not. Then it never reads an account for nothing twice: from the due instant on
// Judge always changes something, but in one case. An account in credit hold
// whose balance came back within the threshold is due at once, yet only until its
// grace is used up; a sweep that comes later finds nothing to do, and its answer,
// for its now, is not due.
func (t Terms) DueAt(f billing.Funds, s billing.Standing, now time.Time) (at time.Time, due bool) {
	switch s.Status {
	case billing.Active:
		if t.Model == billing.Prepay && f.Balance < -t.Threshold {
			return time.Time{}, true
		}
		return t.HoldAt(f, s)
	case billing.CreditHold:
		return time.Time{}, t.debtReason(f, now) == 0
	}
	return time.Time{}, false
}

// Afford is why a charge that would be taken from these funds is rejected for
// want of credit; 0 passes, and so does every charge of 0 or less. A prepay
// account is asked only if the threshold is enforced (SPEC R5.7), a postpay
// account always (SPEC R5.8); equality passes. Money's range is not asked about
// here: it is checked before, and for records too that skip this check.
func (t Terms) Afford(f billing.Funds, charge billing.Money, enforceThreshold bool) billing.Reason {
	switch {
	case charge <= 0:
		return 0
	case t.Model == billing.Postpay:
		if t.CreditLimit > 0 && f.CurrentDebt+charge > t.CreditLimit {
			return billing.SubscriptionCreditLimit
		}
	case enforceThreshold && f.Balance-charge < -t.Threshold:
		return billing.InsufficientFunds
	}
	return 0
}

// Headroom is the charge that an account may still bear before the credit test
// would hold it at now or, where it is postpay, its credit limit would reject the
// charge; false where nothing bounds it. An account that is not active bears
// nothing.
func (t Terms) Headroom(f billing.Funds, s billing.Standing, now time.Time) (left billing.Money, bounded bool) {
	switch {
	case s.Status != billing.Active:
		return 0, true
	case t.Model == billing.Postpay && t.CreditLimit == 0:
		return 0, false
	case t.Model == billing.Postpay:
		return max(0, t.CreditLimit-f.CurrentDebt), true
	}
	if f.Balance >= 0 {
		f.NegativeSince = now // it would begin with that charge
	}
	floor := -t.Threshold
	if t.graceUsedUp(f, now) {
		floor = 0
	}
	return max(0, f.Balance-floor), true
}

// ErrInsufficientFunds means that a periodic service costs more than its account
// may spend on it.
var ErrInsufficientFunds = errors.New("insufficient funds")

// Buy refuses a periodic service that these funds do not cover: the balance must
// reach its price, or where the class says buy_with_negative_balance the balance
// and the threshold together (SPEC R7.5). A postpay account may always buy.
func (t Terms) Buy(f billing.Funds, price billing.Money) error {
	usable := f.Balance
	if t.BuyWithNegativeBalance {
		usable += t.Threshold
	}
	if t.Model == billing.Prepay && usable < price {
		return fmt.Errorf("buy at %s with %s to spend: %w", price, usable, ErrInsufficientFunds)
	}
	return nil
}
