package billing

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math/bits"
	"strconv"
	"time"
)

// Decoder reads usage records from JSON (CONTRACT §3) and keeps the names that
// come again and again — sources, accounts, services — so that a million
// records of ten accounts hold ten account numbers. The zero value is ready; a
// Decoder belongs to one goroutine.
//
// It is written by hand over the bytes because every record passes it twice, at
// the door and in the worker, and encoding/json would take a quarter of all
// that a record may cost, and lets doubled keys and broken text through.
type Decoder struct {
	names []string
	seed  maphash.Seed
	keys  [][]byte // room that a scanner leaves to the next one
	buf   []byte
}

// namesMax is how many names a Decoder keeps (128 KiB of string headers), and
// nameBytesMax how long a name it keeps: an upper bound of 600 KiB in all.
const (
	namesMax     = 1 << 13
	nameBytesMax = 64
)

// name is text as a string, the same one as last time if it is still kept. Each
// text has one place, and a newcomer takes it: no growth, no eviction to run.
func (d *Decoder) name(text []byte) string {
	if d == nil || len(text) > nameBytesMax {
		return string(text)
	}
	if d.names == nil {
		d.names, d.seed = make([]string, namesMax), maphash.MakeSeed()
	}
	place := &d.names[maphash.Bytes(d.seed, text)%namesMax]
	if *place != string(text) {
		*place = string(text)
	}
	return *place
}

// DecodeRecord reads one usage record from JSON, strictly (SPEC R5.3): a
// missing, unknown, doubled or mistyped key, a number outside SPEC R2, broken
// text or anything behind the record is a fault. The fault is one line that
// names key and value, the value cut short.
func DecodeRecord(line []byte) (UsageRecord, error) { return (*Decoder)(nil).Decode(line) }

// Decode is DecodeRecord with the names kept. The record shares no memory with line.
func (d *Decoder) Decode(line []byte) (UsageRecord, error) {
	f := d.Draft()
	if err := f.SetObject(line); err != nil {
		return UsageRecord{}, err
	}
	return f.Record()
}

func (d *Decoder) scan(text []byte) scanner {
	if d == nil {
		return scanner{text: text}
	}
	return scanner{text: text, keys: d.keys[:0], buf: d.buf[:0]}
}

func (d *Decoder) done(s *scanner) {
	if d != nil {
		d.keys, d.buf = s.keys, s.buf
	}
}

// WalkObject calls member for each member of a JSON object, in order: its key
// and the text of its value, both of which hold until the call ends. It is as
// strict as DecodeRecord about all that is not a usage record's own: what wraps
// one, as a CloudEvent does, is read by it.
func (d *Decoder) WalkObject(object []byte, member func(key, value []byte) error) error {
	s := d.scan(object)
	if s.next() != '{' {
		return s.fault("no object begins here")
	}
	err := s.value(-2) // what wraps a record in a member nests its attributes two deeper
	if s.next(); err == nil && s.at < len(object) {
		err = s.fault("text after the object")
	}
	d.done(&s)
	if err != nil {
		return err
	}
	s.keys, s.buf = nil, nil // the walk is over the text; d may be used in member
	return s.walk(member)
}

// ErrNotArray means that a text is not a JSON array from its first byte to its last.
var ErrNotArray = errors.New("not a JSON array")

// DecodeArray reads a JSON array of usage records, appends those that can be
// read to records, and calls unreadable for each element that cannot, with its
// place from 0, its text (a part of array) and its fault: one bad record does
// not spoil its neighbours. The error is that of an array which is broken
// itself; what was read before the break is returned with it.
func (d *Decoder) DecodeArray(
	records []UsageRecord, array []byte, unreadable func(place int, text []byte, fault error),
) ([]UsageRecord, error) {
	s := d.scan(array)
	defer d.done(&s)
	if s.next() != '[' {
		return records, fmt.Errorf("read records: %w: %w", ErrNotArray, s.fault("no array begins here"))
	}
	s.at++
	if s.next() == ']' {
		s.at++
		return records, s.arrayEnd()
	}
	for place := 0; ; place++ {
		s.next()
		start := s.at
		r, fault := d.element(&s)
		end, c := s.at, s.next()
		if c == 0 {
			return records, fmt.Errorf("read records: %w: it is not closed", ErrNotArray)
		}
		if fault == nil {
			records = append(records, r)
		} else {
			unreadable(place, array[start:end], fault)
		}
		if s.at++; c == ']' {
			return records, s.arrayEnd()
		}
	}
}

// element takes one record and leaves s at the comma or bracket behind it, the
// next one there is if the record cannot be read.
func (d *Decoder) element(s *scanner) (UsageRecord, error) {
	start := s.at
	f := Draft{names: d}
	fault := s.record(&f)
	if fault == nil {
		end := s.at
		if c := s.next(); c == ',' || c == ']' {
			s.at = end
			return f.Record()
		}
		fault = s.fault("text after the record")
	}
	s.at, s.keys = start, s.keys[:0]
	s.skip(']')
	return UsageRecord{}, fault
}

func (s *scanner) arrayEnd() error {
	if s.next(); s.at < len(s.text) {
		return fmt.Errorf("read records: %w: %w", ErrNotArray, s.fault("text after the array"))
	}
	return nil
}

// AppendRecord appends r as one line of canonical JSON, without a line break:
// keys in the order of CONTRACT §3, numbers as strings, times in UTC, nothing
// that is absent or the default. DecodeRecord reads the same record back.
func AppendRecord(b []byte, r *UsageRecord) []byte {
	b = appendString(append(b, `{"source":`...), r.Source)
	b = appendString(append(b, `,"id":`...), r.ID)
	b = appendString(append(b, `,"account":`...), r.Account)
	b = appendString(append(b, `,"service":`...), r.Service)
	b = appendFixed(append(b, `,"quantity":"`...), r.Quantity)
	b = r.OccurredAt.UTC().AppendFormat(append(b, `","occurred_at":"`...), time.RFC3339Nano)
	b = append(b, '"')
	if r.Amount != nil {
		b = appendFixed(append(b, `,"amount":"`...), r.Amount.Fixed())
		b = append(b, '"')
	}
	if r.Directive != Charge {
		b = appendString(append(b, `,"directive":`...), r.Directive.String())
	}
	if r.OriginalID != "" {
		b = appendString(append(b, `,"original_id":`...), r.OriginalID)
	}
	if len(r.Attributes) > 0 {
		b = append(append(b, `,"attributes":`...), r.Attributes...)
	}
	return append(b, '}')
}

// appendFixed appends f in plain digits without trailing zeros, as String does.
func appendFixed(b []byte, f Fixed) []byte {
	hi, lo := f.Magnitude()
	unit := pow10[fixedPlaces]
	if hi >= unit {
		return append(b, f.String()...)
	}
	if f.Sign() < 0 {
		b = append(b, '-')
	}
	whole, rest := bits.Div64(hi, lo, unit)
	b = strconv.AppendUint(b, whole, 10)
	if rest == 0 {
		return b
	}
	b = append(b, '.')
	for rest > 0 {
		unit /= 10
		b = append(b, '0'+byte(rest/unit))
		rest %= unit
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendString appends text as a JSON string; only what JSON demands is escaped.
func appendString(b []byte, text string) []byte {
	b = append(b, '"')
	from := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(b, text[from:]...), '"')
}
