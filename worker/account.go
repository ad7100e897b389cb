package worker

import (
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
)

// account is an account as a worker keeps it: its state, what was compiled from
// its terms, and what a judgement in progress did to it.
type account struct {
	*postgres.Account
	terms limits.Terms
	// rules by placement, compiled from limits; both belong together.
	rules  map[int32]*limits.Rules
	limits *limits.Limits
	// day and month are the windows met last: records come in the order of time
	// more often than not.
	day, month billing.Window
	used       []billing.Fixed // where the used values of a record are laid

	// Of the judgement in progress.
	touched            bool
	moved, debited     bool          // in the batch at hand
	before             billing.Funds // as they were before the batch at hand
	lastDay, lastMonth billing.Date  // newest windows counted in
}

// newAccount makes a state read from the database ready to judge by.
func newAccount(a *postgres.Account, s *postgres.Snapshot) *account {
	return &account{Account: a, terms: limits.Effective(s.Classes[a.Class], a.Threshold, a.CreditLimit)}
}

// rulesFor compiles once how limits bind a service.
func (a *account) rulesFor(in *limits.Limits, place *billing.Place) *limits.Rules {
	if a.limits != in {
		a.limits, a.rules = in, map[int32]*limits.Rules{}
	}
	r := a.rules[place.ID]
	if r == nil {
		r = in.For(place.Placement)
		a.rules[place.ID] = r
	}
	return r
}

// windows are the day and the month that contain t.
func (a *account) windows(t time.Time) (day, month billing.Window) {
	if !a.day.Contains(t) {
		a.day = a.Calendar.Day(t)
	}
	if !a.month.Contains(t) {
		a.month = a.Calendar.MonthOf(a.day.Start)
	}
	return a.day, a.month
}

// begin makes a ready for a judgement.
func (a *account) begin() {
	a.touched, a.before = true, a.Funds
	a.lastDay, a.lastMonth = billing.Earliest, billing.Earliest
}

// settle makes all that the batch at hand moved one move at now: a balance that
// went below zero and came back has not been negative (SPEC R6.2).
func (a *account) settle(now time.Time) {
	moved := a.Balance - a.before.Balance
	if a.terms.Model == billing.Postpay {
		moved = a.before.CurrentDebt - a.CurrentDebt
	}
	a.Funds = a.before.Move(a.terms.Model, moved, now)
	a.before = a.Funds
}

// counted notes windows that a record was counted in.
func (a *account) counted(day, month *billing.Window) {
	a.lastDay, a.lastMonth = max(a.lastDay, day.Start), max(a.lastMonth, month.Start)
}

// close takes out the counters that no longer need to travel with the state:
// those before yesterday and before the last month, as seen from the newest
// record. Late records find them in their own table.
func (a *account) close() map[billing.CounterKey]billing.Counter {
	if a.lastDay == billing.Earliest {
		return nil
	}
	return a.Counters.Close(a.lastDay-1, a.Calendar.MonthOf(a.lastMonth-1).Start)
}
