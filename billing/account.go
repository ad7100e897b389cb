package billing

import "time"

// PaymentModel says which figure a posting moves (SPEC R5.8).
type PaymentModel uint8

// The payment models.
const (
	Prepay  PaymentModel = iota // postings move the balance
	Postpay                     // postings move the current debt
)

var paymentModelNames = []string{"prepay", "postpay"}

// String is the model's word.
func (p PaymentModel) String() string { return paymentModelNames[p] }

// MarshalText writes the model's word.
func (p PaymentModel) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the model's word.
func (p *PaymentModel) UnmarshalText(text []byte) (err error) {
	*p, err = wordOf[PaymentModel]("payment model", paymentModelNames, string(text))
	return err
}

// Status is whether an account may be used (SPEC R6.1).
type Status uint8

// The statuses. The numbers are stored.
const (
	Active Status = iota
	AdministrativeHold
	CreditHold
	Deleted
)

var statusNames = []string{"active", "administrative_hold", "credit_hold", "deleted"}

// String is the status's word.
func (s Status) String() string { return statusNames[s] }

// MarshalText writes the status's word.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the status's word.
func (s *Status) UnmarshalText(text []byte) (err error) {
	*s, err = wordOf[Status]("status", statusNames, string(text))
	return err
}

// StatusReason is why an account is on hold; the zero value is none.
type StatusReason uint8

// The status reasons. The numbers are stored.
const (
	ByThreshold StatusReason = iota + 1 // its debt is past the threshold
	BySubzero                           // its debt has lasted longer than the subzero period
	ByManager                           // a manager set it
)

var statusReasonNames = []string{"", "threshold", "subzero", "manager"}

// String is the status reason's word.
func (r StatusReason) String() string { return statusReasonNames[r] }

// MarshalText writes the status reason's word.
func (r StatusReason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the status reason's word.
func (r *StatusReason) UnmarshalText(text []byte) (err error) {
	*r, err = wordOf[StatusReason]("status reason", statusReasonNames, string(text))
	return err
}

// PostingKind is what moved a balance.
type PostingKind uint8

// The kinds of posting. The numbers are stored.
const (
	UsagePosting PostingKind = iota + 1
	PeriodicPosting
	PaymentPosting
	AdjustmentPosting
	ReversalPosting
)

var postingKindNames = []string{"", "usage", "periodic", "payment", "adjustment", "reversal"}

// String is the kind's word.
func (k PostingKind) String() string { return postingKindNames[k] }

// MarshalText writes the kind's word.
func (k PostingKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind's word.
func (k *PostingKind) UnmarshalText(text []byte) (err error) {
	*k, err = wordOf[PostingKind]("posting kind", postingKindNames, string(text))
	return err
}

// Class is the terms that accounts share (SPEC §1, R6.2).
type Class struct {
	ID                     int64 // as vendor APIs know it; 0: not chosen yet
	Key, Name              string
	PaymentModel           PaymentModel
	Threshold              Money // financial blocking threshold, ≥ 0
	SubzeroDays            int   // subzero period; -1 is for ever, 0 is none
	CreditLimit            Money // subscription credit limit, 0 is none
	BuyWithNegativeBalance bool
	Default                bool
	Profile                ClassProfile
}

// ClassProfile is what vendor APIs show of a class besides, and nothing here is
// judged by.
type ClassProfile struct {
	Reseller            int64 // 0: of the installation
	Color               string
	DueOrderDays        int
	DuePaymentDays      int
	GuaranteedLimit     Money
	GuaranteedDays      int
	StopSubscriptions   Procedure
	DeleteSubscriptions Procedure
	Denominated         bool
	ReceiptDay          int // of the month; 0: none
}

// Procedure says whether something happens by itself or when a manager approves.
type Procedure uint8

// The procedures. The numbers are stored.
const (
	Automatically Procedure = iota
	Manually
)

var procedureNames = []string{"automatically", "manually"}

// String is the procedure's word.
func (p Procedure) String() string { return procedureNames[p] }

// MarshalText writes the procedure's word.
func (p Procedure) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the procedure's word.
func (p *Procedure) UnmarshalText(text []byte) (err error) {
	*p, err = wordOf[Procedure]("procedure", procedureNames, string(text))
	return err
}

// Funds is the part of an account that postings and the credit test read and
// write (SPEC R5.8, R6.2).
type Funds struct {
	Balance     Money
	CurrentDebt Money
	// NegativeSince is the now of the transaction that last took the balance
	// from ≥ 0 to below 0; zero while it is not below.
	NegativeSince time.Time
}

// Move is f after a posting of amount (a debit is negative) at now. One Move is
// one transaction's net: between two Moves of one transaction no clock starts.
func (f Funds) Move(model PaymentModel, amount Money, now time.Time) Funds {
	if model == Postpay {
		f.CurrentDebt -= amount
		return f
	}
	f.Balance += amount
	switch {
	case f.Balance >= 0:
		f.NegativeSince = time.Time{}
	case f.NegativeSince.IsZero():
		f.NegativeSince = now
	}
	return f
}

// Figure is what postings move: the balance, or on a postpay account the debt.
func (f Funds) Figure(model PaymentModel) Money {
	if model == Postpay {
		return f.CurrentDebt
	}
	return f.Balance
}

// Standing is an account's status with what it hangs on.
type Standing struct {
	Status Status
	Reason StatusReason
	// InactiveSince is when the account last ceased to be active; zero while it
	// is. A record that occurred before it is rated all the same (SPEC R5.5).
	InactiveSince time.Time
}
