package api

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// shownLetters is a page of dead letters, with what tests look at.
type shownLetters struct {
	Items []struct{ ID, Kind, Payload string }
	Next  *string
}

func (s *site) letters(query string) (p shownLetters) {
	s.t.Helper()
	got := s.do(access.Read, "GET", "/v1/dead-letters"+query, "")
	if got.status != 200 {
		s.t.Fatalf("got %d %s", got.status, got.body)
	}
	got.decode(s.t, &p)
	return p
}

func TestDeadLettersAreListedByPages(t *testing.T) {
	s := openMarch(t)
	all := s.letters("")
	if len(all.Items) != 2 || all.Items[0].Kind != "unreadable" || all.Items[1].Kind != "conflict" || all.Next != nil {
		t.Fatalf("got %+v", all)
	}
	first := s.letters("?limit=1")
	if len(first.Items) != 1 || first.Next == nil {
		t.Fatalf("got %+v", first)
	}
	second := s.letters("?limit=1&cursor=" + url.QueryEscape(*first.Next))
	if len(second.Items) != 1 || second.Items[0] != all.Items[1] || second.Next != nil {
		t.Errorf("got %+v", second)
	}
	if conflicts := s.letters("?kind=conflict"); len(conflicts.Items) != 1 || conflicts.Items[0] != all.Items[1] {
		t.Errorf("got %+v", conflicts)
	}
	for query, parameter := range map[string]string{"?kind=lost": "kind", "?cursor=x": "cursor", "?limit=-1": "limit"} {
		got := s.do(access.Read, "GET", "/v1/dead-letters"+query, "")
		if got.status != 422 || !strings.Contains(string(got.body), `"parameter":"`+parameter+`"`) {
			t.Errorf("%s: got %d %s", query, got.status, got.body)
		}
	}
}

// TestLongDeadLettersFillAPageEarlier: each has its turn, and no answer is endless.
func TestLongDeadLettersFillAPageEarlier(t *testing.T) {
	s := openSite(t, village, nil)
	for n := range 3 {
		if err := s.store.SaveDeadLetter(t.Context(), postgres.DeadLetter{ID: uuid.New(), Kind: postgres.Unreadable, At: now.AddDate(0, 0, n),
			Payload: []byte(strings.Repeat("x", pageBytesMax*2/3))}); err != nil {
			t.Fatal(err)
		}
	}
	pages := 0
	for query := "?limit=2"; ; pages++ {
		page := s.letters(query)
		if len(page.Items) != 1 {
			t.Fatalf("got a page of %d", len(page.Items))
		}
		if page.Next == nil {
			break
		}
		query = "?limit=2&cursor=" + url.QueryEscape(*page.Next)
	}
	if pages != 2 {
		t.Errorf("got %d pages before the last, want 2", pages)
	}
}

func TestDeadLettersAreRedriven(t *testing.T) {
	s := openMarch(t)
	letters := s.letters("")
	bad, conflict := letters.Items[0].ID, letters.Items[1].ID
	for _, c := range []struct {
		what, body string
		status     int
		word       string
	}{
		{"nothing said", `{}`, 422, "say which"},
		{"two things said", `{"all": true, "kind": "batch"}`, 422, "say which"},
		{"a kind that is none", `{"kind": "lost"}`, 422, `"pointer":"/kind"`},
		{"an id that is none", `{"ids": ["x"]}`, 422, `"pointer":"/ids/0"`},
		{"ids that are not open", fmt.Sprintf(`{"ids": [%q, %q]}`, bad, uuid.Nil), 422, `"pointer":"/ids/1"`},
		{"a correction of all", `{"all": true, "corrected": "x"}`, 422, `"pointer":"/corrected"`},
		{"a correction that cannot be read", fmt.Sprintf(`{"ids": [%q], "corrected": {"source": "x"}}`, bad), 422, `"pointer":"/corrected"`},
		{"an empty correction", fmt.Sprintf(`{"ids": [%q], "corrected": ""}`, bad), 422, "no record"},
		{"what still cannot be read", fmt.Sprintf(`{"ids": [%q]}`, bad), 200, `{"redriven":0,"left":1}`},
		{"a record that was meant", fmt.Sprintf(`{"ids": [%q], "corrected": %s}`, bad, strings.Replace(letters.Items[0].Payload, "12,5", "12.5", 1)),
			200, `{"redriven":1,"left":0}`},
		{"it again", fmt.Sprintf(`{"ids": [%q]}`, bad), 422, "none is open"},
		{"all that are left", `{"all": true}`, 200, `{"redriven":1,"left":0}`},
	} {
		got := s.do(access.Manage, "POST", "/v1/dead-letters/redrive", c.body)
		if got.status != c.status || !strings.Contains(string(got.body), c.word) {
			t.Errorf("%s: got %d %s", c.what, got.status, got.body)
		}
	}
	s.judge(2)
	if got := s.do(access.Read, "GET", "/v1/records/pump-7/r9", ""); !strings.Contains(string(got.body), `"charge":"19.38"`) {
		t.Errorf("the corrected record: got %s", got.body)
	}
	if after := s.letters(""); len(after.Items) != 1 || after.Items[0].ID == conflict || after.Items[0].Kind != "conflict" {
		t.Errorf("a conflict that is judged anew is one still: got %+v", after)
	}
}
