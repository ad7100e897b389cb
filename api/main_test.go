package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/metrics"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/setup"
	"github.com/chargehand/chargehand/worker"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := pgtest.Main(m, func(ctx context.Context, url string) error {
		_, err := postgres.Migrate(ctx, url)
		return err
	})
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// now is the time of every site, unless a test moves it.
var now = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

// site is a server over a database and a queue of the test's own.
type site struct {
	t        *testing.T
	store    *postgres.Store
	server   *Server
	url      string
	stack    *devstack.Stack // Redis
	database string          // its address
	log      *bytes.Buffer
	tokens   map[access.Scope]string
	telling  sync.Mutex // of the document, as tests send requests side by side
	told     *document  // once it was needed
}

// openSite serves what a set-up file says; change, if not nil, changes the options.
func openSite(t *testing.T, file string, change func(*Options)) *site {
	t.Helper()
	stack := devstack.ForTest(t, devstack.Options{NoPostgres: true, Env: os.Getenv})
	database := pgtest.New(t)
	store, err := postgres.Open(t.Context(), database, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	q, err := queue.Connect(stack.RedisURL, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	s := &site{t: t, store: store, stack: stack, database: database, log: &bytes.Buffer{}, tokens: map[access.Scope]string{}}
	clock := func() time.Time { return now }
	log := slog.New(slog.NewTextHandler(&locked{to: s.log}, nil))
	o := Options{
		Store: store, Queue: q, Metrics: metrics.New(), Clock: clock, Log: log, Version: "test", TimeZone: time.UTC,
		Door:         &feed.Door{Store: store, Queue: q, Shards: 4, BatchRecords: 1000, Clock: clock, Log: log},
		Corrector:    worker.NewCorrector(store, worker.Settings{}),
		Gate:         access.NewGate(store, access.Options{Clock: clock}),
		BodyBytesMax: 1 << 20, UsageBytesMax: 64 << 20, BacklogRecordsMax: 1_000_000,
	}
	if change != nil {
		change(&o)
	}
	o.Metrics.Watch(metrics.Database, o.Store.Ping)
	o.Metrics.Watch(metrics.Queue, o.Queue.Ping)
	s.apply(file)
	s.server = New(o)
	served := httptest.NewServer(s.server.Handler())
	t.Cleanup(served.Close)
	s.url = served.URL
	return s
}

// apply loads a set-up file.
func (s *site) apply(file string) {
	s.t.Helper()
	parsed, err := setup.Parse("setup.yaml", []byte(file))
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.store.Apply(s.t.Context(), parsed, postgres.ApplyOptions{At: now, Actor: "test", TimeZone: time.UTC}); err != nil {
		s.t.Fatal(err)
	}
}

// answer is what came back.
type answer struct {
	status int
	head   http.Header
	body   []byte
}

// decode reads an answer's body into v.
func (a answer) decode(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("answer %d %s: %v", a.status, a.body, err)
	}
}

// do sends a request with the token of a scope (0: none); head is name, value, ….
func (s *site) do(scope access.Scope, method, path, body string, head ...string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if scope != 0 {
		r.Header.Set("Authorization", "Bearer "+s.token(scope))
	}
	for i := 0; i < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Body.Close()
	got, err := io.ReadAll(w.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{status: w.StatusCode, head: w.Header, body: got}
	s.documented(r, a)
	return a
}

// village is a set-up with an account of everything.
const village = `
families: [{code: FUEL, name: Fuel}]
types: [{code: E2, name: Exxon, family: FUEL, unit: {code: L, name: Litre}}]
services: [{code: Exxon Unleaded, alternative_code: EU, description: Unleaded 95, type: E2}]
prices: [{id: eu, service: Exxon Unleaded, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: "1.55"}]
account_classes:
  - {key: default, name: Default, payment_model: prepay, financial_blocking_threshold: "100", subzero_period: 3, subscription_credit_limit: "0", default: true}
customers:
  - ref: jane
    name: Jane Lane
    accounts:
      - {number: ACR0000001526, class: default, currency: EUR, opening_balance: "50", services: [Exxon Unleaded]}
`

func TestAnAccountIsReadWithAToken(t *testing.T) {
	s := openSite(t, village, nil)
	got := s.do(access.Read, "GET", "/v1/accounts/ACR0000001526", "")
	var account struct{ Number, Balance, Status string }
	got.decode(t, &account)
	if got.status != 200 || account.Number != "ACR0000001526" || account.Balance != "50" || account.Status != "active" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	for _, c := range []struct {
		what, path string
		scope      access.Scope
		status     int
		kind       string
	}{
		{"without a token", "/v1/accounts/ACR0000001526", 0, 401, "token-missing"},
		{"an account that is not there", "/v1/accounts/ACR1", access.Read, 404, "account-not-found"},
		{"a query that nobody knows", "/v1/accounts/ACR0000001526?at=1", access.Read, 422, "invalid"},
		{"a path that is not there", "/v2", access.Read, 404, "not-found"},
		{"a path that is not there without a token", "/v2", 0, 401, "token-missing"},
	} {
		got := s.do(c.scope, "GET", c.path, "")
		var p Problem
		got.decode(t, &p)
		if got.status != c.status || p.Type != problemBase+c.kind || got.head.Get("Content-Type") != "application/problem+json" || p.Instance == "" {
			t.Errorf("%s: got %d %s", c.what, got.status, got.body)
		}
	}
	if got := s.do(access.Read, "DELETE", "/openapi.json", ""); got.status != 405 || got.head.Get("Allow") != "GET, HEAD" {
		t.Errorf("got %d %s, Allow %q", got.status, got.body, got.head.Get("Allow"))
	}
	for _, path := range []string{"/livez", "/readyz"} {
		if got := s.do(0, "GET", path, ""); got.status != 200 || string(got.body) != "ok\n" {
			t.Errorf("%s: got %d %s", path, got.status, got.body)
		}
	}
}

// locked lets many write into one buffer.
type locked struct {
	mu sync.Mutex
	to io.Writer
}

func (l *locked) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(b)
}

// token is one of a scope.
func (s *site) token(scope access.Scope) string {
	s.t.Helper()
	if s.tokens[scope] == "" {
		s.tokens[scope] = s.newToken(scope.String(), scope, 0)
	}
	return s.tokens[scope]
}

// newToken makes a token.
func (s *site) newToken(name string, scope access.Scope, reseller int64) string {
	s.t.Helper()
	made, err := access.Make()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.store.CreateToken(s.t.Context(), &postgres.Token{ID: made.ID, Name: name, Hash: made.Hash, Scopes: int16(scope),
		Reseller: reseller, CreatedAt: now, CreatedBy: "test"}); err != nil {
		s.t.Fatal(err)
	}
	return made.Text
}
