package api

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
)

// kindOf is the kind of problem that an answer tells.
func kindOf(t *testing.T, a answer) string {
	t.Helper()
	var p Problem
	a.decode(t, &p)
	return strings.TrimPrefix(p.Type, problemBase)
}

func TestAKeyMakesOneAccount(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/customers/jane/accounts"
	first := s.change(201, "POST", path, "", keyHeader, "k1")
	again := s.change(201, "POST", path, "", keyHeader, "k1")
	if string(again.body) != string(first.body) || again.head.Get("Location") != first.head.Get("Location") || again.head.Get("ETag") != first.head.Get("ETag") {
		t.Errorf("got %s %v, want the first answer %s %v", again.body, again.head, first.body, first.head)
	}
	if first.head.Get("Idempotency-Replayed") != "" || again.head.Get("Idempotency-Replayed") != "true" {
		t.Errorf("got %v, then %v", first.head, again.head)
	}
	if got := s.change(422, "POST", path, `{"class": "default"}`, keyHeader, "k1"); kindOf(t, got) != "key-reused" {
		t.Errorf("another body: got %s", got.body)
	}
	if got := s.change(422, "POST", "/v1/customers", `{"ref": "mia"}`, keyHeader, "k1"); kindOf(t, got) != "key-reused" {
		t.Errorf("another path: got %s", got.body)
	}
	s.change(201, "POST", path, "", keyHeader, "k2")
	if all := s.numbers(path); len(all) != 3 {
		t.Errorf("got %v, want Jane's own and two more", all)
	}
}

func TestAtOnceAKeyMakesOneAccount(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/customers/jane/accounts"
	s.token(access.Manage)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			got := s.do(access.Manage, "POST", path, "", keyHeader, "k")
			if got.status != 201 && (got.status != 409 || kindOf(t, got) != "in-progress" || got.head.Get("Retry-After") == "") {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	wait.Wait()
	if all := s.numbers(path); len(all) != 2 {
		t.Errorf("got %v, want one more than before", all)
	}
}

// The server dies after the account is there and before the answer is kept: what
// was chosen stands in the claim, and whoever takes it over meets the account.
func TestARequestThatWasAbandonedMakesNoSecondAccount(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/customers/jane/accounts"
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.token(access.Manage)
	claim := &postgres.Claim{Token: access.Manage.String(), Key: "k", Hash: hashOf(r, nil), Reserved: "ACR0000000007", At: now}
	if _, err := s.store.Claim(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	if _, err := s.store.CreateAccount(t.Context(), postgres.NewAccountRequest{Customer: "jane", TimeZone: "UTC", Reserved: "ACR0000000007", At: now, Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	if got := s.change(409, "POST", path, "", keyHeader, "k"); kindOf(t, got) != "in-progress" {
		t.Errorf("got %s", got.body)
	}
	if err := s.store.Abandon(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	if got := s.change(201, "POST", path, "", keyHeader, "k"); got.head.Get("Location") != "/v1/accounts/ACR0000000007" {
		t.Errorf("got %v", got.head)
	}
	if all := s.numbers(path); len(all) != 2 {
		t.Errorf("got %v, want the one account more", all)
	}
}

func TestWhatWasRefusedLeavesItsKey(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/accounts/ACR0000001526/services"
	s.change(422, "POST", path, `{"code": "Diesel"}`, keyHeader, "k")
	s.change(201, "POST", "/v1/accounts/ACR0000001526/applications", `{"name": "app"}`, keyHeader, "k")
}

func TestAPostingHappensOnceForItsKey(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/accounts/ACR0000001526/payments"
	first := s.change(201, "POST", path, `{"amount": "7.50", "note": "cash"}`, keyHeader, "k")
	// The same amount in another text, with another note, is the same posting (SPEC R6.7).
	again := s.change(200, "POST", path, `{"amount": 75e-1}`, keyHeader, "k")
	if again.head.Get("Idempotency-Replayed") != "true" || string(again.body) != strings.Replace(string(first.body), `"repeated":false`, `"repeated":true`, 1) {
		t.Errorf("got %s, want the first answer %s, repeated", again.body, first.body)
	}
	if got := s.change(422, "POST", path, `{"amount": "8"}`, keyHeader, "k"); kindOf(t, got) != "key-reused" {
		t.Errorf("another amount: got %s", got.body)
	}
	if got := s.change(422, "POST", path, `{"amount": "8"}`); !strings.Contains(string(got.body), `"parameter":"Idempotency-Key"`) {
		t.Errorf("without a key: got %s", got.body)
	}
	// A refused posting has not used its key.
	s.change(422, "POST", path, `{"amount": "-1"}`, keyHeader, "k2")
	s.change(201, "POST", path, `{"amount": "1"}`, keyHeader, "k2")
	s.change(201, "POST", "/v1/accounts/ACR0000001526/adjustments", `{"amount": "-0.000001", "note": "dust"}`, keyHeader, "k3")
	if got := s.account("ACR0000001526"); got.Balance != "58.499999" {
		t.Errorf("got %s", got.Balance)
	}
}

func TestPostingsAtOnceHappenOnce(t *testing.T) {
	s := openSite(t, village, nil)
	s.token(access.Manage)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			got := s.do(access.Manage, "POST", "/v1/accounts/ACR0000001526/payments", `{"amount": "1"}`, keyHeader, "k")
			if got.status != 200 && got.status != 201 {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	wait.Wait()
	if got := s.account("ACR0000001526"); got.Balance != "51" {
		t.Errorf("got %s", got.Balance)
	}
}
