package api

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/google/go-cmp/cmp"
)

// shownPage is a page of a list, with what tests look at.
type shownPage struct {
	Items []struct{ Source, ID, Account, Outcome string }
	Next  *string
}

func (p shownPage) ids() (ids []string) {
	for _, r := range p.Items {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestRecordsAreListedByPages(t *testing.T) {
	s := openMarch(t)
	var all shownPage
	s.do(access.Read, "GET", "/v1/records", "").decode(t, &all)
	if len(all.Items) != 5 || all.Next != nil {
		t.Fatalf("got %+v", all)
	}
	for _, limit := range []string{"1", "2", "4", "5", "6"} {
		var got []string
		path := "/v1/records?limit=" + limit
		for path != "" {
			var page shownPage
			s.do(access.Read, "GET", path, "").decode(t, &page)
			if got = append(got, page.ids()...); page.Next == nil {
				break
			}
			path = "/v1/records?limit=" + limit + "&cursor=" + url.QueryEscape(*page.Next)
		}
		if diff := cmp.Diff(all.ids(), got); diff != "" {
			t.Errorf("pages of %s (-want +got):\n%s", limit, diff)
		}
	}
}

func TestRecordsAreChosen(t *testing.T) {
	s := openMarch(t)
	for _, c := range []struct {
		query string
		want  string
	}{
		{"account=ACR0000001526", "a/b r1 r2 r3"},
		{"account=ACR0000009999", "r1"},
		{"service=Diesel", "r3"},
		{"outcome=rejected", "r1 r3"},
		{"outcome=cancelled", ""},
		{"reason=service_not_found", "r3"},
		{"from=2026-03-02T10:00:00Z&to=2026-03-03T10:00:00Z", "r1 r2"},
		{"from=2026-03-02T12:00:00%2B02:00&to=2026-03-02T11:00:00Z", "r2"},
	} {
		var page shownPage
		got := s.do(access.Read, "GET", "/v1/records?"+c.query, "")
		got.decode(t, &page)
		if ids := sorted(page.ids()); got.status != 200 || ids != c.want {
			t.Errorf("%s: got %d %q, want %q", c.query, got.status, ids, c.want)
		}
	}
	for _, c := range []struct{ query, parameter, detail string }{
		{"outcome=done", "outcome", "rated"},
		{"reason=mood", "reason", "limit_day_usage"},
		{"from=2026-03-02", "from", "2026-03-02"},
		{"from=2026-03-02T12:00:00+02:00", "from", "%2B"},
		{"limit=0", "limit", "1"},
		{"limit=1001", "limit", "1000"},
		{"limit=many", "limit", "whole number"},
		{"cursor=x", "cursor", "cursor"},
		{"when=now", "when", "unknown"},
	} {
		var p Problem
		got := s.do(access.Read, "GET", "/v1/records?"+c.query, "")
		got.decode(t, &p)
		if got.status != 422 || len(p.Errors) != 1 || p.Errors[0].Parameter != c.parameter || !strings.Contains(p.Errors[0].Detail, c.detail) {
			t.Errorf("%s: got %d %s", c.query, got.status, got.body)
		}
	}
}

func sorted(ids []string) string {
	for i := range ids {
		for k := range ids[:i] {
			if ids[i] < ids[k] {
				ids[i], ids[k] = ids[k], ids[i]
			}
		}
	}
	return strings.Join(ids, " ")
}

func TestRecordsComeAsLines(t *testing.T) {
	s := openMarch(t)
	got := s.do(access.Read, "GET", "/v1/records", "", "Accept", asNDJSON)
	if got.status != 200 || got.head.Get("Content-Type") != asNDJSON {
		t.Fatalf("got %d %v", got.status, got.head)
	}
	rows := bytes.Split(bytes.TrimSpace(got.body), []byte("\n"))
	var page struct{ Items []json.RawMessage }
	s.do(access.Read, "GET", "/v1/records", "").decode(t, &page)
	if len(rows) != len(page.Items) {
		t.Fatalf("got %d lines, want %d", len(rows), len(page.Items))
	}
	for i := range rows {
		if !bytes.Equal(rows[i], page.Items[i]) {
			t.Errorf("got line %s, want %s", rows[i], page.Items[i])
		}
	}
	for path, n := "/v1/records?limit=2", 0; ; n++ {
		part := bytes.Split(bytes.TrimSpace(s.do(access.Read, "GET", path, "", "Accept", asNDJSON).body), []byte("\n"))
		for len(part) > 0 && len(rows) > 0 && bytes.Equal(part[0], rows[0]) {
			part, rows = part[1:], rows[1:]
		}
		if len(rows) == 0 && len(part) == 0 {
			if n != 2 {
				t.Errorf("got %d lists more after the first, want 2", n)
			}
			break
		}
		var more struct{ Next string }
		if len(part) != 1 || json.Unmarshal(part[0], &more) != nil || more.Next == "" {
			t.Fatalf("got the end %s, want the cursor of the %d lines that are left", part, len(rows))
		}
		path = "/v1/records?limit=2&cursor=" + url.QueryEscape(more.Next)
	}
	if got := s.do(access.Read, "GET", "/v1/records?cursor=x", "", "Accept", asNDJSON); got.status != 422 {
		t.Errorf("a fault before the first line: got %d %s", got.status, got.body)
	}
}

func TestNoMoreListsOfRecordsThanPlacesAreWritten(t *testing.T) {
	s := openMarch(t)
	for range cap(s.server.streams) {
		s.server.streams <- struct{}{}
	}
	got := s.do(access.Read, "GET", "/v1/records", "", "Accept", asNDJSON)
	if got.status != 503 || got.head.Get("Retry-After") != "5" || !strings.Contains(string(got.body), "#busy") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := s.do(access.Read, "GET", "/v1/records", ""); got.status != 200 {
		t.Errorf("a page: got %d %s", got.status, got.body)
	}
	<-s.server.streams
	for range 2 { // each leaves its place
		if got := s.do(access.Read, "GET", "/v1/records", "", "Accept", asNDJSON); got.status != 200 {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
}

func TestOneRecordIsShown(t *testing.T) {
	s := openMarch(t)
	for _, c := range []struct {
		path, want string
		status     int
	}{
		{"/v1/records/pump-7/r2", `"charge":"6.2"`, 200},
		{"/v1/records/pump-7/r3", `"reason":"service_not_found"`, 200},
		{"/v1/records/pumps%2Feast%2F7/a%2Fb", `"source":"pumps/east/7","id":"a/b"`, 200},
		{"/v1/records/pump-7/r1?account=ACR0000001526", `"charge":"19.38"`, 200},
		{"/v1/records/pump-7/r1?account=ACR0000009999", `"currency":null`, 200},
		{"/v1/records/pump-7/r1", "ACR0000001526, ACR0000009999: name one with account", 409},
		{"/v1/records/pump-7/r9", "record pump-7/r9: there is none", 404},
		{"/v1/records/pump-7/r1?account=ACR1", "there is none", 404},
	} {
		got := s.do(access.Read, "GET", c.path, "")
		if got.status != c.status || !strings.Contains(string(got.body), c.want) {
			t.Errorf("%s: got %d %s, want %s", c.path, got.status, got.body, c.want)
		}
	}
}
