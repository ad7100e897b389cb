package api

import (
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
)

func TestTermsAreChangedAndTakenBack(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/accounts/ACR0000001526"
	got := s.change(200, "PATCH", path, `{"financial_blocking_threshold": "7.5", "time_zone": "Europe/Athens"}`)
	if want := `{"account":"ACR0000001526","changed":["time zone UTC → Europe/Athens","threshold the class's → 7.5"]}` + "\n"; string(got.body) != want {
		t.Errorf("got %s, want %s", got.body, want)
	}
	got = s.change(200, "PATCH", path, `{"financial_blocking_threshold": null}`)
	if want := `{"account":"ACR0000001526","changed":["threshold 7.5 → the class's"]}` + "\n"; string(got.body) != want {
		t.Errorf("got %s, want %s", got.body, want)
	}
	var did postgres.Changes
	s.change(200, "PATCH", path, `{"financial_blocking_threshold": null}`).decode(t, &did)
	if len(did.Changed) != 0 {
		t.Errorf("got %v, want nothing", did.Changed)
	}
}

func TestAStatusIsAskedForByHand(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/accounts/ACR0000001526"
	type status struct {
		From, To  string
		Unchanged bool
	}
	for _, c := range []struct {
		method, path, body string
		want               status
	}{
		{"POST", path + "/hold", `{"note": "stolen"}`, status{"active", "administrative_hold", false}},
		{"POST", path + "/hold", `{"note": "stolen"}`, status{"administrative_hold", "administrative_hold", true}},
		{"POST", path + "/release", `{"note": "found", "at": "2026-03-11T00:00:00Z"}`, status{"administrative_hold", "active", false}},
		{"POST", path + "/release", `{"note": "found"}`, status{"active", "active", true}},
		{"DELETE", path + "?note=gone", "", status{"active", "deleted", false}},
		{"DELETE", path + "?note=gone", "", status{"deleted", "deleted", true}},
	} {
		var got status
		s.change(200, c.method, c.path, c.body).decode(t, &got)
		if got != c.want {
			t.Errorf("%s %s: got %+v, want %+v", c.method, c.path, got, c.want)
		}
	}
	s.change(422, "POST", path+"/hold", `{"note": "again"}`)
	s.change(422, "DELETE", path, "")
	var history struct {
		Items []struct{ At, To, Note, Actor string }
	}
	s.got(path+"/history", &history)
	if h := history.Items; len(h) != 3 || h[0].Note != "stolen" || h[0].Actor != "token manage" || h[1].At != "2026-03-11T00:00:00Z" {
		t.Errorf("got %+v", h)
	}
}

func TestChangesNeedTheirScopeAndAreNoted(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/accounts/ACR0000001526"
	for _, do := range [][3]string{
		{"PATCH", path, `{"cycle_day": 6}`}, {"DELETE", path + "?note=x", ""}, {"POST", path + "/payments", `{"amount": "1"}`},
		{"POST", path + "/hold", `{"note": "x"}`}, {"PATCH", path + "/limits", `{}`}, {"POST", "/v1/customers", `{"ref": "x"}`},
		{"POST", "/v1/customers/jane/accounts", ""}, {"DELETE", path + "/services/x", ""},
	} {
		if got := s.do(access.Read|access.Feed, do[0], do[1], do[2], keyHeader, "k"); got.status != 403 {
			t.Errorf("%s %s: got %d %s", do[0], do[1], got.status, got.body)
		}
	}
	s.change(200, "POST", path+"/hold", `{"note": "stolen"}`)
	var lines []postgres.DeedLine
	if err := s.store.Deeds(t.Context(), postgres.DeedFilter{Account: "ACR0000001526"}, func(l *postgres.DeedLine) error {
		lines = append(lines, *l)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(lines) != 1 || lines[0].Actor != "token manage" || lines[0].Reason != "stolen" || lines[0].Action != "POST /v1/accounts/{number}/hold" {
		t.Errorf("got %+v", lines)
	}
}

func TestAResellersTokenSeesItsOwnAccounts(t *testing.T) {
	s := openSite(t, village, nil)
	s.apply(`
resellers: [{id: 1, name: North}, {id: 2, name: South}, {id: 3, name: Low, parent: 1}]
customers:
  - ref: jane
    accounts:
      - {number: R1, class: default, currency: EUR, profile: {reseller: 1}}
      - {number: R2, class: default, currency: EUR, profile: {reseller: 2}}
      - {number: R3, class: default, currency: EUR, profile: {reseller: 3}}
`)
	bearer := "Bearer " + s.newToken("north", access.Read|access.Manage, 1)
	got := s.do(0, "GET", "/v1/accounts", "", "Authorization", bearer)
	var list struct{ Items []struct{ Number string } }
	got.decode(t, &list)
	if len(list.Items) != 2 || list.Items[0].Number != "R1" || list.Items[1].Number != "R3" {
		t.Errorf("got %s, want its own and those below it", got.body)
	}
	for path, status := range map[string]int{"/v1/accounts/R3": 200, "/v1/accounts/R2": 404, "/v1/accounts/R2/limits": 404, "/v1/customers": 403} {
		if got := s.do(0, "GET", path, "", "Authorization", bearer); got.status != status {
			t.Errorf("%s: got %d %s, want %d", path, got.status, got.body, status)
		}
	}
	if got := s.do(0, "POST", "/v1/accounts/R2/payments", `{"amount": "1"}`, "Authorization", bearer, keyHeader, "k"); got.status != 404 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
