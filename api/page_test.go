package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
)

func TestListsGoOnFromPageToPage(t *testing.T) {
	s := openSite(t, village, nil)
	const account = "/v1/accounts/ACR0000001526"
	for _, key := range []string{"a", "b", "c", "d", "e"} {
		s.change(201, "POST", account+"/payments", `{"amount": "1"}`, keyHeader, key)
		s.change(201, "POST", "/v1/customers", `{"ref": "c`+key+`"}`)
		s.change(201, "POST", "/v1/customers/jane/accounts", `{"number": "N`+key+`"}`)
		s.change(200, "POST", account+map[bool]string{true: "/hold", false: "/release"}[key == "a" || key == "c" || key == "e"], `{"note": "x"}`)
	}
	for path, want := range map[string]int{
		account + "/statement": 5, account + "/history": 5, "/v1/customers": 6, "/v1/accounts": 6, "/v1/customers/jane/accounts": 6,
		"/v1/accounts?near_threshold=0": 5, "/v1/accounts?status=administrative_hold": 1, "/v1/accounts?customer=ca": 0,
	} {
		seen := map[string]bool{}
		limited := path + "?limit=2"
		if strings.Contains(path, "?") {
			limited = path + "&limit=2"
		}
		pages := 0
		for next := limited; next != ""; pages++ {
			got := s.do(access.Read, "GET", next, "")
			var list struct {
				Items []json.RawMessage
				Next  *string
			}
			got.decode(t, &list)
			for _, item := range list.Items {
				seen[string(item)] = true
			}
			link, linked := strings.CutSuffix(strings.TrimPrefix(got.head.Get("Link"), "<"), `>; rel="next"`)
			if linked != (list.Next != nil) || linked && len(list.Items) != 2 {
				t.Fatalf("%s: got %d items, next %v, link %q", next, len(list.Items), list.Next, link)
			}
			next = link
		}
		if len(seen) != want || pages != max(1, (want+1)/2) {
			t.Errorf("%s: got %d on %d pages, want %d", path, len(seen), pages, want)
		}
	}
	for _, path := range []string{"/v1/accounts?cursor=x", "/v1/customers?cursor=eyJzIjoxfQ", account + "/statement?cursor=eyJuIjoiYSJ9", "/v1/accounts?limit=0", "/v1/accounts?limit=1001"} {
		if got := s.do(access.Read, "GET", path, ""); got.status != 422 || kindOf(t, got) != "invalid" {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
	}
}
