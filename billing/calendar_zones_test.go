package billing_test

import (
	"archive/zip"
	"fmt"
	"go/build"
	"io"
	"path/filepath"
	"sort"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// The years in which the windows of every zone are looked at.
const firstYear, lastYear = 1970, 2037

// timeline is what a zone made of these years, found without the calendar: when
// it set its clock, and the beginning of every day in seconds since 1970.
type timeline struct {
	zone    *time.Location
	changes []change
	begins  []int64 // of firstDay and each day after it
}

// change is an instant at which a zone set its clock, and the offset from then on.
type change struct{ at, offset int64 }

// Windows reach a month beyond the years at both ends.
var (
	firstDay = billing.DateOf(firstYear-1, time.December, 1)
	lastDay  = billing.DateOf(lastYear+1, time.February, 1)
)

// timelines reads every zone that Go brings along and answers one for each way
// in which the clock was set in these years: most names are links, or zones that
// differ before 1970 only. A short test has every tenth.
func timelines(t *testing.T) (all []timeline) {
	t.Helper()
	archive, err := zip.OpenReader(filepath.Join(build.Default.GOROOT, "lib", "time", "zoneinfo.zip"))
	if err != nil {
		t.Skipf("this Go has no zones of its own: %v", err)
	}
	defer archive.Close()
	known := map[string]bool{}
	for i, f := range archive.File {
		if f.FileInfo().IsDir() || testing.Short() && i%10 != 0 {
			continue
		}
		zone := zoneIn(t, f)
		changes := changesOf(zone)
		if key := fmt.Sprint(changes); !known[key] {
			known[key] = true
			all = append(all, timeline{zone, changes, sweep(changes)})
		}
	}
	t.Logf("%d ways to set the clock since %d", len(all), firstYear)
	return all
}

func zoneIn(t *testing.T, f *zip.File) *time.Location {
	t.Helper()
	if _, err := billing.LoadZone(f.Name); err != nil {
		t.Error(err)
	}
	r, err := f.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocationFromTZData(f.Name, data)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// changesOf finds when the clock was set by looking at it once a day and halving.
// It does not ask for the zone's bounds, which are wrong in leap years. The
// first change is where it begins to look.
func changesOf(zone *time.Location) []change {
	offset := func(at int64) int64 {
		_, seconds := time.Unix(at, 0).In(zone).Zone()
		return int64(seconds)
	}
	first, last := int64(firstDay-2)*86400, int64(lastDay+2)*86400
	all := []change{{first, offset(first)}}
	for at := first; at < last; at += 86400 {
		before, after := offset(at), offset(at+86400)
		if before == after {
			continue
		}
		n := sort.Search(86400, func(n int) bool { return offset(at+int64(n)) != before })
		all = append(all, change{at + int64(n), after})
	}
	return all
}

// sweep goes from one change of the clock to the next: between them it runs
// evenly. A day begins as soon as the clock shows its midnight or later.
func sweep(changes []change) (begins []int64) {
	next := firstDay
	for i, c := range changes {
		for ; next <= lastDay; next++ {
			begin := max(int64(next)*86400-c.offset, c.at)
			if i+1 < len(changes) && begin >= changes[i+1].at {
				break
			}
			begins = append(begins, begin)
		}
	}
	return begins
}

// begin is the beginning of d.
func (l *timeline) begin(d billing.Date) time.Time { return time.Unix(l.begins[d-firstDay], 0).UTC() }

// day is the day d.
func (l *timeline) day(d billing.Date) billing.Window {
	return billing.Window{Kind: billing.Day, Start: d, Begin: l.begin(d), End: l.begin(d + 1)}
}

// dayOf is the day that contains t: the last one that has begun.
func (l *timeline) dayOf(t time.Time) billing.Window {
	n := sort.Search(len(l.begins), func(i int) bool { return l.begins[i] > t.Unix() })
	return l.day(firstDay + billing.Date(n-1))
}

// Day after day and month after month, in every zone and from every cycle day:
// each window begins where the one before ends and has what lies between (SPEC R2.5).
func TestWindowsTileTimeInEveryZone(t *testing.T) {
	months := monthStarts()
	for _, l := range timelines(t) {
		t.Run(l.zone.String(), func(t *testing.T) {
			t.Parallel()
			daysTile(t, &l)
			daysTileAroundChanges(t, &l)
			for cycleDay, starts := range months {
				monthsTile(t, &l, cycleDay, starts)
			}
		})
	}
}

func daysTile(t *testing.T, l *timeline) {
	c := billing.Calendar{Zone: l.zone, CycleDay: 1}
	last := billing.DateOf(lastYear, time.December, 31)
	for d := billing.DateOf(firstYear, time.January, 1); d <= last; d++ {
		w := l.day(d)
		if w.Begin.Equal(w.End) { // the zone skipped it
			if got := c.Begin(d); got != w.Begin {
				t.Fatalf("%s begins: got %s, want %s", d, got, w.Begin)
			}
			continue
		}
		if noon := w.Begin.Add(w.End.Sub(w.Begin) / 2); c.Date(noon) != d {
			t.Fatalf("date of %s: got %s, want %s", noon, c.Date(noon), d)
		}
		for _, at := range []time.Time{w.Begin, w.End.Add(-time.Microsecond)} {
			if got := c.Day(at); got != w {
				t.Fatalf("day of %s: got %+v, want %+v", at, got, w)
			}
		}
	}
}

func daysTileAroundChanges(t *testing.T, l *timeline) {
	c := billing.Calendar{Zone: l.zone, CycleDay: 1}
	for _, change := range l.changes[1:] {
		for _, minutes := range []time.Duration{0, 1, 30, 60, 90, 120, 180, 720, 1440} {
			for _, micro := range []time.Duration{-1, 0, 1} {
				for _, away := range []time.Duration{-minutes * time.Minute, minutes * time.Minute} {
					at := time.Unix(change.at, 0).Add(away + micro*time.Microsecond)
					if got, want := c.Day(at), l.dayOf(at); got != want {
						t.Fatalf("day of %s: got %+v, want %+v", at.In(l.zone), got, want)
					}
				}
			}
		}
	}
}

func monthsTile(t *testing.T, l *timeline, cycleDay int, starts []billing.Date) {
	c := billing.Calendar{Zone: l.zone, CycleDay: cycleDay}
	for i, start := range starts[:len(starts)-1] {
		w := billing.Window{Kind: billing.Month, Start: start, Begin: l.begin(start), End: l.begin(starts[i+1])}
		if got := c.MonthOf(start); got != w {
			t.Fatalf("month of day %s from day %d: got %+v, want %+v", start, cycleDay, got, w)
		}
		if last := w.End.Add(-time.Microsecond); c.Month(last) != w {
			t.Fatalf("month of %s from day %d: got %+v, want %+v", last, cycleDay, c.Month(last), w)
		}
	}
}

// monthStarts lists, for every cycle day, the first days of the months: the day
// of that number, or the last one of a month that has none.
func monthStarts() map[int][]billing.Date {
	starts := map[int][]billing.Date{}
	for first := time.Date(firstYear-1, time.December, 1, 0, 0, 0, 0, time.UTC); first.Year() <= lastYear; first = first.AddDate(0, 1, 0) {
		last := first.AddDate(0, 1, -1).Day()
		for cycleDay := 1; cycleDay <= 31; cycleDay++ {
			starts[cycleDay] = append(starts[cycleDay], billing.DateOf(first.Year(), first.Month(), min(cycleDay, last)))
		}
	}
	return starts
}
