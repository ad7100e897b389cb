package billing

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"

	"github.com/shopspring/decimal"
)

// fixedPlaces is how many decimal places a Fixed carries: what SPEC R2.2 gives
// quantities and prices, and six more than money has.
const fixedPlaces = 12

// Fixed is an exact signed decimal with twelve places in 128 bits: quantities,
// and sums of quantities and of money. It holds every number of 26 integer
// digits, so a counter would have to add up 10^14 of the largest quantities to
// overflow it (SPEC R2.2: a counter holds any sum). The zero value is 0, and ==
// compares values.
//
// It exists beside decimal.Decimal because a record moves sixteen sums and is
// held against up to two dozen ceilings: a Fixed does that without allocating
// (docs/adr/0002).
type Fixed struct {
	hi int64
	lo uint64
}

// ErrNotFixed means that a decimal has more than twelve places or more integer
// digits than a Fixed holds.
var ErrNotFixed = errors.New("more than 12 decimal places or 26 integer digits")

// pow10 holds the powers of ten that fit 64 bits.
var pow10 = func() (p [20]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// FixedInt is the whole number n.
func FixedInt(n int64) Fixed { return fixedScaled(n, fixedPlaces) }

// fixedScaled is n × 10^places, in units of the last place.
func fixedScaled(n int64, places int) Fixed {
	u, neg := uint64(n), n < 0
	if neg {
		u = -u
	}
	hi, lo := bits.Mul64(u, pow10[places])
	f := Fixed{hi: int64(hi), lo: lo}
	if neg {
		return f.Neg()
	}
	return f
}

// FixedOf is d as a Fixed, or ErrNotFixed.
func FixedOf(d decimal.Decimal) (Fixed, error) {
	places := fixedPlaces + int(d.Exponent())
	c := d.Coefficient()
	switch {
	case c.IsInt64() && places >= 0 && places <= 18:
		return fixedScaled(c.Int64(), places), nil
	case c.Sign() == 0:
		return Fixed{}, nil
	}
	if !past(d) && d.Shift(fixedPlaces).IsInteger() {
		if f, ok := fixedOfBig(d.Shift(fixedPlaces).BigInt()); ok {
			return f, nil
		}
	}
	return Fixed{}, fmt.Errorf("hold number %s: %w", clip(fmt.Sprintf("%de%d", c, d.Exponent())), ErrNotFixed)
}

// FixedFloor is the largest Fixed that is not above d: what a sum of twelve
// places may reach under a ceiling of more. Beyond the range it is the nearest
// end of it.
func FixedFloor(d decimal.Decimal) Fixed {
	if !past(d) {
		if f, ok := fixedOfBig(d.Shift(fixedPlaces).Floor().BigInt()); ok {
			return f
		}
	}
	if d.IsNegative() {
		return fixedMax.Neg()
	}
	return fixedMax
}

// fixedMax is the largest Fixed, and −fixedMax the smallest: the range has no
// end whose negative lies outside of it.
var fixedMax = Fixed{hi: math.MaxInt64, lo: math.MaxUint64}

// fixedDigits are the digits of fixedMax.
var fixedDigits = Digits{27, fixedPlaces}

// past tells whether d is plainly beyond the range, without writing out its
// digits: the exponent may be that of 1e999999999.
func past(d decimal.Decimal) bool {
	return !d.IsZero() && d.NumDigits()+int(d.Exponent()) > fixedDigits.Integer
}

func fixedOfBig(b *big.Int) (f Fixed, ok bool) {
	if b.BitLen() > 127 {
		return Fixed{}, false
	}
	abs := new(big.Int).Abs(b)
	lo := new(big.Int).And(abs, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	f = Fixed{hi: int64(abs.Rsh(abs, 64).Uint64()), lo: lo}
	if b.Sign() < 0 {
		return f.Neg(), true
	}
	return f, true
}

// Add is f + g.
func (f Fixed) Add(g Fixed) Fixed {
	lo, carry := bits.Add64(f.lo, g.lo, 0)
	hi, _ := bits.Add64(uint64(f.hi), uint64(g.hi), carry)
	return Fixed{hi: int64(hi), lo: lo}
}

// Sub is f − g.
func (f Fixed) Sub(g Fixed) Fixed { return f.Add(g.Neg()) }

// Neg is −f.
func (f Fixed) Neg() Fixed {
	lo, borrow := bits.Sub64(0, f.lo, 0)
	hi, _ := bits.Sub64(0, uint64(f.hi), borrow)
	return Fixed{hi: int64(hi), lo: lo}
}

// Sign is −1, 0 or 1.
func (f Fixed) Sign() int {
	switch {
	case f.hi < 0:
		return -1
	case f.hi == 0 && f.lo == 0:
		return 0
	default:
		return 1
	}
}

// IsZero tells whether f is 0.
func (f Fixed) IsZero() bool { return f == Fixed{} }

// Cmp is −1, 0 or 1 as f is below, equal to or above g.
func (f Fixed) Cmp(g Fixed) int {
	switch {
	case f == g:
		return 0
	case f.hi < g.hi, f.hi == g.hi && f.lo < g.lo:
		return -1
	default:
		return 1
	}
}

// Magnitude is |f| in units of the last place (10^-12), as two words.
func (f Fixed) Magnitude() (hi, lo uint64) {
	if f.hi < 0 {
		f = f.Neg()
	}
	return uint64(f.hi), f.lo
}

// Units is f in units of the last place (10^-12) if that fits an int64.
func (f Fixed) Units() (int64, bool) {
	return int64(f.lo), f.hi == int64(f.lo)>>63
}

// Decimal is f as an exact decimal.
func (f Fixed) Decimal() decimal.Decimal {
	if u, ok := f.Units(); ok {
		return decimal.New(u, -fixedPlaces)
	}
	hi, lo := f.Magnitude()
	b := new(big.Int).SetUint64(hi)
	b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(lo))
	if f.hi < 0 {
		b.Neg(b)
	}
	return decimal.NewFromBigInt(b, -fixedPlaces)
}

// String is f in plain digits without trailing zeros.
func (f Fixed) String() string { return f.Decimal().String() }

// MarshalText writes f as String does; JSON puts it in quotes (SPEC R2.1).
func (f Fixed) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (f *Fixed) UnmarshalText(text []byte) error {
	d, err := ParseDecimal(string(text), fixedDigits)
	if err != nil {
		return err
	}
	*f, err = FixedOf(d)
	return err
}

// AppendBinary appends a short form of f: how many of the twelve places are
// kept (0, 2, 6 or 12), then that many places as a varint of up to 128 bits.
// Most sums are whole, or have cents, and take 2 to 5 bytes.
func (f Fixed) AppendBinary(b []byte) []byte {
	neg := f.hi < 0
	hi, lo := f.Magnitude()
	kept := byte(fixedPlaces)
	for _, k := range []byte{0, 2, 6} {
		by := pow10[fixedPlaces-k]
		q1, r1 := hi/by, hi%by
		q0, r0 := bits.Div64(r1, lo, by)
		if r0 == 0 {
			kept, hi, lo = k, q1, q0
			break
		}
	}
	head := kept << 2
	if neg {
		head |= 1
	}
	if hi != 0 {
		head |= 2
	}
	b = append(b, head)
	b = binary.AppendUvarint(b, lo)
	if hi != 0 {
		b = binary.AppendUvarint(b, hi)
	}
	return b
}

// ErrTruncated means that bytes ended inside a value.
var ErrTruncated = errors.New("bytes end inside a value")

// ReadFixed reads what AppendBinary wrote and returns what follows it.
func ReadFixed(b []byte) (Fixed, []byte, error) {
	if len(b) == 0 {
		return Fixed{}, nil, ErrTruncated
	}
	head := b[0]
	lo, n := binary.Uvarint(b[1:])
	if n <= 0 || int(head>>2) > fixedPlaces {
		return Fixed{}, nil, ErrTruncated
	}
	b = b[1+n:]
	var hi uint64
	if head&2 != 0 {
		if hi, n = binary.Uvarint(b); n <= 0 {
			return Fixed{}, nil, ErrTruncated
		}
		b = b[n:]
	}
	by := pow10[fixedPlaces-int(head>>2)]
	top, low := bits.Mul64(lo, by)
	f := Fixed{hi: int64(hi*by + top), lo: low}
	if head&1 != 0 {
		f = f.Neg()
	}
	return f, b, nil
}
