package limits

import (
	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// Settings are the allowance limits of an account, or of all accounts at once
// (SPEC R4.1, R4.8).
type Settings struct {
	// BlockNotIncluded rejects services that have no entry by themselves, their
	// type or their family (SPEC R4.3).
	BlockNotIncluded bool
	// Percentage stretches every ceiling: effective = ceiling × (1 + p/100).
	Percentage decimal.Decimal
	// Account holds the account-wide ceilings.
	Account Ceilings
	// Entries hold the ceilings of services, types and families, at most one
	// entry a target, none without a ceiling.
	Entries []Entry
}

// Ceilings are the six maxima of one target, by window and metric; nil does not
// limit, 0 allows nothing.
type Ceilings [3][2]*decimal.Decimal

// Entry is the ceilings of one service, type or family.
type Entry struct {
	Target billing.Scope
	Ceilings
}

// Action says what a patch does with an entry.
type Action uint8

// The actions of an entry of a patch (CONTRACT §2).
const (
	Add    Action = iota + 1 // refused if the target has an entry
	Update                   // merges; refused if the target has none
	Remove                   // refused if the target has none
)

// Patch is a change of settings, applied whole or refused whole. What is absent
// stays; a ceiling that is present and null is cleared.
type Patch struct {
	BlockNotIncluded *bool
	Percentage       *decimal.Decimal
	Account          CeilingPatch
	Entries          []EntryPatch
}

// EntryPatch changes one entry.
type EntryPatch struct {
	Action   Action
	Target   billing.Scope
	Ceilings CeilingPatch
}

// CeilingPatch holds the ceilings that a patch names: an absent one is nil, one
// to be cleared points to nil.
type CeilingPatch [3][2]**decimal.Decimal
