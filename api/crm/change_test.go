package crm

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/chargehand/chargehand/api/once"
)

// show is the limits in force, by a request that changes nothing.
func (h *house) show(number string) string {
	h.t.Helper()
	return h.set("OK", number).limits(h.t)
}

// Rows 31–36, 38–40: what a request does to limits.
func TestWhatARequestNamesIsChangedAndNothingElse(t *testing.T) {
	const before = "block=1 percentage=30 amount/day=\"100\" usage/month=\"25\"\n" +
		"service Exxon Unleaded: usage/day=\"30\"\n" +
		"service_type V: amount/month=\"5\"\n" +
		"service_family CH: usage/transaction=\"2\""
	const base = `limits: {block_services_not_included_in_usage_allowance_limits_settings: true, percentage_of_allowed_exceeded_usage_limit: "30",
		accumulated_maximum_rated_amount_per_day: "100", accumulated_maximum_usage_per_month: "25", usage_services_allowance: [
		{service: {code: Exxon Unleaded}, maximum_usage_per_day: "30"}, {service_type: {code: V}, maximum_rated_amount_per_month: "5"},
		{service_family: {code: CH}, maximum_usage_per_transaction: "2"}]}`
	head := strings.SplitN(before, "\n", 2)[0]
	entries := strings.SplitN(before, "\n", 2)[1]
	unleaded, tail, _ := strings.Cut(entries, "\n")
	typeV, family, _ := strings.Cut(tail, "\n")
	cases := []struct{ name, members, want string }{
		{"row 31: nothing named, nothing changed", `"usage_services_allowance":[]`, before},
		{"row 31: one ceiling more, the others stay", `"accumulated_maximum_rated_amount_per_month":1000`,
			"block=1 percentage=30 amount/day=\"100\" amount/month=\"1000\" usage/month=\"25\"\n" + entries},
		{"row 52: null clears", `"accumulated_maximum_rated_amount_per_day":null,"accumulated_maximum_usage_per_month":null`,
			"block=1 percentage=30\n" + entries},
		{"row 22: a percentage is cleared", `"percentage_of_allowed_exceeded_usage_limit":null`, strings.Replace(before, " percentage=30", "", 1)},
		{"a percentage of 0 is none", `"percentage_of_allowed_exceeded_usage_limit":"0"`, strings.Replace(before, " percentage=30", "", 1)},
		{"a percentage with a fraction, as text", `"percentage_of_allowed_exceeded_usage_limit":"12.50"`, strings.Replace(before, "30", "12.5", 1)},
		{"row 57: flag null", `"block_services_not_included_in_usage_allowance_limits_settings":null`, strings.Replace(before, "block=1 ", "", 1)},
		{"row 57: flag 0", `"block_services_not_included_in_usage_allowance_limits_settings":0`, strings.Replace(before, "block=1 ", "", 1)},
		{"row 57: flag false", `"block_services_not_included_in_usage_allowance_limits_settings":false`, strings.Replace(before, "block=1 ", "", 1)},
		{"row 57: flag 1", `"block_services_not_included_in_usage_allowance_limits_settings":1`, before},
		{"row 27: per_date is per_day", `"accumulated_maximum_usage_per_date":10`,
			"block=1 percentage=30 amount/day=\"100\" usage/day=\"10\" usage/month=\"25\"\n" + entries},
		{"row 27: both names, one number", `"accumulated_maximum_usage_per_date":10,"accumulated_maximum_usage_per_day":"10.0"`,
			"block=1 percentage=30 amount/day=\"100\" usage/day=\"10\" usage/month=\"25\"\n" + entries},
		{"rows 33, 38: add a service by code", entry(`"action":"add"`, `"service":{"code":"CREED"}`, `"maximum_rated_amount_per_month":5`),
			before + "\nservice CREED: amount/month=\"5\""},
		{"rows 34, 38: update a service by its alternative code", entry(`"action":"update"`, `"service":{"alternative_code":"EU"}`,
			`"maximum_rated_amount_per_transaction":23`),
			head + "\nservice Exxon Unleaded: amount/transaction=\"23\" usage/day=\"30\"\n" + tail},
		{"update clears one and sets another", entry(`"action":"update"`, `"service":{"code":"Exxon Unleaded"}`,
			`"maximum_usage_per_day":null`, `"maximum_usage_per_month":"7.50"`),
			head + "\nservice Exxon Unleaded: usage/month=\"7.5\"\n" + tail},
		{"row 35: remove by service", entry(`"action":"remove"`, `"service":{"code":"Exxon Unleaded"}`), head + "\n" + tail},
		{"row 36: remove by service type and name", entry(`"action":"remove"`, `"service_type":{"name":"Usage Services"}`),
			head + "\n" + unleaded + "\n" + family},
		{"a removal may name ceilings as null", entry(`"action":"remove"`, `"service_type":{"code":"V"}`, `"maximum_usage_per_day":null`),
			head + "\n" + unleaded + "\n" + family},
		{"row 39: a type by name", entry(`"action":"add"`, `"service_type":{"name":"Exxon"}`, `"maximum_usage_per_day":9`),
			before + "\nservice_type E2: usage/day=\"9\""},
		{"row 39: a type by its alternative code", entry(`"action":"add"`, `"service_type":{"alternative_code":"E2"}`, `"maximum_usage_per_day":9`),
			before + "\nservice_type E2: usage/day=\"9\""},
		{"row 40: a family by name", entry(`"action":"update"`, `"service_family":{"name":"Channels"}`, `"maximum_usage_per_day":9`),
			head + "\n" + unleaded + "\n" + typeV + "\nservice_family CH: usage/transaction=\"2\" usage/day=\"9\""},
		{"row 40: a family by code", entry(`"action":"remove"`, `"service_family":{"code":"CH"}`), head + "\n" + unleaded + "\n" + typeV},
		{"targets that are null are not named", entry(`"action":"remove"`, `"service":null`, `"service_type":null`, `"service_family":{"code":"CH","name":null}`),
			head + "\n" + unleaded + "\n" + typeV},
		{"set what has no entry", entry(`"service":{"code":"CREED"}`, `"maximum_usage_per_day":1`), before + "\nservice CREED: usage/day=\"1\""},
		{"set what has one: it is replaced", entry(`"service":{"code":"Exxon Unleaded"}`, `"maximum_rated_amount_per_month":1`),
			head + "\nservice Exxon Unleaded: amount/month=\"1\"\n" + tail},
		{"an action that is null sets", entry(`"action":null`, `"service":{"code":"Exxon Unleaded"}`, `"maximum_rated_amount_per_month":1`),
			head + "\nservice Exxon Unleaded: amount/month=\"1\"\n" + tail},
		{"a ceiling of 0 is one", entry(`"action":"add"`, `"service":{"code":"CREED"}`, `"maximum_usage_per_day":0`),
			before + "\nservice CREED: usage/day=\"0\""},
		{"row 32: add, update and remove in one request", `"usage_services_allowance":[
			{"action":"add","service":{"code":"CREED"},"maximum_rated_amount_per_month":5},
			{"action":"update","service_type":{"name":"Usage Services"},"maximum_usage_per_month":4},
			{"action":"remove","service":{"code":"Exxon Unleaded"}}]`,
			head + "\nservice_type V: amount/month=\"5\" usage/month=\"4\"\n" + family + "\nservice CREED: amount/month=\"5\""},
		{"block on credit limit, not wanted", `"block_usage_consumption_when_all_amounts_exceed_credit_limit":false`, before},
	}
	var accounts []string
	for i := range cases {
		accounts = append(accounts, line(fmt.Sprint("A", i), base))
	}
	h := newHouse(t, accounts...)
	for i, c := range cases {
		number := fmt.Sprint("A", i)
		if got := h.set("OK", number, c.members).limits(t); got != c.want {
			t.Errorf("%s: answered\n%s\nwant\n%s", c.name, got, c.want)
		}
		if got := h.show(number); got != c.want {
			t.Errorf("%s: in force\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// Rows 17, 18, 32, 37, 41, 42: what is refused, and that nothing of it happened.
func TestARefusedRequestChangesNothing(t *testing.T) {
	h := newHouse(t, documented)
	before := h.show(one)
	good := `{"action":"add","service":{"code":"CREED"},"maximum_rated_amount_per_month":5}`
	entries := func(bad string) string { return `"usage_services_allowance":[` + good + "," + bad + "]" }
	for _, c := range []struct{ name, code, members, says string }{
		{"row 37: unknown action", "INVALID_VALUE", entries(`{"action":"replace","service":{"code":"MATCH"},"maximum_usage_per_day":1}`),
			`usage_services_allowance[1].action is "replace": give one of add, update, remove`},
		{"row 37: action in capitals", "INVALID_VALUE", entries(`{"action":"ADD","service":{"code":"MATCH"},"maximum_usage_per_day":1}`), `"ADD"`},
		{"row 37: add of what has an entry", "ENTRY_EXISTS", entries(`{"action":"add","service":{"code":"Exxon Unleaded"},"maximum_usage_per_day":1}`),
			`usage_services_allowance[1]: service "Exxon Unleaded" has an entry already: update it`},
		{"row 37: update of what has none", "ENTRY_NOT_FOUND", entries(`{"action":"update","service":{"code":"MATCH"},"maximum_usage_per_day":1}`),
			`service "MATCH" has no entry: add it`},
		{"row 37: remove of what has none", "ENTRY_NOT_FOUND", entries(`{"action":"remove","service_type":{"name":"Exxon"}}`), `service_type "E2" has no entry, so that there is nothing to remove`},
		{"row 38: unknown service", "UNKNOWN_TARGET", entries(`{"action":"add","service":{"code":"Exon Petrol"},"maximum_usage_per_day":1}`),
			`usage_services_allowance[1].service.code: no service has the code "Exon Petrol"`},
		{"row 38: an alternative code is no code", "UNKNOWN_TARGET", entries(`{"action":"add","service":{"code":"EU"},"maximum_usage_per_day":1}`), `"EU"`},
		{"row 39: unknown type", "UNKNOWN_TARGET", entries(`{"action":"add","service_type":{"name":"None"},"maximum_usage_per_day":1}`), `name "None"`},
		{"row 40: unknown family", "UNKNOWN_TARGET", entries(`{"action":"add","service_family":{"code":"XX"},"maximum_usage_per_day":1}`), `code "XX"`},
		{"row 68: unknown id", "UNKNOWN_TARGET", entries(`{"action":"add","service":{"id":"A465D282F44C46AC834BAE50A81CA2F1"},"maximum_usage_per_day":1}`), "id"},
		{"row 41: no target", "INVALID_ENTRY", entries(`{"action":"add","maximum_usage_per_day":1}`), "has 0 targets"},
		{"row 41: two targets", "INVALID_ENTRY",
			entries(`{"action":"add","service":{"code":"MATCH"},"service_type":{"code":"P"},"maximum_usage_per_day":1}`), "has 2 targets"},
		{"row 41: a target named twice", "INVALID_IDENTIFIER",
			entries(`{"action":"add","service":{"code":"MATCH","alternative_code":"M"},"maximum_usage_per_day":1}`),
			"usage_services_allowance[1].service has 2 of code, alternative_code, id: give exactly one"},
		{"row 41: a target without name", "INVALID_IDENTIFIER", entries(`{"action":"add","service":{},"maximum_usage_per_day":1}`), "has 0 of"},
		{"a target by what it has not", "UNKNOWN_PARAMETER", entries(`{"action":"add","service":{"name":"MATCH"},"maximum_usage_per_day":1}`),
			"usage_services_allowance[1].service.name"},
		{"row 42: add without ceiling", "INVALID_ENTRY", entries(`{"action":"add","service":{"code":"MATCH"}}`), "has no ceiling"},
		{"row 42: add with ceilings that are null", "INVALID_ENTRY", entries(`{"action":"add","service":{"code":"MATCH"},"maximum_usage_per_day":null}`), "has no ceiling"},
		{"row 42: update without ceiling", "INVALID_ENTRY", entries(`{"action":"update","service":{"code":"Exxon Unleaded"}}`), "has no ceiling"},
		{"row 42: set without ceiling", "INVALID_ENTRY", entries(`{"service":{"code":"Exxon Unleaded"}}`), "has no ceiling"},
		{"update that clears the last ceiling", "INVALID_ENTRY", entries(`{"action":"update","service":{"code":"Exxon Unleaded"},"maximum_usage_per_day":null}`),
			"remove the entry"},
		{"remove with a ceiling", "INVALID_ENTRY", entries(`{"action":"remove","service":{"code":"Exxon Unleaded"},"maximum_usage_per_day":30}`), "take the ceiling out"},
		{"one target twice, by two names", "INVALID_ENTRY",
			entries(`{"action":"add","service":{"alternative_code":"C"},"maximum_usage_per_day":1}`), "same service as usage_services_allowance[0]"},
		{"row 32: an unknown key in the last entry", "UNKNOWN_PARAMETER", entries(`{"action":"add","service":{"code":"MATCH"},"maximum_usage_per_week":1}`),
			"usage_services_allowance[1].maximum_usage_per_week"},
		{"an entry that is none", "INVALID_VALUE", entries(`"CREED"`), `usage_services_allowance[1] is the text "CREED": give an object`},
		{"entries that are no list", "INVALID_VALUE", `"usage_services_allowance":{}`, "give a list"},
		{"an unknown key", "UNKNOWN_PARAMETER", `"accumulated_maximum_usage_per_dya":1`, "accumulated_maximum_usage_per_dya"},
		{"a key of later releases", "UNKNOWN_PARAMETER", `"accumulated_maximum_usage_per_billing_cycle":1`, "use accumulated_maximum_usage_per_month"},
		{"a key twice", "UNKNOWN_PARAMETER", `"accumulated_maximum_usage_per_day":1,"accumulated_maximum_usage_per_day":1`, "stands twice"},
		{"row 27: two names, two numbers", "INVALID_VALUE", `"accumulated_maximum_usage_per_day":1,"accumulated_maximum_usage_per_date":2`, "two names for one ceiling"},
		{"row 27: two names, one null", "INVALID_VALUE", `"accumulated_maximum_usage_per_date":null,"accumulated_maximum_usage_per_day":2`, "two names for one ceiling"},
		{"block on credit limit", "NOT_SUPPORTED", `"block_usage_consumption_when_all_amounts_exceed_credit_limit":true`, "threshold"},
		{"row 62: unknown field", "INVALID_VALUE", `"fields_set":"name,ballance"`, `"ballance"`},
		{"row 62: fields that are no text", "INVALID_VALUE", `"fields_set":["name"]`, "one text"},
	} {
		a := h.set(c.code, one, c.members)
		if !strings.Contains(a.Status.Description, c.says) {
			t.Errorf("%s: got %q, want it to say %q", c.name, a.Status.Description, c.says)
		}
		if got := h.show(one); got != before {
			t.Fatalf("%s: changed to\n%s", c.name, got)
		}
	}
}

// Rows 17, 18, 68, 70: which account.
func TestOneAccountIsNamedInOneWay(t *testing.T) {
	h := newHouse(t, documented, line("ACR 7"))
	id := map[string]string{}
	for _, number := range []string{one, "ACR 7"} {
		v, err := h.store.Account(t.Context(), number, noon)
		if err != nil {
			t.Fatal(err)
		}
		id[number] = accountID(v.ID)
	}
	for _, c := range []struct{ name, identifier, code, number string }{
		{"by number", `{"number":"ACR0000001526"}`, "OK", one},
		{"row 68: by id", `{"id":"` + id[one] + `"}`, "OK", one},
		{"by id in small letters", `{"id":"` + strings.ToLower(id[one]) + `"}`, "OK", one},
		{"by name", `{"name":"ACR0000001526 John CN UAL"}`, "OK", one},
		{"by the name of a number with a blank", `{"name":"ACR 7 John CN UAL"}`, "OK", "ACR 7"},
		{"those that are null are not named", `{"name":null,"id":null,"number":"ACR 7"}`, "OK", "ACR 7"},
		{"row 17: unknown number", `{"number":"ACR0000001527"}`, "ACCOUNT_NOT_FOUND", ""},
		{"row 17: unknown id", `{"id":"76FBE26DE50D424987AC4CC69619A9C5"}`, "ACCOUNT_NOT_FOUND", ""},
		{"row 17: what no id is like", `{"id":"76"}`, "ACCOUNT_NOT_FOUND", ""},
		{"row 17: unknown name", `{"name":"ACR0000001526 John"}`, "ACCOUNT_NOT_FOUND", ""},
		{"a number is no name", `{"name":"ACR0000001526"}`, "ACCOUNT_NOT_FOUND", ""},
		{"row 18: none", `{}`, "INVALID_IDENTIFIER", ""},
		{"row 18: two", `{"number":"ACR0000001526","name":"ACR0000001526 John CN UAL"}`, "INVALID_IDENTIFIER", ""},
		{"row 18: null", `{"number":null}`, "INVALID_IDENTIFIER", ""},
		{"row 70: a list", `[{"number":"ACR0000001526"},{"number":"ACR 7"}]`, "INVALID_VALUE", ""},
		{"row 70: two numbers", `{"number":["ACR0000001526","ACR 7"]}`, "INVALID_VALUE", ""},
		{"a number that is one", `{"number":1526}`, "INVALID_VALUE", ""},
		{"an empty number", `{"number":""}`, "INVALID_VALUE", ""},
		{"access token", `{"access_token_identifier":{"authentication_code":"x"}}`, "UNKNOWN_PARAMETER", ""},
		{"a text", `"ACR0000001526"`, "INVALID_VALUE", ""},
		{"a null", `null`, "INVALID_VALUE", ""},
	} {
		body := `{"token":"` + h.manager + `","accounts_receivable_identifier":` + c.identifier + `,"fields_set":"number"}`
		for _, path := range []string{limitsPath, remainingPath} {
			if path == remainingPath {
				body = strings.Replace(body, `"fields_set":"number"`, `"fields_set":"accounts_receivable"`, 1)
			}
			a := h.wants(c.code, h.send(http.MethodPost, path, body))
			if c.number != "" && !strings.Contains(string(a.Data), `"number":"`+c.number+`"`) {
				t.Errorf("%s: got %s, want account %s", c.name, a.Data, c.number)
			}
		}
	}
	h.wants("INVALID_IDENTIFIER", h.send(http.MethodPost, limitsPath, `{"token":"`+h.manager+`"}`))
}

// Of those who ask for the same at the same time one is served.
func TestOneOfManyAddsAnEntry(t *testing.T) {
	h := newHouse(t, line(one))
	body := h.asks(one, entry(`"action":"add"`, `"service":{"code":"CREED"}`, `"maximum_usage_per_day":1`))
	var (
		wait  sync.WaitGroup
		codes = make(chan string, 8)
	)
	for range cap(codes) {
		wait.Go(func() { codes <- h.send(http.MethodPost, limitsPath, body).Status.Code })
	}
	wait.Wait()
	close(codes)
	count := map[string]int{}
	for code := range codes {
		count[code]++
	}
	if count["OK"] != 1 || count["ENTRY_EXISTS"] != cap(codes)-1 {
		t.Errorf("got %v, want one OK and the others ENTRY_EXISTS", count)
	}
}

// An add that is sent again is refused, as there is an entry by then; with a key it
// is answered what it was answered first.
func TestAKeyMakesItHappenOnce(t *testing.T) {
	h := newHouse(t, documented)
	add := func(ceiling string) string {
		return h.asks(one, `"usage_services_allowance":[{"action":"add","service":{"code":"CREED"},"maximum_usage_per_day":`+ceiling+`}]`)
	}
	send := func(body, key string) answer { return h.send(http.MethodPost, limitsPath, body, once.Header, key) }
	h.wants("UNKNOWN_PARAMETER", send(h.asks(one, `"force":true`), "k"))
	first := h.wants("OK", send(add("1"), "k")) // what was refused left it
	again := h.wants("OK", send(add("1"), "k"))
	if !bytes.Equal(again.body, first.body) || first.header.Get(once.Replayed) != "" || again.header.Get(once.Replayed) != "true" {
		t.Errorf("got %v %s, want %s", again.header, again.body, first.body)
	}
	h.wants("ENTRY_EXISTS", send(add("1"), "other"))
	reused := h.wants("KEY_REUSED", send(add("2"), "k"))
	if want := `Idempotency-Key: key "k": the key was used for another request: take a new one`; reused.Status.Description != want {
		t.Errorf("got %q, want %q", reused.Status.Description, want)
	}
	h.wants("KEY_REUSED", send(add("1"), strings.Repeat("k", 257)))
}
