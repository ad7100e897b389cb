package queue_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/chargehand/chargehand/queue"
)

const id = "0198f4e2-6b1c-7a53-8f00-1f2e3d4c5b6a"

func TestPayloadIsWrittenAsTheContractSays(t *testing.T) {
	batch := uuid.MustParse(id)
	for _, tc := range []struct {
		name    string
		records []byte
		want    string
	}{
		{"a batch", []byte(`[{"id":"r1"}]`), `{"v":1,"batch":"` + id + `","records":[{"id":"r1"}]}`},
		{"an empty batch", []byte(`[]`), `{"v":1,"batch":"` + id + `","records":[]}`},
		{"a nudge", nil, `{"v":1,"batch":"` + id + `"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := queue.Encode(batch, tc.records)
			if string(got) != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			p, err := queue.Decode(got)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(queue.Payload{V: 1, Batch: batch, Records: tc.records}, p); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPayloadOfAnotherWriterIsRead(t *testing.T) {
	for _, tc := range []struct{ name, payload, records string }{
		{"keys in another order", `{"records":[1],"batch":"` + id + `","v":1}`, `[1]`},
		{"white space", " {\n\"v\" : 1 ,\t\"batch\":\r\n\"" + id + `" , "records": [ 1, 2 ] } ` + "\n", `[ 1, 2 ]`},
		{"an escaped key", `{"\u0076":1,"batch":"` + id + `"}`, ``},
		{"brackets and quotes in strings", `{"v":1,"batch":"` + id + `","records":[{"a":"]}\"[\\"},"\\\""]}`, `[{"a":"]}\"[\\"},"\\\""]`},
		{"capital digits", `{"v":1,"batch":"` + strings.ToUpper(id) + `","records":[]}`, `[]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := queue.Decode([]byte(tc.payload))
			if err != nil {
				t.Fatal(err)
			}
			if p.Batch.String() != id || string(p.Records) != tc.records {
				t.Errorf("got batch %s with %s, want %s with %s", p.Batch, p.Records, id, tc.records)
			}
		})
	}
}

func TestPayloadThatIsNoneIsNamed(t *testing.T) {
	const v, batch = `"v":1`, `"batch":"` + id + `"`
	for _, tc := range []struct{ name, payload, want string }{
		{"nothing", ``, `no '{' at byte 0`},
		{"an array", `[]`, `no '{' at byte 0`},
		{"cut off", `{` + v + `,` + batch + `,"records":[{"a":"b`, `value of "records": unexpected EOF`},
		{"cut off at the end", `{` + v + `,` + batch + `,"records":[]`, `no '}'`},
		{"text after it", `{` + v + `,` + batch + `}x`, `text after the object at byte 54`},
		{"a second object", `{` + v + `,` + batch + `}{}`, `text after the object`},
		{"no keys", `{}`, `key "v" is missing`},
		{"no version", `{` + batch + `}`, `key "v" is missing`},
		{"no batch", `{` + v + `}`, `key "batch" is missing`},
		{"the next version", `{"v":2,` + batch + `}`, `version 2, want 1`},
		{"a version in quotes", `{"v":"1",` + batch + `}`, `version "1", want 1`},
		{"a version with a point", `{"v":1.0,` + batch + `}`, `version 1.0, want 1`},
		{"an unknown key", `{` + v + `,` + batch + `,"feed":"x"}`, `unknown key "feed"`},
		{"a key in capitals", `{"V":1,` + batch + `}`, `unknown key "V"`},
		{"a doubled key", `{` + v + `,` + v + `,` + batch + `}`, `key "v" is doubled`},
		{"doubled records", `{` + v + `,` + batch + `,"records":[],"records":[]}`, `key "records" is doubled`},
		{"doubled by an escape", `{` + v + `,"\u0076":1}`, `key "v" is doubled`},
		{"a batch that is no UUID", `{` + v + `,"batch":"b-1"}`, `batch "b-1" is no UUID`},
		{"a UUID in another form", `{` + v + `,"batch":"{` + id[:34] + `}"}`, `is no UUID`},
		{"a batch that is a number", `{` + v + `,"batch":7}`, `batch 7 is no UUID`},
		{"records that are null", `{` + v + `,` + batch + `,"records":null}`, `records are null, want an array`},
		{"records that are an object", `{` + v + `,` + batch + `,"records":{}}`, `records are {}, want an array`},
		{"records that close wrongly", `{` + v + `,` + batch + `,"records":[}}`, `records are [}, want an array`},
		{"records without end", `{` + v + `,` + batch + `,"records":` + strings.Repeat("[", 20_000), `nested too deep`},
		{"a comma too many", `{` + v + `,` + batch + `,}`, `no key at byte`},
		{"no colon", `{"v" 1}`, `no ':' at byte 5`},
		{"no value", `{"v":,` + batch + `}`, `no value at byte 5`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := queue.Decode([]byte(tc.payload))
			if !errors.Is(err, queue.ErrPayload) || !strings.Contains(fmt.Sprint(err), tc.want) {
				t.Errorf("got %v, want ErrPayload with %q", err, tc.want)
			}
		})
	}
}

// FuzzDecode compares Decode with encoding/json. Where the text is JSON both
// find the same or both refuse; where it is not, Decode may accept it, since it
// leaves the records unread, but then only their inside is wrong.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"v":1,"batch":"` + id + `","records":[{"id":"r1","quantity":"1e3"},{}]}`,
		`{"v":1,"batch":"` + id + `"}`,
		`{"records":["\\\"]"],"\u0076":1,"batch":"` + id + `"}`,
		`{"v":1,"batch":"` + id + `","records":[}`,
		`{"v":1,"v":1}`, `{"":{"a":[1,2,{"b":null}]}}`, `[]`, `{`, "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got, err := queue.Decode(payload)
		want, wantErr := reference(payload)
		if json.Valid(payload) {
			if (err == nil) != (wantErr == nil) {
				t.Fatalf("got error %v, want %v", err, wantErr)
			}
			if err == nil && !cmp.Equal(got, want) {
				t.Fatalf("got %+v, want %+v", got, want)
			}
		}
		if err != nil {
			return
		}
		if n := len(got.Records); got.Records != nil && (n < 2 || got.Records[0] != '[' || got.Records[n-1] != ']') {
			t.Fatalf("records %q are no array", got.Records)
		}
		again, err := queue.Decode(queue.Encode(got.Batch, got.Records))
		if err != nil || !cmp.Equal(got, again) {
			t.Fatalf("written and read again: %+v, %v; want %+v", again, err, got)
		}
	})
}

// reference is Decode by the book.
func reference(payload []byte) (queue.Payload, error) {
	var p queue.Payload
	d := json.NewDecoder(bytes.NewReader(payload))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return p, fmt.Errorf("%v, %w", open, err)
	}
	seen := map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return p, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return p, err
		}
		if seen[key.(string)] != nil {
			return p, errors.New("doubled")
		}
		seen[key.(string)] = value
	}
	if _, err := d.Token(); err != nil {
		return p, err
	}
	if _, err := d.Token(); err != io.EOF {
		return p, errors.New("more text")
	}
	return fromFields(seen)
}

func fromFields(seen map[string]json.RawMessage) (p queue.Payload, err error) {
	for key, value := range seen {
		switch {
		case key == "v" && string(value) == "1":
			p.V = 1
		case key == "batch" && len(value) == 38 && value[0] == '"':
			if p.Batch, err = uuid.ParseBytes(value[1:37]); err != nil {
				return p, err
			}
		case key == "records" && value[0] == '[':
			p.Records = value
		default:
			return p, fmt.Errorf("%s: %s", key, value)
		}
	}
	if seen["v"] == nil || seen["batch"] == nil {
		return p, errors.New("missing")
	}
	return p, nil
}

// records is the JSON array of n usage records as feeds send them.
func records(n int) []byte {
	b := []byte{'['}
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"source":"pump-7","id":"r%09d","account":"ACR%010d","service":"Exxon Unleaded",`+
			`"quantity":"12.5","occurred_at":"2026-03-01T10:00:00+02:00"}`, i, i%10_000)
	}
	return append(b, ']')
}

func BenchmarkDecode(b *testing.B) {
	payload := queue.Encode(uuid.MustParse(id), records(1000))
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		if _, err := queue.Decode(payload); err != nil {
			b.Fatal(err)
		}
	}
}
