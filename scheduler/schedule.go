package scheduler

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Schedule is when a job runs.
type Schedule struct {
	ticks cron.Schedule
	zone  *time.Location
}

// cronParser reads five fields, and words like @hourly and @every 1m.
var cronParser = cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// ParseSchedule reads a cron schedule as clocks of a zone show it. It refuses what
// never comes, like 30 February, and a zone inside the text: the zone of all
// schedules is scheduler.time_zone.
func ParseSchedule(text string, zone *time.Location) (Schedule, error) {
	if strings.Contains(text, "TZ=") {
		return Schedule{}, errors.New("it names a time zone: set scheduler.time_zone instead")
	}
	ticks, err := cronParser.Parse(strings.TrimSpace(text))
	if err != nil {
		return Schedule{}, fmt.Errorf(`want a cron schedule, like "*/5 * * * *" or "@every 1m": %w`, err)
	}
	if s, civil := ticks.(*cron.SpecSchedule); civil {
		s.Location = zone // cron would take the machine's
	}
	if ticks.Next(time.Unix(0, 0)).IsZero() {
		return Schedule{}, errors.New("it never comes")
	}
	return Schedule{ticks: ticks, zone: zone}, nil
}

// Next is the first tick after t. It may come up to an hour off where clocks are
// set forward or back, which does not matter: a tick asks what is due.
func (s Schedule) Next(t time.Time) time.Time {
	next := s.ticks.Next(t.In(s.zone))
	if next.IsZero() { // cron looks five years ahead, and 2100 has no 29 February
		return t.AddDate(1, 0, 0)
	}
	return next
}

// every is a schedule of even pace.
func every(pace time.Duration) Schedule {
	return Schedule{ticks: cron.ConstantDelaySchedule{Delay: pace}, zone: time.UTC}
}
