package scheduler

import (
	"strings"
	"testing"
	"time"
)

func TestSchedulesTickInTheirZone(t *testing.T) {
	for _, c := range []struct{ name, schedule, zone, from, want string }{
		{"every five minutes", "*/5 * * * *", "UTC", "2026-03-01T10:02:03Z", "2026-03-01T10:05:00Z 2026-03-01T10:10:00Z"},
		{"an even pace", "@every 90s", "UTC", "2026-03-01T10:00:00Z", "2026-03-01T10:01:30Z 2026-03-01T10:03:00Z"},
		{"midnight in Athens", "0 0 * * *", "Europe/Athens", "2026-03-28T12:00:00Z", "2026-03-28T22:00:00Z 2026-03-29T21:00:00Z"},
		{"a word", "@daily", "Europe/Athens", "2026-03-28T12:00:00Z", "2026-03-28T22:00:00Z"},
		{"a leap day", "0 0 29 2 *", "UTC", "2025-01-01T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"an hour that is skipped", "30 3 * * *", "Europe/Athens", "2026-03-28T12:00:00Z", "2026-03-30T00:30:00Z"},
		{"beyond what cron sees", "0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2097-03-01T00:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			zone, err := time.LoadLocation(c.zone)
			if err != nil {
				t.Fatal(err)
			}
			s, err := ParseSchedule(c.schedule, zone)
			if err != nil {
				t.Fatal(err)
			}
			tick := at(t, c.from)
			var got []string
			for range strings.Fields(c.want) {
				tick = s.Next(tick)
				got = append(got, tick.UTC().Format(time.RFC3339))
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
}

func TestSchedulesThatAreRefused(t *testing.T) {
	for schedule, want := range map[string]string{
		"":                             "want a cron schedule",
		"* * * *":                      "want a cron schedule",
		"* * * * * *":                  "want a cron schedule",
		"61 * * * *":                   "want a cron schedule",
		"@sometimes":                   "want a cron schedule",
		"@every soon":                  "want a cron schedule",
		"0 0 30 2 *":                   "it never comes",
		"CRON_TZ=Asia/Tokyo 0 5 * * *": "set scheduler.time_zone instead",
		"TZ=":                          "set scheduler.time_zone instead",
	} {
		_, err := ParseSchedule(schedule, time.UTC)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("schedule %q: got %v, want %s", schedule, err, want)
		}
	}
	for want, c := range map[string]Config{
		`credit.sweep: "x" is not allowed`:     {Sweep: "x", Charge: "@daily", Zone: time.UTC},
		`scheduler.charge: "y" is not allowed`: {Sweep: "@daily", Charge: "y", Zone: time.UTC},
		`notices.webhooks: want addresses`:     {Sweep: "@daily", Charge: "@daily", Zone: time.UTC, Webhooks: "ftp://x"},
	} {
		if _, err := newScheduler(Runner{Log: quiet()}, c, noNudge); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s …", err, want)
		}
	}
}
