package api

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/route"
	"github.com/chargehand/chargehand/verify"
)

const shire = village + `
      - {number: NORTH1, class: default, currency: EUR, opening_balance: "50", profile: {reseller: 1}}
      - {number: NORTH2, class: default, currency: EUR, opening_balance: "50", profile: {reseller: 2}}
      - {number: SOUTH1, class: default, currency: EUR, opening_balance: "50", profile: {reseller: 3}}
resellers: [{id: 1, name: North, currency: EUR}, {id: 2, name: Below, parent: 1, currency: EUR}, {id: 3, name: South, currency: EUR}]
`

type target struct {
	where  string
	method string
	path   string
	places map[string]string // path parameters
	query  url.Values
	head   http.Header
	media  string // of the body
	body   string
	token  route.Place
}

func (s *site) targets() (all []target) {
	d := s.document()
	d.operations(func(method, path string, o map[string]any) {
		x := target{where: strings.ToUpper(method) + " " + path, method: strings.ToUpper(method), path: path, places: map[string]string{},
			query: url.Values{}, head: http.Header{}}
		parameters, _ := o["parameters"].([]any)
		for _, p := range parameters {
			p := p.(map[string]any)
			name, value := fmt.Sprint(p["name"]), "1"
			if p["example"] != nil {
				value = fmt.Sprint(p["example"])
			}
			switch {
			case name == "token", name == "api_token": // aim puts it in
			case p["in"] == "path":
				x.places[name] = value
			case p["in"] == "query":
				x.query.Set(name, value)
			case p["in"] == "header":
				x.head.Set(name, value)
			}
		}
		body, _ := o["requestBody"].(map[string]any)
		content, _ := body["content"].(map[string]any)
		for media, about := range content {
			if x.media == "" || strings.Contains(media, "json") {
				x.media, x.body = media, sentExample(about.(map[string]any))
			}
		}
		for _, scheme := range o["security"].([]any) {
			for name := range scheme.(map[string]any) {
				x.token = route.Place(name)
			}
		}
		if x.token == route.BodyToken && x.method == http.MethodGet { // one name of an account is enough
			x.query = url.Values{"accounts_receivable_identifier": x.query["accounts_receivable_identifier"]}
		}
		all = append(all, x)
	})
	return all
}

func sentExample(media map[string]any) string {
	found := media["example"]
	examples, _ := media["examples"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(examples)) {
		if found == nil {
			found = examples[name].(map[string]any)["value"]
		}
	}
	if text, is := found.(string); is {
		return text
	}
	text, _ := json.Marshal(found) // it was JSON
	return string(text)
}

func (s *site) aim(x target, token string) answer {
	s.t.Helper()
	path := x.path
	for name, value := range x.places {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	query, head, body := maps.Clone(x.query), x.head.Clone(), x.body
	switch x.token {
	case route.QueryToken:
		set(query.Set, "api_token", token)
	case route.HeaderToken:
		set(head.Set, "X-Api-Token", token)
	case route.BodyToken:
		var members map[string]json.RawMessage
		if x.method == http.MethodGet || json.Unmarshal([]byte(body), &members) != nil || members == nil {
			set(query.Set, "token", token)
			break
		}
		if delete(members, "token"); token != "" {
			members["token"] = json.RawMessage(`"` + token + `"`)
		}
		text, err := json.Marshal(members)
		if err != nil {
			s.t.Fatal(err)
		}
		body = string(text)
	default:
		if token != "" {
			head.Set("Authorization", "Bearer "+token)
		}
	}
	r, err := http.NewRequestWithContext(s.t.Context(), x.method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.URL.RawQuery, r.Header = query.Encode(), head
	if x.media != "" {
		r.Header.Set("Content-Type", x.media)
	}
	return s.sent(r)
}

func set(in func(name, value string), name, value string) {
	if value != "" {
		in(name, value)
	}
}

func (s *site) sent(r *http.Request) answer {
	s.t.Helper()
	w, err := http.DefaultTransport.RoundTrip(r) // follows nothing
	if err != nil {
		s.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	defer w.Body.Close()
	got, err := io.ReadAll(w.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", r.Method, r.URL, err)
	}
	return answer{status: w.StatusCode, head: w.Header, body: got}
}

func (s *site) well(balance string) {
	s.t.Helper()
	got := s.do(access.Read, "GET", "/v1/accounts/SOUTH1", "")
	var account struct{ Balance string }
	if got.decode(s.t, &account); got.status != http.StatusOK || account.Balance != balance {
		s.t.Errorf("afterwards: got %d %s, want a balance of %s", got.status, got.body, balance)
	}
	s.proved()
}

// proved fails where the books do not hold.
func (s *site) proved() {
	s.t.Helper()
	report, err := verify.Run(s.t.Context(), s.store, verify.Options{})
	if err != nil || !report.Sound() {
		s.t.Errorf("afterwards: %+v, %v", report, err)
	}
}

const every = access.Read | access.Feed | access.Manage
