package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// instant is a time on the command line (SPEC R2.4).
type instant struct{ time.Time }

// UnmarshalText reads RFC 3339 with an offset.
func (i *instant) UnmarshalText(text []byte) (err error) {
	if i.Time, err = billing.ParseTime(string(text)); err != nil {
		return fmt.Errorf("%w: write it like 2026-03-01T10:00:00Z", err)
	}
	return nil
}

// orZero is the time, zero where the flag is not given.
func (i *instant) orZero() time.Time {
	if i == nil {
		return time.Time{}
	}
	return i.Time
}

// zone is a time zone on the command line.
type zone struct{ *time.Location }

// UnmarshalText reads an IANA name.
func (z *zone) UnmarshalText(text []byte) (err error) {
	z.Location, err = billing.LoadZone(string(text))
	return err
}

// location is the zone, nil where the flag is not given.
func (z *zone) location() *time.Location {
	if z == nil {
		return nil
	}
	return z.Location
}

// pair is KEY=VALUE on the command line.
type pair struct{ key, value string }

// UnmarshalText cuts at the first =.
func (p *pair) UnmarshalText(text []byte) error {
	var ok bool
	if p.key, p.value, ok = strings.Cut(string(text), "="); !ok {
		return fmt.Errorf("%q: write it like id=LineItemId", text)
	}
	return nil
}

// String is the pair as it is written.
func (p pair) String() string { return p.key + "=" + p.value }

// signedAmount is money on the command line, with or without a plus.
type signedAmount struct{ billing.Money }

// UnmarshalText reads an amount.
func (a *signedAmount) UnmarshalText(text []byte) (err error) {
	a.Money, err = billing.ParseMoney(strings.TrimPrefix(string(text), "+"))
	return err
}

// percentage is a percentage on the command line.
type percentage struct{ decimal.Decimal }

// UnmarshalText reads a number of at least 0.
func (p *percentage) UnmarshalText(text []byte) (err error) {
	p.Decimal, err = billing.ParsePercentage(strings.TrimSuffix(string(text), "%"))
	return err
}

// orNil is the percentage, nil where the flag is not given.
func (p *percentage) orNil() *decimal.Decimal {
	if p == nil {
		return nil
	}
	return &p.Decimal
}
