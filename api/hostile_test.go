package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/route"
)

func hostileTexts() map[string]string {
	return map[string]string{
		"SQL that ends a text":    "'; drop table accounts; --",
		"SQL that is always true": "' or '1'='1",
		"SQL without quotes":      "1); delete from entries; --",
		"SQL that sleeps":         "1 and pg_sleep(30)",
		"a dollar quote":          "$$; truncate records; $$",
		"a way up":                "../../../../etc/passwd",
		"a way up, escaped":       "..%2f..%2fetc%2fpasswd",
		"two slashes":             "//",
		"a NUL":                   "a\x00b",
		"no UTF-8":                "\xff\xfe\xfd",
		"a new line":              "a\r\nSet-Cookie: a=b",
		"a long one":              strings.Repeat("x", 8<<10),
		"nothing":                 "",
		"a blank":                 " ",
		"a huge number":           strings.Repeat("9", 400),
		"a number below zero":     "-1",
		"an exponent":             "1e999999999",
		"not a number":            "NaN",
		"a verb":                  "%s%n%x",
		"a script":                "<script>alert(1)</script>",
		"a template":              "{{.}}${jndi:ldap://x}",
		"a number that is not":    "0x7fffffffffffffff",
		"a time that is none":     "0000-00-00T00:00:00Z",
		"a time far away":         "999999-01-01T00:00:00Z",
	}
}

func TestHostileValuesAreAnswered(t *testing.T) {
	s := openSite(t, shire, nil)
	token := s.token(every)
	all := 0
	try := func(x target, where, what string) {
		t.Helper()
		all++
		if got := s.aim(x, token); got.status >= http.StatusInternalServerError {
			t.Errorf("%s, %s in %s: got %d %s", x.where, what, where, got.status, got.body)
		}
	}
	for _, x := range s.targets() {
		for what, text := range hostileTexts() {
			for name := range x.places {
				if text == "" {
					continue // another path
				}
				y := x
				y.places = maps.Clone(x.places)
				y.places[name] = text
				try(y, name, what)
			}
			for name := range x.query {
				y := x
				y.query = maps.Clone(x.query)
				y.query[name] = []string{text}
				try(y, name, what)
			}
			if !strings.ContainsAny(text, "\x00\r\n") { // Go's client sends none of these in a header
				for name := range x.head {
					y := x
					y.head = x.head.Clone()
					y.head[name] = []string{text}
					try(y, name, what)
				}
			}
			y := x
			y.query = maps.Clone(x.query)
			y.query[text] = []string{text}
			try(y, "a parameter of its own", what)
		}
		for what, body := range spoilt(x.body) {
			y := x
			y.body = body
			try(y, "the body", what)
		}
	}
	t.Logf("%d requests", all)
	s.well("50")
}

func spoilt(body string) map[string]string {
	all := map[string]string{}
	if body == "" || body == "null" {
		return all
	}
	var value any
	if json.Unmarshal([]byte(body), &value) == nil {
		for what, text := range hostileTexts() {
			if text, err := json.Marshal(text); err == nil {
				for place, with := range replaced(value, json.RawMessage(text)) {
					all[what+" at "+place] = with
				}
			}
		}
		for what, raw := range map[string]string{"null": "null", "a list": "[]", "an object": `{"a":{}}`, "a huge number": strings.Repeat("9", 4000),
			"a large exponent": "1e400", "true": "true"} {
			for place, with := range replaced(value, json.RawMessage(raw)) {
				all[what+" at "+place] = with
			}
		}
	}
	var keys strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&keys, `"k%d":%d,`, i, i)
	}
	maps.Copy(all, map[string]string{
		"100,000 keys":    "{" + strings.TrimSuffix(keys.String(), ",") + "}",
		"deep arrays":     strings.Repeat("[", 100_000),
		"deep objects":    strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000),
		"half a value":    body[:len(body)/2],
		"two values":      body + body,
		"a NUL":           "\x00",
		"no UTF-8":        "{\"\xff\xfe\": 1}",
		"a number alone":  "1",
		"a text alone":    `"text"`,
		"nothing":         "",
		"a lone bracket":  "]",
		"an XML document": `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`,
		"a YAML bomb":     "a: &a [x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c,*c,*c]",
	})
	return all
}

func replaced(value any, by json.RawMessage) map[string]string {
	all := map[string]string{}
	var walk func(place string, v any, set func(any))
	walk = func(place string, v any, set func(any)) {
		set(by)
		text, _ := json.Marshal(value) // it was JSON
		all[place] = string(text)
		set(v)
		switch v := v.(type) {
		case map[string]any:
			for key, member := range v {
				walk(place+"/"+key, member, func(to any) { v[key] = to })
			}
		case []any:
			for i, member := range v {
				walk(fmt.Sprint(place, "/", i), member, func(to any) { v[i] = to })
			}
		}
	}
	walk("", value, func(to any) { value = to })
	return all
}

func TestBodiesOfOtherKindsAreRefused(t *testing.T) {
	s := openSite(t, shire, func(o *Options) { o.BodyBytesMax, o.UsageBytesMax = 64<<10, 64<<10 })
	for _, x := range s.targets() {
		if x.media == "" {
			continue
		}
		y := x
		y.media = "text/html"
		if got := s.aim(y, s.token(every)); (got.status < 400 || got.status >= 500) && x.token != route.BodyToken { // CRM.COM's names no type
			t.Errorf("%s, a page: got %d %s", x.where, got.status, got.body)
		}
		y = x
		y.body = `{"a":"` + strings.Repeat("x", 1<<20) + `"}`
		if got := s.aim(y, s.token(every)); got.status < 400 || got.status >= 500 {
			t.Errorf("%s, too long: got %d %.200s", x.where, got.status, got.body)
		}
	}
	s.well("50")
}
