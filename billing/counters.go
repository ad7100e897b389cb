package billing

import (
	"encoding/binary"
	"fmt"
	"iter"
	"math"
	"slices"
)

// TargetID is a small number for a service, type or family: what counters are
// kept under. The account as a whole is 0. The catalogue gives them out and
// never takes one back.
type TargetID int32

// Place is a placement with the numbers that its counters are kept under.
type Place struct {
	ID int32 // of the placement itself; records keep it
	Placement
	Targets [4]TargetID // by ScopeKind; a type without a family has none there
}

// Counts tells whether a record of p counts in a scope.
func (p *Place) Counts(s ScopeKind) bool { return s != OfFamily || p.Family != "" }

// CounterKey names one counter of an account: scope, target and window.
type CounterKey struct {
	Kind   ScopeKind
	Window WindowKind // Day or Month
	Target TargetID
	Start  Date // of the window
}

// Counters are the open counters of an account. Windows that start before
// OpenDay or OpenMonth are over: their counters stand in a table of their own
// and are read when a late record needs them (DESIGN §3). A counter that is
// absent is zero.
type Counters struct {
	OpenDay, OpenMonth Date
	// In the order of their keys, which is that of the stored form: a record looks
	// a dozen of some forty counters up, and a search among sorted keys costs half
	// of a map's hash, and nothing when they are written.
	keys []CounterKey
	sums []Counter
}

// Earliest is before every date that a time can have. An account that has used
// nothing has every window since then open.
const Earliest = Date(math.MinInt32)

// NewCounters are the counters of an account that has used nothing.
func NewCounters() Counters {
	return Counters{OpenDay: Earliest, OpenMonth: Earliest}
}

// IsOpen tells whether counters of a window that starts on start are kept here.
func (c *Counters) IsOpen(kind WindowKind, start Date) bool {
	if kind == Day {
		return start >= c.OpenDay
	}
	return start >= c.OpenMonth
}

// find is where k is, or where it would stand.
func (c *Counters) find(k CounterKey) (at int, there bool) {
	major := k.major()
	low, high := 0, len(c.keys)
	for low < high {
		middle := int(uint(low+high) >> 1)
		if m := &c.keys[middle]; m.major() < major || m.major() == major && m.Start < k.Start {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, low < len(c.keys) && c.keys[low] == k
}

// At is the open counter of k.
func (c *Counters) At(k CounterKey) Counter {
	if at, there := c.find(k); there {
		return c.sums[at]
	}
	return Counter{}
}

// Set makes v the open counter of k.
func (c *Counters) Set(k CounterKey, v Counter) { *c.slot(k) = v }

// Add adds one record's quantity and charge to the open counter of k.
func (c *Counters) Add(k CounterKey, quantity, amount Fixed) {
	sum := c.slot(k)
	*sum = sum.Add(quantity, amount)
}

// slot is the counter of k in its place, which the next slot may move.
func (c *Counters) slot(k CounterKey) *Counter {
	at, there := c.find(k)
	if !there {
		c.keys, c.sums = slices.Insert(c.keys, at, k), slices.Insert(c.sums, at, Counter{})
	}
	return &c.sums[at]
}

// All is every open counter that is not zero, in the order of the keys.
func (c *Counters) All() iter.Seq2[CounterKey, Counter] {
	return func(yield func(CounterKey, Counter) bool) {
		for i, k := range c.keys {
			if !c.sums[i].IsZero() && !yield(k, c.sums[i]) {
				return
			}
		}
	}
}

// Clone is c with counters of its own.
func (c *Counters) Clone() Counters {
	return Counters{OpenDay: c.OpenDay, OpenMonth: c.OpenMonth, keys: slices.Clone(c.keys), sums: slices.Clone(c.sums)}
}

// Count adds one record to the open counters of all scopes of its place.
func (c *Counters) Count(p *Place, day, month Window, quantity, amount Fixed) {
	for kind := range OfAccount + 1 {
		if !p.Counts(kind) {
			continue
		}
		for _, w := range [...]Window{day, month} {
			c.Add(CounterKey{Kind: kind, Window: w.Kind, Target: p.Targets[kind], Start: w.Start}, quantity, amount)
		}
	}
}

// Close takes out the counters of the windows that start before day and month,
// which then are the first open ones, and returns them. It never opens a
// window again.
func (c *Counters) Close(day, month Date) map[CounterKey]Counter {
	if day <= c.OpenDay && month <= c.OpenMonth {
		return nil
	}
	c.OpenDay, c.OpenMonth = max(c.OpenDay, day), max(c.OpenMonth, month)
	var closed map[CounterKey]Counter
	open := 0
	for i, k := range c.keys {
		if c.IsOpen(k.Window, k.Start) {
			c.keys[open], c.sums[open] = k, c.sums[i]
			open++
			continue
		}
		if closed == nil {
			closed = map[CounterKey]Counter{}
		}
		closed[k] = c.sums[i]
	}
	c.keys, c.sums = c.keys[:open], c.sums[:open]
	return closed
}

// countersVersion is the first byte of the stored form.
const countersVersion = 1

// AppendBinary appends the stored form: version, OpenDay and OpenMonth, then
// each counter as scope and window in one byte, target, days from the first
// open window to its own, quantity and amount; in the order of their keys, so
// that equal counters are equal bytes. The database reads it through
// counters_of (postgres/migrations), so a change here is a change there.
func (c *Counters) AppendBinary(b []byte) []byte {
	b = append(b, countersVersion)
	b = binary.AppendVarint(b, int64(c.OpenDay))
	b = binary.AppendVarint(b, int64(c.OpenMonth))
	for k, v := range c.All() {
		b = append(b, byte(k.Kind)|byte(k.Window)<<2)
		b = binary.AppendUvarint(b, uint64(k.Target))
		b = binary.AppendUvarint(b, uint64(int64(k.Start)-int64(c.base(k.Window))))
		b = v.Quantity.AppendBinary(b)
		b = v.Amount.AppendBinary(b)
	}
	return b
}

func (c *Counters) base(kind WindowKind) Date {
	if kind == Day {
		return c.OpenDay
	}
	return c.OpenMonth
}

// major packs window, scope and target so that their order is an integer's.
func (k *CounterKey) major() uint64 {
	return uint64(k.Window)<<34 | uint64(k.Kind)<<32 | uint64(uint32(k.Target))
}

// ReadCounters reads what AppendBinary wrote.
func ReadCounters(b []byte) (Counters, error) {
	c := NewCounters()
	if len(b) == 0 {
		return c, nil
	}
	if b[0] != countersVersion {
		return c, fmt.Errorf("read counters: version %d is not %d", b[0], countersVersion)
	}
	r := byteReader{rest: b[1:]}
	c.OpenDay, c.OpenMonth = Date(r.varint()), Date(r.varint())
	for r.err == nil && len(r.rest) > 0 {
		head := r.byte()
		k := CounterKey{Kind: ScopeKind(head & 3), Window: WindowKind(head >> 2)}
		k.Target = TargetID(r.uvarint())
		k.Start = Date(int64(c.base(k.Window)) + int64(r.uvarint()))
		c.Set(k, Counter{Quantity: r.fixed(), Amount: r.fixed()})
	}
	if r.err != nil {
		return c, fmt.Errorf("read counters: %w", r.err)
	}
	return c, nil
}

// byteReader takes values off a slice and remembers the first fault.
type byteReader struct {
	rest []byte
	err  error
}

func (r *byteReader) take(n int) {
	if n <= 0 || n > len(r.rest) {
		r.err, r.rest = ErrTruncated, nil
		return
	}
	r.rest = r.rest[n:]
}

func (r *byteReader) byte() (v byte) {
	if len(r.rest) > 0 {
		v = r.rest[0]
	}
	r.take(1)
	return v
}

func (r *byteReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.take(n)
	return v
}

func (r *byteReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.take(n)
	return v
}

func (r *byteReader) fixed() Fixed {
	f, rest, err := ReadFixed(r.rest)
	if err != nil {
		r.err, r.rest = err, nil
		return f
	}
	r.rest = rest
	return f
}
