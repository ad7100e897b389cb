package rating

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// Accumulation is over what a price's model counts (SPEC R3.3).
type Accumulation uint8

// The accumulations. The numbers are stored.
const (
	ByRecord Accumulation = iota // every record by itself
	ByDay                        // the account's day so far
	ByMonth                      // the account's month so far
)

var accumulationNames = []string{"record", "day", "month"}

// String is the accumulation's word.
func (a Accumulation) String() string { return accumulationNames[a] }

// MarshalText writes the accumulation's word.
func (a Accumulation) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the accumulation's word.
func (a *Accumulation) UnmarshalText(text []byte) error {
	i := slices.Index(accumulationNames, string(text))
	if i < 0 {
		return fmt.Errorf("accumulate %s: not one of %s", clip(string(text)), strings.Join(accumulationNames, ", "))
	}
	*a = Accumulation(i)
	return nil
}

// Window is the window whose counter the price needs as Use.Before, and false
// where it needs none.
func (a Accumulation) Window() (billing.WindowKind, bool) {
	switch a {
	case ByDay:
		return billing.Day, true
	case ByMonth:
		return billing.Month, true
	default:
		return billing.Transaction, false
	}
}

// Weekdays is a set of days of the week, a bit for each time.Weekday. The zero
// value names none, which means all (SPEC R3.4). In JSON it is a list of words.
type Weekdays uint8

const everyDay Weekdays = 1<<7 - 1

// weekdayNames are in the order of time.Weekday.
var weekdayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// WeekdaysOf is the set of these days.
func WeekdaysOf(days ...time.Weekday) (w Weekdays) {
	for _, d := range days {
		w |= 1 << d
	}
	return w
}

// Contains tells whether d is in w; every day is in an empty w.
func (w Weekdays) Contains(d time.Weekday) bool { return w == 0 || w&(1<<d) != 0 }

// all is w with an empty set spelled out, so that == compares by meaning.
func (w Weekdays) all() Weekdays {
	if w == 0 {
		return everyDay
	}
	return w
}

// MarshalJSON writes the days that w names, from Monday on: ["mon","sat"].
func (w Weekdays) MarshalJSON() ([]byte, error) {
	words := make([]string, 0, 7)
	for i := range 7 {
		if d := (i + 1) % 7; w&(1<<d) != 0 {
			words = append(words, weekdayNames[d])
		}
	}
	return json.Marshal(words)
}

// UnmarshalJSON reads a list of days and refuses a day that it names twice.
func (w *Weekdays) UnmarshalJSON(text []byte) error {
	var words []string
	if err := json.Unmarshal(text, &words); err != nil {
		return fmt.Errorf("days %s: not a list of days", clip(string(text)))
	}
	*w = 0
	for _, word := range words {
		d := slices.Index(weekdayNames, word)
		switch {
		case d < 0:
			return fmt.Errorf("day %s: not one of mon, tue, wed, thu, fri, sat, sun", clip(word))
		case *w&(1<<d) != 0:
			return fmt.Errorf("day %q: named twice", word)
		}
		*w |= 1 << d
	}
	return nil
}

// TimeOfDay is a wall time in minutes since 00:00, from 00:00 to 24:00, which
// is the end of a day and stands only where a band ends.
type TimeOfDay uint16

const endOfDay TimeOfDay = 24 * 60

// String is t like 08:00.
func (t TimeOfDay) String() string { return fmt.Sprintf("%02d:%02d", t/60, t%60) }

// MarshalText writes t as String does.
func (t TimeOfDay) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads a time like 08:00; hours and minutes have two digits.
func (t *TimeOfDay) UnmarshalText(text []byte) error {
	ok := len(text) == 5 && text[2] == ':'
	var n [4]TimeOfDay
	for i, at := range []int{0, 1, 3, 4} {
		if ok = ok && '0' <= text[at] && text[at] <= '9'; ok {
			n[i] = TimeOfDay(text[at] - '0')
		}
	}
	v := (n[0]*10+n[1])*60 + n[2]*10 + n[3]
	if !ok || n[2] > 5 || v > endOfDay {
		return fmt.Errorf("time of day %s: not like 08:00, at most 24:00", clip(string(text)))
	}
	*t = v
	return nil
}

// clip quotes text for an error, cut so that a long one stays a line.
func clip(text string) string {
	if len(text) > 40 {
		return fmt.Sprintf("%q… (%d bytes)", text[:40], len(text))
	}
	return fmt.Sprintf("%q", text)
}
