package billing

import (
	"iter"
	"time"
)

// Period is the unit in which a periodic service is charged (SPEC R7.1).
type Period uint8

// The periods. The numbers are stored; the zero value is none.
const (
	Daily Period = iota + 1
	Weekly
	Monthly
	Yearly
)

var periodNames = []string{"", "daily", "weekly", "monthly", "yearly"}

// String is the period's word.
func (p Period) String() string { return periodNames[p] }

// MarshalText writes the period's word.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the period's word.
func (p *Period) UnmarshalText(text []byte) (err error) {
	*p, err = wordOf[Period]("period", periodNames, string(text))
	return err
}

// Rhythm is the periods of a periodic service, as dates of its account's zone
// (SPEC R7.1). They tile the time from StartsOn on, or to EndsOn: each begins
// where the one before it ended.
type Rhythm struct {
	Period   Period
	Every    int // periods that are charged as one, ≥ 1
	StartsOn Date
	// AnchorDay is the day of the month on which months and years begin, 1 to
	// 31, clamped in short months; 0: the day of StartsOn.
	AnchorDay int
	EndsOn    *Date // exclusive; nil: never
}

// Stretch is the days that are charged as one: from Start on and before End.
type Stretch struct {
	Start, End Date
	// Next is where the following stretch starts: at End, or after it where
	// EndsOn cut this one short.
	Next  Date
	Whole int // days of the whole period of which this is all or a part
}

// Days is how many days s has.
func (s Stretch) Days() int { return int(s.End - s.Start) }

// CutShort tells whether s is only a part of its period: a first one that begins
// between two anchors, or a last one that ends before its own (SPEC R7.3).
func (s Stretch) CutShort() bool { return s.Days() < s.Whole }

// Begin is the first instant of s. There is none where the zone skipped all of
// its days, as Samoa did with 30 December 2011: nobody owes for such a stretch.
func (s Stretch) Begin(c Calendar) (at time.Time, exists bool) {
	at = c.Begin(s.Start)
	return at, at.Before(c.Begin(s.End))
}

// Begun yields the stretches from the one that starts on a date up to the last
// one that has begun by now, oldest first: those without an instant too.
func (r Rhythm) Begun(c Calendar, from Date, now time.Time) iter.Seq[Stretch] {
	today := c.Date(now)
	return func(yield func(Stretch) bool) {
		for start := from; start <= today; {
			s, more := r.At(start)
			if !more || !yield(s) {
				return
			}
			start = s.Next
		}
	}
}

// At is the stretch that starts on a date, which is StartsOn or the Next of
// another stretch. There is none from EndsOn on.
func (r Rhythm) At(start Date) (s Stretch, more bool) {
	if r.EndsOn != nil && start >= *r.EndsOn {
		return Stretch{}, false
	}
	s = Stretch{Start: start}
	s.Next, s.Whole = r.next(start)
	s.End = s.Next
	if r.EndsOn != nil {
		s.End = min(s.End, *r.EndsOn)
	}
	return s, true
}

// next is where the stretch after the one from start begins, and how many days
// the whole period has that ends there. Each step starts from the anchor day, so
// that no clamped date is passed on: 31 January, 28 February, 31 March.
func (r Rhythm) next(start Date) (next Date, whole int) {
	unit := 1
	switch r.Period {
	case Daily:
		return start + Date(r.Every), r.Every
	case Weekly:
		return start + Date(7*r.Every), 7 * r.Every
	case Yearly:
		unit = 12
	}
	year, month, _ := start.Civil()
	day := r.anchor()
	end := month // of the stretch
	switch anchor := Anchored(year, month, day); {
	case start == anchor:
		end += time.Month(unit * r.Every)
	case start > anchor:
		end += time.Month(unit)
	}
	next = Anchored(year, end, day)
	return next, int(next - Anchored(year, end-time.Month(unit*r.Every), day))
}

func (r Rhythm) anchor() int {
	if r.AnchorDay > 0 {
		return r.AnchorDay
	}
	_, _, day := r.StartsOn.Civil()
	return day
}

// Prorate is the part of price that days are of whole, rounded half away from
// zero to the minor units of the currency, or to the price's own digits if it
// has more (SPEC R7.3).
func Prorate(price Money, s Stretch, currency string) Money {
	digits, _ := MinorUnits(currency)
	return Share(price, FixedInt(int64(s.Days())), FixedInt(int64(s.Whole)), max(digits, price.Places()))
}
