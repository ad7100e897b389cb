package billing_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
)

// line is a whole record in which one member stands for another.
func line(key, value string) string {
	members := [][2]string{
		{"source", `"pump-7"`}, {"id", `"r1"`}, {"account", `"ACR0000001526"`}, {"service", `"Exxon Unleaded"`},
		{"quantity", `"12.5"`}, {"occurred_at", `"2026-03-01T10:00:00+02:00"`},
	}
	var b strings.Builder
	for _, m := range members {
		if m[0] == key {
			m[1], key = value, ""
		}
		fmt.Fprintf(&b, ",%q:%s", m[0], m[1])
	}
	if key != "" {
		fmt.Fprintf(&b, ",%q:%s", key, value)
	}
	return "{" + b.String()[1:] + "}"
}

func TestDecodeRecordReadsEveryKey(t *testing.T) {
	got, err := billing.DecodeRecord([]byte(` {"attributes":{"pump":7, "e":1e999999999},"original_id":"r\u0030","directive":"credit","amount":0.10,
		"occurred_at":"2026-03-01T10:00:00.1234567+02:00","quantity":1e-12,"service":"Exxon \"Unleaded\"","account":"Ä\ud83d\ude00","id":"r1","source":"pump-7"} `))
	if err != nil {
		t.Fatal(err)
	}
	amount := billing.MoneyUnit / 10
	quantity, _ := billing.ParseQuantity("0.000000000001")
	want := billing.UsageRecord{
		Source: "pump-7", ID: "r1", Account: "Ä😀", Service: `Exxon "Unleaded"`, Quantity: quantity,
		OccurredAt: time.Date(2026, 3, 1, 8, 0, 0, 123456000, time.UTC), Amount: &amount,
		Directive: billing.Credit, OriginalID: "r0", Attributes: json.RawMessage(`{"pump":7,"e":1e999999999}`),
	}
	if diff := cmp.Diff(got, want, cmp.AllowUnexported(billing.Fixed{})); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	const canonical = `{"source":"pump-7","id":"r1","account":"Ä😀","service":"Exxon \"Unleaded\"","quantity":"0.000000000001",` +
		`"occurred_at":"2026-03-01T08:00:00.123456Z","amount":"0.1","directive":"credit","original_id":"r0",` +
		`"attributes":{"pump":7,"e":1e999999999}}`
	if got := string(billing.AppendRecord(nil, &got)); got != canonical {
		t.Errorf("written again:\n got %s\nwant %s", got, canonical)
	}
}

func TestDecodeRecordTakes(t *testing.T) {
	for _, c := range []struct{ name, line string }{
		{"the record of the contract", line("", "")},
		{"a quantity as a number", line("quantity", `12.5`)},
		{"digits counted on the value", line("quantity", `"0.0000000001000000"`)},
		{"twelve digits on either side", line("quantity", `999999999999.999999999999`)},
		{"an amount of nothing", line("amount", `0`)},
		{"null as absent", line("amount", `null`)},
		{"an empty object as absent", line("attributes", `{ }`)},
		{"the directive that is the default", line("directive", `"charge"`)},
		{"no_charge", line("directive", `"no_charge"`)},
		{"256 bytes", line("id", `"`+strings.Repeat("ä", 128)+`"`)},
		{"8 KiB of attributes", line("attributes", `{ "a" : "`+strings.Repeat("x", 8<<10-8)+`" }`)},
		{"64 levels of attributes", line("attributes", strings.Repeat(`{"a":`, 63)+`{}`+strings.Repeat(`}`, 63))},
		{"one key in two objects", line("attributes", `{"a":{"k":1,"b":{"k":1}},"c":[{"k":1},{"k":1}],"k":1}`)},
		{"an escaped key", strings.Replace(line("", ""), `"id"`, `"\u0069d"`, 1)},
		{"the widest offset", line("occurred_at", `"2026-03-01T10:00:00-14:00"`)},
		{"a leap day", line("occurred_at", `"2024-02-29T23:59:59.999999999Z"`)},
		{"the first instant that can be written", line("occurred_at", `"0000-01-01T00:00:00Z"`)},
		{"the last", line("occurred_at", `"9999-12-31T23:59:59.999999Z"`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := billing.DecodeRecord([]byte(c.line))
			if err != nil {
				t.Fatalf("%s\n%s", err, c.line)
			}
			again, err := billing.DecodeRecord(billing.AppendRecord(nil, &r))
			if err != nil || !again.Same(&r) || again.Identity() != r.Identity() {
				t.Errorf("written and read again: got %+v, %v, want %+v", again, err, r)
			}
		})
	}
}

func TestDecodeRecordRefuses(t *testing.T) {
	for _, c := range []struct{ name, line, fault string }{
		{"an empty text", ``, `no object begins here`},
		{"a record cut short", `{"source":"feed","id":"1"`, `it ends at byte 25`},
		{"an empty object", `{}`, `source: missing`},
		{"an array", `[]`, `no object begins here`},
		{"text behind the record", line("", "") + ` {}`, `text after the record`},
		{"a comma too many", strings.Replace(line("", ""), `}`, `,}`, 1), `no key begins here`},
		{"a missing key", strings.Replace(line("", ""), `"service":"Exxon Unleaded",`, ``, 1), `service: missing`},
		{"null where a value must be", line("service", `null`), `service: missing`},
		{"an unknown key", line("amuont", `5`), `unknown key "amuont"`},
		{"a key in capitals", line("ID", `"x"`), `unknown key "ID"`},
		{"a doubled key", strings.Replace(line("", ""), `{`, `{"\u0069d":null,`, 1), `id: given twice`},
		{"a number for a text", line("id", `5`), `id "5": not a string`},
		{"a truth for a quantity", line("quantity", `true`), `quantity "true": neither a number nor a string`},
		{"a list for a quantity", line("quantity", `[1,2]`), `quantity "[1,2]": neither`},
		{"NaN", line("quantity", `NaN`), `quantity "NaN": neither`},
		{"NaN in quotes", line("quantity", `"NaN"`), `quantity: number "NaN": not a number`},
		{"infinity", line("quantity", `"-Infinity"`), `not a number`},
		{"nothing used", line("quantity", `0`), `not above zero`},
		{"less than nothing used", line("quantity", `"-1"`), `not above zero`},
		{"a blank before a number", line("quantity", `" 1"`), `not a number`},
		{"a bare point", line("quantity", `".5"`), `not a number`},
		{"a plus", line("quantity", `"+1"`), `not a number`},
		{"a zero in front", line("quantity", `"01"`), `not a number`},
		{"thirteen decimals", line("quantity", `"0.0000000000001"`), `too many digits`},
		{"thirteen digits", line("quantity", `1000000000000`), `too many digits`},
		{"a huge exponent", line("quantity", `1e999999999`), `too many digits`},
		{"a tiny exponent", line("quantity", `1e-999999999999999999999`), `too many digits`},
		{"a minus amount", line("amount", `"-0.01"`), `amount: number "-0.01": below zero`},
		{"seven decimals of money", line("amount", `"0.0000001"`), `too many digits`},
		{"an empty object for an amount", line("amount", `{}`), `amount "{}": neither`},
		{"no offset", line("occurred_at", `"2026-03-10T10:00:00"`), `occurred_at: time "2026-03-10T10:00:00": not an RFC 3339`},
		{"a leap second", line("occurred_at", `"2026-03-10T10:00:60Z"`), `occurred_at: time "2026-03-10T10:00:60Z": there is no such hour, minute or second`},
		{"hour 24", line("occurred_at", `"2026-03-10T24:00:00Z"`), `there is no such hour`},
		{"an offset too wide", line("occurred_at", `"2026-03-10T10:00:00+14:30"`), `not an RFC 3339`},
		{"a day that is not", line("occurred_at", `"2026-02-29T10:00:00Z"`), `occurred_at: time "2026-02-29T10:00:00Z": there is no such day`},
		{"an hour of one digit", line("occurred_at", `"2026-03-10T9:00:00Z"`), `not an RFC 3339`},
		{"a year that cannot be written", line("occurred_at", `"9999-12-31T23:59:59-00:01"`), `not an RFC 3339`},
		{"a year before the first", line("occurred_at", `"0000-01-01T00:00:00+00:01"`), `not an RFC 3339`},
		{"an empty text for a name", line("account", `""`), `account: empty`},
		{"257 bytes", line("source", `"`+strings.Repeat("s", 257)+`"`), `(257 bytes): too long: at most 256 bytes`},
		{"a NUL", line("id", `"a\u0000b"`), `has a NUL`},
		{"a NUL as it is", line("id", "\"a\x00b\""), `a control character`},
		{"a line break in a text", line("id", "\"a\nb\""), `a control character`},
		{"broken UTF-8", line("id", "\"a\xffb\""), `not UTF-8`},
		{"broken UTF-8 behind an escape", line("id", "\"\\n\xc3\""), `not UTF-8`},
		{"half a surrogate pair", line("id", `"\ud83d"`), `half of a surrogate pair`},
		{"the other half", line("id", `"\ude00\ud83d"`), `half of a surrogate pair`},
		{"an escape that is none", line("id", `"\x41"`), `no such escape`},
		{"an escape cut short", line("id", `"\u12"`), `four hexadecimal digits`},
		{"an unknown directive", line("directive", `"refund"`), `directive "refund": not one of charge, credit, no_charge`},
		{"an empty directive", line("directive", `""`), `not one of`},
		{"a credit of nothing", line("directive", `"credit"`), `original_id: missing`},
		{"an original of a charge", line("original_id", `"r0"`), `only a credit has one`},
		{"attributes that are a list", line("attributes", `[1]`), `attributes "[1]": not an object`},
		{"attributes that are a text", line("attributes", `"{}"`), `not an object`},
		{"attributes of 8 KiB and a byte", line("attributes", `{"a":"`+strings.Repeat("x", 8<<10-7)+`"}`), `too long: at most 8192 bytes`},
		{"a doubled key inside", line("attributes", `{"a":{"k":1,"b":2,"\u006b":1}}`), `key "k": given twice`},
		{"a NUL inside", line("attributes", `{"a":["\u0000"]}`), `has a NUL`},
		{"half a pair inside", line("attributes", `{"\udc00":1}`), `half of a surrogate pair`},
		{"65 levels", line("attributes", strings.Repeat(`{"a":`, 64)+`{}`+strings.Repeat(`}`, 64)), `more than 64 deep`},
		{"a number that is none inside", line("attributes", `{"a":01}`), `not a number`},
		{"a word that is none inside", line("attributes", `{"a":nil}`), `no value begins here`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := billing.DecodeRecord([]byte(c.line))
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Fatalf("got %v, want … %s …", err, c.fault)
			}
			if len(err.Error()) > 300 || strings.ContainsAny(err.Error(), "\n\x00") {
				t.Errorf("got a fault of %d bytes, want one short line: %q", len(err.Error()), err)
			}
		})
	}
}

func TestNoChargeCarriesNoAmount(t *testing.T) {
	_, err := billing.DecodeRecord([]byte(strings.Replace(line("amount", `"1"`), `{`, `{"directive":"no_charge",`, 1)))
	if want := "amount 1: a record of no charge carries none"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDecodeArrayKeepsTheGoodNeighboursOfABadRecord(t *testing.T) {
	array := ` [ ` + line("id", `"1"`) + `, {"id":"2, ]"}, 7 , ` + line("id", `"3"`) + ` x, {"id":"4"]}, ` + line("id", `"5"`) + `} , ` + line("id", `"6"`) + `] `
	var d billing.Decoder
	var faults []string
	records, err := d.DecodeArray(nil, []byte(array), func(place int, text []byte, fault error) {
		faults = append(faults, fmt.Sprintf("%d %.14s %s", place, text, fault))
	})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range records {
		got = append(got, r.ID)
	}
	if diff := cmp.Diff(got, []string{"1", "6"}); diff != "" {
		t.Errorf("records: got -, want +:\n%s", diff)
	}
	want := []string{"1 {\"id\":\"2, ]\"} source: missing", "2 7  not JSON", "3 {\"source\":\"pum text after", "4 {\"id\":\"4\"]} a comma", "5 {\"source\":\"pum text after"}
	if len(faults) != len(want) {
		t.Errorf("got %d faults, want %d: %q", len(faults), len(want), faults)
	}
}

func TestDecodeArrayRefusesWhatIsNoArray(t *testing.T) {
	for _, array := range []string{``, `{}`, `[`, `[{}`, `[{},`, `[` + line("", ""), `[]]`, `[` + line("", "") + `]x`} {
		var d billing.Decoder
		_, err := d.DecodeArray(nil, []byte(array), func(int, []byte, error) {})
		if !errors.Is(err, billing.ErrNotArray) {
			t.Errorf("%q: got %v, want %v", array, err, billing.ErrNotArray)
		}
	}
	var d billing.Decoder
	if records, err := d.DecodeArray(nil, []byte(" [ ] "), nil); len(records) != 0 || err != nil {
		t.Errorf("an empty array: got %v, %v, want none", records, err)
	}
}

func TestDecoderKeepsNamesAndNothingOfTheLine(t *testing.T) {
	var d billing.Decoder
	text := []byte(line("attributes", `{"a":1}`))
	r, err := d.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	want := string(billing.AppendRecord(nil, &r))
	clear(text)
	if got := string(billing.AppendRecord(nil, &r)); got != want {
		t.Errorf("after the line was overwritten: got %s, want %s", got, want)
	}
	text = []byte(line("", ""))
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := d.Decode(text); err != nil {
			t.Error(err)
		}
	})
	if allocs > 1 {
		t.Errorf("got %v allocations for a record of known names, want 1: its id", allocs)
	}
}

func BenchmarkDecode(b *testing.B) {
	var d billing.Decoder
	text := []byte(line("", ""))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeWithAttributes(b *testing.B) {
	var d billing.Decoder
	text := []byte(line("attributes", `{"pump":7,"card":"5412","driver":{"name":"Jane","km":120345}}`))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeArray(b *testing.B) {
	var d billing.Decoder
	text := []byte("[" + strings.TrimSuffix(strings.Repeat(line("", "")+",", 1000), ",") + "]")
	records := make([]billing.UsageRecord, 0, 1000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.DecodeArray(records, text, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendRecord(b *testing.B) {
	r, err := billing.DecodeRecord([]byte(line("", "")))
	if err != nil {
		b.Fatal(err)
	}
	var to []byte
	b.ReportAllocs()
	for b.Loop() {
		to = billing.AppendRecord(to[:0], &r)
	}
	_ = bytes.Clone(to)
}
