package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
)

// TestNoNULIsAFaultOfTheServer, wherever in a body or a cursor it stands: the
// database takes it not even in a question.
func TestNoNULIsAFaultOfTheServer(t *testing.T) {
	s := openSite(t, village, nil)
	const account = "/v1/accounts/ACR0000001526"
	for _, c := range []struct{ call, body, place string }{
		{"GET /v1/accounts?cursor=eyJuIjoiXHUwMDAwIn0", "", "cursor"},  // {"n":"\u0000"}
		{"GET /v1/customers?cursor=eyJuIjoiXHUwMDAwIn0", "", "cursor"}, // {"n":"\u0000"}
		{"POST " + account + "/services", `{"code":"a\u0000"}`, "/code"},
		{"POST /v1/simulations", `{"setup":{},"service":"\u0000"}`, "/service"},
	} {
		method, path, _ := strings.Cut(c.call, " ")
		got := s.do(access.Read|access.Manage, method, path, c.body)
		var p Problem
		got.decode(t, &p)
		if got.status != 422 || len(p.Errors) != 1 || p.Errors[0].Parameter+p.Errors[0].Pointer != c.place {
			t.Errorf("%s %s: got %d %s, want the fault at %s", c.call, c.body, got.status, got.body, c.place)
		}
	}
}

func TestTheMetricsAreOfTheWholeInstallation(t *testing.T) {
	s := openSite(t, county, nil)
	north := "Bearer " + s.newToken("north", access.Read, 100)
	if got := s.do(0, "GET", "/metrics", "", "Authorization", north); got.status != 403 {
		t.Errorf("a reseller's token: got %d", got.status)
	}
	if got := s.do(access.Read, "GET", "/metrics", ""); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

// TestAnAnswerThatBreaksOffIsInTheLog, with why: nobody else learns it.
func TestAnAnswerThatBreaksOffIsInTheLog(t *testing.T) {
	s := openSite(t, village, nil)
	broken := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		requestOf(r.Context()).fault = http.ErrBodyNotAllowed
		panic(http.ErrAbortHandler)
	})
	func() {
		defer func() {
			if recover() != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				t.Error("the connection is not broken off")
			}
		}()
		s.server.identified(s.server.logged(s.server.recovered(broken))).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	}()
	if log := s.log.String(); !strings.Contains(log, "level=ERROR msg=request") || !strings.Contains(log, http.ErrBodyNotAllowed.Error()) {
		t.Errorf("the log says %q", log)
	}
}

// TestANameMayBeAnAddress: sources of CloudEvents are, with two slashes in them.
func TestANameMayBeAnAddress(t *testing.T) {
	s := openSite(t, village, nil)
	s.judge(s.feed(`{"source":"https://pumps.example/7","id":"../1","account":"ACR0000001526","service":"Exxon Unleaded","quantity":"1","occurred_at":"2026-03-02T10:00:00Z"}
`))
	got := s.do(access.Read, "GET", "/v1/records/https:%2F%2Fpumps.example%2F7/..%2F1", "")
	if got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
