package billing

import "math/bits"

// FixedOfMagnitude is the Fixed with a sign and a magnitude: the way back from
// Sign and Magnitude.
func FixedOfMagnitude(negative bool, hi, lo uint64) Fixed {
	f := Fixed{hi: int64(hi), lo: lo}
	if negative {
		return f.Neg()
	}
	return f
}

// Money is f as money, and whether it is that: not beyond money's range, and
// nothing behind its sixth place.
func (f Fixed) Money() (m Money, exact bool) {
	hi, lo := f.Magnitude()
	by := pow10[fixedPlaces-moneyPlaces]
	if hi >= by {
		return 0, false
	}
	units, rest := bits.Div64(hi, lo, by)
	if rest != 0 || units > uint64(MoneyMax) {
		return 0, false
	}
	if f.hi < 0 {
		return -Money(units), true
	}
	return Money(units), true
}
