package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
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

// An empty key, which a client's fault is, was taken for none: the request was
// carried out each time.
func TestAnEmptyKeyIsNone(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/customers/jane/accounts"
	got := s.change(422, "POST", path, "", keyHeader, "")
	if kindOf(t, got) != "invalid" || !strings.Contains(string(got.body), "it is empty") {
		t.Errorf("got %s", got.body)
	}
	if all := s.numbers(path); len(all) != 1 {
		t.Errorf("got %v, want Jane's own", all)
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

// Who comes while the first is carried out is told so at once, whatever is asked;
// afterwards the same is answered again, and something else is refused.
func TestWhileARequestIsCarriedOutTheSecondIsToldSo(t *testing.T) {
	s := openSite(t, village, nil)
	s.document()
	s.token(access.Manage)
	const path = "/v1/customers/jane/accounts"
	m := s.seam(seams[1].wait)
	first := make(chan answer)
	go func() { first <- s.do(access.Manage, "POST", path, "", keyHeader, "k") }()
	m.reached()
	for _, body := range []string{"", `{"class": "default"}`} {
		if got := s.change(409, "POST", path, body, keyHeader, "k"); kindOf(t, got) != "in-progress" || got.head.Get("Retry-After") == "" {
			t.Errorf("got %v %s", got.head, got.body)
		}
	}
	m.open()
	done := <-first
	if done.status != 201 {
		t.Errorf("got %d %s", done.status, done.body)
	}
	if again := s.change(201, "POST", path, "", keyHeader, "k"); string(again.body) != string(done.body) {
		t.Errorf("got %s, want the first answer %s", again.body, done.body)
	}
	s.change(422, "POST", path, `{"class": "default"}`, keyHeader, "k")
	if all := s.numbers(path); len(all) != 2 {
		t.Errorf("got %v, want one more than before", all)
	}
}

// A client that goes does not take its request along.
func TestARequestIsCarriedOutThoughItsClientLeaves(t *testing.T) {
	s := openSite(t, village, nil)
	token := s.token(access.Manage)
	const path = "/v1/customers/jane/accounts"
	m := s.seam(seams[0].wait)
	ctx, leave := context.WithCancel(t.Context())
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+token)
	q.Header.Set(keyHeader, "k")
	gone := make(chan error)
	go func() {
		w, err := http.DefaultClient.Do(q)
		if err == nil {
			_ = w.Body.Close()
		}
		gone <- err
	}()
	m.reached()
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	m.open()
	m.idle()
	if again := s.change(201, "POST", path, "", keyHeader, "k"); again.head.Get("Idempotency-Replayed") != "true" {
		t.Errorf("got %v, want the answer of what was done meanwhile", again.head)
	}
}

// An answer that cannot be kept takes what was done along.
func TestWithoutItsAnswerNothingIsDone(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/customers/jane/accounts"
	m := s.seam(`create function fail() returns trigger language plpgsql as $$ begin raise 'no room'; end $$`)
	m.run(`create trigger fail before insert on answers for each row execute function fail()`)
	if got := s.change(500, "POST", path, "", keyHeader, "k"); strings.Contains(string(got.body), "no room") {
		t.Errorf("got %s", got.body)
	}
	if all, lines := s.numbers(path), s.ask(deeds); len(all) != 1 || lines != 0 {
		t.Errorf("got %v with %d lines in the log, want nothing done", all, lines)
	}
	m.run(`drop trigger fail on answers`)
	s.change(201, "POST", path, "", keyHeader, "k")
}

func TestAPanicDoesNothingAndLeavesItsKey(t *testing.T) {
	s := openSite(t, village, nil)
	broken := true
	h := s.server.recovered(s.server.once(endpoint{}, func(w http.ResponseWriter, r *http.Request) {
		number, err := s.store.CreateAccount(r.Context(), postgres.NewAccountRequest{Customer: "jane", TimeZone: "UTC", At: now, Actor: "test"})
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusCreated)
		if broken {
			panic("broken")
		}
		_, _ = io.WriteString(w, number)
	}))
	for _, want := range []int{500, 201, 201} {
		q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody)
		q.Header.Set(keyHeader, "k")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, q)
		if w.Code != want {
			t.Errorf("got %d %s, want %d", w.Code, w.Body, want)
		}
		broken = false
	}
	if all := s.numbers("/v1/customers/jane/accounts"); len(all) != 2 {
		t.Errorf("got %v, want one more than before", all)
	}
}

// Each holds one connection from its beginning to its end, and asks for no other.
func TestMoreRequestsThanConnectionsComeToTheirEnd(t *testing.T) {
	s := openSite(t, village, nil)
	s.document()
	s.token(access.Manage)
	store, err := postgres.Open(t.Context(), s.database, postgres.Options{Connections: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	o := s.server.Options
	o.Store, o.Gate = store, access.NewGate(store, access.Options{Clock: o.Clock})
	served := httptest.NewServer(New(o).Handler())
	defer served.Close()
	s.url = served.URL
	const account = "/v1/accounts/ACR0000001526"
	var wait sync.WaitGroup
	for n := range 10 {
		for _, r := range []struct{ method, path, body string }{
			{"POST", "/v1/customers", `{"ref": "c` + strconv.Itoa(n) + `"}`},
			{"POST", "/v1/customers/jane/accounts", ""},
			{"PATCH", account, `{"cycle_day": ` + strconv.Itoa(n+2) + `}`},
			{"PATCH", account + "/limits", `{"accumulated_maximum_usage_per_day": ` + strconv.Itoa(n+1) + `}`},
			{"POST", account + "/applications", `{"name": "app"}`},
			{"DELETE", account + "/applications/app", ""},
			{"POST", account + "/hold", `{"note": "why"}`},
			{"POST", account + "/release", `{"note": "why"}`},
			{"PUT", "/v1/price-book", `{"families": [{"code": "F` + strconv.Itoa(n) + `", "name": "F` + strconv.Itoa(n) + `"}]}`},
		} {
			wait.Go(func() {
				got := s.do(access.Manage, r.method, r.path, r.body, keyHeader, r.method+r.path+strconv.Itoa(n))
				if got.status != 200 && got.status != 201 {
					t.Errorf("%s %s: got %d %s", r.method, r.path, got.status, got.body)
				}
			})
		}
	}
	wait.Wait()
	if all := s.numbers("/v1/customers/jane/accounts?limit=1000"); len(all) != 11 {
		t.Errorf("got %d accounts, want ten more than before", len(all))
	}
}

// What is apart has no answer that is kept.
func TestDeadLettersAreRedrivenWithoutAKey(t *testing.T) {
	s := openSite(t, village, nil)
	for range 2 {
		if got := s.change(200, "POST", "/v1/dead-letters/redrive", `{"all": true}`, keyHeader, "k"); got.head.Get("Idempotency-Replayed") != "" {
			t.Errorf("got %v, want it carried out", got.head)
		}
	}
	if n := s.ask(`select count(*) from answers`); n != 0 {
		t.Errorf("%d answers are kept", n)
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
