package crm

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// figures are the members of an object of which a row is told.
func figures(of map[string]any, keys ...string) string {
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprint(of[k]))
	}
	return strings.Join(parts, " ")
}

var (
	amounts = []string{"remaining_rated_amount_per_transaction", "remaining_rated_amount_per_day", "remaining_rated_amount_per_month"}
	usages  = []string{"remaining_usage_per_transaction", "remaining_usage_per_day", "remaining_usage_per_month"}
)

// Section A.2: what remains is told at every level side by side.
func TestWhatRemainsIsToldAtEveryLevel(t *testing.T) {
	h := newHouse(t, line(one), line("FREE"))
	h.set("OK", one, `"accumulated_maximum_usage_per_day":10,"accumulated_maximum_usage_per_month":25,"accumulated_maximum_usage_per_transaction":8,
		"accumulated_maximum_rated_amount_per_day":"100","percentage_of_allowed_exceeded_usage_limit":50,"usage_services_allowance":[
		{"service":{"code":"MATCH"},"maximum_rated_amount_per_month":5},
		{"service":{"code":"CREED"},"maximum_usage_per_day":4,"maximum_rated_amount_per_transaction":"2.50"},
		{"service_type":{"name":"Exxon"},"maximum_usage_per_month":30},
		{"service_family":{"code":"CH"},"maximum_usage_per_day":7}]`)
	h.judge(map[string][]use{one: {
		{"CREED", "3", "2026-03-21T09:00:00Z", rated},
		{"MATCH", "2", "2026-03-21T10:00:00Z", rated},
		{"Exxon Petrol", "11", "2026-03-02T10:00:00Z", rated}, // of this month, not of this day
		{"Exxon Petrol", "1", "2026-02-28T10:00:00Z", rated},
	}})
	r := h.left(one)
	if got, want := figures(r, usages...), "12 10 21.5"; got != want { // 8, 10 and 25, by 50 percent, less 5 and 16
		t.Errorf("usage: got %s, want %s", got, want)
	}
	if got, want := figures(r, amounts...), "<nil> 145 <nil>"; got != want {
		t.Errorf("amounts: got %s, want %s", got, want)
	}
	rest := figures(r, "next_transaction_remaining_usage", "next_transaction_remaining_amount", "remaining_amount_until_usage_blocking", "unbilled_usage_amount")
	if want := "10 145 50083 0"; rest != want { // 50000 less 17, and a threshold of 100
		t.Errorf("got %s, want %s", rest, want)
	}
	var entries []string
	for _, e := range r["remaining_usage_allowance_per_service"].([]any) {
		e := e.(map[string]any)
		name := ""
		for _, k := range targetKeys {
			if of, ok := e[k.key].(map[string]any); ok {
				name += k.key + " " + fmt.Sprint(of["code"], of["alternative_code"])
			}
		}
		entries = append(entries, name+": "+figures(e, amounts...)+", "+figures(e, usages...))
	}
	const want = `service CREEDC: 3.75 <nil> <nil>, <nil> 3 <nil>
service MATCH<nil>: <nil> <nil> 5.5, <nil> <nil> <nil>
service_type <nil>E2: <nil> <nil> <nil>, <nil> <nil> 34
service_family CH<nil>: <nil> <nil> <nil>, <nil> 5.5 <nil>`
	if got := strings.Join(entries, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	account := r["accounts_receivable"].(map[string]any)
	if account["number"] != one || account["usage_allowance_limits"] == nil {
		t.Errorf("got account %v", account["number"])
	}
	none := h.left("FREE")
	if got, want := figures(none, append(usages, amounts...)...), strings.Repeat("<nil> ", 5)+"<nil>"; got != want {
		t.Errorf("without limits: got %s, want %s", got, want)
	}
	if got := fmt.Sprint(none["remaining_usage_allowance_per_service"]); got != "[]" {
		t.Errorf("without limits: got entries %s, want []", got)
	}
}

// What is used up is 0, never less; and an account that uses nothing any more
// has nothing left until it is blocked.
func TestWhatIsUsedUpIsZero(t *testing.T) {
	h := newHouse(t, line(one), line("ON", "class: invoice"))
	h.judge(map[string][]use{one: {{"CREED", "9", "2026-03-21T09:00:00Z", rated}}, "ON": {{"CREED", "30.5", "2026-03-21T09:00:00Z", rated}}})
	h.set("OK", one, `"accumulated_maximum_usage_per_day":5`)
	if got := figures(h.left(one), "remaining_usage_per_day", "next_transaction_remaining_usage"); got != "0 0" {
		t.Errorf("got %s, want 0 0", got)
	}
	const until = "remaining_amount_until_usage_blocking"
	if got := figures(h.left("ON"), until); got != "19.5" {
		t.Errorf("with a credit limit of 50: got %s, want 19.5", got)
	}
	h.apply(`customers: [{ref: x, name: X, accounts: [{number: NONE, class: invoice, currency: EUR, subscription_credit_limit: "0"}]}]`)
	if got := figures(h.left("NONE"), until); got != "<nil>" {
		t.Errorf("without a credit limit: got %s, want null", got)
	}
}

// Methods GET and POST, in query and body.
func TestRemainingIsAskedInTheQueryOrInABody(t *testing.T) {
	h := newHouse(t, documented)
	id := func() string {
		v, err := h.store.Account(t.Context(), one, noon)
		if err != nil {
			t.Fatal(err)
		}
		return accountID(v.ID)
	}()
	query := func(pairs ...string) string {
		q := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			q.Add(pairs[i], pairs[i+1])
		}
		return remainingPath + "?" + q.Encode()
	}
	body := `{"token":"` + h.reader + `","accounts_receivable_identifier":{"number":"` + one + `"},"fields_set":"unbilled_usage_amount"}`
	for _, c := range []struct{ name, method, target, body, code string }{
		{"POST", "POST", remainingPath, body, "OK"},
		{"GET with a body", "GET", remainingPath, body, "OK"},
		{"GET by number", "GET", query("token", h.reader, "number", one, "fields_set", "unbilled_usage_amount"), "", "OK"},
		{"GET by id", "GET", query("token", h.reader, "id", id, "fields_set", "unbilled_usage_amount"), "", "OK"},
		{"GET by name", "GET", query("token", h.reader, "name", one+" John CN UAL", "fields_set", "unbilled_usage_amount"), "", "OK"},
		{"GET by an object", "GET", query("token", h.reader, identifierKey, `{"number":"`+one+`"}`, "fields_set", "unbilled_usage_amount"), "", "OK"},
		{"GET, token in the query and the rest in the body", "GET", query("token", h.reader), strings.Replace(body, `"token":"`+h.reader+`",`, "", 1), "OK"},
		{"GET by two", "GET", query("token", h.reader, "number", one, "id", id), "", "INVALID_IDENTIFIER"},
		{"GET by one in two ways", "GET", query("token", h.reader, "number", one, identifierKey, `{"number":"`+one+`"}`), "", "INVALID_IDENTIFIER"},
		{"GET by none", "GET", query("token", h.reader), "", "INVALID_IDENTIFIER"},
		{"GET, number twice", "GET", query("token", h.reader, "number", one, "number", one), "", "UNKNOWN_PARAMETER"},
		{"GET, token in query and body", "GET", query("token", h.reader), body, "UNKNOWN_PARAMETER"},
		{"GET, unknown parameter", "GET", query("token", h.reader, "number", one, "page", "1"), "", "UNKNOWN_PARAMETER"},
		{"GET by what is no JSON", "GET", query("token", h.reader, identifierKey, "{number=1}"), "", "INVALID_VALUE"},
		{"GET, a field that is of the account", "GET", query("token", h.reader, "number", one, "fields_set", "balance"), "", "INVALID_VALUE"},
		{"GET, unknown account", "GET", query("token", h.reader, "number", "none"), "", "ACCOUNT_NOT_FOUND"},
		{"GET, no token", "GET", query("number", one), "", "INVALID_TOKEN"},
		{"POST with the token in the query", "POST", query("token", h.reader), strings.Replace(body, `"token":"`+h.reader+`",`, "", 1), "UNKNOWN_PARAMETER"},
		{"POST with a query", "POST", query("number", one), body, "UNKNOWN_PARAMETER"},
		{"POST with ceilings", "POST", remainingPath, strings.Replace(body, `"fields_set"`, `"accumulated_maximum_usage_per_day":1,"fields_set"`, 1), "UNKNOWN_PARAMETER"},
	} {
		a := h.wants(c.code, h.send(c.method, c.target, c.body))
		if c.code == "OK" && string(a.Data) != `{"unbilled_usage_amount":"0"}` {
			t.Errorf("%s: got %s", c.name, a.Data)
		}
	}
	if a := h.send(http.MethodHead, query("token", h.reader, "number", one), ""); a.http != http.StatusOK {
		t.Errorf("HEAD: got %d", a.http)
	}
}
