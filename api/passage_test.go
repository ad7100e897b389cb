package api

import (
	"testing"

	"github.com/chargehand/chargehand/api/access"
)

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
