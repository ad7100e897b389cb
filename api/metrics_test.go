package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
)

// series reads the metrics and makes sure of some lines.
func (s *site) series(want ...string) {
	s.t.Helper()
	got := s.do(access.Read, "GET", "/metrics", "")
	if got.status != http.StatusOK {
		s.t.Fatalf("got %d %s", got.status, got.body)
	}
	for _, line := range want {
		if !strings.Contains(string(got.body), "\n"+line+"\n") {
			s.t.Errorf("no line %s", line)
		}
	}
}

// TestTheMetricsTellThatTheDatabaseIsAway, which they could not if they stayed away
// with it: hanging, or gone.
func TestTheMetricsTellThatTheDatabaseIsAway(t *testing.T) {
	s := openSite(t, village, nil)
	clock := now
	valve := s.behindValve(func(o *Options) {
		o.Clock = func() time.Time { return clock }
		o.Gate = access.NewGate(o.Store, access.Options{Clock: o.Clock, Patience: 200 * time.Millisecond})
	})
	eventually(t, "the gate knows the token", func() bool { return s.do(access.Read, "GET", "/metrics", "").status == http.StatusOK })
	s.series("chargehand_database_up 1", "chargehand_queue_up 1")
	valve.Shut()
	clock = clock.Add(time.Hour) // the token would have to be looked up
	s.series("chargehand_database_up 0", "chargehand_queue_up 1")
	for what, token := range map[string]string{"none": "", "one made up": "chg_AAAAAAAAAAAA_" + strings.Repeat("A", 43), "one that was not seen": s.token(every)} {
		if got := s.do(0, "GET", "/metrics", "", "Authorization", "Bearer "+token); got.status == http.StatusOK {
			t.Errorf("with the token %s: got %d", what, got.status)
		}
	}
	if got := s.do(access.Read, "GET", "/v1/accounts", ""); got.status != http.StatusServiceUnavailable {
		t.Errorf("what reads the database: got %d %s", got.status, got.body)
	}
}

func TestTheUsageDoorIsCounted(t *testing.T) {
	s := openSite(t, village+`
      - {number: A1, class: default, currency: EUR, profile: {reseller: 1}}
resellers: [{id: 1, name: One}]
`, func(o *Options) { o.BacklogRecordsMax = 100 })
	s.took(s.send("application/x-ndjson", usedLines(101)+"hello\n"))
	if got := s.send("text/html", "hello"); got.status != http.StatusUnsupportedMediaType {
		t.Errorf("got %d %s", got.status, got.body)
	}
	got := s.do(0, "POST", "/v1/usage", usedLines(10), "Content-Type", "application/x-ndjson", "Authorization", "Bearer "+s.newToken("one", access.Feed, 1))
	if got.status != http.StatusAccepted {
		t.Errorf("got %d %s", got.status, got.body)
	}
	s.server.usage.backlog.until = time.Time{}
	if got := s.send("application/x-ndjson", used(1)); got.status != http.StatusTooManyRequests {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := s.do(access.Read, "GET", "/nowhere", ""); got.status != http.StatusNotFound {
		t.Errorf("got %d %s", got.status, got.body)
	}
	s.do(0, "GET", "/livez", "")
	s.series(
		`chargehand_usage_requests_total{answer="accepted"} 2`,
		`chargehand_usage_requests_total{answer="media-type"} 1`,
		`chargehand_usage_requests_total{answer="backlog"} 1`,
		`chargehand_usage_records_total{result="accepted"} 102`,
		`chargehand_usage_records_total{result="unreadable"} 1`,
		`chargehand_usage_records_total{result="out_of_reach"} 9`,
		`chargehand_usage_requests_in_flight 0`,
		`chargehand_request_seconds_count{endpoint="POST /v1/usage",status="2xx"} 2`,
		`chargehand_request_seconds_count{endpoint="POST /v1/usage",status="4xx"} 2`,
		`chargehand_request_seconds_count{endpoint="GET /livez",status="2xx"} 1`,
		`chargehand_request_seconds_count{endpoint="none",status="4xx"} 1`,
	)
}
