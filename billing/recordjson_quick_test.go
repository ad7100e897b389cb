package billing

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzDecodeRecord holds the hand-written reader against encoding/json and
// against itself: what it takes is JSON and survives being written and read.
func FuzzDecodeRecord(f *testing.F) {
	const whole = `{"source":"pump-7","id":"r1","account":"A1","service":"s","quantity":"12.5","occurred_at":"2026-03-01T10:00:00+02:00"`
	for _, more := range []string{
		`}`, `,"amount":1.5e1}`, `,"directive":"credit","original_id":"\u00e9\ud83d\ude00"}`, `,"attributes":{"a":[1,{"b":null}],"a\n":1E+9}} `,
		`,"attributes":{"a":1,"\u0061":2}}`, `,"id":"r1"}`, `,"amount":{}}`, `,"amount":null,"directive":"no_charge"}`, `,"attributes":{"\ud800":0}}`,
	} {
		f.Add([]byte(whole + more))
	}
	f.Add([]byte(`{"quantity":1e999999999}`))
	f.Add([]byte("{\"id\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.Contains(line, []byte("\uFFFD")) || bytes.Contains(bytes.ToLower(line), []byte(`\ufffd`)) {
			t.Skip("encoding/json makes U+FFFD of half a surrogate pair too, and cannot tell them apart")
		}
		r, err := DecodeRecord(line)
		if slow, ok := decodeSlowly(line); ok != (err == nil) {
			t.Fatalf("got %v; encoding/json would say %t: %q", err, ok, line)
		} else if ok && !reflect.DeepEqual(r, slow) {
			t.Fatalf("got %+v, encoding/json %+v", r, slow)
		}
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\x00") || !utf8.ValidString(err.Error()) || len(err.Error()) > 400 {
				t.Fatalf("a fault is not a short line: %q", err)
			}
			return
		}
		written := AppendRecord(nil, &r)
		again, err := DecodeRecord(written)
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("written as %s: got %+v, %v, want %+v", written, again, err, r)
		}
	})
}

var errDoubled = errors.New("doubled, lone, NUL or deep")

// decodeSlowly reads a record by encoding/json and the parsers of strings only.
func decodeSlowly(line []byte) (r UsageRecord, ok bool) {
	if !json.Valid(line) || !utf8.Valid(line) || checkTokens(line) != nil {
		return r, false
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(line, &all) != nil || all == nil {
		return r, false
	}
	text := func(key string, number bool) (string, bool) {
		raw := all[key]
		delete(all, key)
		if len(raw) == 0 || string(raw) == "null" {
			return "", false
		}
		var s string
		if number && (raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9') {
			return string(raw), true
		}
		if err := json.Unmarshal(raw, &s); err != nil || s == "" || !number && len(s) > 256 {
			all["fault"] = nil
		}
		return s, true
	}
	fault := func(err error) {
		if err != nil {
			all["fault"] = nil
		}
	}
	var has [7]bool
	var s string
	r.Source, has[0] = text("source", false)
	r.ID, has[1] = text("id", false)
	r.Account, has[2] = text("account", false)
	r.Service, has[3] = text("service", false)
	s, has[4] = text("quantity", true)
	q, err := ParseQuantity(s)
	fault(err)
	r.Quantity = q
	s, has[5] = text("occurred_at", true) // true: its length is not bounded
	r.OccurredAt, err = ParseTime(s)
	fault(err)
	if !strictTime(s, r.OccurredAt) {
		fault(errDoubled)
	}
	if s, ok := text("amount", true); ok {
		m, err := ParseMoney(s)
		if err != nil || m < 0 {
			return r, false
		}
		r.Amount = &m
	}
	if s, ok := text("directive", false); ok {
		fault(r.Directive.UnmarshalText([]byte(s)))
	}
	r.OriginalID, _ = text("original_id", false)
	if raw := all["attributes"]; len(raw) > 0 && string(raw) != "null" {
		var b bytes.Buffer
		if raw[0] != '{' || json.Compact(&b, raw) != nil || b.Len() > 8192 {
			return r, false
		}
		if b.Len() > 2 {
			r.Attributes = b.Bytes()
		}
	}
	delete(all, "attributes")
	ok = len(all) == 0 && !slices.Contains(has[:6], false) &&
		(r.Directive == Credit) == (r.OriginalID != "") && !(r.Directive == NoCharge && r.Amount != nil)
	return r, ok
}

// checkTokens finds what encoding/json takes and a record may not have.
func checkTokens(line []byte) error {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var walk func(depth int) error
	walk = func(depth int) error {
		t, err := d.Token()
		if err != nil {
			return err
		}
		if s, ok := t.(string); ok {
			return checkText(s)
		}
		open, ok := t.(json.Delim)
		if !ok {
			return nil
		}
		if depth > depthMax {
			return errDoubled
		}
		seen := map[string]bool{}
		for d.More() {
			if open == '{' {
				k, err := d.Token()
				if err != nil {
					return err
				}
				if key := k.(string); seen[key] || checkText(key) != nil {
					return errDoubled
				}
				seen[k.(string)] = true
			}
			if err := walk(depth + 1); err != nil {
				return err
			}
		}
		_, err = d.Token()
		return err
	}
	if err := walk(0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// checkText refuses U+FFFD too, which encoding/json makes of half a pair.
func checkText(s string) error {
	if strings.ContainsRune(s, 0) || strings.ContainsRune(s, utf8.RuneError) {
		return errDoubled
	}
	return nil
}

func FuzzQuickReaders(f *testing.F) {
	for _, s := range []string{
		"0", "1", "0.5", "00", "1.", ".5", "-1", "123456789012.123456", "1234567890123", "999999999999.99999", "1e3", "0.0000001",
		"2026-03-01T10:00:00+02:00", "2026-03-01T10:00:00.999999999Z", "2024-02-29T00:00:00-00:00", "1900-02-29T00:00:00Z",
		"2000-02-29T23:59:59.Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "2026-13-01T00:00:00Z", "2026-03-01T10:00:00+0200",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if q, err := readQuantity([]byte(s)); true {
			want, wantErr := ParseQuantity(s)
			if q != want || (err == nil) != (wantErr == nil) {
				t.Errorf("quantity %q: got %s, %v, want %s, %v", s, q, err, want, wantErr)
			}
			if got := string(appendFixed(nil, q)); got != q.String() {
				t.Errorf("write quantity: got %s, want %s", got, q)
			}
		}
		if m, err := readAmount([]byte(s)); true {
			want, wantErr := ParseMoney(s)
			if m != want || (err == nil) != (wantErr == nil && want >= 0) {
				t.Errorf("amount %q: got %s, %v, want %s, %v", s, m, err, want, wantErr)
			}
		}
		at, err := readTime([]byte(s))
		want, wantErr := ParseTime(s)
		if legal := wantErr == nil && strictTime(s, want); (err == nil) != legal || legal && at != want {
			t.Errorf("time %q: got %s, %v, want %s, %v", s, at, err, want, wantErr)
		}
	})
}

var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:[0-5]\d)$`)

func strictTime(text string, t time.Time) bool {
	return rfc3339.MatchString(text) && t.Year() >= 0 && t.Year() <= 9999
}

func TestQuickTimeKnowsEveryDay(t *testing.T) {
	for d := time.Date(1, 1, 1, 23, 59, 58, 0, time.UTC); d.Year() < 2500; d = d.AddDate(0, 0, 1) {
		sec, micro, ok := plainTime(d.AppendFormat(nil, time.RFC3339))
		if !ok || sec != d.Unix() || micro != 0 {
			t.Fatalf("%s: got %d, %d, %t, want %d", d, sec, micro, ok, d.Unix())
		}
	}
}
