package rating

import (
	"math"
	"math/bits"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// wide is an exact amount, not negative, in 128 bits of 10^-24: a quantity's
// twelve places times a price's twelve. Of the terms of a charge a product has
// at most 127 bits, for a price comes from an int64, and the base of a piece and
// the fee at most 126 and 110: their sum does not overflow.
type wide struct{ hi, lo uint64 }

const widePlaces = 24

// wideOf is d, which is not negative, as a wide of at most 126 bits.
func wideOf(d decimal.Decimal) (wide, bool) {
	n := d.Shift(widePlaces)
	if !n.IsInteger() {
		return wide{}, false
	}
	var w wide
	b := n.BigInt()
	if b.BitLen() > 126 {
		return wide{}, false
	}
	var words [16]byte
	b.FillBytes(words[:])
	for i := range 8 {
		w.hi = w.hi<<8 | uint64(words[i])
		w.lo = w.lo<<8 | uint64(words[i+8])
	}
	return w, true
}

func (w wide) add(v wide) wide {
	lo, carry := bits.Add64(w.lo, v.lo, 0)
	hi, _ := bits.Add64(w.hi, v.hi, carry)
	return wide{hi, lo}
}

// over is w divided by d, cut.
func (w wide) over(d uint64) wide {
	hi, rest := w.hi/d, w.hi%d
	lo, _ := bits.Div64(rest, w.lo, d)
	return wide{hi, lo}
}

// rounding takes a wide to money of some digits. Rounding itself is billing's:
// what stays here is the cut to one digit more than the charge has, which is all
// that decides about half.
type rounding struct {
	digits int
	// first × then is 10^(23−digits): what cuts a wide to tenths of the last digit.
	first, then uint64
	// tenths is 10^(5−digits): a Money counts millionths, and times this they are
	// tenths of the last digit.
	tenths billing.Fixed
}

func roundingTo(digits int) rounding {
	tenths, _ := billing.FixedOf(decimal.New(1, int32(5-digits)))
	return rounding{
		digits: digits,
		first:  1e5,
		then:   uint64(decimal.New(1, int32(widePlaces-1-5-digits)).IntPart()),
		tenths: tenths,
	}
}

// round is w rounded to money, and false where it is out of range or cannot be
// told in 64 bits.
func (r *rounding) round(w wide) (billing.Money, bool) {
	w = w.over(r.first).over(r.then)
	if w.hi != 0 || w.lo > math.MaxInt64 {
		return 0, false
	}
	m, inRange, ok := billing.RoundProduct(billing.Money(w.lo).Fixed(), r.tenths, r.digits)
	return m, inRange && ok
}
