package api

import (
	"bytes"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
)

func TestASetupIsTriedOut(t *testing.T) {
	s := openMarch(t)
	before := s.do(access.Read, "GET", "/v1/price-book", "")
	var all struct {
		Accounts []struct {
			Account    string
			Difference string
			Held       bool
		}
		Total   struct{ Accounts, Records, Changed, Held int }
		Renewed []string `json:"renewed_prices"`
		More    bool
	}
	dear := strings.Replace(raised, "1.65", "100", 1)
	got := s.do(access.Read, "POST", "/v1/simulations", dear)
	got.decode(t, &all)
	if got.status != 200 || len(all.Accounts) != 1 || all.Accounts[0].Difference != "1821.32" || !all.Accounts[0].Held || all.Total.Changed != 3 ||
		all.Total.Held != 1 || len(all.Renewed) != 1 || all.More {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if after := s.do(access.Read, "GET", "/v1/price-book", ""); !bytes.Equal(before.body, after.body) {
		t.Errorf("a simulation wrote something: %s", after.body)
	}
	got = s.do(access.Read, "POST", "/v1/simulations", strings.Replace(dear, `"from"`, `"service": "Diesel", "from"`, 1))
	all.Accounts = nil
	got.decode(t, &all)
	if len(all.Accounts) != 0 || all.Total.Records != 0 {
		t.Errorf("of another service: got %s", got.body)
	}
}

func TestASimulationListsNoMoreThanItsLimit(t *testing.T) {
	s := openSite(t, village+`      - {number: ACR0000001527, class: default, currency: EUR, services: [Exxon Unleaded]}
`, nil)
	s.judge(s.feed(`{"source":"a","id":"1","account":"ACR0000001526","service":"Exxon Unleaded","quantity":"1","occurred_at":"2026-03-02T10:00:00Z"}
{"source":"a","id":"2","account":"ACR0000001527","service":"Exxon Unleaded","quantity":"1","occurred_at":"2026-03-02T10:00:00Z"}
`))
	for _, c := range []struct {
		limit string
		want  string
		lines int
	}{
		{"1", `"accounts":2,`, 3}, {"2", `"accounts":2,`, 3},
	} {
		body := strings.Replace(raised, `"from"`, `"limit": `+c.limit+`, "from"`, 1)
		got := s.do(access.Read, "POST", "/v1/simulations", body)
		more := c.limit == "1"
		if n := strings.Count(string(got.body), `"account":`); n != len(c.limit)*map[bool]int{true: 1, false: 2}[more] ||
			!strings.Contains(string(got.body), c.want) || strings.Contains(string(got.body), `"more":true`) != more {
			t.Errorf("limit %s: got %s", c.limit, got.body)
		}
		lines := s.do(access.Read, "POST", "/v1/simulations", body, "Accept", asNDJSON)
		if n := bytes.Count(lines.body, []byte("\n")); n != c.lines {
			t.Errorf("as lines: got %d, want %d: %s", n, c.lines, lines.body)
		}
	}
}

func TestFaultsOfASimulationHaveTheirPlace(t *testing.T) {
	s := openSite(t, village, nil)
	for _, c := range []struct{ what, body, pointer string }{
		{"no set-up", `{}`, "/setup"},
		{"a set-up that is none", `{"setup": 7}`, "/setup"},
		{"a price below zero", strings.Replace(raised, `"1.65"`, `-1`, 1), "/setup/prices/0/per_unit"},
		{"a service that is not there", strings.Replace(raised, `Exxon Unleaded`, `X`, 1), "/setup/prices/0/service"},
		{"a time without an offset", strings.Replace(raised, `2026-04-01T00:00:00Z`, `2026-04-01T00:00:00`, 1), "/to"},
		{"a key that nobody knows", strings.Replace(raised, `"from"`, `"since"`, 1), "/since"},
	} {
		got := s.do(access.Read, "POST", "/v1/simulations", c.body)
		var p Problem
		got.decode(t, &p)
		if got.status != 422 || len(p.Errors) == 0 || p.Errors[0].Pointer != c.pointer {
			t.Errorf("%s: got %d %s", c.what, got.status, got.body)
		}
	}
	if len(s.server.simulations) != 0 {
		t.Errorf("%d places are not given back", len(s.server.simulations))
	}
}

func TestNoMoreSimulationsThanPlacesRun(t *testing.T) {
	s := openSite(t, village, nil)
	for range simulationsAtOnce {
		s.server.simulations <- struct{}{}
	}
	got := s.do(access.Read, "POST", "/v1/simulations", raised)
	if got.status != 503 || got.head.Get("Retry-After") == "" || !strings.Contains(string(got.body), "2 simulations run already") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	<-s.server.simulations
	if got := s.do(access.Read, "POST", "/v1/simulations", raised); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
