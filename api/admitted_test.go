package api

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/route"
)

func TestNothingAnswersWithoutAToken(t *testing.T) {
	s := openSite(t, shire, nil)
	for _, x := range s.targets() {
		for what, token := range map[string]string{"no token": "", "a made-up token": "chg_AAAAAAAAAAAA_" + strings.Repeat("A", 43), "SQL": "' or 1=1 --"} {
			got := s.aim(x, token)
			if got.status != http.StatusUnauthorized {
				t.Errorf("%s with %s: got %d %s", x.where, what, got.status, got.body)
			}
			if scheme := got.head.Get("WWW-Authenticate"); !strings.HasSuffix(scheme, ` realm="chargehand"`) { // RFC 9110, 11.6.1
				t.Errorf("%s with %s: got WWW-Authenticate %q", x.where, what, scheme)
			}
		}
	}
	for _, path := range []string{"/metrics", "/openapi.json", "/", "/v1", "/v1/accounts/", "/debug/pprof/", "/.env"} {
		if got := s.do(0, "GET", path, ""); got.status != http.StatusUnauthorized {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
	}
}

// TestAnAddressMayFailSoOften, at whatever door. Tokens that were good go on.
func TestAnAddressMayFailSoOften(t *testing.T) {
	s := openSite(t, shire, func(o *Options) {
		o.Gate = access.NewGate(o.Store, access.Options{Clock: o.Clock, FailuresPerMinute: 30})
	})
	if got := s.do(access.Read, "GET", "/v1/accounts/SOUTH1", ""); got.status != http.StatusOK {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	failed := 0
	for _, x := range s.targets() {
		got := s.aim(x, "chg_AAAAAAAAAAAA_"+strings.Repeat("A", 43))
		want := http.StatusUnauthorized
		if failed++; failed > 30 {
			want = http.StatusTooManyRequests
		}
		if got.status != want || (want == http.StatusTooManyRequests) != (got.head.Get("Retry-After") == "2") {
			t.Errorf("failure %d, %s: got %d %s, Retry-After %q", failed, x.where, got.status, got.body, got.head.Get("Retry-After"))
		}
	}
	if failed <= 30 {
		t.Fatalf("only %d endpoints", failed)
	}
	s.well("50")
}

func TestATokenDoesWhatItsScopesSay(t *testing.T) {
	s := openSite(t, shire, nil)
	readsByPost := map[string]bool{"POST /v1/simulations": true, "POST /crm/v1/accounts_receivable/remaining_usage_allowance": true}
	for _, x := range s.targets() {
		need := access.Manage
		if x.method == http.MethodGet || readsByPost[x.where] {
			need = access.Read
		} else if x.where == "POST /v1/usage" {
			need = access.Feed
		}
		if got := s.aim(x, s.token(every&^need)); got.status != http.StatusForbidden {
			t.Errorf("%s with all scopes but %s: got %d %s", x.where, need, got.status, got.body)
		}
	}
	if got := s.do(access.Feed, "GET", "/v1/accounts/SOUTH1", ""); got.status != http.StatusForbidden || strings.Contains(string(got.body), `"50"`) {
		t.Errorf("a feed's token reads a balance: %d %s", got.status, got.body)
	}
	s.well("50")
}

func TestAnotherResellersAccountIsNotFoundAnywhere(t *testing.T) {
	s := openSite(t, shire, nil)
	north := s.newToken("north", every, 1)
	for _, x := range s.targets() {
		if _, names := x.places["number"]; !names {
			continue
		}
		for _, number := range []string{"SOUTH1", "ACR0000001526", "NOBODY"} { // of others, of the house, of nobody
			x.places["number"] = number
			got := s.aim(x, north)
			if got.status != http.StatusNotFound {
				t.Errorf("%s of %s: got %d %s", x.where, number, got.status, got.body)
			}
		}
	}
	for number, want := range map[string]int{"NORTH1": http.StatusOK, "NORTH2": http.StatusOK, "SOUTH1": http.StatusNotFound} {
		if got := s.do(0, "GET", "/v1/accounts/"+number, "", "Authorization", "Bearer "+north); got.status != want {
			t.Errorf("%s: got %d %s, want %d", number, got.status, got.body, want)
		}
	}
	s.well("50")
}

func TestNoTokenStandsInTheLog(t *testing.T) {
	s := openSite(t, shire, nil)
	token := s.token(every)
	secret := token[strings.LastIndex(token, "_")+1:]
	for _, x := range s.targets() {
		for _, place := range []route.Place{route.Bearer, route.QueryToken, route.HeaderToken, route.BodyToken} {
			y := x
			if y.token = place; place == route.BodyToken && y.method != http.MethodGet && !strings.HasPrefix(y.body, "{") {
				y.body = "{}"
			}
			s.aim(y, token)
			for name := range x.places { // somebody pastes it into the wrong field
				y.places = maps.Clone(x.places)
				y.places[name] = token
				s.aim(y, token)
			}
		}
	}
	if log := s.log.String(); strings.Contains(log, secret) || !strings.Contains(log, "msg=request") {
		t.Errorf("the token stands in the log, or nothing does: %.2000s", log)
	}
}

func TestAPanicTellsTheClientNothing(t *testing.T) {
	s := openSite(t, shire, nil)
	s.server.open["/broken"] = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the secret of the house") })
	got := s.do(0, "GET", "/broken", "")
	var p Problem
	if got.decode(t, &p); got.status != http.StatusInternalServerError || strings.Contains(string(got.body), "secret") ||
		strings.Contains(string(got.body), ".go") || p.Instance == "" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if !strings.Contains(s.log.String(), "the secret of the house") {
		t.Error("the log does not tell what broke")
	}
	s.well("50")
}

func TestAnswersTellBrowsersToKeepOut(t *testing.T) {
	s := openSite(t, shire, nil)
	for _, got := range []answer{s.do(access.Read, "GET", "/v1/accounts/SOUTH1", ""), s.do(0, "GET", "/v1/accounts/SOUTH1", ""), s.do(0, "GET", "/livez", "")} {
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Access-Control-Allow-Origin": "", "Server": "",
		} {
			if got.head.Get(name) != want {
				t.Errorf("%s: got %q, want %q", name, got.head.Get(name), want)
			}
		}
	}
}
