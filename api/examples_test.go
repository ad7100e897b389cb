package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/google/go-cmp/cmp"
)

// update writes what is generated instead of comparing it.
var update = flag.Bool("update", false, "write api/examples.json and docs/api.md anew")

// tour is a walk through the API: each step is an example in the document.
type step struct {
	name, call string
	head       []string // name, value, …
	media      string   // of the body; JSON unless told
	body       string
	// hidden steps prepare the next ones.
	hidden bool
}

const raised = `{"setup": {"prices": [{"id": "eu", "service": "Exxon Unleaded", "currency": "EUR",
	"valid_from": "2026-01-01T00:00:00Z", "per_unit": "1.65"}]}, "from": "2026-03-01T00:00:00Z", "to": "2026-04-01T00:00:00Z"}`

var tour = []step{
	{name: "getAccount", call: "GET /v1/accounts/ACR0000001526"},
	{name: "listAccounts", call: "GET /v1/accounts?customer=jane&limit=1"},
	{name: "addCustomer", call: "POST /v1/customers", body: `{"ref": "mia", "name": "Mia Miller"}`},
	{name: "addCustomer", call: "POST /v1/customers", body: `{"ref": "mia", "name": "Mia Miller"}`},
	{name: "listCustomers", call: "GET /v1/customers?limit=1"},
	{name: "getCustomer", call: "GET /v1/customers/mia"},
	{name: "addAccount", call: "POST /v1/customers/mia/accounts", head: []string{keyHeader, "7f3c2a1e"}, body: `{"number": "ACR0000002001", "time_zone": "Europe/Athens"}`},
	{name: "listAccountsOfCustomer", call: "GET /v1/customers/mia/accounts"},
	{name: "linkService", call: "POST /v1/accounts/ACR0000002001/services", body: `{"code": "Exxon Unleaded"}`},
	{name: "linkService", call: "POST /v1/accounts/ACR0000002001/services", body: `{"code": "Exxon Unleaded"}`},
	{name: "linkApplication", call: "POST /v1/accounts/ACR0000002001/applications", body: `{"name": "Fleet app"}`},
	{name: "linkApplication", call: "POST /v1/accounts/ACR0000002001/applications", body: `{"name": "Fleet app"}`},
	{name: "addPayment", call: "POST /v1/accounts/ACR0000002001/payments", head: []string{keyHeader, "invoice-17"}, body: `{"amount": "60", "note": "cash"}`},
	{name: "addPayment", call: "POST /v1/accounts/ACR0000002001/payments", head: []string{keyHeader, "invoice-17"}, body: `{"amount": "60", "note": "cash"}`},
	{name: "linkPeriodicService", call: "POST /v1/accounts/ACR0000002001/periodic-services",
		body: `{"name": "Fleet card", "price": "5", "period": "monthly", "starts_on": "2026-03-31"}`},
	{name: "linkPeriodicService", call: "POST /v1/accounts/ACR0000002001/periodic-services",
		body: `{"name": "Fleet card", "price": "6", "period": "monthly", "starts_on": "2026-03-31"}`},
	{name: "addAdjustment", call: "POST /v1/accounts/ACR0000002001/adjustments", head: []string{keyHeader, "fix-17"},
		body: `{"amount": "-30", "note": "charged at the wrong pump"}`},
	{name: "addAdjustment", call: "POST /v1/accounts/ACR0000002001/adjustments", head: []string{keyHeader, "fix-17"},
		body: `{"amount": "-30", "note": "charged at the wrong pump"}`},
	{name: "changeAccount", call: "PATCH /v1/accounts/ACR0000002001", head: []string{"If-Match", "*"}, body: `{"financial_blocking_threshold": "200", "cycle_day": 15}`},
	{name: "holdAccount", call: "POST /v1/accounts/ACR0000002001/hold", body: `{"note": "card reported stolen"}`},
	{name: "releaseAccount", call: "POST /v1/accounts/ACR0000002001/release", body: `{"note": "card found"}`},
	{name: "changeLimits", call: "PATCH /v1/accounts/ACR0000002001/limits", body: `{"accumulated_maximum_usage_per_day": "50",
		"usage_services_allowance": [{"action": "add", "service": {"code": "Exxon Unleaded"}, "maximum_usage_per_month": "300"}]}`},
	{name: "getLimits", call: "GET /v1/accounts/ACR0000002001/limits"},
	{name: "getRemaining", call: "GET /v1/accounts/ACR0000002001/limits/remaining?service=Exxon%20Unleaded"},
	{name: "getStatement", call: "GET /v1/accounts/ACR0000002001/statement"},
	{name: "getHistory", call: "GET /v1/accounts/ACR0000002001/history"},
	{name: "unlinkPeriodicService", call: "DELETE /v1/accounts/ACR0000002001/periodic-services/Fleet%20card"},
	{name: "unlinkApplication", call: "DELETE /v1/accounts/ACR0000002001/applications/Fleet%20app"},
	{name: "unlinkService", call: "DELETE /v1/accounts/ACR0000002001/services/Exxon%20Unleaded"},
	{name: "deleteAccount", call: "DELETE /v1/accounts/ACR0000002001?note=closed%20by%20the%20customer"},
	{name: "listRecords", call: "GET /v1/records?account=ACR0000001526&from=2026-03-01T00:00:00Z&limit=1"},
	{name: "listRecords", call: "GET /v1/records?outcome=rejected", head: []string{"Accept", asNDJSON}},
	{name: "getRecord", call: "GET /v1/records/pump-7/r2"},
	{name: "getRecord", call: "GET /v1/records/pump-7/r1"},
	{name: "getPriceBook", call: "GET /v1/price-book"},
	{name: "getPriceBook", call: "GET /v1/price-book", head: []string{"Accept", asYAML}},
	{name: "simulate", call: "POST /v1/simulations", body: raised},
	{name: "simulate", call: "POST /v1/simulations", head: []string{"Accept", asNDJSON}, body: raised},
	{name: "putPriceBook", call: "PUT /v1/price-book", head: []string{"If-Match", `"settings-2"`},
		body: `{"services": [{"code": "Diesel", "type": "E2"}],
			"prices": [{"id": "diesel", "service": "Diesel", "currency": "EUR", "valid_from": "2026-03-01T00:00:00Z", "per_unit": "1.49"}]}`},
	{name: "putPriceBook", call: "PUT /v1/price-book?dry_run=true", media: asYAML,
		body: "prices:\n  - {id: eu, service: Exxon Unleaded, currency: EUR, valid_from: 2026-01-01T00:00:00Z, valid_to: 2026-07-01T00:00:00Z, per_unit: \"1.55\"}\n"},
	{name: "getQueues", call: "GET /v1/queues"},
	{name: "getOutcomes", call: "GET /v1/outcomes"},
	{name: "listDeadLetters", call: "GET /v1/dead-letters"},
	{name: "redriveDeadLetters", call: "POST /v1/dead-letters/redrive", body: `{"kind": "conflict"}`},
}

// TestTheExamplesAreTrue takes the tour, and holds what is answered against the
// examples of the document. With -update they become what is answered.
func TestTheExamplesAreTrue(t *testing.T) {
	s := openMarch(t)
	var happened []exchange
	masked := newMask()
	for _, st := range tour {
		method, path, _ := strings.Cut(st.call, " ")
		head := st.head
		if st.media != "" {
			head = append([]string{"Content-Type", st.media}, head...)
		}
		got := s.do(access.Read|access.Manage, method, path, st.body, head...)
		if st.hidden {
			continue
		}
		x := exchange{Name: st.name, Call: st.call, Status: got.status, Form: got.head.Get("Content-Type")}
		for i := 0; i < len(st.head); i += 2 {
			if x.Head == nil {
				x.Head = map[string]string{}
			}
			x.Head[st.head[i]] = st.head[i+1]
		}
		if st.body != "" {
			if x.Media = st.media; x.Media == "" {
				x.Media = asJSON
			}
			x.Body = rawOf(t, x.Media, []byte(st.body))
		}
		if len(got.body) > 0 {
			x.Answer = rawOf(t, x.Form, masked.of(got.body))
		}
		happened = append(happened, x)
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(happened); err != nil {
		t.Fatal(err)
	}
	generated(t, "examples.json", text.Bytes())
}

// generated holds a file against what it should be, or writes it.
func generated(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s is old: go test ./api -run 'Examples|Guide' -update (-want +got):\n%s", name, diff)
	}
}

// rawOf is a text as JSON: itself, or in a string.
func rawOf(t *testing.T, media string, text []byte) json.RawMessage {
	t.Helper()
	if strings.HasSuffix(media, "json") && media != asNDJSON {
		return text
	}
	quoted, err := json.Marshal(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return quoted
}

// mask makes of what is different each time something that is not.
type mask struct{ ids map[string]string }

func newMask() *mask { return &mask{map[string]string{}} }

var (
	anyID     = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)
	anyCursor = regexp.MustCompile(`"next":"[^"]+"`)
)

func (m *mask) of(text []byte) []byte {
	text = anyCursor.ReplaceAll(text, []byte(`"next":"eyJhIjoxLCJuIjoiQUNSMDAwMDAwMTUyNiJ9"`))
	return anyID.ReplaceAllFunc(text, func(id []byte) []byte {
		if m.ids[string(id)] == "" {
			m.ids[string(id)] = fmt.Sprintf("019a1b2c-3d4e-7f00-8a9b-%012d", len(m.ids)+1)
		}
		return []byte(m.ids[string(id)])
	})
}
