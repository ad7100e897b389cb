package e2e_test

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// twins are two accounts that are alike: what is typed about one is asked about
// the other, and must come to the same.
const twins = `
families: [{code: FUEL, name: Fuel}]
types: [{code: E2, name: Exxon, family: FUEL, unit: {code: L, name: Litre}}]
services:
  - {code: Unleaded, type: E2}
  - {code: Diesel, type: E2}
prices: [{id: eu, service: Unleaded, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: "1.55"}]
account_classes:
  - {key: std, name: Standard, payment_model: prepay, financial_blocking_threshold: "100", subzero_period: 3, subscription_credit_limit: "0", default: true}
  - {key: post, name: Later, payment_model: postpay, subscription_credit_limit: "500"}
customers:
  - ref: jane
    accounts:
      - {number: TWIN-1, currency: EUR, opening_balance: "20", services: [Unleaded]}
      - {number: TWIN-2, currency: EUR, opening_balance: "20", services: [Unleaded]}
`

const twinRecords = `{"source":"doors","id":"d1","account":"TWIN-1","service":"Unleaded","quantity":"12.5","occurred_at":"2026-03-02T09:30:00+02:00"}
{"source":"doors","id":"d1","account":"TWIN-2","service":"Unleaded","quantity":"12.5","occurred_at":"2026-03-02T09:30:00+02:00"}
`

// differs is what two doors say differently by right: the twin's number, ids, who
// it was, and when it was where nobody can say it.
var differs = []struct {
	what *regexp.Regexp
	is   string
}{
	{regexp.MustCompile(`TWIN-[12]`), "TWIN"},
	{regexp.MustCompile(`"id":"[0-9a-f-]{36}"`), `"id":"ID"`},
	{regexp.MustCompile(`"actor":"[^"]*"`), `"actor":"ACTOR"`},
	{regexp.MustCompile(`"created_at":"[^"]*"`), `"created_at":"TIME"`},
	{regexp.MustCompile(`"at":"[^"]*","kind":"usage"`), `"at":"TIME","kind":"usage"`},
}

func alike(text string) string {
	for _, d := range differs {
		text = d.what.ReplaceAllString(text, d.is)
	}
	return text
}

// byteForByte holds what the two doors say of the twins against each other.
func (s *doors) byteForByte(what, typed, asked string) {
	s.t.Helper()
	if typed, asked = alike(typed), alike(asked); typed != asked {
		s.t.Errorf("%s:\nthe command says %s\nthe API says     %s", what, typed, asked)
	}
}

// TestTwoDoorsDoTheSameToAccounts: each action has one implementation.
func TestTwoDoorsDoTheSameToAccounts(t *testing.T) {
	s := newSite(t)
	s.file("twins.yaml", twins)
	s.must("apply", "-f", "twins.yaml")
	worker := s.start("work")
	s.file("twins.ndjson", twinRecords)
	s.must("ingest", "twins.ndjson", "--wait")
	worker.stop()
	d := s.openDoors()
	const at = "2026-03-10T12:00:00Z"
	s.file("limits.json", `{"accumulated_maximum_usage_per_day": 1e2, "usage_services_allowance": [
		{"action": "add", "service": {"code": "Unleaded"}, "maximum_usage_per_month": "300"}]}`)
	const account = "/v1/accounts/TWIN-2"
	for _, c := range []struct {
		typed                    string
		method, path, body, head string
	}{
		{"account pay TWIN-1 7.50 --key k1 --note cash", "POST", "/payments", `{"amount": 7.50, "note": "cash", "at": "` + at + `"}`, "k1"},
		{"account pay TWIN-1 7.5 --key k1", "POST", "/payments", `{"amount": "7.5", "at": "` + at + `"}`, "k1"},
		{"account adjust TWIN-1 -30 --key k2 --note wrong", "POST", "/adjustments", `{"amount": -30, "note": "wrong", "at": "` + at + `"}`, "k2"},
		{"account hold TWIN-1 --note stolen", "POST", "/hold", `{"note": "stolen", "at": "` + at + `"}`, ""},
		{"account hold TWIN-1 --note stolen", "POST", "/hold", `{"note": "stolen", "at": "` + at + `"}`, ""},
		{"account release TWIN-1 --note found", "POST", "/release", `{"note": "found", "at": "` + at + `"}`, ""},
		{"account set TWIN-1 --threshold 200 --cycle-day 15 --time-zone Europe/Athens", "PATCH", "",
			`{"financial_blocking_threshold": "200", "cycle_day": 15, "time_zone": "Europe/Athens", "at": "` + at + `"}`, ""},
		{"account set TWIN-1 --threshold class", "PATCH", "", `{"financial_blocking_threshold": null, "at": "` + at + `"}`, ""},
		{"account link TWIN-1 service Diesel", "POST", "/services", `{"code": "Diesel", "at": "` + at + `"}`, ""},
		{"account link TWIN-1 service Diesel", "POST", "/services", `{"code": "Diesel", "at": "` + at + `"}`, ""},
		{"account link TWIN-1 application App", "POST", "/applications", `{"name": "App", "at": "` + at + `"}`, ""},
		{"account pay TWIN-1 100 --key k3", "POST", "/payments", `{"amount": "100", "at": "` + at + `"}`, "k3"},
		{"account link TWIN-1 periodic Card --price 5 --period monthly --ends-on 2027-01-01 --prorate", "POST", "/periodic-services",
			`{"name": "Card", "price": 5, "period": "monthly", "ends_on": "2027-01-01", "prorate": true, "at": "` + at + `"}`, ""},
		{"account link TWIN-1 periodic Card --price 6 --period monthly --ends-on 2027-01-01 --prorate", "POST", "/periodic-services",
			`{"name": "Card", "price": "6", "period": "monthly", "ends_on": "2027-01-01", "prorate": true, "at": "` + at + `"}`, ""},
		{"limits set TWIN-1 -f limits.json", "PATCH", "/limits?at=" + at, `{"accumulated_maximum_usage_per_day": 1e2, "usage_services_allowance": [
			{"action": "add", "service": {"code": "Unleaded"}, "maximum_usage_per_month": "300"}]}`, ""},
		{"limits remaining TWIN-1 --service Unleaded", "GET", "/limits/remaining?service=Unleaded&at=" + at, "", ""},
		{"account show TWIN-1", "GET", "?at=" + at, "", ""},
		{"account unlink TWIN-1 service Diesel", "DELETE", "/services/Diesel?at=" + at, "", ""},
		{"account unlink TWIN-1 periodic Card", "DELETE", "/periodic-services/Card?at=" + at, "", ""},
		{"account unlink TWIN-1 periodic Card", "DELETE", "/periodic-services/Card?at=" + at, "", ""},
		{"account delete TWIN-1 --note gone", "DELETE", "?note=gone&at=" + at, "", ""},
		{"account show TWIN-1", "GET", "?at=" + at, "", ""},
	} {
		head := []string{}
		if c.head != "" {
			head = []string{"Idempotency-Key", c.head}
		}
		typed := s.must(append(strings.Fields(c.typed), "--at", at, "--json")...)
		d.byteForByte(c.typed, typed, d.ask(c.method, account+c.path, c.body, head...))
	}
	d.byteForByte("limits show", s.must("limits", "show", "TWIN-1", "--json"), d.ask("GET", account+"/limits", ""))
	d.byteForByte("account statement", s.must("account", "statement", "TWIN-1", "--json"), items(t, d.ask("GET", account+"/statement", "")))
	d.byteForByte("account history", s.must("account", "history", "TWIN-1", "--json"), items(t, d.ask("GET", account+"/history", "")))
	d.same("account list", s.must("account", "list", "--json"), items(t, d.ask("GET", "/v1/accounts", "")))
	d.same("account list --status", s.must("account", "list", "--status", "deleted", "--json"), items(t, d.ask("GET", "/v1/accounts?status=deleted", "")))
	d.sameRefusals()
	s.must("verify")
}

// sameRefusals holds what is told of what is refused against each other.
func (s *doors) sameRefusals() {
	s.t.Helper()
	s.file("twice.json", `{"usage_services_allowance": [{"action": "add", "service": {"code": "Unleaded"}, "maximum_usage_per_month": "3"}]}`)
	for _, c := range []struct{ typed, method, path, body string }{
		{"account show NOBODY", "GET", "/v1/accounts/NOBODY", ""},
		{"account pay TWIN-1 -1 --key x", "POST", "/payments", `{"amount": "-1"}`},
		{"account pay TWIN-1 8 --key k1", "POST", "/payments", `{"amount": "8"}`},
		{"account adjust TWIN-1 999999999999 --key x --note y", "POST", "/adjustments", `{"amount": "999999999999", "note": "y"}`},
		{"account hold TWIN-1 --note x", "POST", "/hold", `{"note": "x"}`},
		{"account set TWIN-1 --class none", "PATCH", "", `{"class": "none"}`},
		{"account set TWIN-1 --class post", "PATCH", "", `{"class": "post"}`},
		{"account link TWIN-1 service Nothing", "POST", "/services", `{"code": "Nothing"}`},
		{"account link TWIN-1 periodic Yacht --price 999999 --period monthly", "POST", "/periodic-services", `{"name": "Yacht", "price": "999999", "period": "monthly"}`},
		{"limits set TWIN-1 -f twice.json", "PATCH", "/limits",
			`{"usage_services_allowance": [{"action": "add", "service": {"code": "Unleaded"}, "maximum_usage_per_month": "3"}]}`},
	} {
		path := c.path
		if !strings.HasPrefix(path, "/v1") {
			path = "/v1/accounts/TWIN-2" + path
		}
		typed, asked := s.run(strings.Fields(c.typed)...), s.refused(c.method, path, c.body)
		if typed.status != 1 || !strings.Contains(alike(typed.stderr), alike(asked)) {
			s.t.Errorf("%s: exit status %d\nthe command says %sthe API says     %s", c.typed, typed.status, typed.stderr, asked)
		}
	}
}

// refused is the detail of the problem that a request is answered.
func (s *doors) refused(method, path, body string) string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", map[bool]string{true: "k1", false: "x"}[strings.Contains(body, `"8"`)])
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if w.StatusCode < http.StatusBadRequest {
		s.t.Fatalf("%s %s %s: got %d %s, want a refusal", method, path, body, w.StatusCode, text)
	}
	detail, _ := s.object(string(text))["detail"].(string)
	return detail
}
