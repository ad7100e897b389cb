package crm

import "github.com/chargehand/chargehand/postgres"

// Contact is whose account it is.
type Contact struct {
	ID             string       `json:"id"`
	Type           string       `json:"type"` // PERSON or COMPANY
	State          string       `json:"life_cycle_state"`
	Name           *string      `json:"name"`
	Title          *string      `json:"title"`
	FirstName      *string      `json:"first_name"`
	MiddleName     *string      `json:"middle_name"`
	LastName       *string      `json:"last_name"`
	CompanyName    *string      `json:"company_name"`
	CompanyProfile *string      `json:"company_profile"`
	Demographics   Demographics `json:"demographics"`
}

// Demographics are what CRM.COM keeps of a person besides; nothing of it is kept
// here.
type Demographics struct {
	NameDay         NameDay   `json:"name_day"`
	DateOfBirth     BirthDate `json:"date_of_birth"`
	Gender          any       `json:"gender"`
	IDNumber        any       `json:"id_number"`
	IDCountry       any       `json:"id_issued_by_country"`
	PassportNumber  any       `json:"passport_number"`
	PassportCountry any       `json:"passport_issued_by_country"`
	SocialSecurity  any       `json:"social_security_number"`
	Industry        any       `json:"industry"`
	IndustrySector  any       `json:"industry_sector"`
}

// NameDay is a day of the year.
type NameDay struct {
	Day   any `json:"day"`
	Month any `json:"month"`
}

// BirthDate is a civil date.
type BirthDate struct {
	Day   any `json:"day"`
	Month any `json:"month"`
	Year  any `json:"year"`
}

// contactOf is an account's contact: a company where it has the name of one. Of
// an account without a contact whose it is is known by one name. Whoever has an
// account is what CRM.COM calls financial.
func contactOf(customer string, r *postgres.Receivable) *Contact {
	from := &r.Contact
	c := &Contact{ID: idOf("contact", customer), Type: "PERSON", State: "FINANCIAL",
		FirstName: orNull(from.FirstName), MiddleName: orNull(from.MiddleName), LastName: orNull(from.LastName),
		CompanyName: orNull(from.PrimaryName), Name: orNull(from.PrimaryName)}
	switch {
	case from.PrimaryName != "":
		c.Type = "COMPANY"
	case from.FirstName+from.MiddleName+from.LastName == "":
		c.Name = orNull(r.Holder)
	}
	return c
}
