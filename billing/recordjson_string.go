package billing

import (
	"bytes"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// str takes the string that begins here. The answer is a part of the text, or
// of buf if it had escapes, and holds until the next call.
func (s *scanner) str() ([]byte, error) {
	s.at++
	start, ascii := s.at, true
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			return s.strEnd(s.text[start:s.at], ascii)
		case c == '\\':
			s.buf = append(s.buf[:0], s.text[start:s.at]...)
			return s.escaped()
		case c < ' ':
			return nil, s.fault("a control character in a string")
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return nil, s.fault("a string is not closed")
}

func (s *scanner) strEnd(text []byte, ascii bool) ([]byte, error) {
	if !ascii && !utf8.Valid(text) {
		return nil, fmt.Errorf("%s: %w", clip(string(text)), errNotUTF8)
	}
	s.at++
	return text, nil
}

// escaped goes on with a string at its first escape.
func (s *scanner) escaped() ([]byte, error) {
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case c == '"':
			return s.strEnd(s.buf, false)
		case c == '\\':
			if err := s.escape(); err != nil {
				return nil, err
			}
			continue
		case c < ' ':
			return nil, s.fault("a control character in a string")
		}
		s.buf = append(s.buf, c)
		s.at++
	}
	return nil, s.fault("a string is not closed")
}

func (s *scanner) escape() error {
	s.at++
	if s.at == len(s.text) {
		return s.fault("a string is not closed")
	}
	c := s.text[s.at]
	if c == 'u' {
		s.at++
		return s.escapedRune()
	}
	i := bytes.IndexByte([]byte(`"\/bfnrt`), c)
	if i < 0 {
		return s.fault("no such escape")
	}
	s.buf = append(s.buf, "\"\\/\b\f\n\r\t"[i])
	s.at++
	return nil
}

// escapedRune takes the four digits behind \u, and those of the second half
// where it is the first of a surrogate pair. Half a pair alone stands for no
// character: readers make the same U+FFFD of each, so that two ids would meet.
func (s *scanner) escapedRune() error {
	r, ok := s.hex4()
	if !ok {
		return s.fault("four hexadecimal digits are missing")
	}
	if r == 0 {
		return fmt.Errorf("string at byte %d: %w", s.at, errNUL)
	}
	if utf16.IsSurrogate(r) {
		low, ok := rune(0), false
		if bytes.HasPrefix(s.text[s.at:], []byte(`\u`)) {
			s.at += 2
			low, ok = s.hex4()
		}
		if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
			return fmt.Errorf("string at byte %d: %w: half of a surrogate pair", s.at, errNotUTF8)
		}
	}
	s.buf = utf8.AppendRune(s.buf, r)
	return nil
}

func (s *scanner) hex4() (r rune, ok bool) {
	if len(s.text)-s.at < 4 {
		return 0, false
	}
	for _, c := range s.text[s.at : s.at+4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	s.at += 4
	return r, true
}
