package setup

import (
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/rating"
)

// File is what a set-up file says. What it does not name stays as it is stored.
//
// As Parse returns it, references may point at what is stored, and limits name
// their targets as the file does: Resolve checks the one and settles the other.
type File struct {
	Families []billing.Family
	Types    []billing.ServiceType
	Services []billing.Service
	Prices   []rating.Price
	// Resellers, managers, users and account types are what vendor APIs show;
	// nothing is judged by them.
	Resellers    []billing.Reseller
	Managers     []billing.Manager
	Users        []billing.User
	AccountTypes []billing.AccountType
	Classes      []billing.Class // an id of 0: the one it has, or one that is chosen
	Customers    []Customer
	// Limits are those of all accounts (limits.scope: all_accounts, SPEC R4.8);
	// nil where the file has none at its top.
	Limits *limits.Settings

	read readings // where each thing stands; empty in a File that no text was read for
}

// Customer is who owns accounts. Name is empty where the file gives none.
type Customer struct {
	Ref, Name string
	Accounts  []Account
}

// Account is a personal account as a file describes it.
type Account struct {
	Number   string
	Class    string // empty: the default class, which Resolve fills in
	Currency string
	TimeZone string // empty: billing.time_zone
	CycleDay int    // 1 to 31

	// OpeningBalance is nil where the file has none: 0 for a new account, and
	// nothing said about one that exists.
	OpeningBalance *billing.Money
	// Threshold and CreditLimit are the account's own; nil: its class's.
	Threshold, CreditLimit *billing.Money

	// Of the lists and limits below, what is nil is not named and stays; what is
	// not nil replaces all that was there, an empty list too.
	Services         []string // codes
	Applications     []string // names
	PeriodicServices []PeriodicService
	Limits           *limits.Settings
	Profile          *Profile
}

// Profile is what vendor APIs show of an account besides; ids of 0 are none.
type Profile struct {
	ID                        int64 // the account's for vendor APIs; 0: the one it has, or one that is chosen
	Reseller                  int64
	AccountType               int64
	Manager                   int64
	Owner, TechUser, BillUser int64 // users; where the file has only an owner, all three
	Contact                   billing.Contact
	CustomAttributes          map[string]string // by the attribute's key; nil: none
}

// Kind is what a thing in a file is.
type Kind string

// The kinds. All but KindLimits are told apart by code, id, key, ref or number;
// KindLimits by the account's number, empty for the limits of all accounts. Ids
// that are numbers are told apart by their text.
const (
	KindFamily   Kind = "family"
	KindType     Kind = "type"
	KindService  Kind = "service"
	KindPrice    Kind = "price"
	KindClass    Kind = "account class"
	KindCustomer Kind = "customer"
	KindAccount  Kind = "account"
	KindLimits   Kind = "limits"

	KindReseller    Kind = "reseller"
	KindManager     Kind = "manager"
	KindUser        Kind = "user"
	KindAccountType Kind = "account type"

	// What else must not stand twice.
	kindTypeKey   Kind = "key of account type"
	kindClassID   Kind = "id of account class"
	kindProfileID Kind = "id of account"
	kindValue     Kind = "custom attribute" // of an account, by number and key
)
