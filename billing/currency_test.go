package billing_test

import (
	"testing"

	"github.com/chargehand/chargehand/billing"
)

func TestMinorUnitsAreThoseOfISO4217(t *testing.T) {
	for _, c := range []struct {
		currency string
		digits   int
		known    bool
	}{
		{"EUR", 2, true}, {"USD", 2, true}, {"CHF", 2, true}, {"AED", 2, true}, {"ZWG", 2, true}, {"IRR", 2, true},
		{"JPY", 0, true}, {"KRW", 0, true}, {"ISK", 0, true}, {"BIF", 0, true}, {"XPF", 0, true}, {"UYI", 0, true},
		{"KWD", 3, true}, {"BHD", 3, true}, {"TND", 3, true},
		{"CLF", 4, true}, {"UYW", 4, true},

		{"", 0, false}, {"E", 0, false}, {"EU", 0, false}, {"EURO", 0, false}, {"EUR USD", 0, false},
		{"eur", 0, false}, {"Eur", 0, false}, {" EU", 0, false}, {"EU ", 0, false},
		{"ED ", 0, false}, {"D A", 0, false}, {" AF", 0, false}, {"   ", 0, false}, {"\tEU", 0, false}, {"ÉR", 0, false},
		{"DEM", 0, false}, {"XXX", 0, false}, {"XAU", 0, false}, {"978", 0, false},
	} {
		digits, known := billing.MinorUnits(c.currency)
		if digits != c.digits || known != c.known {
			t.Errorf("%q: got %d, %t, want %d, %t", c.currency, digits, known, c.digits, c.known)
		}
	}
}

// Of all codes that there could be, those of ISO 4217 are known, and none has
// more digits than money.
func TestMinorUnitsKnowsEveryCurrencyInUse(t *testing.T) {
	count := map[int]int{}
	for n := range 26 * 26 * 26 {
		code := string([]byte{byte('A' + n/676), byte('A' + n/26%26), byte('A' + n%26)})
		if digits, known := billing.MinorUnits(code); known {
			count[digits]++
		}
	}
	if count[0] != 17 || count[3] != 7 || count[4] != 2 || len(count) != 4 {
		t.Errorf("got %v currencies by digits, want 17 of 0, 7 of 3, 2 of 4 and the rest of 2", count)
	}
}
