package api

import (
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
)

const diesel = `{"services": [{"code": "Diesel", "type": "E2"}],
	"prices": [{"id": "diesel", "service": "Diesel", "currency": "EUR", "valid_from": "2026-03-01T00:00:00Z", "per_unit": %s}]}`

func TestThePriceBookThatIsReadCanBePutBack(t *testing.T) {
	s := openMarch(t)
	for _, media := range []string{asJSON, asYAML} {
		got := s.do(access.Read, "GET", "/v1/price-book", "", "Accept", media)
		if got.status != 200 || got.head.Get("Content-Type") != media {
			t.Fatalf("got %d %v", got.status, got.head)
		}
		back := s.do(access.Manage, "PUT", "/v1/price-book", string(got.body), "Content-Type", media, "If-Match", got.head.Get("ETag"))
		if want := `{"dry_run":false,"changes":[],"warnings":[]}`; back.status != 200 || strings.TrimSpace(string(back.body)) != want {
			t.Errorf("%s: got %d %s", media, back.status, back.body)
		}
	}
}

func TestAPriceBookIsPutAllOrNothing(t *testing.T) {
	s := openSite(t, village, nil)
	text := strings.Replace(diesel, "%s", `1.490000000001`, 1)
	dry := s.do(access.Manage, "PUT", "/v1/price-book?dry_run=true", text)
	wet := s.do(access.Manage, "PUT", "/v1/price-book", text)
	if dry.status != 200 || strings.Replace(string(dry.body), "true", "false", 1) != string(wet.body) || dry.head.Get("ETag") != "" {
		t.Errorf("a dry run says %s, and then came %s", dry.body, wet.body)
	}
	book := s.do(access.Read, "GET", "/v1/price-book", "")
	if wet.head.Get("ETag") != book.head.Get("ETag") {
		t.Errorf("got the tag %s, want %s", wet.head.Get("ETag"), book.head.Get("ETag"))
	}
	if !strings.Contains(string(book.body), `"per_unit": "1.490000000001"`) {
		t.Errorf("a number is not taken by its text: %s", book.body)
	}
	for _, c := range []struct {
		what, body, media, match string
		status                   int
		pointer, parameter, word string
	}{
		{"a price below zero", strings.Replace(diesel, "%s", `"-1"`, 1), asJSON, "", 422, "/prices/0/per_unit", "", "-1"},
		{"a key that nobody knows", `{"prizes": []}`, asJSON, "", 422, "/prizes", "", "prices"},
		{"a service that is not there", `{"prices": [{"id": "x", "service": "X", "currency": "EUR", "valid_from": "2026-03-01T00:00:00Z", "per_unit": "1"}]}`,
			asJSON, "", 422, "/prices/0/service", "", "X"},
		{"no JSON", `{"prices": [`, asJSON, "", 422, "", "", "body:1"},
		{"YAML with a fault", "prices:\n  - id: [x]\n", asYAML, "", 422, "/prices/0", "", "body:2"},
		{"a media type of others", "a,b", "text/csv", "", 415, "", "Content-Type", "application/yaml"},
		{"a tag of before", strings.Replace(diesel, "%s", `"1.55"`, 1), asJSON, `"settings-1"`, 412, "", "", "version"},
		{"a tag of something else", strings.Replace(diesel, "%s", `"1.55"`, 1), asJSON, `"7"`, 412, "", "", "version"},
		{"a weak tag", strings.Replace(diesel, "%s", `"1.55"`, 1), asJSON, "W/" + wet.head.Get("ETag"), 412, "", "", "version"},
		{"two tags of before", strings.Replace(diesel, "%s", `"1.55"`, 1), asJSON, `"settings-1", "settings-2"`, 412, "", "", "version"},
	} {
		got := s.do(access.Manage, "PUT", "/v1/price-book", c.body, "Content-Type", c.media, "If-Match", c.match)
		var p Problem
		got.decode(t, &p)
		if got.status != c.status || !strings.Contains(string(got.body), c.word) {
			t.Errorf("%s: got %d %s", c.what, got.status, got.body)
		}
		if c.pointer+c.parameter != "" && (len(p.Errors) == 0 || !strings.HasPrefix(p.Errors[0].Pointer, c.pointer) || p.Errors[0].Parameter != c.parameter) {
			t.Errorf("%s: got faults %+v", c.what, p.Errors)
		}
	}
	if after := s.do(access.Read, "GET", "/v1/price-book", ""); string(after.body) != string(book.body) {
		t.Errorf("what was refused has changed something: %s", after.body)
	}
}

func TestThePriceBookIsPutByTheTagsThatWereRead(t *testing.T) {
	s := openSite(t, village, nil)
	const path = "/v1/price-book"
	book := s.do(access.Read, "GET", path, "")
	tag := book.head.Get("ETag")
	for _, match := range []string{tag, `"settings-999", ` + tag, tag + `,"x"`, "*", ""} {
		if got := s.do(access.Manage, "PUT", path, `{"families": [{"code": "FUEL", "name": "Fuel"}]}`, "If-Match", match); got.status != 200 {
			t.Errorf("If-Match %s: got %d %s", match, got.status, got.body)
		}
	}
	// A new account leaves the tag: nobody may take the book that he has for that of now.
	s.change(201, "POST", "/v1/customers/jane/accounts", `{"number": "ACR0000001999"}`)
	got := s.do(access.Read, "GET", path, "", "If-None-Match", tag)
	if got.status != 200 || got.head.Get("ETag") != tag || !strings.Contains(string(got.body), "ACR0000001999") {
		t.Errorf("got %d %v without the new account", got.status, got.head)
	}
}

func TestAPriceThatHasRatedIsNotReplaced(t *testing.T) {
	s := openMarch(t)
	got := s.do(access.Manage, "PUT", "/v1/price-book",
		`{"prices": [{"id": "eu", "service": "Exxon Unleaded", "currency": "EUR", "valid_from": "2026-01-01T00:00:00Z", "per_unit": "9"}]}`)
	if got.status != 422 || !strings.Contains(string(got.body), `"pointer":"/prices/0"`) || !strings.Contains(string(got.body), "valid_to") {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
