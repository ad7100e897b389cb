package e2e_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// doors is a site with both its doors: the commands, and the API with a token
// that may do everything.
type doors struct {
	*site
	url, token string
}

func (s *site) openDoors() *doors {
	s.t.Helper()
	made := s.answer("token", "create", "--name", "doors", "--scope", "read", "--scope", "feed", "--scope", "manage")
	return &doors{s, s.serve(), made["token"].(string)}
}

// ask sends a request and answers what came back; head is name, value, ….
func (s *doors) ask(method, path, body string, head ...string) string {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if w.StatusCode >= http.StatusBadRequest {
		s.t.Fatalf("%s %s: got %d %s", method, path, w.StatusCode, text)
	}
	return string(text)
}

// same holds what the two doors say against each other.
func (s *doors) same(what, typed, asked string) {
	s.t.Helper()
	if diff := cmp.Diff(valuesOf(s.t, typed), valuesOf(s.t, asked)); diff != "" {
		s.t.Errorf("%s: the command says - and the API says +:\n%s", what, diff)
	}
}

// valuesOf is the lines of JSON in a text, or its one value.
func valuesOf(t testing.TB, text string) (all []any) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	for d.More() {
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		all = append(all, v)
	}
	return all
}

// items is the rows of a page, a line each.
func items(t testing.TB, page string) string {
	t.Helper()
	var p struct{ Items []json.RawMessage }
	if err := json.Unmarshal([]byte(page), &p); err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	for _, row := range p.Items {
		rows.Write(row)
		rows.WriteByte('\n')
	}
	return rows.String()
}

// TestTwoDoorsSayTheSame: what a command prints as JSON is what the API answers.
func TestTwoDoorsSayTheSame(t *testing.T) {
	s := newSite(t)
	worker := s.start("work")
	s.beginLikeReadme()
	s.file("doors.ndjson", doorRecords)
	s.must("ingest", "doors.ndjson", "--wait")
	worker.stop()
	d := s.openDoors()
	const ndjson = "application/x-ndjson"
	d.same("record list", s.must("record", "list", "--json"), d.ask("GET", "/v1/records", "", "Accept", ndjson))
	d.same("record list, a page", s.must("record", "list", "--limit", "1000", "--json"), items(t, d.ask("GET", "/v1/records?limit=1000", "")))
	d.same("record list --outcome", s.must("record", "list", "--outcome", "rejected", "--limit", "1000", "--json"),
		items(t, d.ask("GET", "/v1/records?outcome=rejected", "")))
	for _, r := range s.list("record", "list") {
		source, id, account := r["source"].(string), r["id"].(string), r["account"].(string)
		d.same("record show", s.must("record", "show", source, id, "--account", account, "--json"),
			d.ask("GET", "/v1/records/"+url.PathEscape(source)+"/"+url.PathEscape(id)+"?account="+url.QueryEscape(account), ""))
	}
	d.same("export", s.must("export", "--json"), d.ask("GET", "/v1/price-book", ""))
	if typed, asked := s.must("export"), d.ask("GET", "/v1/price-book", "", "Accept", "application/yaml"); typed != asked {
		t.Errorf("as YAML: %s", cmp.Diff(typed, asked))
	}
	d.same("dead-letters list", s.must("dead-letters", "list", "--json"), items(t, d.ask("GET", "/v1/dead-letters", "")))
	d.sameFigures()
	d.sameChanges()
}

// sameFigures holds stats against the two endpoints that say it.
func (s *doors) sameFigures() {
	s.t.Helper()
	typed := s.answer("stats")
	asked := s.object(s.ask("GET", "/v1/queues", ""))
	asked["outcomes"] = s.object(s.ask("GET", "/v1/outcomes", ""))
	if diff := cmp.Diff(typed, asked); diff != "" {
		s.t.Errorf("stats: the command says - and the API says +:\n%s", diff)
	}
}

// sameChanges holds against each other what is tried out and what is done. What is
// done by one door is undone before the other does it, or is done to another thing.
func (s *doors) sameChanges() {
	s.t.Helper()
	book := s.object(s.must("export", "--json"))
	dear := map[string]any{"prices": book["prices"]}
	for _, p := range book["prices"].([]any) {
		if p := p.(map[string]any); p["per_unit"] != nil {
			p["per_unit"] = "9.99"
		}
	}
	setup, err := json.Marshal(dear)
	if err != nil {
		s.t.Fatal(err)
	}
	s.file("dear.json", string(setup))
	typed := s.must("simulate", "-f", "dear.json", "--every", "--json")
	asked := s.ask("POST", "/v1/simulations", `{"every": true, "setup": `+string(setup)+`}`, "Accept", "application/x-ndjson")
	s.same("simulate", typed, asked)

	const family = `{"families": [{"code": "DOORS", "name": "DOORS family"}]}`
	s.file("family.json", family)
	s.same("apply --dry-run", s.must("apply", "-f", "family.json", "--dry-run", "--json"), s.ask("PUT", "/v1/price-book?dry_run=true", family))
	s.same("apply", strings.ReplaceAll(s.must("apply", "-f", "family.json", "--json"), "DOORS", "PORTS"),
		s.ask("PUT", "/v1/price-book", strings.ReplaceAll(family, "DOORS", "PORTS")))
	s.same("apply again", s.must("apply", "-f", "family.json", "--json"), s.ask("PUT", "/v1/price-book", family))
	s.same("dead-letters redrive", s.must("dead-letters", "redrive", "--kind", "unreadable", "--json"),
		s.ask("POST", "/v1/dead-letters/redrive", `{"kind": "unreadable"}`))
}

// doorRecords are records of each kind: rated, rejected, unreadable, sent twice
// and with other content, and with slashes in their names.
const doorRecords = `{"source":"doors","id":"d1","account":"A-1001","service":"call","quantity":"12.5","occurred_at":"2026-03-02T09:30:00+02:00"}
{"source":"doors","id":"d2","account":"A-1001","service":"call","quantity":"2","occurred_at":"2026-03-02T10:30:00+02:00"}
{"source":"doors","id":"d2","account":"A-1001","service":"call","quantity":"3","occurred_at":"2026-03-02T10:30:00+02:00"}
{"source":"doors","id":"d1","account":"A-1001","service":"call","quantity":"12.5","occurred_at":"2026-03-02T09:30:00+02:00"}
{"source":"doors/east 1","id":"a/b%2F+","account":"A-1001","service":"call","quantity":"1","occurred_at":"2026-03-02T11:30:00Z"}
{"source":"doors","id":"d1","account":"A-9999","service":"call","quantity":"1","occurred_at":"2026-03-02T11:30:00Z"}
{"source":"doors","id":"d3","account":"A-1001","service":"nothing","quantity":"1","occurred_at":"2026-03-02T11:30:00Z"}
{"source":"doors","id":"d4","account":"A-1001","service":"call","quantity":"1,5","occurred_at":"2026-03-02T11:30:00Z"}
`
