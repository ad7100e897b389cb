package crm

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
	"github.com/jackc/pgx/v5"
)

// as is a body as another token sends it.
func (h *house) as(token, body string) string { return strings.Replace(body, h.manager, token, 1) }

// Whoever may only read changes nothing, and whoever may only change reads
// nothing.
func TestTokensMayWhatTheirScopesSay(t *testing.T) {
	h := newHouse(t, documented)
	before := h.show(one)
	body := h.asks(one, `"accumulated_maximum_usage_per_day":1`)
	h.wants("FORBIDDEN", h.send(http.MethodPost, limitsPath, h.as(h.reader, body)))
	if got := h.show(one); got != before {
		t.Errorf("got\n%s\nwant\n%s", got, before)
	}
	changer := h.token(postgres.Token{Name: "changer", Scopes: int16(access.Manage)})
	h.wants("OK", h.send(http.MethodPost, limitsPath, h.as(changer, body)))
	h.wants("FORBIDDEN", h.send(http.MethodPost, remainingPath, h.as(changer, h.asks(one))))
	h.wants("OK", h.send(http.MethodPost, remainingPath, h.as(h.reader, h.asks(one))))
	h.wants("INVALID_TOKEN", h.send(http.MethodPost, remainingPath, h.as(h.reader[:len(h.reader)-1], h.asks(one))))
}

// A reseller is told of an account that is not its own what it is told of one
// that does not exist.
func TestAResellerReachesItsOwnAccounts(t *testing.T) {
	h := newHouse(t, line("A1"))
	h.apply(`
resellers: [{id: 1, name: One}, {id: 2, name: Below, parent: 1}, {id: 3, name: Other}]
customers: [{ref: r, accounts: [{number: R1, currency: EUR, profile: {reseller: 1}}, {number: R2, currency: EUR, profile: {reseller: 2}},
  {number: R3, currency: EUR, profile: {reseller: 3}}]}]`)
	token := h.token(postgres.Token{Name: "shop", Scopes: int16(access.Read | access.Manage), Reseller: 1})
	for number, code := range map[string]string{"R1": "OK", "R2": "OK", "R3": "ACCOUNT_NOT_FOUND", "A1": "ACCOUNT_NOT_FOUND", "NONE": "ACCOUNT_NOT_FOUND"} {
		changed := h.wants(code, h.send(http.MethodPost, limitsPath, h.as(token, h.asks(number, `"accumulated_maximum_usage_per_day":1`))))
		h.wants(code, h.send(http.MethodPost, remainingPath, h.as(token, h.asks(number))))
		if code == "OK" {
			continue
		}
		want := strings.ReplaceAll(`accounts_receivable_identifier.number: no accounts receivable has the number "NONE"`, "NONE", number)
		if changed.Status.Description != want {
			t.Errorf("%s: got %q, want %q", number, changed.Status.Description, want)
		}
		v, err := h.store.Account(t.Context(), number, noon)
		if err != nil {
			continue // it does not exist
		}
		for _, named := range []string{`{"id":"` + accountID(v.ID) + `"}`, `{"name":"` + number + ` John CN UAL"}`} {
			body := strings.Replace(h.asks(number), `{"number":"`+number+`"}`, named, 1)
			h.wants("ACCOUNT_NOT_FOUND", h.send(http.MethodPost, limitsPath, h.as(token, body)))
		}
		if got := h.show(number); got != "" {
			t.Errorf("%s: got limits %s, want none", number, got)
		}
	}
}

func TestWhoAsksTooOftenIsToldWhenToGoOn(t *testing.T) {
	h := newHouse(t, documented)
	gate := access.NewGate(h.store, access.Options{RatePerSecond: 1, RateBurst: 2, Clock: func() time.Time { return noon }})
	v := &view{Options{Store: h.store, Gate: gate, Clock: func() time.Time { return noon }}}
	h.handler = v.door(access.Read, v.remaining)
	for _, code := range []string{"OK", "OK", "TOO_MANY_REQUESTS"} {
		a := h.wants(code, h.send(http.MethodPost, remainingPath, h.asks(one)))
		if wait := a.header.Get("Retry-After"); (code != "OK") != (wait == "1") {
			t.Errorf("%s: got Retry-After %q", code, wait)
		}
	}
}

// Row 66: who did it is kept, and told.
func TestWhoChangedAnAccountIsTold(t *testing.T) {
	h := newHouse(t, documented)
	ctx := postgres.WithDeed(t.Context(), postgres.Deed{RequestID: "r1", Action: "account set", Subject: one})
	zone := "Europe/Athens"
	if _, err := h.store.SetAccount(ctx, postgres.AccountChange{Account: one, TimeZone: &zone, At: noon, Actor: "cli ann"}); err != nil {
		t.Fatal(err)
	}
	log := func() string { return string(h.set("OK", one, `"fields_set":"log_information"`).Data) }
	if got := log(); !strings.Contains(got, `"updated_date":"2026-03-21T12:00:00"`) || !strings.Contains(got, `"username":"cli ann"`) {
		t.Errorf("got %s, want cli ann at noon", got)
	}
	h.handler = within(h.handler, postgres.Deed{RequestID: "r2", Action: "POST " + limitsPath})
	h.set("OK", one, `"accumulated_maximum_usage_per_day":1`)
	if got := h.query(`select request_id || ' ' || actor || ' ' || action || ' ' || subject from audit_log order by id desc limit 1`); got !=
		"r2 token manager POST "+limitsPath+" "+one {
		t.Errorf("the audit log has %s", got)
	}
	if got := log(); !strings.Contains(got, `"updated_by_user":{`) || !strings.Contains(got, `"username":"token manager"`) {
		t.Errorf("got %s, want token manager", got)
	}
}

// within makes every request part of a deed, as the server does.
func within(next http.Handler, d postgres.Deed) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(postgres.WithDeed(r.Context(), d)))
	})
}

// query answers the one text that a query selects.
func (h *house) query(sql string) (text string) {
	h.t.Helper()
	conn, err := pgx.Connect(h.t.Context(), h.url)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = conn.Close(h.t.Context()) }()
	if err := conn.QueryRow(h.t.Context(), sql).Scan(&text); err != nil {
		h.t.Fatal(err)
	}
	return text
}
