package limits

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// Faults of settings and of patches. A number out of its range is one of
// billing's faults: billing.ErrNegative or billing.ErrTooManyDigits.
var (
	ErrNoCeiling   = errors.New("an entry needs a ceiling")
	ErrTwoEntries  = errors.New("two entries for one target")
	ErrEntryExists = errors.New("add of an entry that exists")
	ErrNoEntry     = errors.New("no such entry")
)

// Fault is what is wrong with settings or a patch: where it stands, and why it
// is refused.
type Fault struct {
	Target billing.Scope // of the entry; the account's for what is account-wide
	Field  string        // its name in CONTRACT §2; empty where the whole entry is meant
	Err    error
}

// Error names target, field and value.
func (f *Fault) Error() string {
	where := f.Target.Kind.String()
	if f.Target.Kind != billing.OfAccount {
		where += " " + strconv.Quote(f.Target.Target)
	}
	if f.Field != "" {
		where += ": " + f.Field
	}
	return fmt.Sprintf("limit %s: %v", where, f.Err)
}

// Unwrap is why it is refused.
func (f *Fault) Unwrap() error { return f.Err }

// accountWide is the target of what no entry holds.
var accountWide = billing.Scope{Kind: billing.OfAccount}

// Validate finds what SPEC R2.2 and R4.1 refuse: a negative number or one of too
// many digits, an entry without target or ceiling, two entries for one target.
// The error is a *Fault.
func (s Settings) Validate() error {
	if err := checkNumber(s.Percentage, billing.PercentageDigits); err != nil {
		return &Fault{accountWide, percentageName, err}
	}
	if err := s.Account.check(accountWide); err != nil {
		return err
	}
	seen := make(map[billing.Scope]bool, len(s.Entries))
	for _, e := range s.Entries {
		switch {
		case e.Target.Kind >= billing.OfAccount || e.Target.Target == "":
			return &Fault{accountWide, entriesName, errors.New("an entry needs a service, a type or a family")}
		case seen[e.Target]:
			return &Fault{e.Target, "", ErrTwoEntries}
		case e.Ceilings == Ceilings{}:
			return &Fault{e.Target, "", ErrNoCeiling}
		}
		seen[e.Target] = true
		if err := e.Ceilings.check(e.Target); err != nil {
			return err
		}
	}
	return nil
}

// check holds each ceiling against its digits: usage ceilings have those of a
// quantity, amount ceilings those of money.
func (c Ceilings) check(target billing.Scope) error {
	for _, s := range slots {
		d := c[s.window][s.metric]
		if d == nil {
			continue
		}
		digits := billing.QuantityDigits
		if s.metric == billing.Amount {
			digits = billing.MoneyDigits
		}
		if err := checkNumber(*d, digits); err != nil {
			return &Fault{target, CeilingName(target == accountWide, s.window, s.metric), err}
		}
	}
	return nil
}

func checkNumber(d decimal.Decimal, limit billing.Digits) error {
	if _, err := billing.ParseDecimal(plain(d), limit); err != nil {
		return err
	}
	if d.IsNegative() {
		return fmt.Errorf("number %q: %w", plain(d), billing.ErrNegative)
	}
	return nil
}

// plainExponentMax is how large an exponent may be to be written out: beyond it
// no number is legal, and 1e1000000000 must be refused, not expanded.
const plainExponentMax = 64

func plain(d decimal.Decimal) string {
	if e := d.Exponent(); e > plainExponentMax || e < -plainExponentMax {
		return d.Coefficient().String() + "e" + strconv.Itoa(int(e))
	}
	return d.String()
}
