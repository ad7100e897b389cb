package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
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
	for i := range 3 {
		s.judge(s.feed(fmt.Sprintf(`{"source":"p","id":"%d","account":"ACR0000001526","service":"Air","quantity":"1","occurred_at":"2026-03-02T10:00:00Z"}`, i)))
		if err := s.store.SaveDeadLetter(t.Context(), postgres.DeadLetter{ID: uuid.New(), Kind: postgres.Unreadable, At: now, Payload: []byte("x")}); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]int{
		"/v1/records": 3, "/v1/records?account=ACR0000001526": 3, "/v1/records?reason=no_price": 0, "/v1/dead-letters": 3, "/v1/dead-letters?kind=batch": 0,
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
	for _, path := range []string{"/v1/accounts?cursor=x", "/v1/customers?cursor=eyJzIjoxfQ", account + "/statement?cursor=eyJuIjoiYSJ9",
		"/v1/records?cursor=eyJuIjoiYSJ9", "/v1/dead-letters?cursor=eyJuIjoiYSJ9", account + "/statement?cursor=e30", "/v1/accounts?cursor=e30", "/v1/accounts?limit=0", "/v1/accounts?limit=1001"} {
		if got := s.do(access.Read, "GET", path, ""); got.status != 422 || kindOf(t, got) != "invalid" {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
	}
}

// All lists that grow go on in the same way, and say so.
func TestEveryListSaysHowItGoesOn(t *testing.T) {
	d := openSite(t, village, nil).document()
	lists := 0
	d.operations(func(method, path string, o map[string]any) {
		parameters, _ := o["parameters"].([]any)
		if !strings.HasPrefix(path, "/v1/") || !slices.ContainsFunc(parameters, func(p any) bool { return p.(map[string]any)["name"] == "cursor" }) {
			return
		}
		lists++
		link, _ := d.at("paths", path, method, "responses", "200", "headers", "Link", "schema").(map[string]any)
		if empty(link["description"]) {
			t.Errorf("%s %s: the header Link is not documented", method, path)
		}
	})
	if lists < 7 {
		t.Errorf("got %d lists, want those of customers, accounts, lines, records and dead letters", lists)
	}
}
