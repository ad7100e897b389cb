package postgres

import (
	"encoding/binary"
	"math/bits"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/uuid"
)

// copyRows builds the binary form of COPY row by row. pgx can do it from Go
// values too, at several times the cost: each value goes through an interface
// and a plan, and a batch has 20,000 of them.
type copyRows struct{ b []byte }

// copyHeader is the signature, no flags and no header extension.
const copyHeader = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func (c *copyRows) begin() { c.b = append(c.b[:0], copyHeader...) }

func (c *copyRows) end() []byte {
	c.b = append(c.b, 0xff, 0xff)
	return c.b
}

func (c *copyRows) row(fields int16) { c.b = binary.BigEndian.AppendUint16(c.b, uint16(fields)) }

func (c *copyRows) null() { c.b = append(c.b, 0xff, 0xff, 0xff, 0xff) }

func (c *copyRows) size(n int) { c.b = binary.BigEndian.AppendUint32(c.b, uint32(n)) }

func (c *copyRows) text(s string) {
	c.size(len(s))
	c.b = append(c.b, s...)
}

func (c *copyRows) bytes(v []byte) {
	c.size(len(v))
	c.b = append(c.b, v...)
}

func (c *copyRows) int16(v int16) {
	c.size(2)
	c.b = binary.BigEndian.AppendUint16(c.b, uint16(v))
}

func (c *copyRows) int32(v int32) {
	c.size(4)
	c.b = binary.BigEndian.AppendUint32(c.b, uint32(v))
}

func (c *copyRows) int64(v int64) {
	c.size(8)
	c.b = binary.BigEndian.AppendUint64(c.b, uint64(v))
}

func (c *copyRows) uuid(v uuid.UUID) { c.bytes(v[:]) }

// epoch2000 is where the database counts microseconds from.
const epoch2000 = 946_684_800_000_000

func (c *copyRows) time(t time.Time) { c.int64(t.UnixMicro() - epoch2000) }

func (c *copyRows) money(m billing.Money) { c.numeric(m.Fixed()) }

// numericGroups is how many base-10,000 digits a Fixed can have.
const numericGroups = 10

// numeric writes a numeric: how many base-10,000 digits, the weight of the
// first, sign, display scale, digits. Twelve places are three such digits, so
// none has to be shifted.
func (c *copyRows) numeric(f billing.Fixed) {
	const fraction, negative = 3, 0x4000
	var groups [numericGroups]uint16
	hi, lo := f.Magnitude()
	n := 0 // groups, least first
	for ; hi != 0 || lo != 0; n++ {
		var rest uint64
		q := hi / 10_000
		lo, rest = bits.Div64(hi%10_000, lo, 10_000)
		hi = q
		groups[n] = uint16(rest)
	}
	first := 0 // zeros at the end are not written
	for first < n && groups[first] == 0 {
		first++
	}
	sign := uint16(0)
	if f.Sign() < 0 {
		sign = negative
	}
	c.size(8 + 2*(n-first))
	c.b = binary.BigEndian.AppendUint16(c.b, uint16(n-first))
	c.b = binary.BigEndian.AppendUint16(c.b, uint16(int16(n-1-fraction)))
	c.b = binary.BigEndian.AppendUint16(c.b, sign)
	c.b = binary.BigEndian.AppendUint16(c.b, 4*fraction)
	for i := n - 1; i >= first; i-- {
		c.b = binary.BigEndian.AppendUint16(c.b, groups[i])
	}
}
