package billing

import (
	"bytes"
	"fmt"
	"slices"
)

// scanner walks over JSON text. Its methods leave at behind what they took, and
// refuse what RFC 8259 refuses, and besides what would make two different texts
// the same value or not fit a database: doubled keys, NUL, broken UTF-8, half
// of a surrogate pair, nesting without end.
type scanner struct {
	text   []byte
	at     int
	spaced bool     // blanks stood inside a value that was walked over
	keys   [][]byte // of the objects being walked over, the outer ones first
	buf    []byte   // the last string that had escapes
}

// depthMax is how deep attributes may nest. It keeps recursion off the stack's
// end, here and in whatever reads the attributes later.
const depthMax = 64

// fault is an error at the place that the scanner has come to.
func (s *scanner) fault(what string) error {
	if s.at >= len(s.text) {
		return fmt.Errorf("not JSON: it ends at byte %d: %s", len(s.text), what)
	}
	return fmt.Errorf("not JSON: byte %d (%q): %s", s.at+1, rune(s.text[s.at]), what)
}

// next skips blanks and is the byte behind them, 0 at the end.
func (s *scanner) next() byte {
	for s.at < len(s.text) {
		c := s.text[s.at]
		if c > ' ' || c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return c
		}
		s.spaced = true
		s.at++
	}
	return 0
}

// record takes an object whose members are f's fields.
func (s *scanner) record(f *Draft) error {
	if s.next() != '{' {
		return s.fault("no object begins here")
	}
	s.at++
	if s.next() == '}' {
		s.at++
		return nil
	}
	for {
		key, err := s.key()
		if err != nil {
			return err
		}
		k, known := fieldOf(key)
		if !known {
			return fmt.Errorf("unknown key %s", clip(string(key)))
		}
		if err := f.read(k, s); err != nil {
			return err
		}
		if more, err := s.more('}'); !more {
			return err
		}
	}
}

// walk goes over the whole text again, an object that is known to be sound.
func (s *scanner) walk(member func(key, value []byte) error) error {
	s.at = bytes.IndexByte(s.text, '{') + 1
	for s.next() != '}' {
		if s.text[s.at] == ',' {
			s.at++
		}
		key, err := s.key()
		if err != nil {
			return err
		}
		s.next()
		start := s.at
		s.skip('}')
		if err := member(key, bytes.TrimRight(s.text[start:s.at], " \t\r\n")); err != nil {
			return err
		}
	}
	return nil
}

// more takes the comma or the closing byte behind a member or an element.
func (s *scanner) more(closing byte) (bool, error) {
	switch s.next() {
	case ',':
		s.at++
		return true, nil
	case closing:
		s.at++
		return false, nil
	}
	return false, s.fault("a comma or a closing bracket is missing")
}

// key takes a key and its colon. The answer holds until the next call.
func (s *scanner) key() ([]byte, error) {
	if s.next() != '"' {
		return nil, s.fault("no key begins here")
	}
	key, err := s.str()
	if err != nil {
		return nil, err
	}
	if s.next() != ':' {
		return nil, s.fault("a colon is missing")
	}
	s.at++
	return key, nil
}

// bare takes what is neither string, object nor array: all up to the next blank
// or punctuation. Whoever asked for it judges it.
func (s *scanner) bare() []byte {
	start := s.at
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\n', '\r', ',', ':', '"', '[', ']', '{', '}':
			return s.text[start:s.at]
		}
		s.at++
	}
	return s.text[start:]
}

func (s *scanner) word(want string) error {
	start := s.at
	if string(s.bare()) != want {
		s.at = start
		return s.fault("no value begins here")
	}
	return nil
}

// value walks over any value.
func (s *scanner) value(depth int) error {
	switch c := s.next(); {
	case c == '"':
		_, err := s.str()
		return err
	case c == '{' || c == '[':
		if depth == depthMax {
			return fmt.Errorf("byte %d: nested more than %d deep", s.at+1, depthMax)
		}
		s.at++
		if s.next() == c+2 { // { } and [ ] are two apart
			s.at++
			return nil
		}
		if c == '{' {
			return s.members(depth + 1)
		}
		return s.elements(depth + 1)
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	}
	return s.number()
}

// number walks over a number of any size, which stays text.
func (s *scanner) number() error {
	text := s.bare()
	if _, _, plain := plainDigits(text); plain {
		return nil
	}
	_, err := scanNumber(string(text))
	return err
}

func (s *scanner) elements(depth int) error {
	for {
		if err := s.value(depth); err != nil {
			return err
		}
		if more, err := s.more(']'); !more {
			return err
		}
	}
}

func (s *scanner) members(depth int) error {
	outer := len(s.keys)
	for {
		key, err := s.key()
		if err != nil {
			return err
		}
		if len(s.buf) > 0 && len(key) > 0 && &key[0] == &s.buf[0] {
			key = bytes.Clone(key)
		}
		s.keys = append(s.keys, key)
		if err := s.value(depth); err != nil {
			return err
		}
		if more, err := s.more('}'); err != nil {
			return err
		} else if !more {
			break
		}
	}
	ours := s.keys[outer:]
	slices.SortFunc(ours, bytes.Compare) // n log n: 8 KiB hold 1,600 keys
	for i := 1; i < len(ours); i++ {
		if bytes.Equal(ours[i-1], ours[i]) {
			return fmt.Errorf("key %s: %w", clip(string(ours[i])), errTwice)
		}
	}
	s.keys = s.keys[:outer]
	return nil
}

// skip goes to the comma or the closing byte behind the value that begins here,
// by brackets and quotes only, whatever is wrong inside it; else to the end.
func (s *scanner) skip(closing byte) {
	for depth := 0; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at = closingQuote(s.text, s.at)
		case depth == 0 && (c == closing || c == ','):
			return
		case c == '{' || c == '[':
			depth++
		case (c == '}' || c == ']') && depth > 0:
			depth--
		}
	}
	s.at = min(s.at, len(s.text))
}

func closingQuote(text []byte, open int) int {
	i := open + 1
	for i < len(text) && text[i] != '"' {
		if text[i] == '\\' {
			i++
		}
		i++
	}
	return min(i, len(text))
}
