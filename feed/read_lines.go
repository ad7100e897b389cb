package feed

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/chargehand/chargehand/billing"
)

// piece is a line, an element of an array or a whole document. It is gathered
// up to lineBytesMax; of a longer one rawBytesMax are kept and the rest counted.
type piece struct {
	number int // physical line on which it begins
	place  int // in an array, from 1; else 0
	text   []byte
	size   int64
}

func (p *piece) begin(number int) { p.number, p.text, p.size = number, p.text[:0], 0 }

func (p *piece) add(part []byte) {
	p.size += int64(len(part))
	switch {
	case !p.long():
		p.text = append(p.text, part...)
	case len(p.text) < rawBytesMax:
		p.text = append(p.text, part[:min(len(part), rawBytesMax-len(p.text))]...)
	default:
		p.text = p.text[:rawBytesMax]
	}
}

func (p *piece) long() bool { return p.size > lineBytesMax }

func (p *piece) raw() []byte { return clone(p.text) }

func clone(text []byte) []byte { return bytes.Clone(text[:min(len(text), rawBytesMax)]) }

// lineReader takes a stream apart at its line feeds, and takes the carriage
// return before one off.
type lineReader struct {
	in     *bufio.Reader
	number int   // of the last line that was read
	whole  piece // a line gathered from several parts
	part   piece // a line that lies in the buffer as a whole, as nearly all do
}

// next is the next line, which holds until the call after, or io.EOF. A last
// line needs no line feed. Text before any other error is a line cut short and
// is left out: the error says where it stood.
func (l *lineReader) next() (*piece, error) {
	l.number++
	l.whole.begin(l.number)
	for {
		part, err := l.in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			l.whole.add(part)
			continue
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(part) == 0 && l.whole.size == 0) {
			return nil, atLine(l.number, err)
		}
		part = bytes.TrimSuffix(part, []byte("\n"))
		if l.whole.size == 0 {
			l.part = piece{number: l.number, text: bytes.TrimSuffix(part, []byte("\r")), size: int64(len(part))}
			return &l.part, nil
		}
		l.whole.add(part)
		l.whole.text = bytes.TrimSuffix(l.whole.text, []byte("\r"))
		return &l.whole, nil
	}
}

func atLine(number int, err error) error {
	if errors.Is(err, io.EOF) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the compressed file is cut short: %w", err)
	}
	return fmt.Errorf("line %d: %w", number, err)
}

// blank tells whether text holds nothing that JSON or CSV would see.
func blank(text []byte) bool { return len(bytes.Trim(text, " \t\r\n")) == 0 }

// lines reads one record from each line that is not blank.
func (d *decoder) lines(in *bufio.Reader, decode func([]byte) (billing.UsageRecord, error)) error {
	for l := (lineReader{in: in}); ; {
		p, err := l.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if blank(p.text) && !p.long() {
			continue
		}
		if err := d.emit(p, decode); err != nil {
			return err
		}
	}
}

// document reads one record from all there is, which may span lines.
func (d *decoder) document(in *bufio.Reader, decode func([]byte) (billing.UsageRecord, error)) error {
	l := lineReader{in: in}
	var whole piece
	for {
		p, err := l.next()
		if errors.Is(err, io.EOF) {
			return d.emit(&whole, decode)
		}
		if err != nil {
			return err
		}
		if whole.size == 0 {
			if blank(p.text) {
				continue
			}
			whole.begin(p.number)
		}
		whole.add(p.text)
		whole.size += p.size - int64(len(p.text)) // what p dropped
		whole.add([]byte("\n"))
	}
}
