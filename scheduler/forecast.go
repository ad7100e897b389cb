package scheduler

import (
	"context"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// Forecast says when an account will be past what its terms tolerate, if it goes
// on as it is: not paid into, charged for its periodic services as it will be,
// and used as it was of late.
type Forecast struct {
	Account   string         `json:"account"`
	Currency  string         `json:"currency"`
	Status    billing.Status `json:"status"`
	Balance   billing.Money  `json:"balance"`
	Threshold billing.Money  `json:"financial_blocking_threshold"`
	// UsedFrom and UsedTo are what is used a day: what it came to in the week of the
	// last four in which least was used, and most. Both are 0 where only periodic
	// charges move the account; the forecast is then exact.
	UsedFrom billing.Money `json:"used_per_day_least"`
	UsedTo   billing.Money `json:"used_per_day_most"`
	Exact    bool          `json:"exact"`
	// Earliest and Latest are when the credit test will hold the account at the one
	// and the other use; nil: not within the time looked at. Reason is that at
	// Earliest.
	Earliest *time.Time            `json:"earliest"`
	Latest   *time.Time            `json:"latest"`
	Reason   *billing.StatusReason `json:"reason"`
}

const (
	weeksLooked   = 4
	forecastPage  = 500
	day           = 24 * time.Hour
	daysOfTheWeek = 7
)

// Forecasts answers the forecasts of all accounts, or of the one with a number, in
// the order of their numbers, looking ahead from now for so long.
func Forecasts(ctx context.Context, store *postgres.Store, number string, now time.Time, ahead time.Duration) iter.Seq2[*Forecast, error] {
	// Two days more than are needed: accounts have days of their own.
	since := billing.DateOf(now.UTC().Date()) - weeksLooked*daysOfTheWeek - 2
	return func(yield func(*Forecast, error) bool) {
		for after := ""; ; {
			page, err := store.ForecastAccounts(ctx, number, after, since, forecastPage)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, a := range page {
				f := forecast(a, now, now.Add(ahead))
				if !yield(&f, nil) {
					return
				}
				after = a.Number
			}
			if len(page) < forecastPage {
				return
			}
		}
	}
}

// forecast is that of one account. It is pure, and charges periods by the code
// that will.
func forecast(a *postgres.ForecastAccount, now, end time.Time) Forecast {
	f := Forecast{Account: a.Number, Currency: a.Currency, Status: a.Status, Balance: a.Balance, Threshold: a.Terms.Threshold}
	f.UsedFrom, f.UsedTo = usedPerDay(a, now)
	f.Exact = f.UsedTo == 0
	if a.Status != billing.Active || a.Terms.Model != billing.Prepay {
		return f
	}
	var because billing.StatusReason
	if f.Earliest, because = reach(a, f.UsedTo, now, end); f.Earliest != nil {
		f.Reason = &because
	}
	f.Latest = f.Earliest
	if f.UsedFrom != f.UsedTo {
		f.Latest, _ = reach(a, f.UsedFrom, now, end)
	}
	return f
}

// usedPerDay is what was used a day in the slowest and in the fastest of the last
// four weeks, up to the end of yesterday. Weeks before the first use among these
// are left out: the account was not in use yet.
func usedPerDay(a *postgres.ForecastAccount, now time.Time) (least, most billing.Money) {
	today := a.Calendar.Date(now)
	first := today
	for d, used := range a.Used {
		if d >= today-weeksLooked*daysOfTheWeek && d < first && !used.IsZero() {
			first = d
		}
	}
	least = billing.MoneyMax
	for end := today; end > first; end -= daysOfTheWeek {
		var sum billing.Fixed
		for d := end - daysOfTheWeek; d < end; d++ {
			sum = sum.Add(a.Used[d])
		}
		days := int64(min(daysOfTheWeek, end-first)) // of the week of the first use only those since
		week, _ := sum.Money()
		perDay := max(0, billing.Share(week, billing.FixedInt(1), billing.FixedInt(days), 6))
		least, most = min(least, perDay), max(most, perDay)
	}
	return min(least, most), most
}

// reach is when the credit test will hold an account that uses so much a day, and
// why; nil where that is not before end.
func reach(of *postgres.ForecastAccount, perDay billing.Money, now, end time.Time) (*time.Time, billing.StatusReason) {
	account := *of.Account
	a := &postgres.PeriodicAccount{Account: &account, Terms: of.Terms, Due: slices.Clone(of.Due)}
	for at, use := now, now.Add(day); ; {
		if v := a.Terms.Judge(a.Funds, a.Standing, at); v.Hold {
			return &at, v.Because
		}
		charge, charges := nextCharge(a)
		next := end
		if perDay > 0 && use.Before(next) {
			next = use
		}
		if charges && charge.Before(next) {
			next = charge
		}
		// What moves the balance in the very instant that the grace ends goes first,
		// as a charge run goes before the sweep, and may give another reason.
		if hold, will := a.Terms.HoldAt(a.Funds, a.Standing); will && hold.Before(next) {
			return &hold, billing.BySubzero
		}
		if !next.Before(end) {
			return nil, 0
		}
		at = next
		if at.Before(now) {
			at = now // what is due already is charged at the next run
		}
		if charges && !charge.After(at) {
			chargeNext(a, at)
		} else {
			a.Funds = a.Move(a.Terms.Model, -perDay, at)
			use = use.Add(day)
		}
	}
}

// nextCharge is when the next period of any service begins.
func nextCharge(a *postgres.PeriodicAccount) (at time.Time, is bool) {
	for i := range a.Due {
		d := &a.Due[i]
		if due := dueAt(d, d.NextOn, a.Calendar); due != nil && (!is || due.Before(at)) {
			at, is = *due, true
		}
	}
	return at, is
}

// chargeNext charges what has begun by then, as a run would.
func chargeNext(a *postgres.PeriodicAccount, now time.Time) {
	var result postgres.Periodic
	chargeAccount(&result, a, now, math.MaxInt)
	for i, m := range result.Moves {
		a.Due[i].NextOn = m.To
	}
}
