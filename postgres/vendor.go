package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// ErrNoReseller means that there is no reseller with an id, or none that may be
// seen.
var ErrNoReseller = errors.New("no such reseller")

// Reach is whose accounts and resellers may be seen.
type Reach struct {
	Reseller int64 // it and all that are downstream of it; 0: the whole installation
	Own      bool  // the reseller's own only
}

// VendorAccount is an account as vendor APIs show it (ActivePlatform). Its names
// and figures are those of the set-up file.
type VendorAccount struct {
	ID       int64
	Number   string
	Reseller int64  // 0: none
	Name     string // by its type's pattern
	billing.Contact

	Status                       billing.Status
	Balance, UsableBalance       billing.Money
	CurrentDebt                  billing.Money
	Threshold, CreditLimit       billing.Money // in force
	OwnThreshold, OwnCreditLimit bool          // whether they are the account's, not its class's
	Class                        VendorClass
	Type                         *VendorType    // nil: none
	Manager                      *VendorManager // nil: none
	Owner                        *VendorUser    // nil: none
	TechUser, BillUser           int64          // 0: none
	CustomAttributes             map[string]string
	CreatedAt, UpdatedAt         time.Time
}

// VendorClass is an account class with its times.
type VendorClass struct {
	billing.Class
	CreatedAt, UpdatedAt time.Time
}

// VendorType is an account type with its times.
type VendorType struct {
	billing.AccountType
	CreatedAt, UpdatedAt time.Time
}

// VendorManager is a manager with its times.
type VendorManager struct {
	billing.Manager
	CreatedAt, UpdatedAt time.Time
}

// VendorUser is a user with its times.
type VendorUser struct {
	billing.User
	CreatedAt, UpdatedAt time.Time
}

// VendorAccount reads the account with an id. ErrNoAccount says that there is
// none within reach.
func (s *Store) VendorAccount(ctx context.Context, id int64, within Reach) (*VendorAccount, error) {
	return nil, errors.ErrUnsupported
}

// VendorFilter chooses accounts, their order and a page of them; what is empty
// chooses all.
type VendorFilter struct {
	Within           Reach
	Status           *billing.Status
	Emails           []string // of the contact: any of them, whatever their case
	UserEmails       []string // of owner, technical or billing user: any of them
	Created, Updated Span
	// Sort is a field of the documents like "id" or "created_at"; empty: id.
	// VendorSorts knows which there are. Equal ones are ordered by id.
	Sort       string
	Descending bool
	Offset     int
	Most       int // at most so many accounts, 1 to 1000
}

// VendorSorts tells whether accounts can be sorted by a field.
func VendorSorts(field string) bool { return field == "id" }

// VendorAccounts lists accounts of every status: those that the filter chooses,
// in its order, and of these a page.
func (s *Store) VendorAccounts(ctx context.Context, f VendorFilter) ([]VendorAccount, error) {
	return nil, errors.ErrUnsupported
}

// NewVendorAccount asks for an account as a reseller's manager does. The account
// gets a number of the house, and a customer called after its owner.
type NewVendorAccount struct {
	Reseller int64
	Type     int64 // id; 0 is missing, as an empty text is
	ClassKey string
	billing.Contact
	Owner            int64         // an existing user; 0: NewOwner
	NewOwner         *billing.User // names and email are read
	Manager          int64         // 0: none
	CustomAttributes map[string]string
	TimeZone         string // billing.time_zone
	At               time.Time
	Actor            string
}

// AttributeFault is what is wrong with one attribute of an account to be.
type AttributeFault struct {
	Attribute string // as the documents call it, like "new_owner_email"
	Key       string // of the custom attribute, where Attribute is "custom_attributes"
	Text      string
}

// AttributeFaults is all that is wrong with an account to be. Nothing was written.
type AttributeFaults []AttributeFault

// Error is the faults in one line.
func (f AttributeFaults) Error() string { return "" }

// CreateVendorAccount creates an account, and a user and a customer with it where
// they are new. The error may be AttributeFaults or ErrNoReseller.
func (s *Store) CreateVendorAccount(ctx context.Context, n NewVendorAccount) (id int64, err error) {
	return 0, errors.ErrUnsupported
}

// Reseller reads a reseller; ErrNoReseller says that there is none within reach.
func (s *Store) Reseller(ctx context.Context, id int64, within Reach) (*billing.Reseller, error) {
	return nil, errors.ErrUnsupported
}

// InReach tells whether an account belongs to a reseller or to one downstream of
// it. One that does not exist does not.
func (s *Store) InReach(ctx context.Context, reseller int64, number string) (bool, error) {
	return false, errors.ErrUnsupported
}
