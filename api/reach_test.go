package api

import (
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
)

// county is the village with a reseller that one of its two accounts is of.
var county = strings.Replace(village, "customers:", `resellers: [{id: 100, name: North}, {id: 200, name: South}]
customers:
  - ref: paul
    accounts:
      - {number: ACR0000001600, class: default, currency: EUR, services: [Exxon Unleaded], profile: {reseller: 100}}`, 1)

// TestAResellersTokenIsRefusedWhatIsOfTheWholeInstallation, and what is of others
// is to it as if it were not there.
func TestAResellersTokenIsRefusedWhatIsOfTheWholeInstallation(t *testing.T) {
	s := openSite(t, county, nil)
	s.judge(s.feed(`{"source":"a","id":"1","account":"ACR0000001600","service":"Exxon Unleaded","quantity":"1","occurred_at":"2026-03-02T10:00:00Z"}
`))
	all := access.Read | access.Feed | access.Manage
	north, south := "Bearer "+s.newToken("north", all, 100), "Bearer "+s.newToken("south", all, 200)
	for _, c := range []struct {
		token, call, body string
		status            int
	}{
		{north, "GET /v1/price-book", "", 403},
		{north, "PUT /v1/price-book", `{}`, 403},
		{north, "POST /v1/simulations", raised, 403},
		{north, "GET /v1/queues", "", 403},
		{north, "GET /v1/outcomes", "", 403},
		{north, "GET /v1/dead-letters", "", 403},
		{north, "POST /v1/dead-letters/redrive", `{"all": true}`, 403},
		{north, "GET /v1/records", "", 403},
		{north, "GET /v1/records/a/1", "", 403},
		{north, "GET /v1/records?account=ACR0000001600", "", 200},
		{north, "GET /v1/records/a/1?account=ACR0000001600", "", 200},
		{north, "GET /v1/records?account=ACR0000001526", "", 404},
		{south, "GET /v1/records?account=ACR0000001600", "", 404},
		{south, "GET /v1/records/a/1?account=ACR0000001600", "", 404},
	} {
		method, path, _ := strings.Cut(c.call, " ")
		if got := s.do(0, method, path, c.body, "Authorization", c.token); got.status != c.status {
			t.Errorf("%s: got %d %s, want %d", c.call, got.status, got.body, c.status)
		}
	}
}
