package metrics

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/worker"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// address finds where Serve listens in what it logs.
var address = regexp.MustCompile(`address=(\S+)`)

// lines is a log that says when its first line is there.
type lines struct {
	bytes.Buffer
	first chan string
}

// Write takes one line.
func (l *lines) Write(p []byte) (int, error) {
	l.first <- string(p)
	return len(p), nil
}

// scrape serves m, reads it once and stops it.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	log := &lines{first: make(chan string, 1)}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Serve(ctx, "127.0.0.1:0", slog.New(slog.NewTextHandler(log, nil))) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address.FindStringSubmatch(<-log.first)[1]+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("stopped: %v", err)
	}
	return string(text)
}

func TestWhatIsDoneIsCounted(t *testing.T) {
	m := New()
	for range 2 {
		m.Batches(worker.Group{Took: 3 * time.Millisecond, Outcomes: postgres.Outcomes{Rated: 5, Rejected: 2, Duplicate: 1,
			Reasons: map[string]int{"no_price": 2}}})
	}
	m.Run(postgres.Run{Job: "charge", Counts: map[string]int{"charged": 3, "left": 7}})
	m.Run(postgres.Run{Job: "charge", Counts: map[string]int{"charged": 1, "left": 4}, Fault: "it broke"})
	got := scrape(t, m)
	for _, want := range []string{
		`chargehand_records_total{outcome="rated"} 10`,
		`chargehand_records_total{outcome="conflict"} 0`,
		`chargehand_rejected_total{reason="no_price"} 4`,
		`chargehand_commit_seconds_count 2`,
		`chargehand_commit_seconds_bucket{le="0.004"} 2`,
		`chargehand_runs_total{job="charge",result="done"} 1`,
		`chargehand_runs_total{job="charge",result="failed"} 1`,
		`chargehand_run_counts_total{count="charged",job="charge"} 4`,
		`chargehand_periods_left 4`,
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}

func TestEveryReasonHasASeriesFromTheStart(t *testing.T) {
	got := scrape(t, New())
	for _, reason := range billing.Reasons() {
		if want := `chargehand_rejected_total{reason="` + reason + `"} 0`; !strings.Contains(got, want) {
			t.Errorf("no line %s", want)
		}
	}
}

func TestAnAddressThatIsTakenIsNamed(t *testing.T) {
	err := New().Serve(t.Context(), "256.0.0.1:1", slog.New(slog.DiscardHandler))
	if err == nil || !strings.Contains(err.Error(), "256.0.0.1:1") || !strings.Contains(err.Error(), "metrics.listen") {
		t.Errorf("got %v, want the address and the key", err)
	}
}

func TestRequestsAreCounted(t *testing.T) {
	m := New()
	m.Request("GET /v1/accounts/{number}", 200, 3*time.Millisecond)
	m.Request("GET /v1/accounts/{number}", 204, time.Hour)
	m.Request("GET /v1/accounts/{number}", 499, time.Second)
	m.Request("", 404, time.Second)
	ends, never := m.UsageBegins(), m.UsageBegins()
	_ = never
	ends(Usage{Answer: "accepted", Accepted: 5, Unreadable: 2, OutOfReach: 1})
	m.UsageBegins()(Usage{Answer: "backlog"})
	got := scrape(t, m)
	for _, want := range []string{
		`chargehand_request_seconds_count{endpoint="GET /v1/accounts/{number}",status="2xx"} 2`,
		`chargehand_request_seconds_bucket{endpoint="GET /v1/accounts/{number}",status="2xx",le="0.004"} 1`,
		`chargehand_request_seconds_count{endpoint="GET /v1/accounts/{number}",status="4xx"} 1`,
		`chargehand_request_seconds_count{endpoint="none",status="4xx"} 1`,
		`chargehand_usage_requests_total{answer="accepted"} 1`,
		`chargehand_usage_requests_total{answer="backlog"} 1`,
		`chargehand_usage_requests_total{answer="stalled"} 0`,
		`chargehand_usage_records_total{result="accepted"} 5`,
		`chargehand_usage_records_total{result="unreadable"} 2`,
		`chargehand_usage_records_total{result="out_of_reach"} 1`,
		`chargehand_usage_requests_in_flight 1`,
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}

func TestWhetherServersAreThereIsServed(t *testing.T) {
	m := New()
	errAway := errors.New("away")
	m.Watch(Database, func(context.Context) error { return errAway })
	m.Watch(Queue, func(context.Context) error { return errAway })
	m.Watch(Queue, func(ctx context.Context) error {
		if _, bounded := ctx.Deadline(); !bounded {
			return errAway
		}
		return nil
	})
	got := scrape(t, m)
	for _, want := range []string{"chargehand_database_up 0", "chargehand_queue_up 1"} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("no line %s", want)
		}
	}
}

// TestNamesAreAsPrometheusWantsThem, and the page for operators has each.
func TestNamesAreAsPrometheusWantsThem(t *testing.T) {
	m := New()
	m.Watch(Database, func(context.Context) error { return nil })
	m.Watch(Queue, func(context.Context) error { return nil })
	m.Request("GET /livez", 200, time.Second)
	m.Run(postgres.Run{Job: "charge", Counts: map[string]int{"charged": 3}})
	text := scrape(t, m)
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("got %v, %v", problems, err)
	}
	page, err := os.ReadFile("../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`(?m)^# TYPE (chargehand_\w+)`).FindAllStringSubmatch(text, -1)
	if len(names) < 12 {
		t.Errorf("got %d names", len(names))
	}
	for _, name := range names {
		if !bytes.Contains(page, []byte("`"+name[1])) {
			t.Errorf("docs/operating.md has not %s", name[1])
		}
	}
}
