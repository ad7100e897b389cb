package rating

import (
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// Price is what a service costs over an interval of validity (SPEC §3). Its
// JSON form is an entry of the set-up file's prices (CONTRACT §2).
type Price struct {
	ID       string `json:"id"`
	Service  string `json:"service"`
	Currency string `json:"currency"`
	// Class or Account narrow the price to accounts of a class or to one
	// account; at most one is set, and neither makes it the default price.
	Class   string `json:"class,omitempty"`
	Account string `json:"account,omitempty"`
	// The price is in force in [ValidFrom, ValidTo); without ValidTo it has no
	// end, and with both equal it is void: it never applied (SPEC R3.7).
	ValidFrom time.Time  `json:"valid_from"`
	ValidTo   *time.Time `json:"valid_to,omitempty"`

	Accumulate Accumulation `json:"accumulate,omitzero"`
	Model
	Step      *decimal.Decimal `json:"step,omitempty"`       // quantity is rounded up to a multiple of it; > 0
	PerRecord *decimal.Decimal `json:"per_record,omitempty"` // added to every record
	Minimum   *decimal.Decimal `json:"minimum,omitempty"`
	Maximum   *decimal.Decimal `json:"maximum,omitempty"`
	Digits    *int             `json:"digits,omitempty"` // of the charge, 0 to 6; nil: the currency's
	Bands     []Band           `json:"bands,omitempty"`

	quick *quick // set by Open; a copy of the price does not use it
}

// Model is how a quantity turns into money; exactly one field is set (SPEC R3.2).
type Model struct {
	PerUnit   *decimal.Decimal `json:"per_unit,omitempty"`
	Graduated []Tier           `json:"graduated,omitempty"`
	Volume    []Tier           `json:"volume,omitempty"`
	Package   *Package         `json:"package,omitempty"`
}

// Tier is one step of a graduated or volume price. UpTo is inclusive and nil in
// the last tier only.
type Tier struct {
	UpTo      *decimal.Decimal `json:"up_to,omitempty"`
	UnitPrice decimal.Decimal  `json:"unit_price"`
	Flat      *decimal.Decimal `json:"flat,omitempty"`
}

// Package is a price per started package of Size units.
type Package struct {
	Size  decimal.Decimal `json:"size"` // > 0
	Price decimal.Decimal `json:"price"`
}

// Band is a model for some hours of some days in the account's wall time; the
// rest is the price's (SPEC R3.4).
type Band struct {
	Name string    `json:"name,omitempty"`
	Days Weekdays  `json:"days,omitzero"` // none named: all
	From TimeOfDay `json:"from"`
	To   TimeOfDay `json:"to"` // exclusive; before From: the band crosses midnight
	Model
}

// Query asks the book for the price of one record (SPEC R3.1).
type Query struct {
	Service  string
	Account  string // number
	Class    string // the account's class when judged
	Currency string // the account's
	At       time.Time
}

// Use is one record as a price sees it.
type Use struct {
	Quantity billing.Fixed
	At       time.Time
	Zone     *time.Location
	// Before is the account's counter of the service in the window over which
	// the price accumulates; ignored by a price that does not.
	Before billing.Fixed
}
