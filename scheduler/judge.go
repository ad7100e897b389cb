package scheduler

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
)

// begun is a period that has begun and is to be charged or skipped.
type begun struct {
	service *postgres.DueService
	billing.Stretch
	at time.Time // its first instant
}

// chargeAccount works out what now makes of an account's periods that have begun,
// and adds it to a result; the account is changed in place. It is pure. The lines
// of several services stand in the order in which their periods began, as runs
// without a break would have written them. It answers how many periods are left.
func chargeAccount(result *postgres.Periodic, a *postgres.PeriodicAccount, now time.Time, most int) (left int) {
	var due []begun
	for i := range a.Due {
		d := &a.Due[i]
		next := d.NextOn
		found := 0
		for s := range d.Begun(a.Calendar, d.NextOn, now) {
			at, exists := s.Begin(a.Calendar)
			counts := exists && !d.Settled[s.Start]
			if found == most {
				if counts {
					left++
				}
				continue
			}
			if counts {
				due = append(due, begun{service: d, Stretch: s, at: at})
				found++
			}
			next = s.Next
		}
		result.Moves = append(result.Moves, postgres.PeriodicMove{Account: a.Number, Name: d.Name, From: d.NextOn, To: next,
			DueAt: dueAt(d, next, a.Calendar)})
	}
	slices.SortFunc(due, func(a, b begun) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(a.service.Name, b.service.Name), cmp.Compare(a.Start, b.Start))
	})
	chargePeriods(result, a, due, now)
	result.Accounts = append(result.Accounts, a.Account)
	return left
}

// dueAt is when the period begins that starts on a date; nil where there is none.
func dueAt(d *postgres.DueService, next billing.Date, c billing.Calendar) *time.Time {
	if _, more := d.At(next); !more {
		return nil
	}
	at := c.Begin(next)
	return &at
}

// chargePeriods charges or skips periods in their order. The account's funds move
// once, by the net of all of them (SPEC R6.2).
func chargePeriods(result *postgres.Periodic, a *postgres.PeriodicAccount, due []begun, now time.Time) {
	before := a.Funds
	var sum billing.Money
	for i := range due {
		p := &due[i]
		c := postgres.PeriodicCharge{Account: a.Number, Name: p.service.Name, Stretch: p.Stretch,
			Seq: a.NextSeq(now.UnixMicro())}
		cost := cost(p, a.Currency)
		funds := before.Move(a.Terms.Model, -(sum + cost), now)
		c.Skipped = skipped(a.Standing.Status, funds.Figure(a.Terms.Model))
		if c.Skipped == "" {
			c.Uncovered = errors.Is(a.Terms.Buy(a.Funds, cost), limits.ErrInsufficientFunds)
			c.Amount, sum, a.Funds = cost, sum+cost, funds
		}
		c.After = a.Figure(a.Terms.Model)
		result.Charges = append(result.Charges, c)
	}
}

// cost is what a period costs: the price in force when it begins, or by its days
// where it is cut short and the service says so (SPEC R7.2, R7.3).
func cost(p *begun, currency string) billing.Money {
	price := p.service.PriceAt(p.at)
	if p.service.Prorate && p.CutShort() {
		return billing.Prorate(price, p.Stretch, currency)
	}
	return price
}

// skipped is why a period is not charged to an account with a status, whose figure
// it would bring to after; empty: it is charged (SPEC R7.2, R7.3).
func skipped(status billing.Status, after billing.Money) string {
	switch {
	case status != billing.Active:
		return status.String()
	case !after.InRange():
		return billing.OutOfRange.String()
	}
	return ""
}
