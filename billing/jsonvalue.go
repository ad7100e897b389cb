package billing

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// equalValues compares two JSON texts by meaning: members in any order, numbers
// by value. Texts that do not parse are equal to nothing.
func equalValues(a, b []byte) bool {
	va, okA := jsonValue(a)
	vb, okB := jsonValue(b)
	return okA && okB && equalValue(va, vb)
}

func jsonValue(text []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber() // a float would make 0.1 and 0.10000000000000001 the same
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token()
	return v, errors.Is(err, io.EOF) // with more text it is no JSON
}

func equalValue(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			if w, ok := b[k]; !ok || !equalValue(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equalValue(a[i], b[i]) {
				return false
			}
		}
		return true
	case json.Number:
		b, ok := b.(json.Number)
		return ok && equalNumbers(a.String(), b.String())
	default:
		return a == b
	}
}

// equalNumbers compares by sign, digits and exponent, so that 1e9 and
// 1000000000 are equal and no exponent, however large, is ever expanded. Where
// scanNumber cuts exponents only the same text is equal: what is taken for
// another content is kept as a conflict, what is taken for the same is dropped.
func equalNumbers(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := scanNumber(a)
	y, errY := scanNumber(b)
	return errX == nil && errY == nil && x == y && max(x.exp, -x.exp) < exponentMax/2
}
