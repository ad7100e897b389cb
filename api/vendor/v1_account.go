package vendor

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/chargehand/chargehand/postgres"
)

// v1Form are the fields of an account in the documents' order. Its custom
// attributes have one form by itself, and another in a list.
type v1Form[C any] struct {
	ID                   int64   `json:"id" doc:"Account ID." example:"431"`
	Name                 string  `json:"name" doc:"Name, by the pattern of the account's type."`
	AccountClassID       int64   `json:"account_class_id" doc:"ID of the account class."`
	AccountClass         string  `json:"account_class" doc:"Name of the account class."`
	PrimaryName          string  `json:"primary_name" doc:"Name of the company; empty for a person."`
	FirstName            string  `json:"first_name" doc:"First name of the contact person."`
	MiddleName           string  `json:"middle_name" doc:"Middle name of the contact person; may be empty."`
	LastName             string  `json:"last_name" doc:"Last name of the contact person."`
	Country              string  `json:"country" doc:"ISO 3166-1 alpha-2." example:"BY"`
	Region               string  `json:"region"`
	City                 string  `json:"city"`
	Street               string  `json:"street"`
	Building             string  `json:"building"`
	Office               string  `json:"office"`
	Zip                  string  `json:"zip"`
	Phone                string  `json:"phone" doc:"+ or 00, the country's code and digits."`
	Email                string  `json:"email" doc:"E-mail address of the contact person."`
	Status               string  `json:"status" enum:"active,administrative_hold,credit_hold,deleted"`
	Balance              string  `json:"balance" doc:"Decimal, one digit after the point at least." example:"453.2"`
	AccountTypeID        *int64  `json:"account_type_id"`
	AccountType          *string `json:"account_type" doc:"Name of the account type."`
	DefaultPaymentModel  string  `json:"default_payment_model" enum:"prepay,postpay" doc:"That of the class."`
	CurrentDebt          Number  `json:"current_debt" doc:"Debt of a postpaid account."`
	ThresholdUseSystem   bool    `json:"financial_blocking_threshold_use_system" doc:"Whether the class's threshold is in force."`
	Threshold            Number  `json:"financial_blocking_threshold" doc:"The threshold that is in force."`
	CreditLimitUseSystem bool    `json:"subscription_credit_limit_use_system" doc:"Whether the class's credit limit is in force."`
	CreditLimit          Number  `json:"subscription_credit_limit" doc:"The credit limit that is in force."`
	ManagerID            *int64  `json:"manager_id"`
	OwnerID              *int64  `json:"owner_id"`
	NewOwnerFirstName    *string `json:"new_owner_first_name" doc:"Null always."`
	NewOwnerLastName     *string `json:"new_owner_last_name" doc:"Null always."`
	NewOwnerMiddleName   *string `json:"new_owner_middle_name" doc:"Null always."`
	NewOwnerEmail        *string `json:"new_owner_email" doc:"Null always."`
	TechUserID           *int64  `json:"tech_user_id" doc:"User for what is technical."`
	BillUserID           *int64  `json:"bill_user_id" doc:"User for what is financial."`
	CustomAttributes     C       `json:"custom_attributes" doc:"A checkbox's value is 1 or 0, a date's DD.MM.YYYY, a list's the key of an element."`
	CreatedAt            string  `json:"created_at" doc:"With milliseconds and the offset of the platform's zone." example:"2019-01-15T14:58:22.830+03:00"`
	UpdatedAt            string  `json:"updated_at" doc:"When what is known of the account changed; its balance does not count."`
}

// v1Account is an account by its id; v1ListedAccount is one of the list, with
// the values of its custom attributes by their keys.
type (
	v1Account       v1Form[[]v1Attribute]
	v1ListedAccount v1Form[map[string]string]
)

// v1Attribute is a custom attribute of an account by its id.
type v1Attribute struct {
	Name  string `json:"name" doc:"Name of the attribute; its key where it has none."`
	Value string `json:"value"`
}

func v1One(a *postgres.VendorAccount, zone *time.Location) v1Account {
	return v1Account(v1FormOf(a, zone, v1Attributes(a)))
}

func v1Listed(a *postgres.VendorAccount, zone *time.Location) v1ListedAccount {
	return v1ListedAccount(v1FormOf(a, zone, texts(a.CustomAttributes)))
}

func v1FormOf[C any](a *postgres.VendorAccount, zone *time.Location, custom C) v1Form[C] {
	f := v1Form[C]{
		ID: a.ID, Name: a.Name, AccountClassID: a.Class.ID, AccountClass: a.Class.Name,
		PrimaryName: a.PrimaryName, FirstName: a.FirstName, MiddleName: a.MiddleName, LastName: a.LastName,
		Country: a.Country, Region: a.Region, City: a.City, Street: a.Street, Building: a.Building, Office: a.Office,
		Zip: a.Zip, Phone: a.Phone, Email: a.Email,
		Status: a.Status.String(), Balance: figure(a.Balance),
		DefaultPaymentModel: a.Class.PaymentModel.String(), CurrentDebt: number(a.CurrentDebt),
		ThresholdUseSystem: !a.OwnThreshold, Threshold: number(a.Threshold),
		CreditLimitUseSystem: !a.OwnCreditLimit, CreditLimit: number(a.CreditLimit),
		TechUserID: orNull(a.TechUser), BillUserID: orNull(a.BillUser), CustomAttributes: custom,
		CreatedAt: instant(a.CreatedAt, zone), UpdatedAt: instant(a.UpdatedAt, zone),
	}
	if a.Type != nil {
		f.AccountTypeID, f.AccountType = &a.Type.ID, &a.Type.Name
	}
	if a.Manager != nil {
		f.ManagerID = &a.Manager.ID
	}
	if a.Owner != nil {
		f.OwnerID = &a.Owner.ID
	}
	return f
}

// v1Attributes are the values that an account has, by the names and in the order
// that its type has them.
func v1Attributes(a *postgres.VendorAccount) []v1Attribute {
	all, left := []v1Attribute{}, maps.Clone(a.CustomAttributes)
	if a.Type != nil {
		for _, known := range a.Type.Attributes {
			if value, has := left[known.Key]; has {
				all = append(all, v1Attribute{Name: cmp.Or(known.Name, known.Key), Value: value})
				delete(left, known.Key)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(left)) {
		all = append(all, v1Attribute{Name: key, Value: left[key]})
	}
	return all
}
