package billing

import (
	"fmt"
	"math/bits"

	"github.com/shopspring/decimal"
)

// moneyPlaces is how many decimal places money has (SPEC R2.2).
const moneyPlaces = 6

// Money is an amount in millionths of a currency's unit, within ±MoneyMax.
// Integers of one unit add and compare exactly; the currency is the account's.
type Money int64

// MoneyMax is the largest amount: 999,999,999,999.999999 (SPEC R2.2). Two
// Moneys can be added without overflow; InRange tells whether the sum is one.
const MoneyMax Money = 1e18 - 1

// MoneyUnit is 1 of any currency.
const MoneyUnit Money = 1e6

// InRange tells whether m is within money's range.
func (m Money) InRange() bool { return -MoneyMax <= m && m <= MoneyMax }

// Decimal is m as an exact decimal.
func (m Money) Decimal() decimal.Decimal { return decimal.New(int64(m), -moneyPlaces) }

// Fixed is m as a Fixed.
func (m Money) Fixed() Fixed { return fixedScaled(int64(m), fixedPlaces-moneyPlaces) }

// Places is how many decimal places m has when zeros at its end are dropped.
func (m Money) Places() int {
	places := moneyPlaces
	for ; places > 0 && m%10 == 0; places-- {
		m /= 10
	}
	return places
}

// String is m in plain digits without trailing zeros: "-12.5".
func (m Money) String() string { return m.Text(0) }

// Text is m in plain digits with at least places decimals: "-12.50" for 2.
func (m Money) Text(places int) string {
	u, sign := uint64(m), ""
	if m < 0 {
		u, sign = -u, "-"
	}
	frac := fmt.Sprintf("%06d", u%uint64(MoneyUnit))
	for len(frac) > places && frac[len(frac)-1] == '0' {
		frac = frac[:len(frac)-1]
	}
	if frac == "" {
		return fmt.Sprintf("%s%d", sign, u/uint64(MoneyUnit))
	}
	return fmt.Sprintf("%s%d.%s", sign, u/uint64(MoneyUnit), frac)
}

// MarshalText writes m as String does; JSON puts it in quotes (SPEC R2.1).
func (m Money) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads an amount as ParseMoney does.
func (m *Money) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMoney(string(text))
	return err
}

// Round is d rounded half away from zero to digits decimal places (at most 6),
// and whether the result is within money's range. It is the only place where
// money is rounded (SPEC R2.3).
func Round(d decimal.Decimal, digits int) (Money, bool) {
	units := d.Round(int32(digits)).Shift(moneyPlaces).BigInt()
	if !units.IsInt64() {
		return 0, false
	}
	m := Money(units.Int64())
	return m, m.InRange()
}

// RoundProduct is Round(quantity × unitPrice, digits) without allocating. Its
// third answer is false where the product leaves 128 bits: use Round then.
func RoundProduct(quantity, unitPrice Fixed, digits int) (m Money, inRange, ok bool) {
	qh, ql := quantity.Magnitude()
	ph, pl := unitPrice.Magnitude()
	if qh != 0 || ph != 0 {
		return 0, false, false
	}
	hi, lo := bits.Mul64(ql, pl) // in units of 10^-24
	hi, lo = roundShift(hi, lo, 2*fixedPlaces-digits)
	scale := pow10[moneyPlaces-digits]
	over, units := bits.Mul64(lo, scale)
	if hi != 0 || over != 0 || units > uint64(MoneyMax) {
		return 0, false, true
	}
	if (quantity.Sign() < 0) != (unitPrice.Sign() < 0) {
		return -Money(units), true, true
	}
	return Money(units), true, true
}

// roundShift divides the 128-bit hi:lo by 10^places, half up; places ≤ 24.
func roundShift(hi, lo uint64, places int) (uint64, uint64) {
	if places > 19 {
		// A power above 10^19 is divided off in two steps. What the first one
		// drops cannot lift a rest below the half to it, so the second decides.
		hi, lo, _ = divBy(hi, lo, pow10[places-19])
		places = 19
	}
	by := pow10[places]
	h, l, rest := divBy(hi, lo, by)
	if rest >= by-rest {
		var carry uint64
		l, carry = bits.Add64(l, 1, 0)
		h += carry
	}
	return h, l
}

func divBy(hi, lo, by uint64) (h, l, rest uint64) {
	h, r := hi/by, hi%by
	l, rest = bits.Div64(r, lo, by)
	return h, l, rest
}

// Share is the part of whole that part is of all, rounded half away from zero
// to digits places: what a credit of a part of a record gives back (SPEC R5.9).
// all is above zero, and part at most all, so that a share is never more than
// the whole.
func Share(whole Money, part, all Fixed, digits int) Money {
	d := whole.Decimal().Mul(part.Decimal()).DivRound(all.Decimal(), int32(digits))
	return Money(d.Shift(moneyPlaces).IntPart())
}

// OrNil is m for a database that takes integers: nil stays nil.
func (m *Money) OrNil() *int64 {
	if m == nil {
		return nil
	}
	units := int64(*m)
	return &units
}
