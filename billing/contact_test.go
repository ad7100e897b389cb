package billing_test

import (
	"strings"
	"testing"

	"github.com/chargehand/chargehand/billing"
)

func TestCountries(t *testing.T) {
	known := 0
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if billing.IsCountry(string(a) + string(b)) {
				known++
			}
		}
	}
	if known != 249 {
		t.Errorf("got %d countries, ISO 3166-1 has 249", known)
	}
	for code, want := range map[string]bool{
		"BY": true, "GR": true, "US": true, "AD": true, "ZW": true,
		"BLR": false, "by": false, "": false, "B": false, "B ": false, " B": false, "D A": false, "DA": false,
		"UK": false, "EL": false, "EU": false, "XK": false, "AN": false, "AC": false, "ZZ": false, "Βy": false,
	} {
		if got := billing.IsCountry(code); got != want {
			t.Errorf("%q is a country: got %t, want %t", code, got, want)
		}
	}
}

func TestWhatReachesAPerson(t *testing.T) {
	for _, c := range []struct {
		check  func(string) error
		text   string
		refuse string // how the error begins
	}{
		{billing.CheckPhone, "+375291234567", ""},
		{billing.CheckPhone, "00375291234567", ""},
		{billing.CheckPhone, "+5554000", ""},
		{billing.CheckPhone, "375291234567", `"375291234567": not a phone number`},
		{billing.CheckPhone, "+", `"+": not a phone number`},
		{billing.CheckPhone, "+375 29 123", `"+375 29 123": not a phone number`},
		{billing.CheckPhone, "+٣٧٥٢٩", `"+٣٧٥٢٩": not a phone number`},
		{billing.CheckPhone, "+375291234567\n", `"+375291234567\n": not a phone number`},
		{billing.CheckPhone, "+" + strings.Repeat("1", 20), ""},
		{billing.CheckPhone, "+" + strings.Repeat("1", 21), `"+111111111111111111111": not a phone number`},
		{billing.CheckEmail, "test@example.com", ""},
		{billing.CheckEmail, "γιάννης@παράδειγμα.gr", ""},
		{billing.CheckEmail, "test", `"test": not an e-mail address`},
		{billing.CheckEmail, "@example.com", `"@example.com": not an e-mail address`},
		{billing.CheckEmail, "test@", `"test@": not an e-mail address`},
		{billing.CheckEmail, "a@b@c", `"a@b@c": not an e-mail address`},
		{billing.CheckEmail, "a b@c", `"a b@c": not an e-mail address`},
		{billing.CheckCountry, "BY", ""},
		{billing.CheckCountry, "BLR", `"BLR": not a country code`},
	} {
		err := c.check(c.text)
		if err == nil && c.refuse != "" || err != nil && (c.refuse == "" || !strings.HasPrefix(err.Error(), c.refuse)) {
			t.Errorf("%q: got %v, want %s", c.text, err, c.refuse)
		}
	}
}
