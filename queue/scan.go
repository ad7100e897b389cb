package queue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// scanner steps through the outermost object of a JSON text. It finds where
// values begin and end and leaves what is inside arrays and objects unread.
type scanner struct {
	b []byte
	i int
}

// members calls fn with every key of the object that is the whole text; fn takes
// the value by calling s.value once.
func (s *scanner) members(fn func(key string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	for first := true; ; first = false {
		c := s.peek()
		if c == '}' && first {
			break
		}
		key, err := s.key()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := fn(key); err != nil {
			return err
		}
		if s.peek() != ',' {
			break
		}
		s.i++
	}
	if err := s.expect('}'); err != nil {
		return err
	}
	if s.peek() != 0 || s.i < len(s.b) {
		return fmt.Errorf("text after the object at byte %d", s.i)
	}
	return nil
}

// key reads a member's name. Only an escaped one costs a call of the decoder.
func (s *scanner) key() (string, error) {
	if c := s.peek(); c != '"' {
		return "", fmt.Errorf("no key at byte %d", s.i)
	}
	raw, err := s.value()
	if err != nil {
		return "", err
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	var key string
	if err := json.Unmarshal(raw, &key); err != nil {
		return "", fmt.Errorf("key %s is no JSON string", excerpt(raw))
	}
	return key, nil
}

// value steps over one value and returns its bytes, never none.
func (s *scanner) value() ([]byte, error) {
	c := s.peek()
	start := s.i
	var err error
	switch c {
	case '[', '{':
		err = s.nested()
	case '"':
		err = s.str()
	default:
		s.bare()
	}
	if err != nil {
		return nil, err
	}
	if start == s.i {
		return nil, fmt.Errorf("no value at byte %d", s.i)
	}
	return s.b[start:s.i], nil
}

// bare steps over a number, true, false or null.
func (s *scanner) bare() {
	for ; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case ',', ':', '"', '[', ']', '{', '}', ' ', '\t', '\r', '\n':
			return
		}
	}
}

// depthMax bounds how deep arrays and objects may nest, as encoding/json does:
// records need four levels, and the parser behind us recurses.
const depthMax = 10_000

var errDepth = errors.New("nested too deep")

// nested steps over an array or object: it counts brackets outside strings, and
// which of the two kinds closes is checked by whoever reads the inside.
func (s *scanner) nested() error {
	for depth := 0; s.i < len(s.b); {
		switch s.b[s.i] {
		case '"':
			if err := s.str(); err != nil {
				return err
			}
			continue
		case '[', '{':
			if depth++; depth > depthMax {
				return errDepth
			}
		case ']', '}':
			if depth--; depth == 0 {
				s.i++
				return nil
			}
		}
		s.i++
	}
	return io.ErrUnexpectedEOF
}

// str steps over a string. Every quote is found by a word-wise search; what is
// escaped is told by the number of backslashes before it.
func (s *scanner) str() error {
	for from := s.i + 1; ; {
		n := bytes.IndexByte(s.b[from:], '"')
		if n < 0 {
			s.i = len(s.b)
			return io.ErrUnexpectedEOF
		}
		quote := from + n
		slashes := 0
		for quote-1-slashes > s.i && s.b[quote-1-slashes] == '\\' {
			slashes++
		}
		from = quote + 1
		if slashes%2 == 0 {
			s.i = from
			return nil
		}
	}
}

// peek skips white space and returns the byte there, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.i < len(s.b); s.i++ {
		switch s.b[s.i] {
		case ' ', '\t', '\r', '\n':
		default:
			return s.b[s.i]
		}
	}
	return 0
}

func (s *scanner) expect(c byte) error {
	if got := s.peek(); got != c || s.i >= len(s.b) {
		return fmt.Errorf("no %q at byte %d", c, s.i)
	}
	s.i++
	return nil
}
