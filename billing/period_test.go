package billing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"pgregory.net/rapid"
)

// rhythm is a periodic service's rhythm in one line: "monthly 2026-01-31", and
// then "every 3", "anchor 1" and "to 2026-03-16" as need be.
func rhythm(t testing.TB, text string) billing.Rhythm {
	t.Helper()
	words := strings.Fields(text)
	r := billing.Rhythm{Every: 1, StartsOn: civil(t, words[1])}
	if err := r.Period.UnmarshalText([]byte(words[0])); err != nil {
		t.Fatal(err)
	}
	for i := 2; i < len(words); i += 2 {
		var err error
		switch words[i] {
		case "every":
			_, err = fmt.Sscan(words[i+1], &r.Every)
		case "anchor":
			_, err = fmt.Sscan(words[i+1], &r.AnchorDay)
		case "to":
			end := civil(t, words[i+1])
			r.EndsOn = &end
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return r
}

func civil(t testing.TB, text string) billing.Date {
	t.Helper()
	d, err := billing.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPeriodsBeginOnTheirAnchorAndNeverDrift(t *testing.T) {
	for _, c := range []struct {
		name, rhythm, starts string
	}{
		{"every day", "daily 2026-02-27", "2026-02-27 2026-02-28 2026-03-01 2026-03-02"},
		{"every third day over a leap day", "daily 2024-02-27 every 3", "2024-02-27 2024-03-01 2024-03-04"},
		{"every week", "weekly 2026-12-28", "2026-12-28 2027-01-04 2027-01-11"},
		{"every second week", "weekly 2026-01-05 every 2", "2026-01-05 2026-01-19 2026-02-02"},

		{"a month of the 28th", "monthly 2026-01-28", "2026-01-28 2026-02-28 2026-03-28"},
		{"a month of the 29th", "monthly 2026-01-29", "2026-01-29 2026-02-28 2026-03-29 2026-04-29"},
		{"a month of the 29th in a leap year", "monthly 2024-01-29", "2024-01-29 2024-02-29 2024-03-29"},
		{"a month of the 30th", "monthly 2026-01-30", "2026-01-30 2026-02-28 2026-03-30 2026-04-30"},
		{"a month of the 31st", "monthly 2026-01-31", "2026-01-31 2026-02-28 2026-03-31 2026-04-30 2026-05-31"},
		{"a month of the 31st over a year's end", "monthly 2025-12-31", "2025-12-31 2026-01-31 2026-02-28 2026-03-31"},
		{"three months of the 30th", "monthly 2025-11-30 every 3", "2025-11-30 2026-02-28 2026-05-30 2026-08-30 2026-11-30 2027-02-28"},
		{"fourteen months", "monthly 2026-01-31 every 14", "2026-01-31 2027-03-31 2028-05-31"},

		{"a first of the month after the middle", "monthly 2026-01-15 anchor 1", "2026-01-15 2026-02-01 2026-03-01"},
		{"the anchor is still to come in the month", "monthly 2026-01-15 anchor 20", "2026-01-15 2026-01-20 2026-02-20"},
		{"the anchor is the start", "monthly 2026-01-15 anchor 15", "2026-01-15 2026-02-15"},
		{"the day before the anchor", "monthly 2026-01-14 anchor 15", "2026-01-14 2026-01-15 2026-02-15"},
		{"the day after the anchor", "monthly 2026-01-16 anchor 15", "2026-01-16 2026-02-15 2026-03-15"},
		{"a clamped anchor ahead", "monthly 2026-02-10 anchor 31", "2026-02-10 2026-02-28 2026-03-31 2026-04-30"},
		{"a start on the clamped anchor", "monthly 2026-02-28 anchor 31", "2026-02-28 2026-03-31 2026-04-30"},
		{"a start after the anchor in December", "monthly 2026-12-15 anchor 1", "2026-12-15 2027-01-01 2027-02-01"},
		{"three months, partial up to the first anchor", "monthly 2026-01-15 anchor 1 every 3", "2026-01-15 2026-02-01 2026-05-01 2026-08-01"},

		{"a year of a leap day", "yearly 2024-02-29", "2024-02-29 2025-02-28 2026-02-28 2027-02-28 2028-02-29"},
		{"two years of a leap day", "yearly 2024-02-29 every 2", "2024-02-29 2026-02-28 2028-02-29"},
		{"a year of a 28 February that is no leap day", "yearly 2023-02-28", "2023-02-28 2024-02-28 2025-02-28"},
		{"a year of 29 February that starts in a short one", "yearly 2023-02-28 anchor 29", "2023-02-28 2024-02-29 2025-02-28"},
		{"a year from its anchor in the month of the start", "yearly 2026-03-15 anchor 1", "2026-03-15 2027-03-01 2028-03-01"},
		{"a year with the anchor later in the month", "yearly 2026-03-15 anchor 31", "2026-03-15 2026-03-31 2027-03-31"},

		{"it ends between two anchors", "monthly 2026-01-15 anchor 1 to 2026-03-16", "2026-01-15 2026-02-01 2026-03-01"},
		{"it ends on an anchor", "monthly 2026-01-01 to 2026-03-01", "2026-01-01 2026-02-01"},
		{"it ends the day after an anchor", "monthly 2026-01-01 to 2026-03-02", "2026-01-01 2026-02-01 2026-03-01"},
		{"it ends where it starts", "monthly 2026-01-01 to 2026-01-01", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rhythm(t, c.rhythm)
			most := max(1, len(strings.Fields(c.starts)))
			var got []string
			for at, more := r.At(r.StartsOn); more && len(got) < most; at, more = r.At(at.Next) {
				got = append(got, at.Start.String())
			}
			if text := strings.Join(got, " "); text != c.starts {
				t.Errorf("\ngot  %s\nwant %s", text, c.starts)
			}
			if r.EndsOn == nil || len(got) == 0 {
				return
			}
			last, _ := r.At(civil(t, got[len(got)-1]))
			if _, more := r.At(last.Next); more || last.End > *r.EndsOn {
				t.Errorf("got a last period to %s, want none that reaches past %s", last.End, r.EndsOn)
			}
		})
	}
}

func TestPartialPeriodsCostTheirDays(t *testing.T) {
	for _, c := range []struct {
		name, rhythm, start string
		price, currency     string
		want                string // days/whole price
	}{
		{"17 of January's 31 days", "monthly 2026-01-15 anchor 1", "2026-01-15", "31", "EUR", "17/31 17"},
		{"all of February", "monthly 2026-01-15 anchor 1", "2026-02-01", "31", "EUR", "28/28 31"},
		{"15 of March's 31 days", "monthly 2026-01-15 anchor 1 to 2026-03-16", "2026-03-01", "31", "EUR", "15/31 15"},
		{"18 of 28 days up to a clamped anchor", "monthly 2026-02-10 anchor 31", "2026-02-10", "10", "EUR", "18/28 6.43"},
		{"both ends cut", "monthly 2026-01-15 anchor 1 to 2026-01-20", "2026-01-15", "31", "EUR", "5/31 5"},
		{"one day", "monthly 2026-01-31 anchor 1", "2026-01-31", "31", "EUR", "1/31 1"},
		{"of three months, those up to the first anchor", "monthly 2026-01-15 anchor 1 every 3", "2026-01-15", "92", "EUR", "17/92 17"},
		{"of a leap year", "yearly 2023-03-15 anchor 1", "2023-03-15", "366", "EUR", "352/366 352"},
		{"of two years", "yearly 2027-03-15 anchor 1 every 2", "2027-03-15", "731", "EUR", "352/731 352"},
		{"a week cut short", "weekly 2026-01-05 to 2026-01-08", "2026-01-05", "10", "EUR", "3/7 4.29"},
		{"half a cent is rounded away from zero", "weekly 2026-01-05 every 2 to 2026-01-12", "2026-01-05", "0.01", "EUR", "7/14 0.01"},
		{"a currency without cents", "monthly 2026-01-15 anchor 1", "2026-01-15", "1000", "JPY", "17/31 548"},
		{"a currency with three digits", "monthly 2026-01-15 anchor 1", "2026-01-15", "1", "KWD", "17/31 0.548"},
		{"a price finer than its currency", "weekly 2026-01-05 every 2 to 2026-01-12", "2026-01-05", "0.005", "EUR", "7/14 0.003"},
	} {
		t.Run(c.name, func(t *testing.T) {
			price, err := billing.ParseMoney(c.price)
			if err != nil {
				t.Fatal(err)
			}
			s, more := rhythm(t, c.rhythm).At(civil(t, c.start))
			got := fmt.Sprintf("%d/%d %s", s.Days(), s.Whole, billing.Prorate(price, s, c.currency))
			if !more || got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if cut := s.Days() != s.Whole; s.CutShort() != cut {
				t.Errorf("got cut short %v, want %v", s.CutShort(), cut)
			}
		})
	}
}

// A period begins with the day on which it starts: at the first instant that the
// zone has of it.
func TestPeriodsBeginWithTheirDayInTheZone(t *testing.T) {
	for _, c := range []struct {
		name, zone, rhythm string
		now                string
		want               string // first instants of what has begun by now
	}{
		{"the last microsecond before", "Europe/Athens", "monthly 2026-01-31", "2026-02-27T21:59:59.999999Z", "2026-01-30T22:00:00Z"},
		{"the first instant", "Europe/Athens", "monthly 2026-01-31", "2026-02-27T22:00:00Z", "2026-01-30T22:00:00Z 2026-02-27T22:00:00Z"},
		{"summer time begins", "Europe/Athens", "daily 2026-03-28", "2026-03-30T12:00:00Z",
			"2026-03-27T22:00:00Z 2026-03-28T22:00:00Z 2026-03-29T21:00:00Z"},
		{"an hour comes twice", "Europe/Athens", "daily 2026-10-24", "2026-10-26T12:00:00Z",
			"2026-10-23T21:00:00Z 2026-10-24T21:00:00Z 2026-10-25T22:00:00Z"},
		{"a day without midnight begins at one", "America/Sao_Paulo", "daily 2010-10-16", "2010-10-18T12:00:00Z",
			"2010-10-16T03:00:00Z 2010-10-17T03:00:00Z 2010-10-18T02:00:00Z"},
		{"a month that begins on a day without midnight", "America/Sao_Paulo", "monthly 2010-09-17", "2010-10-17T03:00:00Z",
			"2010-09-17T03:00:00Z 2010-10-17T03:00:00Z"},
		{"a midnight that comes twice counts the first time", "America/Havana", "daily 2026-11-01", "2026-11-01T04:00:00Z",
			"2026-11-01T04:00:00Z"},
		{"a day that Samoa skipped is no period", "Pacific/Apia", "daily 2011-12-29", "2011-12-31T12:00:00Z",
			"2011-12-29T10:00:00Z - 2011-12-30T10:00:00Z 2011-12-31T10:00:00Z"},
		{"a month that would begin on it begins with the day after", "Pacific/Apia", "monthly 2011-11-30", "2011-12-30T10:00:00Z",
			"2011-11-30T10:00:00Z 2011-12-30T10:00:00Z"},
		{"a day that the Marshalls skipped", "Pacific/Kwajalein", "daily 1993-08-20", "1993-08-22T11:59:59Z",
			"1993-08-20T12:00:00Z - 1993-08-21T12:00:00Z"},
		{"before it starts", "UTC", "daily 2026-01-01", "2025-12-31T23:59:59Z", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone, err := billing.LoadZone(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			now, err := billing.ParseTime(c.now)
			if err != nil {
				t.Fatal(err)
			}
			r := rhythm(t, c.rhythm)
			calendar := billing.Calendar{Zone: zone, CycleDay: 1}
			var got []string
			for s := range r.Begun(calendar, r.StartsOn, now) {
				if begin, exists := s.Begin(calendar); exists {
					got = append(got, begin.Format(time.RFC3339))
				} else {
					got = append(got, "-")
				}
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("\ngot  %s\nwant %s", text, c.want)
			}
		})
	}
}

// Whatever the rhythm, its periods leave no gap and do not overlap, whole ones
// are whole, and a month's or a year's begins on the anchor day or on the last
// day of a month that has none.
func TestPeriodsTileTheTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := billing.Rhythm{
			Period:   billing.Period(rapid.IntRange(1, 4).Draw(t, "period")),
			Every:    rapid.IntRange(1, 1000).Draw(t, "every"),
			StartsOn: billing.Date(rapid.IntRange(-200_000, 200_000).Draw(t, "starts on")),
		}
		if r.Period >= billing.Monthly {
			r.AnchorDay = rapid.IntRange(0, 31).Draw(t, "anchor day")
		}
		if rapid.Bool().Draw(t, "ends") {
			end := r.StartsOn + billing.Date(rapid.IntRange(0, 3000).Draw(t, "days"))
			r.EndsOn = &end
		}
		start := r.StartsOn
		for i := range 40 {
			s, more := r.At(start)
			if !more {
				if r.EndsOn == nil || start < *r.EndsOn {
					t.Fatalf("no period from %s of %+v", start, r)
				}
				return
			}
			if s.Start != start || s.End <= s.Start || s.Next < s.End || s.Days() > s.Whole {
				t.Fatalf("period %d of %+v: %+v", i, r, s)
			}
			if i > 0 && s.End == s.Next && s.CutShort() {
				t.Fatalf("period %d of %+v is cut short though no end is near: %+v", i, r, s)
			}
			if i > 0 && r.Period >= billing.Monthly {
				year, month, _ := s.Start.Civil()
				day := r.AnchorDay
				if day == 0 {
					_, _, day = r.StartsOn.Civil()
				}
				if want := billing.Anchored(year, month, day); s.Start != want {
					t.Fatalf("period %d of %+v begins on %s, want %s", i, r, s.Start, want)
				}
			}
			start = s.Next
		}
	})
}
