package billing_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// calendarOf is the calendar of a zone, with months from the first.
func calendarOf(t testing.TB, zone string) billing.Calendar {
	t.Helper()
	z, err := billing.LoadZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	return billing.Calendar{Zone: z, CycleDay: 1}
}

func date(t testing.TB, text string) billing.Date {
	t.Helper()
	d, err := billing.ParseDate(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func instant(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := billing.ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func number(text string) decimal.Decimal { return decimal.RequireFromString(text) }

// fixed is the Fixed that text writes.
func fixed(t testing.TB, text string) billing.Fixed {
	t.Helper()
	f, err := billing.FixedOf(number(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func money(t testing.TB, text string) billing.Money {
	t.Helper()
	m, err := billing.ParseMoney(text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A Fixed as its tests see it: a whole number of units of 10^-12.
const fixedPlaces = 12

func fromUnits(units *big.Int) decimal.Decimal { return decimal.NewFromBigInt(units, -fixedPlaces) }

// unitsOf reads a Fixed without its Decimal, which is tested by it.
func unitsOf(f billing.Fixed) *big.Int {
	hi, lo := f.Magnitude()
	units := new(big.Int).Lsh(new(big.Int).SetUint64(hi), 64)
	units.Or(units, new(big.Int).SetUint64(lo))
	if f.Sign() < 0 {
		units.Neg(units)
	}
	return units
}

// drawUnits draws units of up to so many bits; small and large ones come often.
func drawUnits(t *rapid.T, bits int) *big.Int {
	units := new(big.Int).SetUint64(rapid.Uint64().Draw(t, "high"))
	units.Lsh(units, 64).Or(units, new(big.Int).SetUint64(rapid.Uint64().Draw(t, "low")))
	units.Rsh(units, uint(128-rapid.IntRange(0, bits).Draw(t, "bits")))
	if rapid.Bool().Draw(t, "negative") {
		units.Neg(units)
	}
	return units
}

// drawFixed draws a Fixed of which two can be added.
func drawFixed(t *rapid.T) (billing.Fixed, *big.Int) {
	units := drawUnits(t, 126)
	f, err := billing.FixedOf(fromUnits(units))
	if err != nil {
		t.Fatal(err)
	}
	return f, units
}

// roundAway is d rounded half away from zero to digits places, in units of the
// last of them: the letter of SPEC R2.3 in whole numbers.
func roundAway(d *big.Rat, digits int) *big.Int {
	scaled := new(big.Rat).Mul(d, new(big.Rat).SetInt(tenTo(digits)))
	twice := new(big.Int).Mul(new(big.Int).Abs(scaled.Num()), big.NewInt(2))
	twice.Add(twice, scaled.Denom()) // ⌊(2n + d) / 2d⌋ = ⌊n/d + 1/2⌋
	units := twice.Quo(twice, new(big.Int).Mul(scaled.Denom(), big.NewInt(2)))
	if d.Sign() < 0 {
		units.Neg(units)
	}
	return units
}

func tenTo(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
