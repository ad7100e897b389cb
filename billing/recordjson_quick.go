package billing

import (
	"fmt"
	"time"
)

// The readers here take numbers and times straight from the bytes. A number not
// in its plain form, and every fault of one, is left to the parsers of strings;
// that they agree is what FuzzQuickReaders looks for.

func readQuantity(text []byte) (Fixed, error) {
	if n, places, ok := plainDigits(text); ok && n > 0 && places <= fixedPlaces {
		return fixedScaled(n, fixedPlaces-places), nil
	}
	return ParseQuantity(string(text))
}

// readAmount reads a record's amount, at least zero (SPEC R2.2).
func readAmount(text []byte) (Money, error) {
	if n, places, ok := plainDigits(text); ok && places <= moneyPlaces {
		return Money(n * int64(pow10[moneyPlaces-places])), nil
	}
	m, err := ParseMoney(string(text))
	if err == nil && m < 0 {
		err = fmt.Errorf("number %s: %w", clip(string(text)), ErrNegative)
	}
	return m, err
}

// plainDigitsMax is how many digits may stand before and behind the point for
// the value to fit an int64, in millionths too, and to be legal everywhere.
const plainDigitsMax = 12

// plainDigits reads digits with at most one point among them: n / 10^places.
func plainDigits(text []byte) (n int64, places int, ok bool) {
	if len(text) == 0 || len(text) > 18 || text[0] == '0' && len(text) > 1 && text[1] != '.' {
		return 0, 0, false
	}
	point := len(text)
	for i, c := range text {
		if c == '.' && point == len(text) && i > 0 {
			point = i
			continue
		}
		if c < '0' || c > '9' {
			return 0, 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if point < len(text) {
		places = len(text) - point - 1
	}
	return n, places, point <= plainDigitsMax && text[len(text)-1] != '.'
}

// The instants whose year has four digits in UTC: what RFC 3339 can write.
const (
	unixFirst = -62167219200 // 0000-01-01T00:00:00Z
	unixLast  = 253402300799 // 9999-12-31T23:59:59Z
)

// readTime reads an RFC 3339 time with an offset and cuts it to microseconds
// (SPEC R2.4). It does not end in package time: its parsers of RFC 3339 take
// hours of one digit and commas (go.dev/issue/54580), and an offset at either end
// of the calendar leads to a year that cannot be written again.
func readTime(text []byte) (time.Time, error) {
	sec, micro, ok := plainTime(text)
	if !ok || sec < unixFirst || sec > unixLast {
		return time.Time{}, fmt.Errorf("time %s: %w", clip(string(text)), whyNotTime(text))
	}
	return time.Unix(sec, micro*1000).UTC(), nil
}

// plainTime reads 2006-01-02T15:04:05[.999…](Z|±07:00), its letters large or small.
func plainTime(text []byte) (sec, micro int64, ok bool) {
	const seconds = len("2006-01-02T15:04:05")
	if len(text) <= seconds || text[4] != '-' || text[7] != '-' || text[10]|0x20 != 't' || text[13] != ':' || text[16] != ':' {
		return 0, 0, false
	}
	century, year := two(text[0:]), two(text[2:])
	month, day := two(text[5:]), two(text[8:])
	hour, minute, second := two(text[11:]), two(text[14:]), two(text[17:])
	if century|year|month|day|hour|minute|second < 0 || hour > 23 || minute > 59 || second > 59 {
		return 0, 0, false
	}
	year += 100 * century
	if month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, 0, false
	}
	micro, text, ok = plainFraction(text[seconds:])
	if !ok {
		return 0, 0, false
	}
	offset, ok := plainOffset(text)
	days := daysBefore(year, month) + int64(day) - 1
	return days*86400 + int64(hour*3600+minute*60+second-offset), micro, ok
}

// whyNotTime tells a day or second that there is not from what is no time at all.
// A blank may stand for the T here, as tables have it.
func whyNotTime(text []byte) error {
	const shape = "0000-00-00T00:00:00"
	if len(text) < len(shape) {
		return ErrNotTime
	}
	for i, c := range text[:len(shape)] {
		switch {
		case shape[i] == '0' && '0' <= c && c <= '9', shape[i] == 'T' && (c|0x20 == 't' || c == ' '), shape[i] == c:
		default:
			return ErrNotTime
		}
	}
	year, month, day := 100*two(text)+two(text[2:]), two(text[5:]), two(text[8:])
	switch {
	case month < 1 || month > 12 || day < 1 || day > daysIn(year, month):
		return noSuchDay
	case two(text[11:]) > 23 || two(text[14:]) > 59 || two(text[17:]) > 59:
		return noSuchSecond
	}
	return ErrNotTime
}

// two is the number that the first two digits of text write, below 0 if they are none.
func two(text []byte) int {
	a, b := int(text[0])-'0', int(text[1])-'0'
	if uint(a) > 9 || uint(b) > 9 {
		return -1
	}
	return a*10 + b
}

// plainFraction reads a fraction of a second, if there is one, cut to microseconds.
func plainFraction(text []byte) (micro int64, rest []byte, ok bool) {
	if text[0] != '.' {
		return 0, text, true
	}
	i, unit := 1, int64(100_000)
	for ; i < len(text) && '0' <= text[i] && text[i] <= '9'; i++ {
		micro += int64(text[i]-'0') * unit
		unit /= 10
	}
	return micro, text[i:], i > 1
}

// plainOffset reads Z or ±07:00 to the end of text: seconds east of UTC.
func plainOffset(text []byte) (offset int, ok bool) {
	if len(text) == 1 && text[0]|0x20 == 'z' {
		return 0, true
	}
	if len(text) != len("+07:00") || text[0] != '+' && text[0] != '-' || text[3] != ':' {
		return 0, false
	}
	hours, minutes := two(text[1:]), two(text[4:])
	if offset = hours*3600 + minutes*60; hours < 0 || minutes < 0 || minutes > 59 || offset > offsetMax {
		return 0, false
	}
	if text[0] == '-' {
		return -offset, true
	}
	return offset, true
}

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func daysIn(year, month int) int {
	if month == 2 && leap(year) {
		return 29
	}
	return int("\x1f\x1c\x1f\x1e\x1f\x1e\x1f\x1f\x1e\x1f\x1e\x1f"[month-1])
}

// daysBefore is how many days lie between 1970-01-01 and the month's first. The
// year is taken to begin in March, which puts the leap day at its end: then the
// first day of the m-th month from March is the day (153m+2)/5.
func daysBefore(year, month int) int64 {
	m := (month + 9) % 12
	y := int64(year)
	if month < 3 {
		y--
	}
	return 365*y + floorDiv(y, 4) - floorDiv(y, 100) + floorDiv(y, 400) + int64((153*m+2)/5) - 719468
}
