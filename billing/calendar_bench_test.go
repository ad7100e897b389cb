package billing_test

import (
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
)

func BenchmarkCalendarBegin(b *testing.B) {
	c, d := calendarOf(b, "Europe/Athens"), billing.DateOf(2026, time.March, 1)
	for i := 0; b.Loop(); i++ {
		c.Begin(d + billing.Date(i%365))
	}
}

func BenchmarkCalendarDay(b *testing.B) {
	c, t := calendarOf(b, "Europe/Athens"), time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	for i := 0; b.Loop(); i++ {
		c.Day(t.Add(time.Duration(i%8760) * time.Hour))
	}
}

func BenchmarkCalendarMonth(b *testing.B) {
	c, t := calendarOf(b, "Europe/Athens"), time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	for i := 0; b.Loop(); i++ {
		c.Month(t.Add(time.Duration(i%8760) * time.Hour))
	}
}
