package crm

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
)

// Whatever is sent, it is read as a change or refused by one of our codes; and
// what is read comes to a patch of limits, or to a refusal.
func FuzzRequest(f *testing.F) {
	f.Add(string(setRequest), "")
	f.Add(`{"accounts_receivable_identifier":{"id":"1"},"percentage_of_allowed_exceeded_usage_limit":null}`, "")
	f.Add(`{"usage_services_allowance":[{"service":{"code":"CREED"},"maximum_usage_per_day":"1e3"}]}`, "number=1&fields_set=name")
	f.Add(`[{"":null}]`, "accounts_receivable_identifier={}&token=%00")
	file, err := setup.Parse("setup.yaml", []byte(town+"      - "+documented))
	if err != nil {
		f.Fatal(err)
	}
	in := setup.Catalogue{Families: file.Families, Types: file.Types, Services: file.Services}
	f.Fuzz(func(t *testing.T, body, query string) {
		for _, method := range []string{http.MethodPost, http.MethodGet} {
			r := httptest.NewRequestWithContext(t.Context(), method, "/", strings.NewReader(body))
			r.URL = &url.URL{Path: "/", RawQuery: query}
			all, err := parameters(r, []byte(body))
			var c change
			if err == nil {
				_, c, err = decodeChange(all)
			}
			var p limits.Patch
			if err == nil {
				p, err = c.patch(in, limits.Settings{})
			}
			if err != nil {
				var told *refusal
				if !errors.As(err, &told) || told.text == "" || strings.ContainsAny(told.text, "\n\x00") {
					t.Errorf("%q, %q: refused by %v", body, query, err)
				}
				continue
			}
			if s, err := (limits.Settings{}).Apply(p); err == nil {
				if _, err := json.Marshal(allowanceOf(s, "EUR", shelve(in))); err != nil {
					t.Errorf("%q: limits cannot be printed: %v", body, err)
				}
			}
		}
	})
}
