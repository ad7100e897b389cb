package billing

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Date is a civil date, as days since 1970-01-01.
type Date int32

// DateOf is the date with these numbers; days and months beyond their range
// carry over as in time.Date.
func DateOf(year int, month time.Month, day int) Date {
	return Date(floorDiv(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix(), 86400))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// ErrNotDate means that a text is not a date like 2026-01-31.
var ErrNotDate = errors.New("not a date like 2026-01-31")

// ParseDate reads a date like 2026-01-31.
func ParseDate(text string) (Date, error) {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return 0, fmt.Errorf("date %s: %w", clip(text), ErrNotDate)
	}
	return DateOf(t.Date()), nil
}

func (d Date) utc() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// Civil is the year, month and day of d.
func (d Date) Civil() (year int, month time.Month, day int) { return d.utc().Date() }

// Weekday is the day of the week of d.
func (d Date) Weekday() time.Weekday { return d.utc().Weekday() }

// String is d like 2026-01-31.
func (d Date) String() string { return d.utc().Format(time.DateOnly) }

// MarshalText writes d as String does.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a date as ParseDate does.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}

// Anchored is the date in the month of year and month whose number is day,
// clamped to the last day of a short month (SPEC R2.5); months beyond their
// range carry over. It never drifts, as it always starts from the day that was
// asked for.
func Anchored(year int, month time.Month, day int) Date {
	last := DateOf(year, month+1, 0)
	return min(DateOf(year, month, 1)+Date(day-1), last)
}

// WindowKind says over what a ceiling or a price counts.
type WindowKind uint8

// The windows, in the order in which breaches are named (SPEC R4.5).
const (
	Transaction WindowKind = iota
	Day
	Month
)

var windowNames = []string{"transaction", "day", "month"}

// String is the window's word.
func (k WindowKind) String() string { return windowNames[k] }

// MarshalText writes the window's word.
func (k WindowKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the window's word.
func (k *WindowKind) UnmarshalText(text []byte) (err error) {
	*k, err = wordOf[WindowKind]("window", windowNames, string(text))
	return err
}

// Window is a day or a month of an account: half-open [Begin, End), named by
// the date on which it starts.
type Window struct {
	Kind       WindowKind
	Start      Date
	Begin, End time.Time
}

// Contains tells whether t lies in w.
func (w Window) Contains(t time.Time) bool { return !t.Before(w.Begin) && t.Before(w.End) }

// Calendar is how an account divides time: its zone and the day on which its
// months begin (SPEC R2.5).
type Calendar struct {
	Zone     *time.Location
	CycleDay int // 1 to 31
}

// earliest reaches back past every offset that a zone ever had, local mean
// times before 1900 included.
const earliest = 48 * time.Hour

// Begin is the first instant whose local date-time is not before 00:00 of d.
//
// time.Date will not do: for a midnight that a zone skips it may answer a time
// of the day before. So the zone's own intervals are walked: in each, local
// time runs evenly, and the first interval that reaches the wall time has it.
func (c Calendar) Begin(d Date) time.Time {
	wall := d.utc()
	for t := wall.Add(-earliest); ; {
		offset, end := interval(t.In(c.Zone))
		at := wall.Add(-offset)
		if at.Before(t) {
			at = t
		}
		if end.IsZero() || at.Before(end) {
			return at.UTC()
		}
		t = end
	}
}

// interval is the offset of t's clock, and until when it stays: an instant after
// t, or zero for ever.
func interval(t time.Time) (offset time.Duration, end time.Time) {
	_, seconds := t.Zone()
	_, end = t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		// ZoneBounds takes years for 365 days, so that on the last day of a leap
		// year the end has passed (go.dev/issue/81583). UTC's midnight is in time: the
		// offset stays until the year ends.
		const day = 24 * time.Hour
		end = t.Truncate(day).Add(day)
	}
	return time.Duration(seconds) * time.Second, end
}

// Date is the day that t belongs to. It is the local date but where the clock
// is set back over midnight: then the new day has begun and stays.
func (c Calendar) Date(t time.Time) Date {
	d, _ := c.date(t)
	return d
}

// date is Date with the end of that day.
func (c Calendar) date(t time.Time) (d Date, end time.Time) {
	d = DateOf(t.In(c.Zone).Date())
	for end = c.Begin(d + 1); !t.Before(end); end = c.Begin(d + 1) {
		d++
	}
	return d, end
}

// Day is the day that contains t.
func (c Calendar) Day(t time.Time) Window {
	d, end := c.date(t)
	return Window{Kind: Day, Start: d, Begin: c.Begin(d), End: end}
}

// Month is the month, from cycle day to cycle day, that contains t.
func (c Calendar) Month(t time.Time) Window { return c.MonthOf(c.Date(t)) }

// MonthOf is the month that contains the day d.
func (c Calendar) MonthOf(d Date) Window {
	year, month, _ := d.Civil()
	if d < Anchored(year, month, c.CycleDay) {
		month--
	}
	start, next := Anchored(year, month, c.CycleDay), Anchored(year, month+1, c.CycleDay)
	return Window{Kind: Month, Start: start, Begin: c.Begin(start), End: c.Begin(next)}
}

// Window is the day or month that contains t; kind is Day or Month.
func (c Calendar) Window(kind WindowKind, t time.Time) Window {
	if kind == Day {
		return c.Day(t)
	}
	return c.Month(t)
}

// ErrNotTime means that a text is not a time as SPEC R2.4 has it.
var ErrNotTime = errors.New("not an RFC 3339 time with an offset within ±14:00")

// impossible is an ErrNotTime that is written as one, of what clocks and
// calendars do not show.
type impossible string

const (
	noSuchDay    impossible = "there is no such day"
	noSuchSecond impossible = "there is no such hour, minute or second"
)

// Error says which.
func (i impossible) Error() string { return string(i) }

// Is makes it an ErrNotTime.
func (i impossible) Is(target error) bool { return target == ErrNotTime }

// ErrNotZone means that a text does not name a time zone.
var ErrNotZone = errors.New("not an IANA name like Europe/Athens")

// offsetMax is the widest offset that any zone uses.
const offsetMax = 14 * 60 * 60

// ParseTime reads an RFC 3339 time with an offset and cuts it to microseconds
// (SPEC R2.4). Its t and z may be small letters, as RFC 3339 has it; second 60,
// and a year that has no four digits in UTC, are refused. The answer is in UTC.
func ParseTime(text string) (time.Time, error) { return readTime([]byte(text)) }

// LoadZone is the time zone of an IANA name. Refused is also what a machine may
// keep beside them: its own zone, which is another one elsewhere, and copies
// whose days have leap seconds.
func LoadZone(name string) (*time.Location, error) {
	switch directory, _, _ := strings.Cut(name, "/"); directory {
	case "", "Local", "localtime", "posix", "posixrules", "right":
		return nil, fmt.Errorf("time zone %s: %w", clip(name), ErrNotZone)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %s: %w", clip(name), ErrNotZone)
	}
	return zone, nil
}
