package vendor

import (
	"time"

	"github.com/chargehand/chargehand/billing"
)

// Number is a decimal that is printed as a JSON number, digit by digit.
type Number string

// MarshalJSON writes the digits.
func (n Number) MarshalJSON() ([]byte, error) { return []byte(n), nil }

// UnmarshalJSON keeps the digits.
func (n *Number) UnmarshalJSON(text []byte) error {
	*n = Number(text)
	return nil
}

// number is an amount that the documents print as a number: 24.0.
func number(m billing.Money) Number { return Number(m.Text(1)) }

// whole is an amount that they print without decimals where it has none: 1000.
func whole(m billing.Money) Number { return Number(m.Text(0)) }

// figure is an amount that they print as a text: "453.2", "0.0".
func figure(m billing.Money) string { return m.Text(1) }

// instant is a time with milliseconds and the offset of the platform's zone.
func instant(at time.Time, zone *time.Location) string {
	return at.In(zone).Format("2006-01-02T15:04:05.000-07:00")
}

// orNull is a value that is printed null where there is none.
func orNull[T comparable](v T) *T {
	if v == *new(T) {
		return nil
	}
	return &v
}

// texts is custom attributes as they are printed: {} where there are none.
func texts(all map[string]string) map[string]string {
	if all == nil {
		return map[string]string{}
	}
	return all
}
