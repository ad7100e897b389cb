package queue_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/chargehand/chargehand/queue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is a redis-server of the machine, for one test. internal/devstack has
// one too, but no cluster, no Sentinel and no way to freeze it.
type server struct {
	t    testing.TB
	dir  string
	port int
	args []string
	cmd  *exec.Cmd
}

// startRedis starts a server on a free loopback port, append-only as in
// production, with more settings if given. It ends with the test.
func startRedis(t testing.TB, args ...string) *server {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("no redis-server on this machine:", err)
	}
	s := &server{t: t, dir: t.TempDir(), port: freePort(t), args: args}
	t.Cleanup(s.kill)
	s.start()
	return s
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *server) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

func (s *server) url() string { return "redis://" + s.addr() + "/0" }

// start runs the server, again after kill, until it answers.
func (s *server) start() {
	s.t.Helper()
	args := append([]string{
		"--port", fmt.Sprint(s.port), "--bind", "127.0.0.1", "--dir", s.dir,
		"--logfile", filepath.Join(s.dir, "log"), "--save", "",
		"--appendonly", "yes", "--appendfsync", "everysec",
	}, s.args...)
	s.run(args...)
}

func (s *server) run(args ...string) {
	s.t.Helper()
	s.cmd = exec.Command("redis-server", args...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	r := redis.NewClient(&redis.Options{Addr: s.addr(), MaxRetries: -1})
	defer func() { _ = r.Close() }()
	s.wait("redis answers", func() bool { return r.Ping(s.t.Context()).Err() == nil })
}

// kill ends the server at once, as a crash does.
func (s *server) kill() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// freeze stops the server without closing anything, as a paused machine does;
// thaw lets it go on.
func (s *server) freeze() { s.signal(syscall.SIGSTOP) }
func (s *server) thaw()   { s.signal(syscall.SIGCONT) }

func (s *server) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// raw is a plain client of the server.
func (s *server) raw() *redis.Client {
	r := redis.NewClient(&redis.Options{Addr: s.addr()})
	s.t.Cleanup(func() { _ = r.Close() })
	return r
}

func (s *server) wait(what string, ok func() bool) {
	s.t.Helper()
	eventually(s.t, what, ok)
}

// eventually waits until ok, for at most half a minute.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited 30 s in vain until %s", what)
		}
	}
}

// connect returns a client that logs to the test.
func connect(t testing.TB, url string) *queue.Client {
	t.Helper()
	c, err := queue.Connect(url, testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(string(bytes.TrimSpace(p)))
	return len(p), nil
}

// consume runs a consumer of shard 0 until stop is called, at the latest at the
// end of the test. stop returns when Consume has.
func consume(t testing.TB, c *queue.Client, concurrency int, h queue.Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Consume(ctx, 0, concurrency, h) }()
	stopped := false
	stop = func() {
		t.Helper()
		cancel()
		if stopped {
			return
		}
		stopped = true
		if err := <-done; err != nil {
			t.Errorf("Consume: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// enqueue puts an empty batch on shard 0 and returns its id.
func enqueue(t testing.TB, c *queue.Client) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	if err := c.Enqueue(t.Context(), 0, queue.Encode(id, []byte("[]")), id); err != nil {
		t.Fatal(err)
	}
	return id
}

// stats returns the figures of shard 0.
func stats(t testing.TB, c *queue.Client) queue.QueueStats {
	t.Helper()
	all, err := c.Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range all {
		if q.Queue == queue.Name(0) {
			return q
		}
	}
	return queue.QueueStats{}
}
