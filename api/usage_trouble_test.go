package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/worker"
	"github.com/jackc/pgx/v5"
)

// raw is a connection of its own to a site, for requests that are not whole.
func (s *site) raw() net.Conn {
	s.t.Helper()
	at, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", at.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// chunked begins a request whose length is not told.
func (s *site) chunked() net.Conn {
	c := s.raw()
	fmt.Fprintf(c, "POST /v1/usage HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/x-ndjson\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n", s.token(access.Feed))
	return c
}

func chunk(c net.Conn, text string) { fmt.Fprintf(c, "%x\r\n%s\r\n", len(text), text) }

// answered reads what came back on a connection.
func (s *site) answered(c net.Conn) answer {
	s.t.Helper()
	w, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{w.StatusCode, w.Header, body}
}

// ask reads one number from the database.
func (s *site) ask(query string) (n int) {
	s.t.Helper()
	s.read(query, &n)
	return n
}

// askText reads one text.
func (s *site) askText(query string) (text string) {
	s.t.Helper()
	s.read(query, &text)
	return text
}

func (s *site) read(query string, to any) {
	s.t.Helper()
	c, err := pgx.Connect(s.t.Context(), s.database)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close(s.t.Context())
	if err := c.QueryRow(s.t.Context(), query).Scan(to); err != nil {
		s.t.Fatal(err)
	}
}

const acceptedRecords = `select coalesce(sum(records), 0)::int from batches`

func TestABodyOfWhichNothingComesEnds(t *testing.T) {
	s := openSite(t, village, nil)
	s.server.usage.patience = 200 * time.Millisecond
	c := s.chunked()
	chunk(c, used(1)+"\n")
	a := s.answered(c)
	if a.status != http.StatusRequestTimeout {
		t.Errorf("got %d %s", a.status, a.body)
	}
	var got Taken
	if a.decode(t, &got); got.Accepted != 0 || s.ask(acceptedRecords) != 0 {
		t.Errorf("got %+v, want nothing accepted of a small body that broke off", got)
	}
}

func TestABodyMayTakeAsLongAsSomethingComes(t *testing.T) {
	s := openSite(t, village, nil)
	s.server.usage.patience = 400 * time.Millisecond
	c := s.chunked()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for n := range 20 { // a second in all
		<-tick.C
		chunk(c, used(n)+"\n")
	}
	fmt.Fprint(c, "0\r\n\r\n")
	if got := s.took(s.answered(c)); got.Accepted != 20 {
		t.Errorf("got %+v, want all 20", got)
	}
}

func TestOfABodyThatBreaksOffOnlyWhatWasHandedOverIsAccepted(t *testing.T) {
	s := openSite(t, village, func(o *Options) { o.Door.BatchRecords = 10 })
	c := s.chunked()
	for n := range 1000 {
		chunk(c, used(n)+"\n")
	}
	eventually(t, "the first batches are accepted", func() bool { return s.ask(acceptedRecords) > 0 })
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the request has ended", func() bool { return len(s.server.usage.places) == 0 })
	if n := s.ask(acceptedRecords); n == 0 || n > 1000 || n%10 != 0 {
		t.Errorf("got %d records accepted, want those of full batches", n)
	}
	// The sender sends all of it again.
	if got := s.took(s.send("application/x-ndjson", usedLines(1000))); got.Accepted != 1000 {
		t.Errorf("got %+v", got)
	}
}

func TestUsageIsAcceptedWhileRedisIsAway(t *testing.T) {
	s := openSite(t, village, nil)
	if s.stack.RedisInMemory {
		t.Skip("no redis-server found: the queue is in memory and cannot be killed")
	}
	if err := s.stack.KillRedis(); err != nil {
		t.Fatal(err)
	}
	if got := s.took(s.send("application/x-ndjson", usedLines(100))); got.Accepted != 100 || len(s.stored(got.Batches)) != 100 {
		t.Errorf("got %+v", got)
	}
}

func TestUsageIsRefusedWhileTheDatabaseIsAway(t *testing.T) {
	away := devstack.ForTest(t, devstack.Options{NoRedis: true})
	if _, err := postgres.Migrate(t.Context(), away.DatabaseURL); err != nil {
		t.Fatal(err)
	}
	store, err := postgres.Open(t.Context(), away.DatabaseURL, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	s := openSite(t, village, func(o *Options) {
		door := *o.Door
		door.Store = store
		o.Door = &door
	})
	if got := s.took(s.send("application/x-ndjson", usedLines(10))); got.Accepted != 10 {
		t.Fatalf("got %+v", got)
	}
	if err := away.KillPostgres(); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{usedLines(10), usedLines(50_000), "hello"} {
		a := s.send("application/x-ndjson", body)
		if a.status != http.StatusServiceUnavailable || a.head.Get("Retry-After") == "" {
			t.Errorf("got %d %s, Retry-After %q", a.status, a.body, a.head.Get("Retry-After"))
		}
		var got Taken
		if a.decode(t, &got); got.Accepted != 0 {
			t.Errorf("got %+v", got)
		}
	}
	if err := away.RestartPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.took(s.send("application/x-ndjson", usedLines(10))); got.Accepted != 10 {
		t.Errorf("the database is there again: got %+v", got)
	}
}

func TestABacklogSendsFeedsAwayUntilThereIsRoom(t *testing.T) {
	s := openSite(t, village, func(o *Options) { o.BacklogRecordsMax = 100 })
	fresh := func() { s.server.usage.backlog.until = time.Time{} }
	s.took(s.send("application/x-ndjson", usedLines(101)))
	fresh()
	a := s.send("application/x-ndjson", usedLines(1), "Expect", "100-continue")
	var p Problem
	if a.decode(t, &p); a.status != http.StatusTooManyRequests || p.Type != problemBase+"backlog" || a.head.Get("Retry-After") != "60" {
		t.Errorf("got %d %s, Retry-After %q: nothing is judged", a.status, a.body, a.head.Get("Retry-After"))
	}
	s.work(t, s.server.Log)
	eventually(t, "what waits is judged", func() bool { n, err := s.store.Backlog(t.Context()); return err == nil && n == 0 })
	fresh()
	if got := s.took(s.send("application/x-ndjson", usedLines(1))); got.Accepted != 1 {
		t.Errorf("got %+v", got)
	}
}

// TestNobodyWaitsWhileTheBacklogIsCounted but who counts: the others go by what was
// counted last.
func TestNobodyWaitsWhileTheBacklogIsCounted(t *testing.T) {
	s := openSite(t, village, func(o *Options) { o.BacklogRecordsMax = 100 })
	valve := s.behindValve(func(o *Options) { o.Patience.Ordinary = time.Minute })
	b := s.server.usage.backlog
	s.took(s.send("application/x-ndjson", usedLines(101)))
	b.until = time.Time{}
	counted := b.check(t.Context())
	if !errors.As(counted, new(*Problem)) {
		t.Fatalf("got %v, want that there is no room", counted)
	}
	b.until = time.Time{}
	b.patience = time.Hour
	valve.Shut()
	first := make(chan error)
	go func() { first <- b.check(t.Context()) }()
	eventually(t, "somebody counts", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.counting
	})
	if got := b.check(t.Context()); !errors.Is(got, counted) {
		t.Errorf("meanwhile: got %v, want what was counted last", got)
	}
	valve.Open()
	if err := <-first; !errors.As(err, new(*Problem)) {
		t.Errorf("who counted: got %v", err)
	}
}

func TestHowLongAFeedIsSentAway(t *testing.T) {
	for _, c := range []struct {
		tooMany, judged int64
		want            time.Duration
	}{
		{1, 0, time.Minute},
		{1, 1_000_000, time.Second},
		{50_000, 100_000, 5 * time.Second},
		{1_000_000_000, 1, time.Minute},
	} {
		if got := retryAfter(c.tooMany, c.judged); got != c.want {
			t.Errorf("%d too many, %d judged in ten seconds: got %s, want %s", c.tooMany, c.judged, got, c.want)
		}
	}
}

// work runs a worker until the test ends.
func (s *site) work(t *testing.T, log *slog.Logger) {
	t.Helper()
	w, err := worker.New(s.store, s.server.Queue, worker.Config{Shards: 4, BatchesPerCommit: 8, CacheAccounts: 100, Lease: 6 * time.Second},
		s.server.Clock, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// eventually waits for what must come.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(time.Minute); !is(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited a minute: %s", what)
		}
	}
}

func TestATraceIsFoundWhereverItsRecordsGo(t *testing.T) {
	var log logged
	s := openSite(t, village, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	s.took(s.send("application/x-ndjson", used(1), "Traceparent", trace))
	eventually(t, "the request's line has its trace", func() bool { return strings.Contains(log.String(), "trace="+trace) })
	s.work(t, s.server.Log)
	eventually(t, "the worker names the trace", func() bool { return strings.Contains(log.String(), "traces=["+trace+"]") })
}

// logged is a log that can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// tells whether a line of the log has all of some texts.
func (l *logged) tells(texts ...string) bool {
	for line := range strings.Lines(l.String()) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			return true
		}
	}
	return false
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestTenThousandSmallRequestsAtOnce(t *testing.T) {
	s := openSite(t, village, nil)
	token := s.token(access.Feed)
	before := heap()
	var (
		wait     sync.WaitGroup
		accepted atomic.Int64
		most     atomic.Int64
	)
	const requests = 10_000
	// Handlers, not connections: what is measured is what the door holds.
	for n := range requests {
		wait.Go(func() {
			q := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/usage", strings.NewReader(used(n)))
			q.Header.Set("Content-Type", "application/x-ndjson")
			q.Header.Set("Authorization", "Bearer "+token)
			w := httptest.NewRecorder()
			s.server.Handler().ServeHTTP(w, q)
			if w.Code == http.StatusAccepted {
				accepted.Add(1)
			} else if n < 5 {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
			if n%100 == 0 {
				most.Store(max(most.Load(), int64(heap())))
			}
		})
	}
	wait.Wait()
	if accepted.Load() != requests || s.ask(acceptedRecords) != requests {
		t.Errorf("%d requests were answered 202, %d records are accepted, want %d", accepted.Load(), s.ask(acceptedRecords), requests)
	}
	if n := s.ask(`select count(*)::int from batches`); n > requests/4 {
		t.Errorf("got %d batches for %d requests, want shared ones", n, requests)
	}
	if grown := most.Load() - int64(before); grown > 256<<20 {
		t.Errorf("the heap grew by %d MiB", grown>>20)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestAResellersTokenReachesItsAccountsOnly(t *testing.T) {
	s := openSite(t, village+`
      - {number: A1, class: default, currency: EUR, profile: {reseller: 2}}
      - {number: A2, class: default, currency: EUR, profile: {reseller: 3}}
resellers: [{id: 1, name: One}, {id: 2, name: Below, parent: 1}, {id: 3, name: Other}]
`, nil)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/usage", strings.NewReader(usedLines(1500)+"hello\n"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+s.newToken("reseller one", access.Feed, 1))
	r.Header.Set("Content-Type", "application/x-ndjson")
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	// Of ten accounts, A1 is within reach; A2 is another's, the others are nobody's.
	got := s.took(answer{w.StatusCode, w.Header, body})
	if got.Accepted != 150 || got.OutOfReach != 1350 || got.Unreadable != 1 || len(got.Refused)+got.Unlisted != 1351 {
		t.Errorf("got %d accepted, %d out of reach, %d unreadable, %d and %d refused", got.Accepted, got.OutOfReach, got.Unreadable, len(got.Refused), got.Unlisted)
	}
	faults := map[string]bool{}
	for _, f := range got.Refused {
		if strings.Contains(f.Fault, "account") {
			faults[f.Fault] = true
		}
	}
	if !faults[`account "A2": there is none`] || !faults[`account "A3": there is none`] || len(faults) != 9 {
		t.Errorf("got the faults %v, want the same for what is another's and what is not", faults)
	}
	if n := s.ask(acceptedRecords); n != 150 {
		t.Errorf("got %d records in the database", n)
	}
	if n := len(s.refusedLines()); n != 1 {
		t.Errorf("got %d dead letters, want the unreadable one", n)
	}
}

func TestWhatIsSentTwiceCountsOnce(t *testing.T) {
	s := openSite(t, village, nil)
	body := strings.ReplaceAll(usedLines(500), `"A`, `"ACR000000152`) // ACR0000001526 is there
	first, again := s.took(s.send("application/x-ndjson", body)), s.took(s.send("application/x-ndjson", packed(t, "gzip", body), "Content-Encoding", "gzip"))
	s.work(t, s.server.Log)
	eventually(t, "all is judged", func() bool { n, err := s.store.Backlog(t.Context()); return err == nil && n == 0 })
	sum, waiting, err := s.store.OutcomesOf(t.Context(), append(first.Batches, again.Batches...))
	if err != nil || waiting > 0 {
		t.Fatal(err, waiting)
	}
	if sum.Accepted != 1000 || sum.Rated != 50 || sum.Rejected != 450 || sum.Duplicate != 500 {
		t.Errorf("got %+v, want 50 rated, 450 of accounts that are not there, and as many duplicates", sum)
	}
}
