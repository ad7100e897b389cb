package billing_test

import (
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Every row is what zdump says of the zone.
func TestDaysBeginWhereTheClockFirstShowsTheirMidnightOrLater(t *testing.T) {
	for _, c := range []struct {
		name   string
		zone   string
		day    string
		begin  string
		length time.Duration
	}{
		{"no zone at all", "UTC", "2026-03-01", "2026-03-01T00:00:00Z", 24 * time.Hour},
		{"a leap day", "UTC", "2024-02-29", "2024-02-29T00:00:00Z", 24 * time.Hour},
		{"after the last day of a leap year, of which Go's bounds are wrong", "Europe/Athens", "2041-01-01", "2041-01-01T00:00:00+02:00", 24 * time.Hour},
		{"a zone of minutes", "Asia/Kathmandu", "2026-03-01", "2026-03-01T00:00:00+05:45", 24 * time.Hour},

		{"set forward in the night", "Europe/Athens", "2026-03-29", "2026-03-29T00:00:00+02:00", 23 * time.Hour},
		{"the day after", "Europe/Athens", "2026-03-30", "2026-03-30T00:00:00+03:00", 24 * time.Hour},
		{"set back in the night", "Europe/Athens", "2026-10-25", "2026-10-25T00:00:00+03:00", 25 * time.Hour},
		{"the day after", "Europe/Athens", "2026-10-26", "2026-10-26T00:00:00+02:00", 24 * time.Hour},
		{"set forward by half an hour", "Australia/Lord_Howe", "2010-10-03", "2010-10-03T00:00:00+10:30", 23*time.Hour + 30*time.Minute},
		{"set back by half an hour", "Australia/Lord_Howe", "2010-04-04", "2010-04-04T00:00:00+11:00", 24*time.Hour + 30*time.Minute},

		{"a skipped midnight, São Paulo", "America/Sao_Paulo", "2010-10-17", "2010-10-17T01:00:00-02:00", 23 * time.Hour},
		{"the day before it is whole", "America/Sao_Paulo", "2010-10-16", "2010-10-16T00:00:00-03:00", 24 * time.Hour},
		{"a skipped midnight, Beirut", "Asia/Beirut", "2010-03-28", "2010-03-28T01:00:00+03:00", 23 * time.Hour},
		{"a skipped midnight, Cairo", "Africa/Cairo", "2010-09-10", "2010-09-10T01:00:00+03:00", 23 * time.Hour},
		{"a skipped midnight, Tehran", "Asia/Tehran", "2011-03-22", "2011-03-22T01:00:00+04:30", 23 * time.Hour},
		{"a skipped midnight, Havana", "America/Havana", "2010-03-14", "2010-03-14T01:00:00-04:00", 23 * time.Hour},
		{"a midnight that lasts a minute", "America/St_Johns", "2010-03-14", "2010-03-14T00:00:00-03:30", 23 * time.Hour},

		{"a doubled midnight begins the day once", "America/Havana", "2010-10-31", "2010-10-31T00:00:00-04:00", 25 * time.Hour},
		{"a doubled midnight, Azores", "Atlantic/Azores", "2010-10-31", "2010-10-31T00:00:00Z", 25 * time.Hour},
		{"set back as midnight strikes: the old day goes on", "Africa/Cairo", "2010-09-30", "2010-09-30T00:00:00+03:00", 25 * time.Hour},
		{"and the new one begins an hour later", "Africa/Cairo", "2010-10-01", "2010-10-01T00:00:00+02:00", 24 * time.Hour},
		{"set back over midnight: the new day has begun", "America/St_Johns", "2010-11-07", "2010-11-07T00:00:00-02:30", 25 * time.Hour},
		{"set back over midnight by three hours", "Antarctica/Casey", "2010-03-05", "2010-03-05T00:00:00+11:00", 27 * time.Hour},

		{"the last day before a skipped one, Samoa", "Pacific/Apia", "2011-12-29", "2011-12-29T00:00:00-10:00", 24 * time.Hour},
		{"a skipped day is empty, Samoa", "Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00", 0},
		{"the first day after it, Samoa", "Pacific/Apia", "2011-12-31", "2011-12-31T00:00:00+14:00", 24 * time.Hour},
		{"a skipped day is empty, Kwajalein", "Pacific/Kwajalein", "1993-08-21", "1993-08-22T00:00:00+12:00", 0},
		{"the first day after it, Kwajalein", "Pacific/Kwajalein", "1993-08-22", "1993-08-22T00:00:00+12:00", 24 * time.Hour},
		{"a skipped day under local mean time, Manila", "Asia/Manila", "1844-12-31", "1844-12-31T15:56:08Z", 0},
		{"a day that came twice, Juneau: it has begun and stays", "America/Juneau", "1867-10-19", "1867-10-18T08:57:41Z", 48 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			calendar, d := calendarOf(t, c.zone), date(t, c.day)
			want := billing.Window{Kind: billing.Day, Start: d, Begin: instant(t, c.begin)}
			want.End = want.Begin.Add(c.length)
			if got := calendar.Begin(d); got != want.Begin {
				t.Errorf("begins: got %s, want %s", got, want.Begin)
			}
			if got := calendar.Begin(d + 1); got != want.End {
				t.Errorf("ends: got %s, want %s", got, want.End)
			}
			if c.length == 0 {
				return
			}
			for _, at := range []time.Time{want.Begin, want.Begin.Add(c.length / 2), want.End.Add(-time.Microsecond)} {
				if got := calendar.Day(at); got != want {
					t.Errorf("day of %s: got %+v, want %+v", at, got, want)
				}
			}
		})
	}
}

func TestMonthsRunFromCycleDayToCycleDay(t *testing.T) {
	for _, c := range []struct {
		name     string
		zone     string
		cycleDay int
		starts   []string
	}{
		{"from the first", "UTC", 1, []string{"2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01"}},
		{"from the 31st, and it comes back", "UTC", 31, []string{"2025-12-31", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"}},
		{"from the 31st in a leap year", "UTC", 31, []string{"2024-01-31", "2024-02-29", "2024-03-31"}},
		{"from the 30th", "UTC", 30, []string{"2026-01-30", "2026-02-28", "2026-03-30", "2026-04-30"}},
		{"from the 29th", "UTC", 29, []string{"2026-01-29", "2026-02-28", "2026-03-29"}},
		{"from the 29th in a leap year", "UTC", 29, []string{"2024-01-29", "2024-02-29", "2024-03-29"}},
		{"a century has no leap day", "UTC", 29, []string{"2100-01-29", "2100-02-28", "2100-03-29"}},
		{"but every fourth has", "UTC", 31, []string{"2000-01-31", "2000-02-29", "2000-03-31"}},
		{"on a day that the zone skips", "Pacific/Apia", 30, []string{"2011-11-30", "2011-12-30", "2012-01-30", "2012-02-29"}},
		{"at a skipped midnight", "America/Sao_Paulo", 17, []string{"2010-09-17", "2010-10-17", "2010-11-17"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			calendar := calendarOf(t, c.zone)
			calendar.CycleDay = c.cycleDay
			for i, start := range c.starts[:len(c.starts)-1] {
				first, next := date(t, start), date(t, c.starts[i+1])
				want := billing.Window{Kind: billing.Month, Start: first, Begin: calendar.Begin(first), End: calendar.Begin(next)}
				for _, at := range []time.Time{want.Begin, want.End.Add(-time.Microsecond)} {
					if got := calendar.Month(at); got != want {
						t.Errorf("month of %s: got %+v, want %+v", at, got, want)
					}
				}
				for d := first; d < next; d++ {
					if got := calendar.MonthOf(d); got != want {
						t.Errorf("month of day %s: got %+v, want %+v", d, got, want)
					}
				}
			}
		})
	}
}

func TestAWindowIsAskedForByItsKind(t *testing.T) {
	c, at := calendarOf(t, "Europe/Athens"), instant(t, "2026-03-14T10:00:00Z")
	if diff := cmp.Diff(c.Window(billing.Day, at), c.Day(at)); diff != "" {
		t.Errorf("day: got -, want +:\n%s", diff)
	}
	if diff := cmp.Diff(c.Window(billing.Month, at), c.Month(at)); diff != "" {
		t.Errorf("month: got -, want +:\n%s", diff)
	}
}

func TestAWindowIsHalfOpen(t *testing.T) {
	w := calendarOf(t, "Europe/Athens").Day(instant(t, "2026-03-29T12:00:00Z"))
	for _, c := range []struct {
		name string
		at   time.Time
		want bool
	}{
		{"the moment before it", w.Begin.Add(-1), false},
		{"its first moment", w.Begin, true},
		{"its first moment on another clock", w.Begin.In(time.FixedZone("", 3600)), true},
		{"its last moment", w.End.Add(-1), true},
		{"the moment after it", w.End, false},
	} {
		if got := w.Contains(c.at); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}

// Windows tile time in the first and the last years that a time can have, and
// under the local mean times of before 1900 too.
func TestWindowsTileEveryTimeThatCanBeWritten(t *testing.T) {
	zones := []string{"UTC", "Europe/Athens", "America/Juneau", "Asia/Manila", "Pacific/Apia", "America/St_Johns", "Africa/Monrovia", "Antarctica/Troll"}
	first, last := instant(t, "0000-01-01T00:00:00Z"), instant(t, "9999-12-31T23:59:59.999999Z")
	rapid.Check(t, func(r *rapid.T) {
		c := calendarOf(t, rapid.SampledFrom(zones).Draw(r, "zone"))
		c.CycleDay = rapid.IntRange(1, 31).Draw(r, "cycle day")
		at := time.UnixMicro(rapid.Int64Range(first.UnixMicro(), last.UnixMicro()).Draw(r, "at"))
		for _, kind := range []billing.WindowKind{billing.Day, billing.Month} {
			w := c.Window(kind, at)
			if !w.Contains(at) {
				r.Errorf("%s of %s: got %+v", kind, at, w)
			}
			before, after := c.Window(kind, w.Begin.Add(-time.Microsecond)), c.Window(kind, w.End)
			if before.End != w.Begin || after.Begin != w.End || before.Start >= w.Start || after.Start <= w.Start {
				r.Errorf("%s of %s: got %+v between %+v and %+v", kind, at, w, before, after)
			}
		}
	})
}
