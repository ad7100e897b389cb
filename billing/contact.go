package billing

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
