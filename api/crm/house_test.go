package crm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
)

// noon is the now of tests.
var noon = time.Date(2026, time.March, 21, 12, 0, 0, 0, time.UTC)

// town is the catalogue of the documents, with a second type of channels; its
// accounts follow, one a line, as the set-up file has them.
const town = `
families: [{code: CH, name: Channels}, {code: FUEL, name: Fuel}]
types:
  - {code: E2, name: Exxon, family: FUEL, unit: {code: L, name: Litre}}
  - {code: V, name: Usage Services, family: CH}
  - {code: P, name: Pay per view, family: CH}
services:
  - {code: Exxon Unleaded, alternative_code: EU, description: Exxon Unleaded, type: E2}
  - {code: Exxon Petrol, alternative_code: EP, description: Petrol, type: E2}
  - {code: CREED, alternative_code: C, description: "VOD: CREED", type: V}
  - {code: MATCH, type: P}
prices:
  - {id: eu, service: Exxon Unleaded, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "1"}
  - {id: ep, service: Exxon Petrol, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "1"}
  - {id: c, service: CREED, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "1"}
  - {id: m, service: MATCH, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "1"}
account_classes:
  - {key: gold, name: Gold, payment_model: prepay, financial_blocking_threshold: "100", subzero_period: -1,
     subscription_credit_limit: "0", buy_with_negative_balance: false, default: true}
  - {key: invoice, name: On invoice, payment_model: postpay, financial_blocking_threshold: "0", subzero_period: -1,
     subscription_credit_limit: "50", buy_with_negative_balance: false}
customers:
  - ref: john
    name: John CN UAL
    accounts:
`

// one is the number of the account of the documents.
const one = "ACR0000001526"

// line is an account that may use everything, with whatever else its line says.
func line(number string, more ...string) string {
	return fmt.Sprintf("{number: %s, currency: EUR, opening_balance: %q, services: [Exxon Unleaded, Exxon Petrol, CREED, MATCH]%s}",
		number, "50000", strings.Join(append([]string{""}, more...), ", "))
}

// documented is the account of the documents before their request.
var documented = line(one, `limits: {usage_services_allowance: [
	{service: {code: Exxon Unleaded}, maximum_usage_per_day: "30"},
	{service: {code: Exxon Petrol}, maximum_rated_amount_per_day: "100"}]}`)

// house is the methods over a database of the test's own.
type house struct {
	t               *testing.T
	url             string
	store           *postgres.Store
	handler         http.Handler
	manager, reader string // tokens
	forAll          bool   // limits.scope is all_accounts
}

func newHouse(t *testing.T, accounts ...string) *house { return newHouseOf(t, Options{}, accounts...) }

// newHouseOf sets up town with accounts, as of the day before noon.
func newHouseOf(t *testing.T, o Options, accounts ...string) *house {
	t.Helper()
	h := &house{t: t, url: pgtest.New(t), forAll: o.LimitsForAll}
	store, err := postgres.Open(t.Context(), h.url, postgres.Options{Connections: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	h.store = store
	h.apply(town + "      - " + strings.Join(accounts, "\n      - "))
	h.manager = h.token(postgres.Token{Name: "manager", Scopes: int16(access.Read | access.Manage)})
	h.reader = h.token(postgres.Token{Name: "reader", Scopes: int16(access.Read)})
	o.Store, o.Clock, o.Log = store, func() time.Time { return noon }, slog.New(slog.DiscardHandler)
	if o.Gate == nil {
		o.Gate = access.NewGate(store, access.Options{Clock: o.Clock})
	}
	mux := http.NewServeMux()
	for _, r := range Routes(o) {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	h.handler = mux
	return h
}

// token makes a token, and answers what its owner sends.
func (h *house) token(k postgres.Token) string {
	h.t.Helper()
	made, err := access.Make()
	if err != nil {
		h.t.Fatal(err)
	}
	k.ID, k.Hash, k.CreatedBy, k.CreatedAt = made.ID, made.Hash, "test", noon
	if err := h.store.CreateToken(h.t.Context(), &k); err != nil {
		h.t.Fatal(err)
	}
	return made.Text
}

func (h *house) apply(file string) {
	h.t.Helper()
	f, err := setup.Parse("setup.yaml", []byte(file))
	if err != nil {
		h.t.Fatal(err)
	}
	o := postgres.ApplyOptions{At: noon.Add(-24 * time.Hour), Actor: "test", TimeZone: time.UTC, LimitsForAll: h.forAll}
	if _, err := h.store.Apply(h.t.Context(), f, o); err != nil {
		h.t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	http   int
	header http.Header
	body   []byte
	Data   json.RawMessage
	Status Status
}

// send asks with a body as it stands.
func (h *house) send(method, target, body string, head ...string) answer {
	h.t.Helper()
	r := httptest.NewRequestWithContext(h.t.Context(), method, target, strings.NewReader(body))
	for i := 0; i < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	a := answer{http: w.Code, header: w.Result().Header}
	a.body, _ = io.ReadAll(w.Result().Body)
	d := json.NewDecoder(bytes.NewReader(a.body))
	d.DisallowUnknownFields()
	var e Envelope
	if err := d.Decode(&e); err != nil {
		h.t.Fatalf("%s %s: %s: %v", method, target, a.body, err)
	}
	a.Data, a.Status = e.Data, e.Status
	return a
}

// asks is a body about an account, with these members besides, as a manager.
func (h *house) asks(number string, members ...string) string {
	all := append([]string{`"token":` + string(quoted(h.manager)), `"accounts_receivable_identifier":{"number":` + string(quoted(number)) + "}"}, members...)
	return "{" + strings.Join(all, ",") + "}"
}

// set asks to set limits, which must be answered by the code.
func (h *house) set(code, number string, members ...string) answer {
	h.t.Helper()
	return h.wants(code, h.send(http.MethodPost, limitsPath, h.asks(number, members...)))
}

// entry is a request's list of one entry.
func entry(members ...string) string {
	return `"usage_services_allowance":[{` + strings.Join(members, ",") + `}]`
}

// left asks what remains of an account.
func (h *house) left(number string) (r map[string]any) {
	h.t.Helper()
	q := url.Values{"token": {h.reader}, "number": {number}}
	a := h.wants("OK", h.send(http.MethodGet, remainingPath+"?"+q.Encode(), ""))
	if err := json.Unmarshal(a.Data, &r); err != nil {
		h.t.Fatal(err)
	}
	return r
}

// wants holds an answer against the code that it should have, and that against
// its HTTP status and message.
func (h *house) wants(code string, a answer) answer {
	h.t.Helper()
	if a.Status.Code != code {
		h.t.Fatalf("got %s, want %s: %s", a.Status.Code, code, a.Status.Description)
	}
	for _, c := range Codes() {
		if c.Name == code && (c.HTTP != a.http || c.Meaning != a.Status.Message) {
			h.t.Errorf("%s: got %d and %q, want %d and %q", code, a.http, a.Status.Message, c.HTTP, c.Meaning)
		}
	}
	if (code == "OK") != (string(a.Data) != "null") || (code == "OK") != (a.Status.Description == "") {
		h.t.Errorf("%s: got data %.60s and description %q", code, a.Data, a.Status.Description)
	}
	return a
}

// limits is the limits of an answer, in short: those account-wide ceilings and
// flags that are not null by key, and of each entry "kind code" the same.
func (a answer) limits(t *testing.T) string {
	t.Helper()
	var data struct {
		Limits map[string]json.RawMessage `json:"usage_allowance_limits"`
	}
	if err := json.Unmarshal(a.Data, &data); err != nil {
		t.Fatal(err)
	}
	var entries []map[string]json.RawMessage
	if err := json.Unmarshal(data.Limits[entriesKey], &entries); err != nil {
		t.Fatal(err)
	}
	delete(data.Limits, entriesKey)
	delete(data.Limits, "currency")
	lines := []string{short(data.Limits)}
	for _, e := range entries {
		name := ""
		for _, k := range targetKeys {
			var of struct {
				Code        string `json:"code"`
				Alternative string `json:"alternative_code"`
			}
			if string(e[k.key]) == "null" {
				delete(e, k.key)
				continue
			}
			if err := json.Unmarshal(e[k.key], &of); err != nil {
				t.Fatal(err)
			}
			if of.Code == "" {
				of.Code = of.Alternative
			}
			name += k.key + " " + of.Code
			delete(e, k.key)
		}
		lines = append(lines, name+": "+short(e))
	}
	return strings.Join(lines, "\n")
}

// abbreviations make the keys of ceilings short.
var abbreviations = strings.NewReplacer("accumulated_maximum_", "", "maximum_", "", "rated_amount_per_", "amount/", "usage_per_", "usage/",
	"percentage_of_allowed_exceeded_usage_limit", "percentage", "block_services_not_included_in_usage_allowance_limits_settings", "block")

func short(members map[string]json.RawMessage) string {
	var parts []string
	for _, key := range []string{blockKey, percentageKey} {
		if v, ok := members[key]; ok && string(v) != "null" {
			parts = append(parts, abbreviations.Replace(key)+"="+string(v))
		}
	}
	for _, account := range []bool{true, false} {
		for _, key := range limits.CeilingNames(account) {
			if v, ok := members[key]; ok && string(v) != "null" {
				parts = append(parts, abbreviations.Replace(key)+"="+string(v))
			}
		}
	}
	return strings.Join(parts, " ")
}
