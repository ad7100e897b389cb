package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
)

func TestALimitsFaultHasItsPlace(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/accounts/ACR0000001526/limits"
	for body, pointer := range map[string]string{
		`{"accumulated_maximum_usage_per_day": "-1"}`:                                              "/accumulated_maximum_usage_per_day",
		`{"usage_services_allowance": [{"action": "set", "service": {"code": "Exxon Unleaded"}}]}`: "/usage_services_allowance/0/action",
		`{"usage": 1}`: "/usage",
	} {
		var p Problem
		s.change(422, "PATCH", path, body).decode(t, &p)
		if len(p.Errors) == 0 || p.Errors[0].Pointer != pointer {
			t.Errorf("%s: got %+v, want the place %s", body, p, pointer)
		}
	}
	s.change(415, "PATCH", path, "usage: 1", "Content-Type", "application/yaml")
}

func TestBodiesAreStrict(t *testing.T) {
	s := openSite(t, village, nil)
	const account = "/v1/accounts/ACR0000001526"
	for _, c := range []struct {
		what, method, path, body string
		status                   int
		pointer                  string
	}{
		{"an unknown member", "POST", account + "/payments", `{"amount": "1", "amont": "2"}`, 422, "/amont"},
		{"a member in other case", "POST", account + "/payments", `{"amount": "1", "Note": "x"}`, 422, "/Note"},
		{"a doubled member", "POST", account + "/payments", `{"amount": "1", "amount": "2"}`, 422, "/amount"},
		{"a member that is missing", "POST", account + "/hold", `{}`, 422, "/note"},
		{"something after the end", "POST", account + "/payments", `{"amount": "1"} {"amount": "2"}`, 400, ""},
		{"an end that is missing", "POST", account + "/payments", `{"amount": "1"`, 400, ""},
		{"no JSON", "POST", account + "/payments", `amount: 1`, 400, ""},
		{"no UTF-8", "POST", account + "/payments", "{\"amount\": \"1\", \"note\": \"\xff\"}", 400, ""},
		{"a NUL", "POST", account + "/payments", `{"amount": "1", "note": "\u0000"}`, 422, "/note"},
		{"no number", "POST", account + "/payments", `{"amount": "12,5"}`, 422, "/amount"},
		{"a list for a number", "POST", account + "/payments", `{"amount": [1]}`, 422, "/amount"},
		{"true for a number", "POST", account + "/payments", `{"amount": true}`, 422, "/amount"},
		{"an amount with too many places", "POST", account + "/payments", `{"amount": 0.0000001}`, 422, "/amount"},
		{"an amount that is too high", "POST", account + "/payments", `{"amount": 12345678901234567890}`, 422, "/amount"},
		{"a number past all", "POST", account + "/payments", `{"amount": 1e400}`, 422, "/amount"},
		{"no time", "POST", account + "/payments", `{"amount": "1", "at": "2026-03-10"}`, 422, "/at"},
		{"a threshold below zero", "PATCH", account, `{"financial_blocking_threshold": -1}`, 422, "/financial_blocking_threshold"},
		{"the class's threshold by a word", "PATCH", account, `{"financial_blocking_threshold": "class"}`, 422, "/financial_blocking_threshold"},
		{"the class's credit limit by a word", "PATCH", account, `{"subscription_credit_limit": "class"}`, 422, "/subscription_credit_limit"},
		{"nothing to change", "PATCH", account, `{}`, 422, ""},
		{"a cycle day that is none", "PATCH", account, `{"cycle_day": 32}`, 422, "/cycle_day"},
		{"a period that is none", "POST", account + "/periodic-services", `{"name": "x", "price": "1", "period": "hourly"}`, 422, "/period"},
		{"a date that is none", "POST", account + "/periodic-services", `{"name": "x", "price": "1", "period": "daily", "starts_on": "2026-02-30"}`, 422, "/starts_on"},
		{"a time zone that is none", "POST", "/v1/customers/jane/accounts", `{"time_zone": "Mars/Olympus"}`, 422, "/time_zone"},
		{"null for a body", "POST", "/v1/customers", `null`, 422, ""},
		{"a body too long", "POST", account + "/payments", `{"amount": "1", "note": "` + strings.Repeat("x", 1<<20) + `"}`, 413, ""},
	} {
		got := s.do(access.Manage, c.method, c.path, c.body, keyHeader, "k")
		var p Problem
		got.decode(t, &p)
		pointer := ""
		if len(p.Errors) > 0 {
			pointer = p.Errors[0].Pointer
		}
		if got.status != c.status || pointer != c.pointer {
			t.Errorf("%s: got %d %s, want %d at %q", c.what, got.status, got.body, c.status, c.pointer)
		}
	}
	if got := s.account("ACR0000001526"); got.Balance != "50" {
		t.Errorf("got a balance of %s, want 50 still", got.Balance)
	}
	for i, text := range []string{"0.1", "1e2", `"0.1"`, `"\u0031"`, "999999999.999999"} {
		s.change(201, "POST", account+"/payments", `{"amount": `+text+`}`, keyHeader, string(rune('a'+i)))
	}
	if got := s.account("ACR0000001526"); got.Balance != "1000000151.199999" {
		t.Errorf("got a balance of %s", got.Balance)
	}
}

// bounded remembers the last deadline for reading.
type bounded struct {
	http.ResponseWriter
	by  time.Time
	was int // how many were set
}

// SetReadDeadline remembers it.
func (b *bounded) SetReadDeadline(by time.Time) error {
	b.by = by
	b.was++
	return nil
}

func TestABoundOnReadingDoesNotEndTheAnswer(t *testing.T) {
	s := openSite(t, village, nil)
	for _, r := range []*http.Request{
		httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/accounts/ACR0000001526", nil),
		httptest.NewRequestWithContext(t.Context(), http.MethodPatch, "/v1/accounts/ACR0000001526", strings.NewReader(`{"cycle_day": 7}`)),
	} {
		r.Header.Set("Authorization", "Bearer "+s.token(access.Read|access.Manage))
		answer := httptest.NewRecorder()
		w := &bounded{ResponseWriter: answer, by: now}
		s.server.Handler().ServeHTTP(w, r)
		if answer.Code != http.StatusOK || w.was == 0 || !w.by.IsZero() {
			t.Errorf("%s: got %d with a bound of %s, want none once it is read", r.Method, answer.Code, w.by)
		}
	}
}
