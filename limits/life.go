package limits

import (
	"errors"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// What a manager asks for and is refused (SPEC R6.1).
var (
	ErrDeleted     = errors.New("the account is deleted")
	ErrHeldForDebt = errors.New("a credit hold is lifted by a payment, not by hand")
)

// Change is one line of an account's history: what a transition made of its
// status. Balance, threshold, note and actor are the caller's to add.
type Change struct {
	From, To billing.Status
	Reason   billing.StatusReason // of the new status; 0 where it is no hold
	At       time.Time
}

// Unchanged tells that the status was what was asked for already: there is
// nothing to write, and that is no error.
func (c Change) Unchanged() bool { return c.From == c.To }

// move takes s to another status at now. The account ceases to be active when
// it leaves active, and from one hold to the other it stays inactive since then
// (SPEC R5.5).
func move(s billing.Standing, to billing.Status, because billing.StatusReason, now time.Time) (billing.Standing, Change) {
	since := s.InactiveSince
	switch {
	case to == billing.Active:
		since = time.Time{}
	case s.Status == billing.Active:
		since = now
	}
	return billing.Standing{Status: to, Reason: because, InactiveSince: since},
		Change{From: s.Status, To: to, Reason: because, At: now}
}

// stay is s as it was.
func stay(s billing.Standing) (billing.Standing, Change) {
	return s, Change{From: s.Status, To: s.Status}
}

// Hold is a manager's administrative hold, from active or from credit hold.
func Hold(s billing.Standing, now time.Time) (billing.Standing, Change, error) {
	after, c := stay(s)
	switch s.Status {
	case billing.Deleted:
		return after, c, ErrDeleted
	case billing.Active, billing.CreditHold:
		after, c = move(s, billing.AdministrativeHold, billing.ByManager, now)
	}
	return after, c, nil
}

// Delete deletes an account, from any status, for good.
func Delete(s billing.Standing, now time.Time) (billing.Standing, Change) {
	if s.Status == billing.Deleted {
		return stay(s)
	}
	return move(s, billing.Deleted, 0, now)
}

// Release lifts an administrative hold. The credit test runs at once: if it
// holds the account, that goes over to credit hold without having been active.
func (t Terms) Release(f billing.Funds, s billing.Standing, now time.Time) (billing.Standing, Change, error) {
	after, c := stay(s)
	switch s.Status {
	case billing.Deleted:
		return after, c, ErrDeleted
	case billing.CreditHold:
		return after, c, ErrHeldForDebt
	case billing.AdministrativeHold:
		to := billing.Active
		v := t.Judge(f, billing.Standing{Status: billing.Active}, now)
		if v.Hold {
			to = billing.CreditHold
		}
		after, c = move(s, to, v.Because, now)
	}
	return after, c, nil
}

// Test carries out what the credit test says at now: a hold, a release, or
// nothing.
func (t Terms) Test(f billing.Funds, s billing.Standing, now time.Time) (billing.Standing, Change) {
	switch v := t.Judge(f, s, now); {
	case v.Hold:
		return move(s, billing.CreditHold, v.Because, now)
	case v.Release:
		return move(s, billing.Active, 0, now)
	}
	return stay(s)
}

// Admits is why a record that occurred at a time is rejected by the status of
// its account; 0 lets it pass (SPEC R5.5). On a held account a record passes if
// it occurred before the account last ceased to be active, and a credit passes a
// credit hold (SPEC R5.9). A deleted account admits nothing.
func Admits(s billing.Standing, d billing.Directive, occurredAt time.Time) billing.Reason {
	switch {
	case s.Status == billing.Active:
		return 0
	case s.Status == billing.Deleted:
		return billing.AccountDeleted
	case occurredAt.Before(s.InactiveSince):
		return 0
	case s.Status == billing.AdministrativeHold:
		return billing.AccountAdministrativeHold
	case d == billing.Credit:
		return 0
	}
	return billing.AccountCreditHold
}
