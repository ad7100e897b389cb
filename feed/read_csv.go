package feed

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// rows takes a CSV file apart into rows (RFC 4180): encoding/csv would hold a
// whole file in memory for one quote that is not closed, and lose what follows.
type rows struct {
	lines lineReader
	// back holds lines that were read as part of a cell whose quote was never
	// closed: they are rows of their own.
	back []piece

	first  piece // the row's first line, copied once the row goes on
	more   []piece
	size   int64
	text   []byte // the cells, one behind the other
	ends   []int  // where in text each cell ends
	cells  [][]byte
	quoted bool // the last cell goes on in the next line
}

// row is one row; cells and raw hold until the next. fault says why it has none.
type row struct {
	number int // physical line on which it begins
	cells  [][]byte
	raw    []byte
	fault  error
}

var (
	errQuoteOpen   = errors.New("a quoted cell is not closed")
	errQuoteTail   = errors.New("text behind the closing quote of a cell")
	errQuoteInside = errors.New("a quote inside a cell that has none around it")
)

func newRows(in *bufio.Reader) *rows { return &rows{lines: lineReader{in: in}} }

// next is the next row that is not blank, or io.EOF.
func (r *rows) next() (row, error) {
	p, err := r.line()
	for err == nil && blank(p.text) && !p.long() {
		p, err = r.line()
	}
	if err != nil {
		return row{}, err
	}
	if p.long() {
		return row{number: p.number, raw: p.text, fault: errTooLong}, nil
	}
	r.text, r.ends, r.more, r.size, r.quoted = r.text[:0], r.ends[:0], nil, p.size, false
	if fault := r.take(p.text); !r.quoted {
		return r.done(p.number, p.text, fault), nil
	}
	r.first = piece{number: p.number, text: bytes.Clone(p.text)}
	return r.goOn()
}

// goOn adds lines to a row whose last cell is quoted, until it is closed.
func (r *rows) goOn() (row, error) {
	for {
		p, err := r.line()
		if err != nil && !errors.Is(err, io.EOF) {
			return row{}, err
		}
		if err == nil {
			r.more = append(r.more, piece{number: p.number, text: bytes.Clone(p.text), size: p.size})
			r.size += p.size + 1
		}
		if errors.Is(err, io.EOF) || r.size > lineBytesMax {
			r.back = append(r.more, r.back...)
			return row{number: r.first.number, raw: r.first.text, fault: errQuoteOpen}, nil
		}
		r.text = append(r.text, '\n')
		if fault := r.take(p.text); !r.quoted {
			return r.done(r.first.number, r.raw(), fault), nil
		}
	}
}

func (r *rows) raw() []byte {
	raw := r.first.text
	for _, p := range r.more {
		raw = append(append(raw, '\n'), p.text...)
	}
	return raw
}

func (r *rows) line() (*piece, error) {
	if len(r.back) == 0 {
		return r.lines.next()
	}
	p := r.back[0]
	r.back = r.back[1:]
	return &p, nil
}

func (r *rows) done(number int, raw []byte, fault error) row {
	if fault != nil {
		return row{number: number, raw: raw, fault: fault}
	}
	r.cells = r.cells[:0]
	from := 0
	for _, end := range r.ends {
		r.cells = append(r.cells, r.text[from:end])
		from = end
	}
	return row{number: number, cells: r.cells, raw: raw}
}

// take adds the cells of a line, or goes on with one that is quoted.
func (r *rows) take(line []byte) error {
	for {
		if r.quoted || bytes.HasPrefix(line, []byte(`"`)) {
			if !r.quoted {
				line = line[1:]
			}
			line = r.takeQuoted(line)
			if r.quoted {
				return nil
			}
			if len(line) > 0 && line[0] != ',' {
				return errQuoteTail
			}
		} else {
			end := bytes.IndexByte(line, ',')
			if end < 0 {
				end = len(line)
			}
			if bytes.IndexByte(line[:end], '"') >= 0 {
				return errQuoteInside
			}
			r.text = append(r.text, line[:end]...)
			line = line[end:]
		}
		r.ends = append(r.ends, len(r.text))
		if len(line) == 0 {
			return nil
		}
		line = line[1:]
	}
}

// takeQuoted adds what stands before the closing quote, a doubled one being one
// of the text, and is what stands behind it.
func (r *rows) takeQuoted(line []byte) []byte {
	for {
		end := bytes.IndexByte(line, '"')
		if end < 0 {
			r.text = append(r.text, line...)
			r.quoted = true
			return nil
		}
		r.text = append(r.text, line[:end]...)
		line = line[end+1:]
		if !bytes.HasPrefix(line, []byte(`"`)) {
			r.quoted = false
			return line
		}
		r.text = append(r.text, '"')
		line = line[1:]
	}
}
