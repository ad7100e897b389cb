//go:build linux

package devstack_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/jackc/pgx/v5"
	goredis "github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

// Every test starts whatever it needs and must leave nothing running, neither
// processes (each test looks) nor goroutines (looked at here).
func TestMain(m *testing.M) {
	if os.Getenv(helperVariable) != "" {
		os.Exit(runHelper())
	}
	goleak.VerifyTestMain(m)
}

func TestStartsAndStopsTwiceInARow(t *testing.T) {
	for range 2 {
		s := start(t, devstack.Options{})
		if got, want := query(t, s, "select current_user || ' ' || current_setting('TimeZone')"), "chargehand UTC"; got != want {
			t.Errorf("asked the database who and where: got %q, want %q", got, want)
		}
		set(t, s, "k", "v")
		processes := serverPIDs(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, pid := range processes {
			if !devstack.Gone(pid) {
				t.Errorf("process %d is still there after Close", pid)
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("a second Close: got %v, want nil", err)
		}
	}
}

func TestTwoStacksRunAtOnce(t *testing.T) {
	a, b := start(t, devstack.Options{}), start(t, devstack.Options{})
	set(t, a, "whose", "a")
	set(t, b, "whose", "b")
	if got := read(t, a, "whose"); got != "a" {
		t.Errorf("first Redis: got %q, want %q", got, "a")
	}
	if a.DatabaseURL == b.DatabaseURL {
		t.Errorf("both stacks have the database %s", a.DatabaseURL)
	}
}

func TestKilledServersComeBackWithTheirData(t *testing.T) {
	s := start(t, devstack.Options{Durable: true})
	databaseURL, redisURL := s.DatabaseURL, s.RedisURL
	query(t, s, "create table kept as select 7 as n")
	set(t, s, "kept", "7")

	if err := errors.Join(s.KillPostgres(), s.KillRedis()); err != nil {
		t.Fatal(err)
	}
	if postgres, redis := s.PIDs(); postgres != 0 || redis != 0 {
		t.Errorf("process ids of killed servers: got %d and %d, want none", postgres, redis)
	}
	if err := errors.Join(s.RestartPostgres(t.Context()), s.RestartRedis(t.Context())); err != nil {
		t.Fatal(err)
	}

	if got := query(t, s, "select n::text from kept"); got != "7" {
		t.Errorf("row after the crash: got %q, want 7", got)
	}
	if got := read(t, s, "kept"); got != "7" {
		t.Errorf("key after the crash: got %q, want 7", got)
	}
	if s.DatabaseURL != databaseURL || s.RedisURL != redisURL {
		t.Errorf("addresses changed from %s, %s to %s, %s", databaseURL, redisURL, s.DatabaseURL, s.RedisURL)
	}
}

func TestKillNeedsARunningServer(t *testing.T) {
	s := start(t, devstack.Options{})
	if err := errors.Join(s.KillPostgres(), s.KillRedis()); err != nil {
		t.Fatal(err)
	}
	if s.KillPostgres() == nil || s.KillRedis() == nil {
		t.Error("killing what is dead already: got nil, want an error")
	}
}

func TestRestartStopsARunningServer(t *testing.T) {
	s := start(t, devstack.Options{})
	before := fmt.Sprint(s.PIDs())
	if err := errors.Join(s.RestartPostgres(t.Context()), s.RestartRedis(t.Context())); err != nil {
		t.Fatal(err)
	}
	if after := fmt.Sprint(s.PIDs()); after == before {
		t.Errorf("process ids after a restart: got %s again", after)
	}
	query(t, s, "select 'up'")
	set(t, s, "k", "v")
}

func TestKeptFolderKeepsItsDataBetweenRuns(t *testing.T) {
	dir := newFolder(t)
	for _, durable := range []bool{true, false} {
		s := start(t, devstack.Options{Dir: dir, Durable: durable})
		query(t, s, "create table if not exists runs (n int)")
		query(t, s, "insert into runs values (1)")
		if durable {
			set(t, s, "k", "v")
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, devstack.Options{Dir: dir, Durable: true})
	if got := query(t, s, "select count(*)::text from runs"); got != "2" {
		t.Errorf("rows of two runs: got %s, want 2", got)
	}
	if got := read(t, s, "k"); got != "v" {
		t.Errorf("key of the first run: got %q, want %q", got, "v")
	}
}

func TestKeptFolderServesOneStackAtATime(t *testing.T) {
	dir := newFolder(t)
	start(t, devstack.Options{Dir: dir, NoRedis: true})
	_, err := devstack.Start(t.Context(), devstack.Options{Dir: dir, NoPostgres: true, Env: os.Getenv})
	if err == nil || !strings.Contains(err.Error(), "is another chargehand running there?") {
		t.Errorf("second stack over the same folder: got %v, want a refusal that asks for the other one", err)
	}
}

func TestFolderOfSomethingElseIsRefused(t *testing.T) {
	dir := newFolder(t)
	if err := os.MkdirAll(filepath.Join(dir, "photos"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := devstack.Start(t.Context(), devstack.Options{Dir: dir, NoPostgres: true, Env: os.Getenv})
	if err == nil || !strings.Contains(err.Error(), "holds something else") {
		t.Errorf("folder with photos in it: got %v, want a refusal", err)
	}
}

func TestLongFolderGetsAShortSocket(t *testing.T) {
	dir := filepath.Join(newFolder(t), strings.Repeat("long", 25))
	s := start(t, devstack.Options{Dir: dir, NoRedis: true})
	if got := query(t, s, "select 'up'"); got != "up" {
		t.Errorf("got %q, want %q", got, "up")
	}
}

func TestGivenServersAreUsedAsTheyAre(t *testing.T) {
	o := devstack.Options{DatabaseURL: "postgres://elsewhere/db", RedisURL: "redis://elsewhere:6379/0"}
	s := start(t, o)
	if s.DatabaseURL != o.DatabaseURL || s.RedisURL != o.RedisURL {
		t.Errorf("got %s and %s, want the given addresses", s.DatabaseURL, s.RedisURL)
	}
	if s.KillPostgres() == nil || s.RestartPostgres(t.Context()) == nil || s.KillRedis() == nil || s.RestartRedis(t.Context()) == nil {
		t.Error("killed or restarted a server that is not ours: got nil, want an error")
	}
}

func TestLeftOutServersHaveNoAddress(t *testing.T) {
	s := start(t, devstack.Options{NoPostgres: true})
	if s.DatabaseURL != "" {
		t.Errorf("without postgres: got the address %s, want none", s.DatabaseURL)
	}
	set(t, s, "k", "v")
}

func TestCPUGrowsWithWork(t *testing.T) {
	s := start(t, devstack.Options{})
	before, _, err := s.CPU()
	if err != nil {
		t.Fatal(err)
	}
	query(t, s, "select sum(n)::text from generate_series(1, 3000000) n")
	after, _, err := s.CPU() // the session's own process may be reaped or not: it counts either way
	if err != nil {
		t.Fatal(err)
	}
	if after-before < 20*time.Millisecond {
		t.Errorf("processor time of a sum over 3,000,000 numbers: got %v, want at least 20ms", after-before)
	}
}

// start is ForTest with this machine's environment.
func start(t *testing.T, o devstack.Options) *devstack.Stack {
	t.Helper()
	return devstack.ForTest(t, o)
}

// newFolder returns a path for Options.Dir, in memory where there is room.
func newFolder(t *testing.T) string {
	t.Helper()
	root, ok := devstack.MemoryRoot()
	if !ok {
		root = "/tmp"
	}
	return filepath.Join(openFolder(t, root), "servers")
}

// openFolder makes a folder that any user can enter, which t.TempDir promises
// only to ours.
func openFolder(t *testing.T, root string) string {
	t.Helper()
	path, err := os.MkdirTemp(root, "kept-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(path); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// query runs one statement and returns its first value, if it has one.
func query(t *testing.T, s *devstack.Stack, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var value string
	err = conn.QueryRow(t.Context(), sql).Scan(&value)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatalf("%s: %v", sql, err)
	}
	return value
}

func set(t *testing.T, s *devstack.Stack, key, value string) {
	t.Helper()
	client := connectRedis(t, s)
	if err := client.Set(t.Context(), key, value, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s *devstack.Stack, key string) string {
	t.Helper()
	value, err := connectRedis(t, s).Get(t.Context(), key).Result()
	if err != nil {
		t.Fatalf("get %s: %v", key, err)
	}
	return value
}

func connectRedis(t *testing.T, s *devstack.Stack) *goredis.Client {
	t.Helper()
	o, err := goredis.ParseURL(s.RedisURL)
	if err != nil {
		t.Fatal(err)
	}
	client := goredis.NewClient(o)
	t.Cleanup(func() { client.Close() })
	return client
}

// serverPIDs lists every process of the stack.
func serverPIDs(t *testing.T, s *devstack.Stack) []int {
	t.Helper()
	postgres, redis := s.PIDs()
	family, err := devstack.ChildPIDs(postgres)
	if err != nil {
		t.Fatal(err)
	}
	if len(family) == 0 {
		t.Fatalf("postgres process %d has no children", postgres)
	}
	return append(family, postgres, redis)
}
