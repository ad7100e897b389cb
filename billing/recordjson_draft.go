package billing

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// RecordField is one of the keys that a usage record may have.
type RecordField uint8

// The fields, in the order in which they are written (CONTRACT §3); those up to
// OccurredAtField are required.
const (
	SourceField RecordField = iota
	IDField
	AccountField
	ServiceField
	QuantityField
	OccurredAtField
	AmountField
	DirectiveField
	OriginalIDField
	AttributesField
)

var recordFieldNames = []string{
	"source", "id", "account", "service", "quantity", "occurred_at",
	"amount", "directive", "original_id", "attributes",
}

const requiredFields = 1<<(OccurredAtField+1) - 1

// String is the field's key.
func (f RecordField) String() string { return recordFieldNames[f] }

// MarshalText writes the field's key.
func (f RecordField) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads a field's key.
func (f *RecordField) UnmarshalText(text []byte) (err error) {
	*f, err = wordOf[RecordField]("field", recordFieldNames, string(text))
	return err
}

// RecordFields lists the keys of a usage record, for messages and completion.
func RecordFields() []string { return append([]string(nil), recordFieldNames...) }

func fieldOf(key []byte) (RecordField, bool) {
	switch string(key) { // a switch, as it compares without a copy and without a map
	case "source":
		return SourceField, true
	case "id":
		return IDField, true
	case "account":
		return AccountField, true
	case "service":
		return ServiceField, true
	case "quantity":
		return QuantityField, true
	case "occurred_at":
		return OccurredAtField, true
	case "amount":
		return AmountField, true
	case "directive":
		return DirectiveField, true
	case "original_id":
		return OriginalIDField, true
	case "attributes":
		return AttributesField, true
	}
	return 0, false
}

// What SPEC R5.3 allows a text and the attributes. Attributes are measured
// without the blanks around their tokens, so that the same record is as long at
// the door as in the worker.
const (
	textBytesMax       = 256
	attributesBytesMax = 8 << 10
)

// Faults of a record's field (SPEC R5.3).
var (
	errTwice      = errors.New("given twice")
	errEmpty      = errors.New("empty")
	errTooLong    = errors.New("too long")
	errNotUTF8    = errors.New("not UTF-8")
	errNUL        = errors.New("has a NUL")
	errMissing    = errors.New("missing")
	errNotString  = errors.New("not a string")
	errNotNumeric = errors.New("neither a number nor a string")
	errNotObject  = errors.New("not an object")
)

// Draft is a usage record whose fields are still being gathered, in any order,
// each at most once. A fault of any of them is the record's: no later call
// mends it.
type Draft struct {
	names  *Decoder
	record UsageRecord
	amount Money
	given  uint16 // a bit for each field that was named, with null or not
	filled uint16 // a bit for each field that has a value
}

// Draft begins a record whose names d keeps.
func (d *Decoder) Draft() Draft { return Draft{names: d} }

// SetText gives a field the value that a text stands for, as in a cell of CSV:
// attributes are JSON text, all else is as it stands.
func (f *Draft) SetText(k RecordField, text []byte) error {
	switch {
	case k == AttributesField:
		return f.SetJSON(k, text)
	case !utf8.Valid(text):
		return fmt.Errorf("%s %s: %w", k, clip(string(text)), errNotUTF8)
	case bytes.IndexByte(text, 0) >= 0:
		return fmt.Errorf("%s %s: %w", k, clip(string(text)), errNUL)
	}
	if err := f.give(k); err != nil {
		return err
	}
	return f.set(k, text)
}

// SetJSON gives a field the value that a JSON text stands for; null is as absent.
func (f *Draft) SetJSON(k RecordField, value []byte) error {
	s := scanner{text: value}
	if err := f.read(k, &s); err != nil {
		return err
	}
	if s.next(); s.at < len(value) {
		return fmt.Errorf("%s: %w", k, s.fault("text after the value"))
	}
	return nil
}

// SetObject gives the draft the members of a JSON object, each the value of the
// field it names; an unknown key is a fault.
func (f *Draft) SetObject(object []byte) error {
	s := f.names.scan(object)
	err := s.record(f)
	f.names.done(&s)
	if err != nil {
		return err
	}
	if s.next(); s.at < len(object) {
		return s.fault("text after the record")
	}
	return nil
}

// Default gives a field the value of text, as SetText does, if it has none yet.
func (f *Draft) Default(k RecordField, text []byte) error {
	if f.Has(k) {
		return nil
	}
	f.given &^= k.bit() // null was as absent
	return f.SetText(k, text)
}

// Has tells whether a field has a value.
func (f *Draft) Has(k RecordField) bool { return f.filled&k.bit() != 0 }

// Record is the record that was gathered, or what keeps it from being one.
func (f *Draft) Record() (UsageRecord, error) {
	r := f.record
	if f.filled&AmountField.bit() != 0 {
		amount := f.amount // on its own, so that a record does not keep its draft
		r.Amount = &amount
	}
	switch {
	case f.filled&requiredFields != requiredFields:
		return UsageRecord{}, f.missing()
	case r.Directive == Credit && r.OriginalID == "":
		return UsageRecord{}, fmt.Errorf("%s: %w: a credit names its original", OriginalIDField, errMissing)
	case r.Directive != Credit && r.OriginalID != "":
		return UsageRecord{}, fmt.Errorf("%s %s: only a credit has one", OriginalIDField, clip(r.OriginalID))
	case r.Directive == NoCharge && r.Amount != nil:
		return UsageRecord{}, fmt.Errorf("%s %s: a record of no charge carries none", AmountField, r.Amount)
	}
	return r, nil
}

func (f *Draft) missing() error {
	k := SourceField
	for f.filled&k.bit() != 0 {
		k++
	}
	return fmt.Errorf("%s: %w", k, errMissing)
}

func (f RecordField) bit() uint16 { return 1 << f }

func (f *Draft) give(k RecordField) error {
	if f.given&k.bit() != 0 {
		return fmt.Errorf("%s: %w", k, errTwice)
	}
	f.given |= k.bit()
	return nil
}

// read takes the value of field k from s.
func (f *Draft) read(k RecordField, s *scanner) error {
	if err := f.give(k); err != nil {
		return err
	}
	c := s.next()
	switch {
	case c == 'n':
		return s.word("null")
	case c == '"' && k != AttributesField:
		text, err := s.str()
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		return f.set(k, text)
	case (c == '-' || '0' <= c && c <= '9') && (k == QuantityField || k == AmountField):
		return f.set(k, s.bare())
	case c == '{' && k == AttributesField:
		return f.setAttributes(s)
	}
	return f.mistyped(k, s)
}

func (f *Draft) mistyped(k RecordField, s *scanner) error {
	what := errNotString
	switch k {
	case QuantityField, AmountField:
		what = errNotNumeric
	case AttributesField:
		what = errNotObject
	}
	start := s.at
	s.skip('}')
	return fmt.Errorf("%s %s: %w", k, clip(string(s.text[start:s.at])), what)
}

// set gives k the value of text, which is UTF-8 without NUL.
func (f *Draft) set(k RecordField, text []byte) (err error) {
	r := &f.record
	switch k {
	case QuantityField:
		r.Quantity, err = readQuantity(text)
	case AmountField:
		f.amount, err = readAmount(text)
	case OccurredAtField:
		r.OccurredAt, err = readTime(text)
	case DirectiveField:
		if err := r.Directive.UnmarshalText(text); err != nil {
			return err // it names its field by itself
		}
	default:
		return f.setName(k, text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", k, err)
	}
	f.filled |= k.bit()
	return nil
}

func (f *Draft) setName(k RecordField, text []byte) error {
	switch {
	case len(text) == 0:
		return fmt.Errorf("%s: %w", k, errEmpty)
	case len(text) > textBytesMax:
		return fmt.Errorf("%s %s: %w: at most %d bytes", k, clip(string(text)), errTooLong, textBytesMax)
	}
	f.filled |= k.bit()
	switch r := &f.record; k {
	case SourceField:
		r.Source = f.names.name(text)
	case AccountField:
		r.Account = f.names.name(text)
	case ServiceField:
		r.Service = f.names.name(text)
	case IDField:
		r.ID = string(text) // new in every record: not worth a place among the names
	case OriginalIDField:
		r.OriginalID = string(text)
	}
	return nil
}

func (f *Draft) setAttributes(s *scanner) error {
	start := s.at
	s.spaced = false
	if err := s.value(0); err != nil {
		return fmt.Errorf("%s: %w", AttributesField, err)
	}
	text := s.text[start:s.at]
	var kept json.RawMessage
	if s.spaced {
		var b bytes.Buffer
		if err := json.Compact(&b, text); err != nil {
			return fmt.Errorf("%s: %w", AttributesField, err)
		}
		kept = b.Bytes()
	} else {
		kept = append(kept, text...)
	}
	switch {
	case len(kept) > attributesBytesMax:
		return fmt.Errorf("%s %s: %w: at most %d bytes", AttributesField, clip(string(kept)), errTooLong, attributesBytesMax)
	case len(kept) > len("{}"): // an empty object is as absent
		f.record.Attributes = kept
		f.filled |= AttributesField.bit()
	}
	return nil
}
