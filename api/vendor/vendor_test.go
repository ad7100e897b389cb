package vendor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/route"
	"github.com/chargehand/chargehand/postgres"
)

// What is the server's fault is not told, and what will pass says when.
func TestErrorsAsClientsAreToldThem(t *testing.T) {
	const away = "the database is away or takes too long; what was to be done was not, or all of it: look, and try again"
	for _, c := range []struct {
		err    error
		status int
		after  string
		text   string
	}{
		{&access.TooMany{After: 1500 * time.Millisecond}, 429, "2", "the token has used up its rate of requests: try again in 1.5s"},
		{fmt.Errorf("list accounts: %w", &net.OpError{Op: "dial", Err: errors.New("10.0.0.7 refused")}), 503, "5", away},
		{fmt.Errorf("list accounts: %w", context.DeadlineExceeded), 503, "5", away},
		{fmt.Errorf("gave up after 10 tries: %w", postgres.ErrStale), 503, "1", "others changed the same all the while: nothing was done, try again"},
		{errors.New("pq: password of chargehand"), 500, "", "something went wrong here; the log has it"},
		{fmt.Errorf("look: %w", postgres.ErrNoAccount), 404, "", "look: no such account"},
		{&http.MaxBytesError{Limit: 7}, 413, "", "the body is longer than the 7 bytes that are taken"},
	} {
		w := httptest.NewRecorder()
		r := refusalOf(c.err, "x")
		r.headers(w, "ApiToken")
		if r.status != c.status || len(r.faults) != 1 || r.faults[0].text != c.text || w.Header().Get("Retry-After") != c.after {
			t.Errorf("%v: got %v, Retry-After %q", c.err, r, w.Header().Get("Retry-After"))
		}
	}
}

// A database that is away makes no answer of another kind, and no token is logged.
func TestADatabaseThatIsAwayIsTold(t *testing.T) {
	s := documents(t)
	if got := s.v1("/431.json"); got.status != 200 { // the gate remembers the tokens
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if got := s.v3("1/accounts/789"); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	s.store.Close()
	for _, got := range []answered{s.v1("/431.json"), s.v1(".json"), s.v3("1/accounts"), s.v3("1/accounts/789")} {
		if got.status < 500 || strings.Contains(got.body, "pool") {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	if log := s.log.String(); strings.Count(log, "\n") != 4 || strings.Contains(log, s.read) {
		t.Errorf("got the log %s", log)
	}
}

// Every endpoint says where its token stands and shows each of its answers.
func TestRoutesDescribeThemselves(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Routes(Options{}) {
		if seen[r.Name] || r.Name == "" || r.Summary == "" || r.Description == "" || r.Tag == "" || r.Handler == nil {
			t.Errorf("%s %s is called %q, which is not new, or lacks a description", r.Method, r.Pattern, r.Name)
		}
		seen[r.Name] = true
		if want := map[bool]route.Place{true: route.QueryToken, false: route.HeaderToken}[strings.Contains(r.Pattern, "/v1/")]; r.Token != want {
			t.Errorf("%s: the token stands in %q, want %q", r.Name, r.Token, want)
		}
		answers := map[int]bool{}
		for _, a := range r.Answers {
			if answers[a.Status] || a.Description == "" || a.Example == nil {
				t.Errorf("%s: %d stands twice or is not shown", r.Name, a.Status)
			}
			answers[a.Status] = true
		}
		for _, p := range r.Parameters {
			if p.Description == "" || p.Example == nil || p.Type == nil {
				t.Errorf("%s: parameter %s is not described", r.Name, p.Name)
			}
		}
	}
	if len(seen) != 5 {
		t.Errorf("got %d endpoints, want 5", len(seen))
	}
}
