package feed

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// Bounds of one line, element or row. No record needs more than rawBytesMax,
// every character of it escaped; up to lineBytesMax a line may be blown up by
// blanks and still be read.
const (
	lineBytesMax = 1 << 20
	rawBytesMax  = 64 << 10
)

// Line is a usage record that was read, or a dead letter (SPEC R5.3).
type Line struct {
	Number int // physical line on which it begins, from 1
	Place  int // in an array, from 1; else 0
	Record billing.UsageRecord
	Fault  error  // why it is no record, one short line; nil where it is one
	Raw    []byte // of a dead letter, its text, at most 64 KiB of it; the caller's to keep
}

// Fields gives texts by the field of a usage record.
type Fields map[billing.RecordField]string

// Options says how to read. The zero value finds out by itself.
type Options struct {
	Name   string // of the file, for its extension and for errors; may be empty
	Format Format // Detect: by the extension, else by the first bytes

	// Set holds the value that a field has wherever a line gives it none.
	Set Fields
	// Map holds the column of a CSV file that a field is taken from.
	Map Fields
	// Zone is what times without an offset in a CSV file are local to; nil: they
	// are refused.
	Zone *time.Location

	// BytesMax is how many bytes may come out of what is compressed, and bounds
	// what unpacking may hold: for streams of strangers. 0: no bound.
	BytesMax int64
}

// Read reads usage records to the end of r, which it does not close. Each line
// that is not blank is yielded once, in order, whether it can be read or not. An
// error comes last and alone: of r, of what compressed it, of a CSV header, of an
// array that is not closed, of opts; it says at which line. What was yielded
// before stands.
func Read(r io.Reader, opts Options) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		names := decoders.Get().(*billing.Decoder)
		defer decoders.Put(names)
		d := decoder{yield: yield, opts: opts, records: names}
		if err := d.read(r); err != nil && !errors.Is(err, errStopped) {
			if opts.Name != "" {
				err = fmt.Errorf("%s: %w", opts.Name, err)
			}
			yield(Line{}, fmt.Errorf("read usage records: %w", err))
		}
	}
}

var errTooLong = fmt.Errorf("too long: at most %d bytes", lineBytesMax)

// errStopped means that whoever ranges over Read has had enough.
var errStopped = errors.New("stopped")

// decoders are those that no Read has at present. One knows the names of the
// records that it has read, so that small streams of the same feeds cost less.
var decoders = sync.Pool{New: func() any { return new(billing.Decoder) }}

// decoder carries what all formats share through one Read.
type decoder struct {
	yield   func(Line, error) bool
	opts    Options
	records *billing.Decoder
	set     []setField // Options.Set in the order of the fields
}

type setField struct {
	field billing.RecordField
	text  []byte
}

func (d *decoder) read(r io.Reader) error {
	if err := d.prepare(); err != nil {
		return err
	}
	in, err := open(r, d.opts.BytesMax)
	defer in.close()
	if err != nil {
		return err
	}
	format, layout := d.opts.detect(in.Reader)
	decode := d.record
	if format == CloudEvents {
		decode = d.event
	}
	switch {
	case format == CSV:
		return d.table(in.Reader)
	case layout == inArray:
		return d.array(in.Reader, decode)
	case layout == asDocument:
		return d.document(in.Reader, decode)
	default:
		return d.lines(in.Reader, decode)
	}
}

// prepare holds Options.Set against the rules of a record before any line is,
// so that a wrong constant is one error and not a million dead letters.
func (d *decoder) prepare() error {
	for k, text := range d.opts.Set {
		d.set = append(d.set, setField{k, []byte(text)})
	}
	slices.SortFunc(d.set, func(a, b setField) int { return int(a.field) - int(b.field) })
	draft := d.records.Draft()
	for _, s := range d.set {
		if err := draft.SetText(s.field, s.text); err != nil {
			return fmt.Errorf("set %w", err)
		}
	}
	return nil
}

// record reads a line of NDJSON or an element of an array.
func (d *decoder) record(text []byte) (billing.UsageRecord, error) {
	draft := d.records.Draft()
	if err := draft.SetObject(text); err != nil {
		return billing.UsageRecord{}, err
	}
	return d.finish(&draft)
}

// finish fills what Options.Set has for the draft.
func (d *decoder) finish(draft *billing.Draft) (billing.UsageRecord, error) {
	for _, s := range d.set {
		if err := draft.Default(s.field, s.text); err != nil {
			return billing.UsageRecord{}, err
		}
	}
	return draft.Record()
}

// emit yields what became of a piece of text.
func (d *decoder) emit(p *piece, decode func([]byte) (billing.UsageRecord, error)) error {
	line := Line{Number: p.number, Place: p.place}
	if p.long() {
		line.Fault = errTooLong
	} else {
		line.Record, line.Fault = decode(p.text)
	}
	if line.Fault != nil {
		line.Raw = p.raw()
		if p.place > 0 {
			line.Fault = fmt.Errorf("record %d of the array: %w", p.place, line.Fault)
		}
	}
	if !d.yield(line, nil) {
		return errStopped
	}
	return nil
}
