package api

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
	"github.com/klauspost/compress/zstd"
)

// used is the n-th use of ten accounts in turn, as a feed writes it.
func used(n int) string {
	return fmt.Sprintf(`{"source":"pump","id":"%d","account":"A%d","service":"Exxon Unleaded","quantity":"1.5","occurred_at":"2026-03-10T10:00:00+02:00"}`, n, n%10)
}

// usedLines are n uses, a line each.
func usedLines(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(used(i) + "\n")
	}
	return b.String()
}

// send posts a body with a token that may feed.
func (s *site) send(kind, body string, head ...string) answer {
	s.t.Helper()
	return s.do(access.Feed, "POST", "/v1/usage", body, append([]string{"Content-Type", kind}, head...)...)
}

// took is an answer of 202.
func (s *site) took(a answer) (t Taken) {
	s.t.Helper()
	if a.status != http.StatusAccepted {
		s.t.Fatalf("got %d %s, want 202", a.status, a.body)
	}
	a.decode(s.t, &t)
	return t
}

// stored are the records of batches in the order of judging, as source/id.
func (s *site) stored(ids []uuid.UUID) (names []string) {
	s.t.Helper()
	batches, err := s.store.Batches(s.t.Context(), ids)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, b := range batches {
		if b.Source != "api" {
			s.t.Errorf("batch %s is of the source %q", b.ID, b.Source)
		}
		list, err := new(billing.Decoder).DecodeArray(nil, b.Records, func(int, []byte, error) { s.t.Error("unreadable") })
		if err != nil {
			s.t.Fatal(err)
		}
		for i := range list {
			names = append(names, list[i].Source+"/"+list[i].ID)
		}
	}
	return names
}

// refusedLines are the dead letters that nobody has settled.
func (s *site) refusedLines() (letters []postgres.DeadLetter) {
	s.t.Helper()
	if err := s.store.DeadLetters(s.t.Context(), postgres.DeadLetterFilter{}, func(l *postgres.DeadLetter) error {
		letters = append(letters, *l)
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return letters
}

func TestUsageIsTakenInEveryShape(t *testing.T) {
	s := openSite(t, village, nil)
	event := `{"specversion":"1.0","type":"usage.recorded.v1","source":"pump","id":"7","subject":"A7","time":"2026-03-10T10:00:00Z","data":{"service":"s","quantity":2}}`
	for _, c := range []struct {
		name, kind, body string
		want             []string
	}{
		{"lines", "application/x-ndjson", used(1) + "\n\n" + used(2), []string{"pump/1", "pump/2"}},
		{"lines with a charset", "application/x-ndjson; charset=UTF-8", used(1), []string{"pump/1"}},
		{"lines by their other name", "application/jsonl", used(1), []string{"pump/1"}},
		{"an array", "application/json", "[" + used(1) + ",\n" + used(2) + "]", []string{"pump/1", "pump/2"}},
		{"an empty array", "application/json", "[]", nil},
		{"one alone, over several lines", "application/json", strings.ReplaceAll(used(3), ",", ",\n"), []string{"pump/3"}},
		{"an event", "application/cloudevents+json", event, []string{"pump/7"}},
		{"an event over several lines", "application/cloudevents+json; charset=utf-8", strings.ReplaceAll(event, ",", ",\n"), []string{"pump/7"}},
		{"a batch of events", "application/cloudevents-batch+json", "[" + event + "," + strings.Replace(event, `"7"`, `"8"`, 1) + "]", []string{"pump/7", "pump/8"}},
		{"a batch of none", "application/cloudevents-batch+json", "[]", nil},
		{"a table", "text/csv", "source,id,account,service,quantity,occurred_at\npump,9,A1,s,2,2026-03-10T10:00:00Z\n", []string{"pump/9"}},
		{"nothing", "application/x-ndjson", "", nil},
	} {
		got := s.took(s.send(c.kind, c.body))
		names := s.stored(got.Batches)
		slices.Sort(names)
		if got.Accepted != len(c.want) || !slices.Equal(names, c.want) || got.Unreadable+got.OutOfReach+len(got.Refused) > 0 {
			t.Errorf("%s: got %+v, with %q in the database, want %q", c.name, got, names, c.want)
		}
	}
}

func TestAnEventInBinaryModeHasItsAttributesInHeaders(t *testing.T) {
	s := openSite(t, village, nil)
	head := []string{"Ce-Specversion", "1.0", "Ce-Type", "usage.recorded.v1", "Ce-Source", "pump%2520/1", "Ce-Id", `%22a%20%E2%82%AC%22`,
		"Ce-Subject", "A7", "Ce-Time", "2026-03-10T10:00:00Z", "Ce-Other", "let be"}
	got := s.took(s.send("application/json", `{"service":"s","quantity":"2"}`, head...))
	if names := s.stored(got.Batches); len(names) != 1 || names[0] != `pump%20/1/"a €"` {
		t.Errorf("got %+v with %q", got, names)
	}
	head[5], head[7] = "pump%20/1", `"r \"7\""` // a source as it stands; a quoted text
	got = s.took(s.send("application/json", `{"service":"s","quantity":"2"}`, head...))
	if names := s.stored(got.Batches); len(names) != 1 || names[0] != `pump%20/1/r "7"` {
		t.Errorf("got %+v with %q", got, names)
	}
	got = s.took(s.send("application/json", `{"service":"s"`, head...))
	if got.Unreadable != 1 || len(got.Refused) != 1 || got.Refused[0].Pointer != "/data" {
		t.Errorf("data that is cut short: got %+v", got)
	}
	got = s.took(s.send("application/json", `{"service":"s"}`, head...))
	if got.Unreadable != 1 || got.Refused[0].Pointer != "/data/quantity" {
		t.Errorf("data without a quantity: got %+v", got)
	}
	if a := s.send("application/xml", `<a/>`, head...); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("data that is no JSON by its type: got %d %s", a.status, a.body)
	}
	if a := s.send("application/json", `{"service":"`+strings.Repeat("x", eventBytesMax)+`"}`, head...); a.status != http.StatusBadRequest {
		t.Errorf("data without an end: got %d", a.status)
	}
}

func TestEachUnreadableRecordIsToldAndKept(t *testing.T) {
	s := openSite(t, village, nil)
	body := used(1) + "\n" + strings.Replace(used(2), `"1.5"`, `"-1"`, 1) + "\n\nhello\n" + used(3) + "\n"
	a := s.send("application/x-ndjson", body)
	got := s.took(a)
	want := []Refused{
		{Line: 2, Fault: `quantity: number "-1": not above zero`, Pointer: "/quantity"},
		{Line: 4, Fault: `not JSON: byte 1 ('h'): no object begins here`},
	}
	if got.Accepted != 2 || got.Unreadable != 2 || !slices.Equal(got.Refused, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	letters := s.refusedLines()
	if len(letters) != 2 || letters[0].File != a.head.Get("X-Request-Id") || letters[0].Line != 2 || letters[0].Source != "api" ||
		letters[0].Kind != postgres.Unreadable || string(letters[1].Payload) != "hello" {
		t.Errorf("got the dead letters %+v", letters)
	}
	got = s.took(s.send("application/json", "["+used(4)+",{\"id\":1}]"))
	if got.Accepted != 1 || got.Refused[0].Record != 2 || got.Refused[0].Pointer != "/1/id" {
		t.Errorf("in an array: got %+v", got)
	}
}

func TestTheListOfRefusalsIsBoundedAndCounted(t *testing.T) {
	s := openSite(t, village, nil)
	got := s.took(s.send("application/x-ndjson", strings.Repeat("hello\n", refusedListed+234)+used(1)))
	if got.Accepted != 1 || got.Unreadable != refusedListed+234 || len(got.Refused) != refusedListed || got.Unlisted != 234 {
		t.Errorf("got %d accepted, %d unreadable, %d listed and %d not", got.Accepted, got.Unreadable, len(got.Refused), got.Unlisted)
	}
	if n := len(s.refusedLines()); n != refusedListed+234 {
		t.Errorf("got %d dead letters", n)
	}
}

// TestABodyWithoutRecordsEndsSoon: each line that is none costs a dead letter.
func TestABodyWithoutRecordsEndsSoon(t *testing.T) {
	s := openSite(t, village, nil)
	good, bad := used(1)+"\n", strings.Repeat("x\n", unreadableMax)
	if got := s.took(s.send("application/x-ndjson", good+bad)); got.Accepted != 1 || got.Unreadable != unreadableMax {
		t.Errorf("as many as may be: got %d accepted, %d unreadable", got.Accepted, got.Unreadable)
	}
	a := s.send("application/x-ndjson", used(2)+"\n"+bad+"x\n"+used(3))
	var got struct {
		Detail string
		Taken
	}
	a.decode(t, &got)
	if a.status != http.StatusBadRequest || got.Accepted != 1 || got.Unreadable != unreadableMax || !strings.Contains(got.Detail, "line 10002") {
		t.Errorf("one more: got %d %.300s", a.status, a.body)
	}
	if n := len(s.refusedLines()); n != 2*unreadableMax {
		t.Errorf("got %d dead letters, want %d", n, 2*unreadableMax)
	}
}

func TestASourceMayBeGivenForAll(t *testing.T) {
	s := openSite(t, village, nil)
	bare := strings.Replace(used(1), `"source":"pump",`, "", 1)
	a := s.do(access.Feed, "POST", "/v1/usage?source=meter%2F1", bare+"\n"+used(2), "Content-Type", "application/x-ndjson")
	names := s.stored(s.took(a).Batches)
	slices.Sort(names)
	if !slices.Equal(names, []string{"meter/1/1", "pump/2"}) {
		t.Errorf("got %q", names)
	}
	for _, query := range []string{"?source=", "?sauce=x", "?source=a&source=b", "?source=%00", "?source=" + strings.Repeat("x", 257)} {
		a := s.do(access.Feed, "POST", "/v1/usage"+query, used(3), "Content-Type", "application/x-ndjson")
		var p Problem
		if a.decode(t, &p); a.status != http.StatusUnprocessableEntity || len(p.Errors) != 1 || p.Errors[0].Parameter == "" {
			t.Errorf("%s: got %d %s", query, a.status, a.body)
		}
	}
}

func TestWhatIsNotTakenIsToldWhatIs(t *testing.T) {
	s := openSite(t, village, nil)
	for _, kind := range []string{"", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "a b"} {
		a := s.send(kind, used(1))
		if a.status != http.StatusUnsupportedMediaType || !strings.Contains(string(a.body), "application/x-ndjson") || a.head.Get("Accept") == "" {
			t.Errorf("%q: got %d %s", kind, a.status, a.body)
		}
	}
	if a := s.send("application/json", used(1), "Content-Encoding", "br"); a.status != http.StatusUnsupportedMediaType || a.head.Get("Accept-Encoding") != "gzip, zstd" {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

// packed is a body as gzip or zstd has it.
func packed(t *testing.T, how, body string) string {
	t.Helper()
	var b bytes.Buffer
	var z io.WriteCloser = gzip.NewWriter(&b)
	if how == "zstd" {
		var err error
		if z, err = zstd.NewWriter(&b); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(z, body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAPackedBodyIsUnpacked(t *testing.T) {
	s := openSite(t, village, func(o *Options) { o.UsageBytesMax = 1 << 20 })
	for _, how := range []string{"gzip", "zstd"} {
		if got := s.took(s.send("application/x-ndjson", packed(t, how, usedLines(1000)), "Content-Encoding", how)); got.Accepted != 1000 {
			t.Errorf("%s: got %+v", how, got)
		}
		cut := packed(t, how, usedLines(1000))
		a := s.send("application/x-ndjson", cut[:len(cut)/2], "Content-Encoding", how)
		if a.status != http.StatusBadRequest || !strings.Contains(string(a.body), "cut short") {
			t.Errorf("%s, cut short: got %d %s", how, a.status, a.body)
		}
		// 32 MiB in a few kilobytes.
		bomb := packed(t, how, strings.Repeat(" ", 32<<20))
		if a := s.send("application/x-ndjson", bomb, "Content-Encoding", how); a.status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s, %d bytes that unpack to 32 MiB: got %d %s", how, len(bomb), a.status, a.body)
		}
	}
}

func TestABodyThatCannotBeReadOnSaysWhatWasAccepted(t *testing.T) {
	s := openSite(t, village, nil)
	for _, c := range []struct {
		name, kind, body string
		accepted         int
	}{
		{"an array that is not closed", "application/json", "[" + used(1) + "," + used(2) + ",", 2},
		{"text behind the array", "application/json", "[" + used(1) + "] hello", 1},
		{"no JSON at all", "application/json", "hello", 0},
		{"a column that is no field", "text/csv", "source,id,colour\nx,1,red\n", 0},
	} {
		a := s.send(c.kind, c.body)
		var got struct {
			Detail  string
			Status  int
			Type    string
			Batches []uuid.UUID
			Taken
		}
		a.decode(t, &got)
		if a.status != http.StatusBadRequest || got.Type != problemBase+"bad-request" || got.Accepted != c.accepted {
			t.Errorf("%s: got %d %s, want 400 and %d accepted", c.name, a.status, a.body, c.accepted)
		}
	}
}

func TestABodyThatIsTooLongSaysWhatWasAccepted(t *testing.T) {
	s := openSite(t, village, func(o *Options) { o.UsageBytesMax = 100_000 })
	body := usedLines(1000)
	for name, r := range map[string]io.Reader{"told before": strings.NewReader(body), "not told": io.MultiReader(strings.NewReader(body))} {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/usage", r)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/x-ndjson")
		q.Header.Set("Authorization", "Bearer "+s.token(access.Feed))
		w, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(w.Body)
		w.Body.Close()
		a := answer{w.StatusCode, w.Header, text}
		if err != nil || a.status != http.StatusRequestEntityTooLarge {
			t.Fatalf("%s: got %d %s, %v", name, a.status, a.body, err)
		}
		var got Taken
		if a.decode(t, &got); (got.Accepted > 0) != (name == "not told") {
			t.Errorf("%s: got %d accepted", name, got.Accepted)
		}
		if n := len(s.stored(got.Batches)); n != got.Accepted {
			t.Errorf("%s: %d are said to be accepted, %d are", name, got.Accepted, n)
		}
	}
}
