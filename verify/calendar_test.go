package verify

import (
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// The two calendars share no code. Where they agree around every change of the
// clock of the zones that are hardest, neither is likely to be wrong.
func TestWindowsAreThoseOfTheOtherCalendar(t *testing.T) {
	for _, name := range []string{
		"UTC", "Europe/Athens", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", // half an hour of DST
		"America/Sao_Paulo", "Asia/Beirut", "America/Havana", "Africa/Cairo", "Atlantic/Azores", // midnights that do not exist, or twice
		"Pacific/Apia", "Pacific/Kwajalein", "America/Juneau", "Asia/Manila", // dates that do not exist, or twice
		"Africa/Monrovia", "Europe/Amsterdam", "Antarctica/Troll", "America/Scoresbysund",
	} {
		t.Run(name, func(t *testing.T) {
			zone, err := billing.LoadZone(name)
			if err != nil {
				t.Fatal(err)
			}
			var instants []time.Time
			for at := time.Date(1840, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2040; {
				_, end := at.In(zone).ZoneBounds()
				if end.IsZero() {
					break
				}
				for _, off := range []time.Duration{0, -1, 30 * time.Minute, -30 * time.Minute, 3 * time.Hour, -3 * time.Hour, 24 * time.Hour, -24 * time.Hour} {
					instants = append(instants, end.Add(off).Truncate(time.Microsecond))
				}
				at = end
			}
			for at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2026; at = at.Add(7*time.Hour + 13*time.Minute) {
				instants = append(instants, at)
			}
			for _, cycleDay := range []int{1, 2, 28, 29, 30, 31} {
				v := verifier{calendars: map[calendarKey]*calendar{}}
				c := v.calendar(calendarKey{name, cycleDay}, zone)
				other := billing.Calendar{Zone: zone, CycleDay: cycleDay}
				for _, at := range instants {
					day, month := c.windows(at)
					if want := other.Day(at).Start; day != want {
						t.Fatalf("day of %s: got %s, want %s", at, day, want)
					}
					if want := other.Month(at).Start; month != want {
						t.Fatalf("month from day %d of %s: got %s, want %s", cycleDay, at, month, want)
					}
				}
			}
		})
	}
}
