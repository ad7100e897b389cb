package billing

import (
	"fmt"
	"regexp"
	"strings"
)

// Contact is how an account's holder is called and reached. PrimaryName is a
// company's; the other names are the contact person's. What is empty is not
// known.
type Contact struct {
	PrimaryName, FirstName, MiddleName, LastName string
	Email                                        string
	Country                                      string // ISO 3166-1 alpha-2
	Region, City, Street, Building, Office, Zip  string
	Phone                                        string // + or 00, then digits
}

// CheckCountry refuses what is no country.
func CheckCountry(code string) error {
	if !IsCountry(code) {
		return fmt.Errorf("%s: not a country code of ISO 3166-1 alpha-2 like BY", clip(code))
	}
	return nil
}

// phoneNumber is a number with the code of its country. The longest that there
// are have 15 digits; a few more are what a switchboard adds.
var phoneNumber = regexp.MustCompile(`^(\+|00)[0-9]{4,20}$`)

// CheckPhone refuses what cannot be dialled from everywhere.
func CheckPhone(phone string) error {
	if !phoneNumber.MatchString(phone) {
		return fmt.Errorf("%s: not a phone number: write + or 00, the country's code and digits, like +375290000000", clip(phone))
	}
	return nil
}

// CheckEmail refuses what has not the form of an address: something before the
// one @, something after it, and no blanks. Whether it is reached only mail can
// tell.
func CheckEmail(email string) error {
	name, host, found := strings.Cut(email, "@")
	if !found || name == "" || host == "" || strings.ContainsAny(email, " \t\r\n") || strings.Contains(host, "@") {
		return fmt.Errorf("%s: not an e-mail address like jane@example.com", clip(email))
	}
	return nil
}
