package feed

import (
	"errors"
	"fmt"
	"time"
)

// Faults of a local time.
var (
	errSkipped = errors.New("the clock skips this time")
	errDoubled = errors.New("the clock shows this time twice")
)

// withOffset is a time that has no offset as the clock of zone would have it, in
// UTC; a blank may stand for its T. Any other text is left as it is, to be judged as a record's
// time. A time that the zone's clock skips or shows twice is a fault: which of
// two instants was meant would be a guess about money.
func withOffset(text []byte, zone *time.Location) ([]byte, error) {
	const seconds = len(time.DateTime)
	if len(text) < seconds || text[10] != ' ' && text[10] != 'T' {
		return text, nil
	}
	whole := string(text[:10]) + " " + string(text[11:seconds])
	wall, err := time.Parse(time.DateTime, whole)
	if err != nil || wall.Format(time.DateTime) != whole {
		return text, nil
	}
	fraction := text[seconds:]
	for i, c := range fraction {
		if (i == 0) != (c == '.') || i > 0 && (c < '0' || c > '9') {
			return text, nil // an offset, which stands, or a fault
		}
	}
	at, err := instant(wall, zone)
	if err != nil {
		return nil, fmt.Errorf("time %q in %s: %w", whole, zone, err)
	}
	// In UTC, as old zones have offsets of seconds, which RFC 3339 cannot write.
	utc := append(at.UTC().AppendFormat(nil, "2006-01-02T15:04:05"), fraction...)
	return append(utc, 'Z'), nil
}

// instant is when the clock of zone shows wall. The offsets that are in force a
// day before and a day after are the only ones that can be, as zones do not
// change theirs twice in two days.
func instant(wall time.Time, zone *time.Location) (time.Time, error) {
	var found []time.Time
	for _, day := range []int{-1, 1} {
		_, offset := wall.AddDate(0, 0, day).In(zone).Zone()
		at := wall.Add(-time.Duration(offset) * time.Second).In(zone)
		_, there := at.Zone()
		if there == offset && (len(found) == 0 || !found[0].Equal(at)) {
			found = append(found, at)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return time.Time{}, errSkipped
	default:
		return time.Time{}, errDoubled
	}
}
