package billing_test

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"pgregory.net/rapid"
)

// TestParseTimeTakesTimesWithAnOffset, and cuts them to microseconds (SPEC R2.4).
func TestParseTimeTakesTimesWithAnOffset(t *testing.T) {
	at := time.Date(2026, time.March, 1, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name string
		text string
		want time.Time
	}{
		{"in UTC", "2026-03-01T08:00:00Z", at},
		{"east of it", "2026-03-01T10:00:00+02:00", at},
		{"west of it", "2026-03-01T04:30:00-03:30", at},
		{"an offset that is not known", "2026-03-01T08:00:00-00:00", at},
		{"the widest offset", "2026-03-01T22:00:00+14:00", at},
		{"the widest offset to the west", "2026-02-28T18:00:00-14:00", at},
		{"small letters", "2026-03-01t08:00:00z", at},
		{"a second's last microsecond", "2026-03-01T08:00:00.999999Z", at.Add(999999 * time.Microsecond)},
		{"more is cut, not rounded", "2026-03-01T08:00:00.9999999999999Z", at.Add(999999 * time.Microsecond)},
		{"less than a microsecond is nothing", "2026-03-01T08:00:00.0000009+00:00", at},
		{"a tenth", "2026-03-01T08:00:00.1Z", at.Add(100 * time.Millisecond)},
		{"a fraction without end", "2026-03-01T08:00:00." + strings.Repeat("0", 1<<20) + "1Z", at},
		{"a leap day", "2024-02-29T23:59:59Z", time.Date(2024, time.February, 29, 23, 59, 59, 0, time.UTC)},
		{"the first that can be written", "0000-01-01T00:00:00Z", time.Date(0, time.January, 1, 0, 0, 0, 0, time.UTC)},
		{"the last", "9999-12-31T23:59:59.999999Z", time.Date(9999, time.December, 31, 23, 59, 59, 999999000, time.UTC)},
	} {
		got, err := billing.ParseTime(c.text)
		if err != nil || got != c.want {
			t.Errorf("%s: %.40s: got %s, %v, want %s", c.name, c.text, got, err, c.want)
		}
	}
}

// Package time takes some of these for RFC 3339 (go.dev/issue/54580), and so did
// ParseTime.
func TestParseTimeRefusesWhatIsNotRFC3339(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"nothing", ""},
		{"no offset", "2026-03-01T08:00:00"},
		{"no offset behind a fraction", "2026-03-01T08:00:00.5"},
		{"a date", "2026-03-01"},
		{"no seconds", "2026-03-01T08:00Z"},
		{"just past the widest offset", "2026-03-01T08:00:00+14:01"},
		{"just past it to the west", "2026-03-01T08:00:00-14:01"},
		{"an offset of 24 hours", "2026-03-01T08:00:00+24:00"},
		{"an offset of 60 minutes", "2026-03-01T08:00:00+01:60"},
		{"an offset without colon", "2026-03-01T08:00:00+0200"},
		{"an offset of hours", "2026-03-01T08:00:00+02"},
		{"an offset of seconds", "2026-03-01T08:00:00+02:00:00"},
		{"a zone", "2026-03-01T08:00:00 Europe/Athens"},
		{"a leap second", "2016-12-31T23:59:60Z"},
		{"hour 24", "2026-03-01T24:00:00Z"},
		{"minute 60", "2026-03-01T08:60:00Z"},
		{"an hour of one digit", "2026-03-01T8:00:00Z"},
		{"a comma", "2026-03-01T08:00:00,5Z"},
		{"a fraction without digits", "2026-03-01T08:00:00.Z"},
		{"a blank for the T", "2026-03-01 08:00:00Z"},
		{"a blank behind it", "2026-03-01T08:00:00Z "},
		{"a blank before it", " 2026-03-01T08:00:00Z"},
		{"month 13", "2026-13-01T08:00:00Z"},
		{"month 0", "2026-00-01T08:00:00Z"},
		{"day 0", "2026-03-00T08:00:00Z"},
		{"a day that is not", "2026-02-29T08:00:00Z"},
		{"a century's leap day", "1900-02-29T08:00:00Z"},
		{"a year of five digits", "12026-03-01T08:00:00Z"},
		{"a year below zero", "-001-03-01T08:00:00Z"},
		{"the year before the first, in UTC", "0000-01-01T00:00:00+00:01"},
		{"the year after the last, in UTC", "9999-12-31T23:59:59-00:01"},
		{"digits of another script", "２０26-03-01T08:00:00Z"},
		{"a megabyte", strings.Repeat("2", 1<<20)},
	} {
		got, err := billing.ParseTime(c.text)
		if !errors.Is(err, billing.ErrNotTime) || !got.IsZero() {
			t.Errorf("%s: %.40s: got %s, %v, want %v", c.name, c.text, got, err, billing.ErrNotTime)
		}
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("%s: got a fault of %d bytes, want a short line", c.name, len(err.Error()))
		}
	}
}

var rfc3339 = regexp.MustCompile(`^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|([+-])(\d\d):(\d\d))$`)

// timeOf reads a time by its parts.
func timeOf(text string) (at time.Time, ok bool) {
	m := rfc3339.FindStringSubmatch(text)
	if m == nil {
		return at, false
	}
	part := func(i int) int {
		n, _ := strconv.Atoi(m[i]) // digits, or nothing
		return n
	}
	micro, _ := strconv.Atoi((m[7] + "000000")[:6])
	at = time.Date(part(1), time.Month(part(2)), part(3), part(4), part(5), part(6), micro*1000, time.UTC)
	if at.Format("20060102150405") != m[1]+m[2]+m[3]+m[4]+m[5]+m[6] {
		return at, false // a part was past its range and carried over
	}
	offset := time.Duration(part(10))*time.Hour + time.Duration(part(11))*time.Minute
	if offset > 14*time.Hour || part(11) > 59 {
		return at, false
	}
	if m[9] == "+" {
		offset = -offset
	}
	at = at.Add(offset)
	return at, at.Year() >= 0 && at.Year() <= 9999
}

func FuzzParseTime(f *testing.F) {
	for _, text := range []string{
		"2026-03-01T10:00:00+02:00", "2026-03-01t10:00:00.1234567z", "2024-02-29T23:59:59-14:00", "2016-12-31T23:59:60Z",
		"0000-01-01T00:00:00+00:01", "9999-12-31T23:59:59.9Z", "2026-03-01T10:00:00", "2026-03-01T1:00:00Z", "2026-03-01T10:00:00,5Z",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := billing.ParseTime(text)
		want, ok := timeOf(text)
		if ok != (err == nil) || ok && got != want {
			t.Fatalf("%q: got %s, %v, want %s, %t", text, got, err, want, ok)
		}
		if again, err := billing.ParseTime(got.Format(time.RFC3339Nano)); ok && (err != nil || again != got) {
			t.Errorf("%q: got %s, %v when written and read again, want %s", text, again, err, got)
		}
	})
}

func TestDatesAreReadAndWritten(t *testing.T) {
	for _, c := range []struct {
		text    string
		days    billing.Date
		weekday time.Weekday
	}{
		{"1970-01-01", 0, time.Thursday},
		{"1969-12-31", -1, time.Wednesday},
		{"2026-03-14", 20526, time.Saturday},
		{"2024-02-29", 19782, time.Thursday},
		{"0000-01-01", -719528, time.Saturday},
		{"9999-12-31", 2932896, time.Friday},
	} {
		var d billing.Date
		if err := d.UnmarshalText([]byte(c.text)); err != nil || d != c.days || d.Weekday() != c.weekday {
			t.Errorf("%s: got day %d, a %s, %v, want day %d, a %s", c.text, d, d.Weekday(), err, c.days, c.weekday)
		}
		if text, err := d.MarshalText(); err != nil || string(text) != c.text {
			t.Errorf("got %s, %v, want %s", text, err, c.text)
		}
	}
}

func TestParseDateRefusesWhatIsNoDate(t *testing.T) {
	for _, text := range []string{
		"", "2026-3-1", "2026-03-1", "26-03-01", "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "2026-01-32", "2026/01/01",
		"20260101", "2026-01-01T00:00:00Z", "2026-01-01 ", " 2026-01-01", "12026-01-01", "-001-01-01", "today", strings.Repeat("1", 1<<20),
	} {
		if d, err := billing.ParseDate(text); !errors.Is(err, billing.ErrNotDate) || len(err.Error()) > 200 {
			t.Errorf("%.40q: got %s, %v, want %v", text, d, err, billing.ErrNotDate)
		}
	}
}

func FuzzParseDate(f *testing.F) {
	f.Add("2026-01-31")
	f.Add("2024-02-29")
	f.Add("2026-02-29")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := billing.ParseDate(text)
		_, ok := timeOf(text + "T00:00:00Z")
		if ok != (err == nil) || ok && d.String() != text {
			t.Errorf("%q: got %s, %v, want it taken: %t", text, d, err, ok)
		}
	})
}

func TestADateIsItsNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := billing.Date(rapid.Int32().Draw(t, "date"))
		year, month, day := d.Civil()
		if got := billing.DateOf(year, month, day); got != d {
			t.Errorf("%d-%d-%d: got day %d, want %d", year, month, day, got, d)
		}
		if got, want := (d + 1).Weekday(), (d.Weekday()+1)%7; d < 1<<31-1 && got != want {
			t.Errorf("the day after %s: got %s, want %s", d, got, want)
		}
	})
}

func TestAnAnchorIsClampedToItsMonth(t *testing.T) {
	for _, c := range []struct {
		name  string
		year  int
		month time.Month
		day   int
		want  string
	}{
		{"the 31st of a long month", 2026, time.January, 31, "2026-01-31"},
		{"the 31st of February", 2026, time.February, 31, "2026-02-28"},
		{"and in a leap year", 2024, time.February, 31, "2024-02-29"},
		{"the 31st of April", 2026, time.April, 31, "2026-04-30"},
		{"the 30th of April", 2026, time.April, 30, "2026-04-30"},
		{"the first", 2026, time.February, 1, "2026-02-01"},
		{"a month past December", 2026, time.December + 2, 31, "2027-02-28"},
		{"a month before January", 2026, time.January - 1, 31, "2025-12-31"},
	} {
		if got := billing.Anchored(c.year, c.month, c.day).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestLoadZoneTakesNamesThatMeanTheSameEverywhere(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Athens", "Etc/GMT-14", "America/Argentina/Buenos_Aires", "US/Eastern"} {
		if zone, err := billing.LoadZone(name); err != nil || zone.String() != name {
			t.Errorf("%s: got %s, %v", name, zone, err)
		}
	}
	// Many machines have localtime, posix and right beside the zones, and they were
	// taken for zones.
	for _, name := range []string{
		"", "Local", "localtime", "posixrules", "posix/Europe/Athens", "right/Europe/Athens", "right/UTC",
		"Europe", "Europe/", "Europe/Atlantis", "Europe/Athens ", "/etc/localtime", "../UTC", "Europe/../UTC", "+02:00", "EET-2", "UTC\x00",
		"zone.tab", strings.Repeat("a", 1<<20),
	} {
		if zone, err := billing.LoadZone(name); !errors.Is(err, billing.ErrNotZone) || len(err.Error()) > 200 {
			t.Errorf("%.40q: got %v, %.300v, want %v", name, zone, err, billing.ErrNotZone)
		}
	}
}
