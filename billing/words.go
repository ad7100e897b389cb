package billing

import (
	"fmt"
	"slices"
	"strings"
)

// wordOf finds text among the words of a closed set.
func wordOf[T ~uint8](what string, words []string, text string) (T, error) {
	i := slices.Index(words, text)
	if i < 0 || text == "" {
		return 0, fmt.Errorf("%s %s: not one of %s", what, clip(text), strings.TrimPrefix(strings.Join(words, ", "), ", "))
	}
	return T(i), nil
}

// Directive says what a usage record asks for.
type Directive uint8

// The directives. Charge is what a record without one asks for (SPEC R5.4).
const (
	Charge   Directive = iota
	Credit             // gives money and allowance of an earlier record back (SPEC R5.9)
	NoCharge           // counts usage at charge 0 (SPEC R5.10)
)

var directiveNames = []string{"charge", "credit", "no_charge"}

// String is the directive's word.
func (d Directive) String() string { return directiveNames[d] }

// MarshalText writes the directive's word.
func (d Directive) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the directive's word.
func (d *Directive) UnmarshalText(text []byte) (err error) {
	*d, err = wordOf[Directive]("directive", directiveNames, string(text))
	return err
}

// Outcome is what a record is now.
type Outcome uint8

// The outcomes; the zero value is none yet.
const (
	Rated Outcome = iota + 1
	Rejected
	Cancelled
)

var outcomeNames = []string{"", "rated", "rejected", "cancelled"}

// String is the outcome's word.
func (o Outcome) String() string { return outcomeNames[o] }

// MarshalText writes the outcome's word.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the outcome's word.
func (o *Outcome) UnmarshalText(text []byte) (err error) {
	*o, err = wordOf[Outcome]("outcome", outcomeNames, string(text))
	return err
}

// Reason is why a record was rejected: a closed set (SPEC R5.2). The zero value
// is no reason. The numbers are stored; new reasons go at the end.
type Reason uint8

// The reasons.
const (
	AccountNotFound Reason = iota + 1
	AccountDeleted
	AccountAdministrativeHold
	AccountCreditHold
	ServiceNotFound
	ServiceNotLinked
	TooLate
	InFuture
	NoPrice
	CurrencyMismatch
	OutOfRange
	ServiceNotIncluded
	LimitTransactionUsage
	LimitTransactionAmount
	LimitDayUsage
	LimitDayAmount
	LimitMonthUsage
	LimitMonthAmount
	InsufficientFunds
	SubscriptionCreditLimit
	OriginalNotFound
	CreditExceedsOriginal
)

var reasonNames = []string{
	"", "account_not_found", "account_deleted", "account_administrative_hold", "account_credit_hold",
	"service_not_found", "service_not_linked", "too_late", "in_future", "no_price", "currency_mismatch",
	"out_of_range", "service_not_included", "limit_transaction_usage", "limit_transaction_amount",
	"limit_day_usage", "limit_day_amount", "limit_month_usage", "limit_month_amount",
	"insufficient_funds", "subscription_credit_limit", "original_not_found", "credit_exceeds_original",
}

// LimitReason is the reason that a breach of a ceiling gives.
func LimitReason(w WindowKind, m Metric) Reason {
	return LimitTransactionUsage + Reason(w)*2 + Reason(m)
}

// Reasons lists every reason, for metrics and completion.
func Reasons() []string { return slices.Clone(reasonNames[1:]) }

// String is the reason's word.
func (r Reason) String() string { return reasonNames[r] }

// MarshalText writes the reason's word.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the reason's word.
func (r *Reason) UnmarshalText(text []byte) (err error) {
	*r, err = wordOf[Reason]("reason", reasonNames, string(text))
	return err
}

// Metric is what a ceiling measures.
type Metric uint8

// The metrics, in the order in which breaches are named (SPEC R4.5).
const (
	Usage  Metric = iota // quantities
	Amount               // rounded charges
)

var metricNames = []string{"usage", "amount"}

// String is the metric's word.
func (m Metric) String() string { return metricNames[m] }

// MarshalText writes the metric's word.
func (m Metric) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads the metric's word.
func (m *Metric) UnmarshalText(text []byte) (err error) {
	*m, err = wordOf[Metric]("metric", metricNames, string(text))
	return err
}

// ScopeKind is what a ceiling or a counter is about.
type ScopeKind uint8

// The scopes, in the order in which breaches are named (SPEC R4.5).
const (
	OfService ScopeKind = iota
	OfType
	OfFamily
	OfAccount
)

var scopeNames = []string{"service", "type", "family", "account"}

// String is the scope's word.
func (s ScopeKind) String() string { return scopeNames[s] }

// MarshalText writes the scope's word.
func (s ScopeKind) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the scope's word.
func (s *ScopeKind) UnmarshalText(text []byte) (err error) {
	*s, err = wordOf[ScopeKind]("scope", scopeNames, string(text))
	return err
}
