package api

import (
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
)

func TestAChangeIsMadeByTheRevisionThatWasRead(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/accounts/ACR0000001526"
	tag := func() string { return s.do(access.Read, "GET", path, "").head.Get("ETag") }
	read := tag()
	s.change(201, "POST", path+"/payments", `{"amount": "1"}`, keyHeader, "k")
	if got := tag(); got != read || read == "" {
		t.Errorf("after a payment: got %s, want %s still", got, read)
	}
	if got := s.do(access.Read, "GET", path, "", "If-None-Match", read); got.status != 200 || !strings.Contains(string(got.body), `"balance":"51"`) {
		t.Errorf("got %d %s, want the balance of now under the tag of before", got.status, got.body)
	}
	s.change(200, "PATCH", path, `{"cycle_day": 5}`, "If-Match", read)
	for _, do := range [][3]string{
		{"PATCH", path, `{"cycle_day": 6}`},
		{"POST", path + "/applications", `{"name": "app"}`},
		{"POST", path + "/hold", `{"note": "why"}`},
		{"POST", path + "/payments", `{"amount": "1"}`},
		{"DELETE", path + "?note=why", ""},
		{"DELETE", path + "/services/Exxon%20Unleaded", ""},
	} {
		if got := s.change(412, do[0], do[1], do[2], "If-Match", read, keyHeader, "k9"); kindOf(t, got) != "changed-meanwhile" {
			t.Errorf("%s %s: got %s", do[0], do[1], got.body)
		}
	}
	s.change(412, "PATCH", path, `{"cycle_day": 6}`, "If-Match", "W/"+tag())
	s.change(412, "PATCH", path, `{"cycle_day": 6}`, "If-Match", `"l1"`)
	s.change(200, "PATCH", path, `{"cycle_day": 6}`, "If-Match", `"r99", `+tag())
	s.change(200, "PATCH", path, `{"cycle_day": 7}`, "If-Match", "*")
	s.change(404, "PATCH", "/v1/accounts/ACR1", `{"cycle_day": 7}`, "If-Match", "*")
}

func TestLimitsAreReadAndChangedByTheirTag(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/accounts/ACR0000001526/limits"
	got := s.do(access.Read, "GET", path, "")
	tag := got.head.Get("ETag")
	if same := s.do(access.Read, "GET", path, "", "If-None-Match", "W/"+tag); same.status != 304 || len(same.body) != 0 || same.head.Get("ETag") != tag {
		t.Errorf("got %d %q %v", same.status, same.body, same.head)
	}
	for match, status := range map[string]int{`"l7", ` + tag: 304, "*": 304, `"l7"`: 200, `"r1"`: 200, "": 200} {
		if same := s.do(access.Read, "GET", path, "", "If-None-Match", match); same.status != status {
			t.Errorf("If-None-Match %s: got %d, want %d", match, same.status, status)
		}
	}
	if same := s.do(access.Read, "HEAD", path, "", "If-None-Match", tag); same.status != 304 {
		t.Errorf("HEAD: got %d", same.status)
	}
	s.change(200, "PATCH", path, `{"accumulated_maximum_usage_per_day": 0.1}`, "If-Match", tag)
	if got := s.change(412, "PATCH", path, `{"accumulated_maximum_usage_per_day": "2"}`, "If-Match", tag); kindOf(t, got) != "changed-meanwhile" {
		t.Errorf("got %s", got.body)
	}
	got = s.do(access.Read, "GET", path, "", "If-None-Match", tag)
	if got.status != 200 || !strings.Contains(string(got.body), `"accumulated_maximum_usage_per_day":"0.1"`) {
		t.Errorf("got %d %s, want what was set, by its exact text", got.status, got.body)
	}
}
