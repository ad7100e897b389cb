package queue_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/chargehand/chargehand/queue"
)

// server is a redis-server with settings that internal/devstack does not offer.
type server struct {
	port int
	addr string
}

// startServer starts a server in a folder of its own, on a free port, and ends
// it with the test. A first argument that is no option is a configuration file.
func startServer(t testing.TB, args ...string) server {
	t.Helper()
	port := freePort(t)
	dir := t.TempDir()
	if len(args) == 0 || strings.HasPrefix(args[0], "--") {
		args = append([]string{"--save", ""}, args...)
	}
	args = append(args, "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--dir", dir, "--logfile", dir+"/log")
	cmd := exec.Command("redis-server", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Skip("no redis-server on this machine:", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	s := server{port: port, addr: fmt.Sprintf("127.0.0.1:%d", port)}
	eventually(t, "the server listens", func() bool {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return s
}

// client is a plain client of the server.
func (s server) client(t testing.TB) *redis.Client {
	t.Helper()
	return raw(t, "redis://"+s.addr)
}

// freePort looks below the ports that the kernel gives to outgoing connections,
// as internal/devstack does.
func freePort(t testing.TB) int {
	t.Helper()
	for range 20 {
		port := 20_000 + rand.IntN(12_000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no free port in 20 tries")
	return 0
}

func TestPasswordAndDatabaseAreUsed(t *testing.T) {
	s := startServer(t, "--requirepass", "s@cret/")
	c := connect(t, "redis://:s%40cret%2F@"+s.addr+"/3")
	batch := enqueue(t, c)
	r := redis.NewClient(&redis.Options{Addr: s.addr, Password: "s@cret/", DB: 3})
	defer func() { _ = r.Close() }()
	if n, err := r.Exists(t.Context(), "asynq:{usage-00}:t:"+batch.String()).Result(); n != 1 {
		t.Errorf("the task is not in database 3: %v", err)
	}
	seen := make(chan string, 1)
	consume(t, c, 1, func(_ context.Context, task queue.Task) error {
		seen <- task.ID
		return nil
	})
	if got := <-seen; got != batch.String() {
		t.Errorf("got %s, want %s", got, batch)
	}

	wrong := connect(t, "redis://:hunter2@"+s.addr)
	if err := wrong.Ping(t.Context()); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error without the password", err)
	}
}

// TestTLSIsSpoken meets a server whose certificate it has no reason to trust.
func TestTLSIsSpoken(t *testing.T) {
	s := httptest.NewUnstartedServer(nil)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	c := connect(t, "rediss://"+s.Listener.Addr().String())
	if err := c.Ping(t.Context()); err == nil || !strings.Contains(err.Error(), "x509") {
		t.Errorf("got %v, want the certificate refused", err)
	}
}

func TestCheckTellsWhatLosesTasks(t *testing.T) {
	safe := startServer(t)
	evicting := startServer(t, "--maxmemory-policy", "allkeys-lru")
	inMemory := miniredis.RunT(t).Addr()
	for _, tc := range []struct {
		name, addr string
		want       []string
	}{
		{"a Redis as it comes", safe.addr, nil},
		{"one that evicts", evicting.addr, []string{"redis at redis://" + evicting.addr + "/0 has maxmemory-policy allkeys-lru; " +
			"it must be noeviction, or tasks vanish when memory is short"}},
		{"one that does not tell", inMemory, []string{"redis at redis://" + inMemory + "/0 does not tell its version"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := connect(t, "redis://"+tc.addr).Check(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := connect(t, "redis://127.0.0.1:1").Check(t.Context()); err == nil {
		t.Error("a Redis that is not there was checked")
	}
}
