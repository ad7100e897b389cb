package vendor

import (
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// rows 93, 96, 99, 102, 174: figures keep every digit, and have one decimal at
// least where the documents print one.
func TestFiguresArePrintedFromTheirDigits(t *testing.T) {
	for _, c := range []struct{ amount, text, number, whole string }{
		{"453.2", "453.2", "453.2", "453.2"},
		{"0", "0.0", "0.0", "0"},
		{"8.22", "8.22", "8.22", "8.22"},
		{"24", "24.0", "24.0", "24"},
		{"100", "100.0", "100.0", "100"},
		{"10000", "10000.0", "10000.0", "10000"},
		{"-0.000001", "-0.000001", "-0.000001", "-0.000001"},
		{"999999999999.999999", "999999999999.999999", "999999999999.999999", "999999999999.999999"}, // no float has so many digits
		{"-999999999999.999999", "-999999999999.999999", "-999999999999.999999", "-999999999999.999999"},
	} {
		m, err := billing.ParseMoney(c.amount)
		if err != nil {
			t.Fatal(err)
		}
		printed, err := number(m).MarshalJSON()
		if figure(m) != c.text || err != nil || string(printed) != c.number || string(whole(m)) != c.whole {
			t.Errorf("%s: got %q, %s and %s, want %q, %s and %s", c.amount, figure(m), printed, whole(m), c.text, c.number, c.whole)
		}
	}
}

// row 107.
func TestTimesHaveMillisecondsAndThePlatformsOffset(t *testing.T) {
	at := time.Date(2019, 1, 15, 11, 58, 22, 830_999_000, time.UTC)
	for zone, want := range map[string]string{
		"Europe/Minsk":     "2019-01-15T14:58:22.830+03:00",
		"UTC":              "2019-01-15T11:58:22.830+00:00",
		"America/St_Johns": "2019-01-15T08:28:22.830-03:30",
	} {
		location, err := billing.LoadZone(zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := instant(at, location); got != want {
			t.Errorf("%s: got %s, want %s", zone, got, want)
		}
	}
}
