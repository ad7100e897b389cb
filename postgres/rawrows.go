package postgres

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/uuid"
)

// rawRow takes a row of the binary protocol apart, value by value, and remembers
// the first fault. pgx can scan such a row too, at several times the cost: a
// record has twenty values, and verify reads every record there is.
//
// A null is the zero value; where that means something else there is a method
// of its own.
type rawRow struct {
	values [][]byte
	err    error
}

func (r *rawRow) bytes() []byte {
	if len(r.values) == 0 {
		r.fail(0)
		return nil
	}
	v := r.values[0]
	r.values = r.values[1:]
	return v
}

// sized is a value of a known size; null is zeros.
func (r *rawRow) sized(size int) [8]byte {
	var v [8]byte
	b := r.bytes()
	if b != nil && len(b) != size {
		r.fail(len(b))
		return v
	}
	copy(v[8-size:], b)
	return v
}

func (r *rawRow) fail(size int) {
	if r.err == nil {
		r.err = fmt.Errorf("read a row: a value of %d bytes, %d values before its end: %w", size, len(r.values), billing.ErrTruncated)
	}
}

func (r *rawRow) text() string { return string(r.bytes()) }

func (r *rawRow) bool() bool { return r.sized(1)[7] != 0 }

func (r *rawRow) int16() int {
	v := r.sized(2)
	return int(int16(binary.BigEndian.Uint16(v[6:])))
}

func (r *rawRow) int32() int32 {
	v := r.sized(4)
	return int32(binary.BigEndian.Uint32(v[4:]))
}

func (r *rawRow) int64() int64 {
	v := r.sized(8)
	return int64(binary.BigEndian.Uint64(v[:]))
}

func (r *rawRow) isNull() bool { return len(r.values) > 0 && r.values[0] == nil }

func (r *rawRow) skip(n int) {
	for range n {
		r.bytes()
	}
}

func (r *rawRow) uuid() (v uuid.UUID) {
	if b := r.bytes(); b != nil && copy(v[:], b) != len(v) {
		r.fail(len(b))
	}
	return v
}

func (r *rawRow) time() time.Time {
	if r.isNull() {
		r.bytes()
		return time.Time{}
	}
	return time.UnixMicro(r.int64() + epoch2000).UTC()
}

func (r *rawRow) date() billing.Date { return billing.Date(r.int32() + epoch2000/86_400_000_000) }

func (r *rawRow) money() billing.Money {
	f := r.numeric()
	m, exact := f.Money()
	if !exact && r.err == nil {
		r.err = fmt.Errorf("read a row: %s is not money", f)
	}
	return m
}

func (r *rawRow) moneyOrNil() *billing.Money {
	if r.isNull() {
		r.bytes()
		return nil
	}
	m := r.money()
	return &m
}

// numeric reads what copyRows.numeric writes, and any other numeric that a
// Fixed can hold: base-10,000 digits of which the first counts 10,000^weight.
func (r *rawRow) numeric() billing.Fixed {
	const head, fraction, positive, negative = 8, 3, 0x0000, 0x4000
	b := r.bytes()
	if b == nil {
		return billing.Fixed{}
	}
	if len(b) < head {
		r.fail(len(b))
		return billing.Fixed{}
	}
	n := int(binary.BigEndian.Uint16(b))
	weight := int(int16(binary.BigEndian.Uint16(b[2:])))
	sign := binary.BigEndian.Uint16(b[4:])
	last := weight - n + 1 + fraction // places of 10,000 behind the last digit
	if len(b) != head+2*n || n > 0 && last < 0 || weight+fraction >= numericGroups || sign != positive && sign != negative {
		r.fail(len(b))
		return billing.Fixed{}
	}
	var hi, lo uint64
	for i := range n + max(last, 0) {
		var digit uint64
		if i < n {
			digit = uint64(binary.BigEndian.Uint16(b[head+2*i:]))
		}
		if hi >= math.MaxInt64/10_000 {
			r.fail(len(b)) // more than a Fixed holds
			return billing.Fixed{}
		}
		over, low := bits.Mul64(lo, 10_000)
		var carry uint64
		lo, carry = bits.Add64(low, digit, 0)
		hi = hi*10_000 + over + carry
	}
	return billing.FixedOfMagnitude(sign == negative, hi, lo)
}
