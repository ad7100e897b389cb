package scheduler

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
	"pgregory.net/rapid"
)

// ahead is how far the tests look.
const ahead = 200 * 24 * time.Hour

// forecastOf is an account's forecast at a time.
func (s *site) forecastOf(number string, now time.Time) *Forecast {
	s.t.Helper()
	for f, err := range Forecasts(s.t.Context(), s.store, number, now, ahead) {
		if err != nil {
			s.t.Fatal(err)
		}
		return f
	}
	s.t.Fatalf("no forecast of %s", number)
	return nil
}

func TestOfPeriodicChargesAForecastIsExact(t *testing.T) {
	s, n := newSite(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		number := fmt.Sprintf("F%d", n)
		var services []string
		for i := range rapid.IntRange(1, 3).Draw(rt, "services") {
			services = append(services, fmt.Sprintf(`{name: S%d, price: "%d", period: %s, every: %d, starts_on: 2026-01-%02d, prorate: %t}`, i,
				rapid.IntRange(1, 60).Draw(rt, "price"), rapid.SampledFrom([]string{"daily", "weekly", "monthly"}).Draw(rt, "period"),
				rapid.IntRange(1, 2).Draw(rt, "every"), rapid.IntRange(1, 31).Draw(rt, "starts on"), rapid.Bool().Draw(rt, "prorate")))
		}
		start := at(t, "2026-01-01T12:00:00Z")
		s.apply(start, fmt.Sprintf(`{number: %s, class: %s, time_zone: UTC, opening_balance: "%d", periodic_services: [%s]}`, number,
			rapid.SampledFrom([]string{"three", "none", "ever"}).Draw(rt, "class"), rapid.IntRange(0, 90).Draw(rt, "balance"), strings.Join(services, ", ")))
		f := s.forecastOf(number, start)
		if !f.Exact || f.Earliest != f.Latest {
			rt.Fatalf("a range of what is exact: %+v", f)
		}
		end := start.Add(ahead)
		if f.Earliest != nil {
			end = *f.Earliest
		}
		for now := start; now.Before(end); now = now.Truncate(day).Add(day) {
			s.chargeAt(now.Format(time.RFC3339))
			s.sweepAt(now.Format(time.RFC3339))
		}
		s.sweepAt(end.Add(-time.Microsecond).Format(time.RFC3339Nano))
		if a := s.account(number); a.Status != billing.Active {
			rt.Fatalf("held before %s: %+v", end, a)
		}
		if f.Earliest == nil {
			return
		}
		s.chargeAt(end.Format(time.RFC3339))
		s.sweepAt(end.Format(time.RFC3339))
		if a := s.account(number); a.Status != billing.CreditHold || *a.StatusReason != *f.Reason {
			rt.Fatalf("forecast %+v, got %+v", f, a)
		}
	})
}

// The grace ended in the instant of a charge that took the balance past the
// threshold: the forecast said subzero, the scheduler threshold.
func TestAChargeInTheInstantThatGraceEndsGoesFirst(t *testing.T) {
	s := newSite(t)
	start := at(t, "2026-01-01T12:00:00Z")
	s.apply(start, `{number: F, class: three, time_zone: UTC, opening_balance: "63", periodic_services: [
		{name: daily, price: "32", period: daily, starts_on: 2026-01-24},
		{name: weekly, price: "53", period: weekly, every: 2, starts_on: 2026-01-23}]}`)
	f := s.forecastOf("F", start)
	if got, want := dayOf(f.Earliest), "2026-01-27"; got != want || *f.Reason != billing.ByThreshold {
		t.Errorf("got %s for %s, want %s for the threshold", got, f.Reason, want)
	}
	for day := 23; day <= 27; day++ {
		now := fmt.Sprintf("2026-01-%02dT00:00:00Z", day)
		s.chargeAt(now)
		s.sweepAt(now)
	}
	if a := s.account("F"); a.StatusReason == nil || *a.StatusReason != billing.ByThreshold {
		t.Errorf("the scheduler made of it %+v", a)
	}
}

func TestUseIsForecastAsARange(t *testing.T) {
	now := at(t, "2026-03-21T12:00:00Z")
	today := billing.DateOf(2026, time.March, 21)
	account := func(balance string, used map[int]string) *postgres.ForecastAccount {
		b, err := billing.ParseMoney(balance)
		if err != nil {
			t.Fatal(err)
		}
		a := &postgres.ForecastAccount{Used: map[billing.Date]billing.Fixed{}}
		a.Account = &postgres.Account{Number: "A", Currency: "EUR", Calendar: billing.Calendar{Zone: time.UTC, CycleDay: 1}}
		a.Balance, a.Terms = b, limits.Terms{Threshold: 10 * billing.MoneyUnit, SubzeroDays: -1}
		for daysAgo, amount := range used {
			m, err := billing.ParseMoney(amount)
			if err != nil {
				t.Fatal(err)
			}
			a.Used[today-billing.Date(daysAgo)] = m.Fixed()
		}
		return a
	}
	tests := []struct {
		name                     string
		balance                  string
		used                     map[int]string
		least, most              string
		earliest, latest, reason string
	}{
		{"nothing used", "5", nil, "0", "0", "", "", ""},
		{"what was used today is not looked at", "5", map[int]string{0: "100"}, "0", "0", "", "", ""},
		{"four weeks ago still counts", "5", map[int]string{28: "70"}, "0", "10", "2026-03-23", "", "threshold"},
		{"a day before that does not", "5", map[int]string{29: "70"}, "0", "0", "", "", ""},
		{"one week in use: no range", "5", map[int]string{7: "7", 1: "7"}, "2", "2", "2026-03-29", "2026-03-29", "threshold"},
		{"in use since yesterday", "5", map[int]string{1: "3"}, "3", "3", "2026-03-27", "2026-03-27", "threshold"},
		{"two weeks, slow and fast", "5", map[int]string{14: "7", 3: "35"}, "1", "5", "2026-03-25", "2026-04-06", "threshold"},
		{"past it already", "-10.01", nil, "0", "0", "2026-03-21", "2026-03-21", "threshold"},
		{"exactly at it with nothing used", "-10", nil, "0", "0", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := forecast(account(tt.balance, tt.used), now, now.Add(ahead))
			reason := ""
			if f.Reason != nil {
				reason = f.Reason.String()
			}
			got := fmt.Sprint(f.UsedFrom, f.UsedTo, dayOf(f.Earliest), dayOf(f.Latest), reason)
			if want := fmt.Sprint(tt.least, tt.most, tt.earliest, tt.latest, tt.reason); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

func dayOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}
