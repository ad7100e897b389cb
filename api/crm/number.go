package crm

import (
	"errors"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/shopspring/decimal"
)

// number reads the exact text of a number, quoted or not (SPEC R2.1); nil is
// null.
func (p parameter) number(read func(string) (decimal.Decimal, error)) (*decimal.Decimal, error) {
	text := string(p.value)
	switch c := p.value[0]; {
	case p.null():
		return nil, nil
	case c == '"':
		quoted, err := p.text()
		if err != nil {
			return nil, err
		}
		text = quoted
	case c != '-' && (c < '0' || c > '9'):
		return nil, refuse(invalidValue, `%s is %s: give a number like 100 or "12.5"`, p.name, described(p.value))
	}
	d, err := read(text)
	switch {
	case errors.Is(err, billing.ErrNotNumber):
		return nil, refuse(invalidValue, `%s: %v: write it like 100 or "12.5"`, p.name, err)
	case errors.Is(err, billing.ErrNegative):
		return nil, refuse(invalidValue, "%s: %v: 0 allows nothing, null does not limit", p.name, err)
	case err != nil:
		return nil, refuse(invalidValue, "%s: %v", p.name, err)
	}
	return &d, nil
}

// amount reads a ceiling of money.
func amount(text string) (decimal.Decimal, error) {
	m, err := billing.ParseMoney(text)
	if err == nil && m < 0 {
		err = billing.ErrNegative
	}
	return m.Decimal(), err
}

// takeCeiling reads the ceiling that p names into c, if it names one.
func takeCeiling(c *limits.CeilingPatch, account bool, p parameter) (known bool, err error) {
	w, m, known := limits.CeilingOf(account, p.key)
	if !known {
		return false, nil
	}
	read := billing.ParseCeiling
	if m == billing.Amount {
		read = amount
	}
	d, err := p.number(read)
	c[w][m] = &d
	return true, err
}
