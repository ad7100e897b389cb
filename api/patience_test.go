package api

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/route"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/metrics"
	"github.com/chargehand/chargehand/postgres"
)

// behindValve serves the site anew, from now on with its database behind a valve
// and little patience.
func (s *site) behindValve(change func(*Options)) *pgtest.Valve {
	s.t.Helper()
	valve := pgtest.NewValve(s.t, s.database)
	store, err := postgres.Open(s.t.Context(), valve.URL, postgres.Options{Connections: 4})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(store.Close)
	const patience = time.Second
	o := s.server.Options
	o.Store, o.Patience = store, Patience{Ordinary: patience, Long: patience}
	o.Door = &feed.Door{Store: store, Queue: o.Queue, Shards: 4, BatchRecords: 1000, Clock: o.Clock, Log: o.Log}
	o.Gate = access.NewGate(store, access.Options{Clock: o.Clock, Patience: patience})
	if change != nil {
		change(&o)
	}
	o.Metrics = metrics.New()
	o.Metrics.Watch(metrics.Database, store.Ping)
	o.Metrics.Watch(metrics.Queue, o.Queue.Ping)
	s.server = New(o)
	served := httptest.NewServer(s.server.Handler())
	s.t.Cleanup(served.Close)
	s.url = served.URL
	return valve
}

// TestNoRequestHangsWithTheDatabase: every endpoint that asks it answers when its
// time is over, holds no connection, and the log has it.
func TestNoRequestHangsWithTheDatabase(t *testing.T) {
	s := openSite(t, shire, nil)
	token := s.token(every)
	targets := s.targets()
	var log logged
	valve := s.behindValve(func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	eventually(t, "the gate knows the token", func() bool { return s.do(every, "GET", "/v1/accounts/SOUTH1", "").status == http.StatusOK })
	valve.Shut()
	var (
		wait   sync.WaitGroup
		mu     sync.Mutex
		broken = map[string]string{} // what was broken off, by id
	)
	for _, x := range targets {
		switch x.token { // what is not needed is away, as its examples may be refused before
		case route.Bearer:
			x.query, x.head = url.Values{}, http.Header{"Idempotency-Key": {x.where}}
		case route.HeaderToken:
			x.head.Set("Accept", "application/vnd.api+json")
		case route.BodyToken:
			if x.method == http.MethodGet {
				x.query.Set("accounts_receivable_identifier", `{"number":"SOUTH1"}`)
			}
		}
		wait.Go(func() {
			got := s.aim(x, token)
			if got.status != http.StatusServiceUnavailable || got.head.Get("Retry-After") == "" {
				t.Errorf("%s: got %d %s, Retry-After %q", x.where, got.status, got.body, got.head.Get("Retry-After"))
			}
			if strings.HasPrefix(x.path, "/v1/") && !strings.Contains(string(got.body), problemBase+"busy") {
				t.Errorf("%s: got %s, want busy", x.where, got.body)
			}
			mu.Lock()
			defer mu.Unlock()
			broken[got.head.Get("X-Request-Id")] = x.where
		})
	}
	for _, path := range []string{"/readyz", "/v1/records"} {
		wait.Go(func() {
			if got := s.do(every, "GET", path, "", "Accept", asNDJSON); got.status != http.StatusServiceUnavailable {
				t.Errorf("%s: got %d %s", path, got.status, got.body)
			}
		})
	}
	wait.Wait()
	valve.Open()
	for id, where := range broken {
		eventually(t, "the log has the error of "+where, func() bool { return log.tells("level=ERROR", "request="+id, "deadline exceeded") })
	}
	eventually(t, "the connections are given back", func() bool {
		return s.do(every, "GET", "/v1/accounts/SOUTH1", "").status == http.StatusOK
	})
	s.proved()
}

// TestALongRequestHasATimeOfItsOwn: what may take long is not broken off with what
// may not.
func TestALongRequestHasATimeOfItsOwn(t *testing.T) {
	s := openSite(t, village, nil)
	s.server.Patience = Patience{Ordinary: time.Hour, Long: 2 * time.Hour}
	lines := endpoint{method: http.MethodGet, gives: []form{{asJSON, nil}, {asNDJSON, nil}}}
	for _, c := range []struct {
		what, accept string
		e            endpoint
		want         time.Duration
	}{
		{"a read", "", endpoint{method: http.MethodGet}, time.Hour},
		{"a write", "", endpoint{method: http.MethodPost}, time.Hour},
		{"a page", "", lines, time.Hour},
		{"a list as lines", asNDJSON, lines, 2 * time.Hour},
		{"a set-up", "", endpoint{method: http.MethodPut, long: true}, 2 * time.Hour},
	} {
		r := httptest.NewRequestWithContext(t.Context(), c.e.method, "/", nil)
		r.Header.Set("Accept", c.accept)
		var until time.Time
		s.server.timely(c.e, func(_ http.ResponseWriter, r *http.Request) { until, _ = r.Context().Deadline() })(httptest.NewRecorder(), r)
		if got := time.Until(until).Round(time.Minute); got != c.want {
			t.Errorf("%s: got %s, want %s", c.what, got, c.want)
		}
	}
}

// Whoever was overtaken until the tries were used up was told of a fault of the
// server, which is none: nothing was done, and the next try may well do.
func TestWhoIsOvertakenIsToldToTryAgain(t *testing.T) {
	got := problemOf(fmt.Errorf("gave up after 10 tries: %w", postgres.ErrStale))
	if got.Status != 503 || got.Type != problemBase+"busy" || got.retryAfter <= 0 {
		t.Errorf("got %+v", got)
	}
}

// deadlined is an answer's writer that keeps the bound on reading the request.
type deadlined struct {
	*httptest.ResponseRecorder
	reading time.Time
}

func (d *deadlined) SetReadDeadline(until time.Time) error {
	d.reading = until
	return nil
}

// TestWithItsBodyTheBoundOnReadingEnds for what huma does not serve as well: net/http
// takes one that passes later for a client that has left.
func TestWithItsBodyTheBoundOnReadingEnds(t *testing.T) {
	s := openSite(t, village, nil)
	w := &deadlined{httptest.NewRecorder(), now}
	s.server.mount(route.Route{Method: http.MethodPost, Pattern: "/slow", Name: "slow", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadFull(r.Body, make([]byte, 2)); err != nil || w.reading.IsZero() {
			t.Errorf("got %v, bound until %s, want the body still bound", err, w.reading)
		}
		if _, err := io.ReadAll(r.Body); err != nil || !w.reading.IsZero() {
			t.Errorf("got %v, bound until %s, want no bound", err, w.reading)
		}
	})})
	s.server.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/slow", strings.NewReader("{}")))
	if w.Code != http.StatusOK {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
