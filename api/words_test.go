package api

import (
	"fmt"
	"testing"

	"github.com/chargehand/chargehand/api/access"
)

// Every fault has its place, names the value, and says what to do.
func TestFaultsSayWhatToDo(t *testing.T) {
	s := openSite(t, village, nil)
	const account = "/v1/accounts/ACR0000001526"
	for i, c := range []struct{ method, path, body, place, detail string }{
		{"POST", account + "/payments", `{"amount": "12,5"}`, "/amount", `number "12,5": not a number: write it like 12.50`},
		{"POST", account + "/payments", `{"amount": null}`, "/amount", `number "null": not a number: write it like 12.50`},
		{"POST", account + "/payments", `{"amount": 1.1234567}`, "/amount", `number "1.1234567": too many digits: at most 12 before and 6 behind the point`},
		{"POST", account + "/payments", `{}`, "/amount", "missing: give it a value"},
		{"POST", account + "/payments", `[]`, "", "an object is wanted: write it in braces"},
		{"POST", account + "/payments", `{"amount": "1", "note": 5}`, "/note", "5: a text is wanted: write it in quotes"},
		{"POST", account + "/payments", `{"amount": "1", "amont": "2"}`, "/amont", "unknown member: correct its name, or leave it out"},
		{"POST", account + "/payments", `{"amount": "1", "at": "2026-03-10T10:00:00"}`, "/at",
			`"2026-03-10T10:00:00": not an RFC 3339 time with an offset: write it like 2026-03-01T10:00:00Z`},
		{"POST", account + "/adjustments", `{"amount": "1", "note": "  "}`, "/note", `"  ": only blanks: write why`},
		{"POST", account + "/hold", `{"note": "\t"}`, "/note", `"\t": only blanks: write why`},
		{"DELETE", account + "?note=%20", ``, "note", `" ": only blanks: write why`},
		{"DELETE", account, ``, "note", "missing: give it a value"},
		{"PATCH", account, `{"cycle_day": 32}`, "/cycle_day", "32: write at most 31"},
		{"PATCH", account, `{"cycle_day": "5"}`, "/cycle_day", `"5": a whole number is wanted, without quotes`},
		{"PATCH", account, `{"financial_blocking_threshold": "class"}`, "/financial_blocking_threshold",
			`number "class": not a number: write it like 12.50; null is the class's`},
		{"POST", account + "/services", `{"code": ""}`, "/code", `"": empty or too short: write at least 1 character`},
		{"POST", account + "/periodic-services", `{"name": "x", "price": "1", "period": "hourly"}`, "/period",
			`"hourly": not one of daily, weekly, monthly, yearly`},
		{"POST", account + "/periodic-services", `{"name": "x", "price": "1", "period": "daily", "prorate": "yes"}`, "/prorate",
			`"yes": true or false is wanted, without quotes`},
		{"POST", "/v1/customers/jane/accounts", `{"currency": "EURO"}`, "/currency", `"EURO": too long: write at most 3 characters`},
		{"POST", "/v1/dead-letters/redrive", `{"ids": ["x"]}`, "/ids/0", `"x": not a UUID like 019a1b2c-3d4e-7f00-8a9b-0c1d2e3f4a5b`},
		{"POST", "/v1/dead-letters/redrive", `{"ids": "x"}`, "/ids", `"x": a list is wanted: write it in brackets`},
		{"POST", "/v1/dead-letters/redrive", `{"ids": []}`, "/ids", "write at least 1 of them, or leave it out"},
		{"GET", "/v1/records?limit=-5", "", "limit", "-5: write at least 1"},
		{"GET", "/v1/records?limit=abc", "", "limit", `"abc": a whole number is wanted`},
		{"GET", "/v1/records?outcome=done", "", "outcome", `"done": not one of rated, rejected, cancelled`},
		{"GET", "/v1/records?from=2026-03-10", "", "from",
			`time "2026-03-10": not an RFC 3339 time with an offset within ±14:00: write it like 2026-03-01T10:00:00Z`},
		{"GET", "/v1/records?colour=blue", "", "colour", "unknown query parameter: correct its name, or leave it out"},
		{"GET", "/v1/accounts?near_threshold=much", "", "near_threshold", `number "much": not a number`},
		{"PUT", "/v1/price-book?dry_run=perhaps", `{}`, "dry_run", `"perhaps": true or false is wanted`},
	} {
		got := s.do(access.Manage|access.Read, c.method, c.path, c.body, keyHeader, fmt.Sprintf("k%d", i))
		var p Problem
		got.decode(t, &p)
		if len(p.Errors) == 0 {
			t.Errorf("%s %s %s: got %d %s", c.method, c.path, c.body, got.status, got.body)
			continue
		}
		f := p.Errors[0]
		if got.status != 422 || f.Pointer+f.Parameter != c.place || f.Detail != c.detail {
			t.Errorf("%s %s %s: got %d at %q: %s\nwant %q: %s", c.method, c.path, c.body, got.status, f.Pointer+f.Parameter, f.Detail, c.place, c.detail)
		}
	}
	if got := s.do(access.Manage, "POST", account+"/payments", "", keyHeader, "none"); got.status != 400 || kindOf(t, got) != "bad-request" {
		t.Errorf("without a body: got %d %s", got.status, got.body)
	}
}
