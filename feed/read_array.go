package feed

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/chargehand/chargehand/billing"
)

// brackets follows JSON text, in parts, by its brackets and quotes only. What is
// wrong between them is for a decoder to find.
type brackets struct {
	depth   int
	quoted  bool
	escaped bool
}

// scan is where in text the comma or bracket stands that ends an element of an
// array, or the length of text if none does.
func (b *brackets) scan(text []byte) int {
	for i, c := range text {
		switch {
		case c == '\n':
			b.quoted, b.escaped = false, false // no string spans lines: its end is missing
		case b.escaped:
			b.escaped = false
		case b.quoted:
			b.escaped, b.quoted = c == '\\', c != '"'
		case c == '"':
			b.quoted = true
		case b.depth == 0 && (c == ',' || c == ']'):
			return i
		case c == '{' || c == '[':
			b.depth++
		case (c == '}' || c == ']') && b.depth > 0:
			b.depth--
		}
	}
	return len(text)
}

// closed tells whether a text is whole by its brackets and quotes.
func closed(text []byte) bool {
	var b brackets
	return b.scan(text) == len(text) && b.depth == 0 && !b.quoted
}

// Faults of an array that end the reading: behind them no record is where it
// seems to be.
var (
	errArrayNone = errors.New("no array begins here")
	errArrayOpen = errors.New("the array is not closed, nor is the record that begins here, if one does")
	errArrayTail = errors.New("text after the array")
)

// array reads one record from each element of a JSON array.
func (d *decoder) array(in *bufio.Reader, decode func([]byte) (billing.UsageRecord, error)) error {
	e := elements{in: in, number: 1}
	switch c, err := e.skipBlanks(); {
	case errors.Is(err, io.EOF):
		return nil // nothing at all holds no records, in any format
	case err != nil:
		return atLine(e.number, err)
	case c != '[':
		return atLine(e.number, errArrayNone)
	}
	e.take(1)
	for place := 1; ; place++ {
		last, err := e.next()
		if err != nil {
			return err
		}
		e.whole.place = place
		if empty := place == 1 && last && e.whole.size == 0; !empty {
			if err := d.emit(&e.whole, decode); err != nil {
				return err
			}
		}
		if last {
			return e.tail()
		}
	}
}

// elements takes an array apart at its commas.
type elements struct {
	in     *bufio.Reader
	number int // physical line
	whole  piece
}

// next gathers an element, and tells whether it is the last.
func (e *elements) next() (last bool, err error) {
	if _, err := e.skipBlanks(); err != nil {
		return false, e.open(err)
	}
	e.whole.begin(e.number)
	var b brackets
	for {
		part, err := e.part()
		if err != nil {
			e.number = e.whole.number // where to look
			return false, e.open(err)
		}
		end := b.scan(part)
		e.whole.add(part[:end])
		if end == len(part) {
			e.take(end)
			continue
		}
		last = part[end] == ']'
		e.take(end + 1)
		e.whole.text = bytes.TrimRight(e.whole.text, " \t\r\n")
		return last, nil
	}
}

func (e *elements) open(err error) error {
	if errors.Is(err, io.EOF) {
		err = errArrayOpen
	}
	return atLine(e.number, err)
}

// tail makes sure that nothing stands behind the array.
func (e *elements) tail() error {
	if _, err := e.skipBlanks(); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return atLine(e.number, err)
	}
	return atLine(e.number, errArrayTail)
}

// part is what lies in the buffer, at least one byte of it.
func (e *elements) part() ([]byte, error) {
	if _, err := e.in.Peek(1); err != nil {
		return nil, err
	}
	return e.in.Peek(e.in.Buffered())
}

// take steps over the first n bytes of the last part.
func (e *elements) take(n int) {
	part, _ := e.in.Peek(n)
	e.number += bytes.Count(part, []byte("\n"))
	_, _ = e.in.Discard(n) // it lies in the buffer
}

// skipBlanks is the first byte that is not blank, which it leaves.
func (e *elements) skipBlanks() (byte, error) {
	for {
		part, err := e.part()
		if err != nil {
			return 0, err
		}
		rest := bytes.TrimLeft(part, " \t\r\n")
		e.take(len(part) - len(rest))
		if len(rest) > 0 {
			return rest[0], nil
		}
	}
}
