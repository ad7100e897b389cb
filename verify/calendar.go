package verify

import (
	"time"

	"github.com/chargehand/chargehand/billing"
)

// timeFormat prints instants in reports.
const timeFormat = time.RFC3339Nano

// calendarKey is what the days and months of an account hang on.
type calendarKey struct {
	zone     string
	cycleDay int
}

// calendar finds the day and the month of an instant by SPEC R2.5, for all
// accounts of one zone and cycle day. What it has worked out it keeps.
type calendar struct {
	zone     *time.Location
	cycleDay int
	begins   map[billing.Date]int64 // of days, in microseconds since 1970
	months   map[billing.Date]billing.Date
}

// daysKept bounds a calendar: eighty years of days.
const daysKept = 30_000

// calendar is the one of a key; nil where there is no such zone.
func (v *verifier) calendar(k calendarKey, zone *time.Location) *calendar {
	if zone == nil {
		return nil
	}
	c := v.calendars[k]
	if c == nil {
		c = &calendar{zone: zone, cycleDay: k.cycleDay, begins: map[billing.Date]int64{}, months: map[billing.Date]billing.Date{}}
		v.calendars[k] = c
	}
	return c
}

// windows are the dates on which the day and the month of t start.
func (c *calendar) windows(t time.Time) (day, month billing.Date) {
	if len(c.begins) > daysKept {
		clear(c.begins)
		clear(c.months)
	}
	at := t.UnixMicro()
	_, offset := t.In(c.zone).Zone()
	day = billing.Date(floorDiv(at+int64(offset)*1e6, 86400*1e6))
	// The local date is the day but where the clock was set back over midnight:
	// days follow one another, and t is in the last that has begun.
	for c.begin(day) > at {
		day--
	}
	for c.begin(day+1) <= at {
		day++
	}
	month, known := c.months[day]
	if !known {
		month = monthStart(day, c.cycleDay)
		c.months[day] = month
	}
	return day, month
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (c *calendar) begin(d billing.Date) int64 {
	at, known := c.begins[d]
	if !known {
		at = dayBegin(c.zone, d)
		c.begins[d] = at
	}
	return at
}

// dayBegin is the first instant whose local date-time is not before 00:00 of d.
//
// Local time runs evenly between two changes of the clock, so the first instant
// that reaches a wall time is where the wall time falls in one of these
// stretches, or where a stretch begins that is past it already. All of these
// that there are in the days around are tried, and the earliest is taken.
func dayBegin(zone *time.Location, d billing.Date) int64 {
	const reach = 48 * time.Hour // past every offset there ever was
	wall := time.Unix(int64(d)*86400, 0)
	earliest := wall.Add(reach)
	try := func(t time.Time) {
		_, offset := t.In(zone).Zone()
		if local := t.Add(time.Duration(offset) * time.Second); !local.Before(wall) && t.Before(earliest) {
			earliest = t
		}
	}
	for t := wall.Add(-reach); t.Before(wall.Add(reach)); {
		start, end := t.In(zone).ZoneBounds()
		_, offset := t.In(zone).Zone()
		if !start.IsZero() {
			try(start)
		}
		try(wall.Add(-time.Duration(offset) * time.Second))
		if end.IsZero() {
			break
		}
		if !end.After(t) {
			// ZoneBounds takes years for 365 days, so that on the last day of a
			// leap year the end has passed (go.dev/issue/81583).
			end = t.Truncate(24 * time.Hour).Add(24 * time.Hour)
		}
		t = end
	}
	return earliest.UnixMicro()
}

// monthStart is the newest date, up to d, whose number is the cycle day or that
// is the last of a month too short to have it.
func monthStart(d billing.Date, cycleDay int) billing.Date {
	for ; ; d-- {
		_, month, day := d.Civil()
		_, next, _ := (d + 1).Civil()
		if day == cycleDay || day < cycleDay && next != month {
			return d
		}
	}
}
