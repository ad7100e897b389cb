package crm

import (
	"strings"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/shopspring/decimal"
)

// entriesMax bounds the entries of one request: far more than anybody sets at
// once, and little enough that the account is locked for a moment only.
const entriesMax = 1000

// The keys of a request.
const (
	tokenKey      = "token"
	identifierKey = "accounts_receivable_identifier"
	fieldsKey     = "fields_set"
	blockKey      = "block_services_not_included_in_usage_allowance_limits_settings"
	creditKey     = "block_usage_consumption_when_all_amounts_exceed_credit_limit"
	percentageKey = "percentage_of_allowed_exceeded_usage_limit"
	entriesKey    = "usage_services_allowance"
	perDayKey     = "accumulated_maximum_usage_per_day"
	perDateKey    = "accumulated_maximum_usage_per_date" // what it was called before
	actionKey     = "action"
)

// asked is what every method is asked: about whom, and for what of the answer.
type asked struct {
	account named
	fields  []string // nil: all
}

// change is what limits are to become, as a request says it. Its targets are not
// looked up yet.
type change struct {
	block      *bool
	percentage *decimal.Decimal
	account    limits.CeilingPatch
	entries    []entryChange
}

// empty tells whether nothing is asked to change: what is in force is wanted.
func (c *change) empty() bool {
	return c.block == nil && c.percentage == nil && c.account == limits.CeilingPatch{} && len(c.entries) == 0
}

type entryChange struct {
	name     string        // of the parameter
	action   limits.Action // 0: set
	target   target
	ceilings limits.CeilingPatch
}

// target is what an entry is about.
type target struct {
	kind billing.ScopeKind
	named
}

// decodeAsked reads what every method is asked, and hands the other parameters
// to take, which tells whether it knows one.
func decodeAsked(all []parameter, answers []string, take func(parameter) (known bool, err error)) (a asked, err error) {
	for _, p := range all {
		switch p.key {
		case tokenKey: // the door has seen it
		case identifierKey:
			a.account, err = p.identify(identifiers...)
		case fieldsKey:
			a.fields, err = p.fields(answers)
		default:
			var known bool
			if known, err = take(p); err == nil && !known {
				err = p.unknown()
			}
		}
		if err != nil {
			return asked{}, err
		}
	}
	if a.account == (named{}) {
		return asked{}, refuse(invalidID, "%s is missing: name the account by its number, id or name", identifierKey)
	}
	return a, nil
}

// unknown refuses a parameter that none of ours is called like.
func (p parameter) unknown() error {
	if of, ok := strings.CutSuffix(p.key, "_per_billing_cycle"); ok {
		return refuse(unknownParameter, "%s: not known here; months begin on the account's cycle day, use %s_per_month", p.name, of)
	}
	return refuse(unknownParameter, "%s: not known here, take it out", p.name)
}

// decodeChange reads a request to set or update limits.
func decodeChange(all []parameter) (asked, change, error) {
	var (
		c       change
		perDate parameter
		perDay  bool
	)
	a, err := decodeAsked(all, fieldsOf[Receivable](), func(p parameter) (known bool, err error) {
		switch p.key {
		case blockKey:
			c.block, err = p.flag()
		case creditKey:
			err = p.unsupported()
		case percentageKey:
			var d *decimal.Decimal
			if d, err = p.number(billing.ParsePercentage); d == nil {
				d = new(decimal.Decimal) // null clears it
			}
			c.percentage = d
		case entriesKey:
			c.entries, err = p.entries()
		case perDateKey:
			perDate = p
		default:
			perDay = perDay || p.key == perDayKey
			return takeCeiling(&c.account, true, p)
		}
		return true, err
	})
	if err == nil && perDate.value != nil {
		err = c.perDate(perDate, perDay)
	}
	return a, c, err
}

// perDate reads the daily ceiling by its older name. Both names may be given if
// they agree.
func (c *change) perDate(p parameter, both bool) error {
	var old limits.CeilingPatch
	if _, err := takeCeiling(&old, true, parameter{name: p.name, key: perDayKey, value: p.value}); err != nil {
		return err
	}
	mine, theirs := old[billing.Day][billing.Usage], c.account[billing.Day][billing.Usage]
	if both && !equal(*mine, *theirs) {
		return refuse(invalidValue, "%s is %s and %s another: they are two names for one ceiling, give one", p.name, described(p.value), perDayKey)
	}
	c.account[billing.Day][billing.Usage] = mine
	return nil
}

func equal(a, b *decimal.Decimal) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// unsupported refuses what asks for something; false and null ask for nothing.
func (p parameter) unsupported() error {
	on, err := p.flag()
	if err == nil && *on {
		err = refuse(notSupported, "%s: usage is debited at once here, so there are no un-billed amounts; "+
			"hold an account by its financial blocking threshold, and leave this out", p.name)
	}
	return err
}

// flag reads true or false as CRM.COM writes them: also 1, 0 and null.
func (p parameter) flag() (*bool, error) {
	on := false
	switch string(p.value) {
	case "true", "1":
		on = true
	case "false", "0", "null":
	default:
		return nil, refuse(invalidValue, "%s is %s: give true or false", p.name, described(p.value))
	}
	return &on, nil
}

// fields reads a list of names, comma separated; nil is all of them.
func (p parameter) fields(of []string) ([]string, error) {
	if p.null() || string(p.value) == `""` {
		return nil, nil
	}
	if p.value[0] != '"' {
		return nil, refuse(invalidValue, "%s is %s: give names in one text, with commas between", p.name, described(p.value))
	}
	return splitFields(p, of)
}
