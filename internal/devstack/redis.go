package devstack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
)

const (
	// Private servers take ports below the range from which the kernel gives
	// outgoing connections theirs (32768 up): while a server is down between a
	// kill and its restart, no client may happen to sit on its port.
	portMin = 20000
	portMax = 32000

	// portTries bounds the search for a free port.
	portTries = 20
)

// redis is a private redis-server: a data folder, a port and, while it runs, a
// process.
type redis struct {
	path     string
	env      []string
	folder   *folder
	launcher *launcher
	durable  bool

	port    int
	process *process // nil before the first start
}

// url has a host and a port because asynq's URLs know no better socket.
func (r *redis) url() string { return fmt.Sprintf("redis://%s/0", r.address()) }

func (r *redis) address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(r.port)) }

// startOnFreePort looks for a port and starts there. Between looking and
// starting another process may take it; then the next port is tried.
func (r *redis) startOnFreePort(ctx context.Context) error {
	var errs []error
	for range portTries {
		r.port = portMin + rand.IntN(portMax-portMin)
		listener, err := net.Listen("tcp", r.address())
		if err == nil {
			err = listener.Close()
		}
		if err == nil {
			err = r.start(ctx)
		}
		if err == nil {
			return nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return fmt.Errorf("start redis: no free port in %d tries: %w", len(errs), errors.Join(errs...))
}

// start runs the server on its port and returns when it has read its data.
func (r *redis) start(ctx context.Context) error {
	data, err := r.folder.make("redis")
	if err != nil {
		return err
	}
	process, err := r.launcher.start(program{
		path:    r.path,
		args:    r.settings(data),
		env:     r.env,
		folder:  r.folder,
		logPath: filepath.Join(r.folder.path, "redis.log"),
		// Redis has written what it confirmed before it answers, so it loses
		// nothing by being killed; nothing may keep it from ending.
		deathSignal: syscall.SIGKILL,
	})
	if err != nil {
		return err
	}
	r.process = process
	return process.await(ctx, r.ping)
}

func (r *redis) settings(data string) []string {
	settings := []string{
		"--bind", "127.0.0.1",
		"--port", strconv.Itoa(r.port),
		"--dir", data,
		"--daemonize", "no",
		"--loglevel", "warning",
		"--save", "", // no snapshots: the append-only file is what counts
		"--maxmemory-policy", "noeviction", // a queue must refuse, not forget
	}
	if !r.durable {
		return append(settings, "--appendonly", "no")
	}
	return append(settings, "--appendonly", "yes", "--appendfsync", "everysec")
}

// ping asks the server at our port who it is and whether it is ready. Another
// Stack may have won the port: then our process is about to end, and the one
// that answers is not ours.
func (r *redis) ping(ctx context.Context) error {
	const answerWithin = time.Second
	dialer := net.Dialer{Timeout: answerWithin}
	conn, err := dialer.DialContext(ctx, "tcp", r.address())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("INFO server\r\nPING\r\n")); err != nil {
		return err
	}
	self := "process_id:" + strconv.Itoa(r.process.pid())
	var ours bool
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == self:
			ours = true
		case line == "+PONG" && ours:
			return nil
		case line == "+PONG":
			return fmt.Errorf("the server at %s is not ours", r.address())
		case strings.HasPrefix(line, "-"):
			return fmt.Errorf("the server at %s says %s", r.address(), line)
		}
	}
	return errors.Join(fmt.Errorf("the server at %s broke off", r.address()), lines.Err())
}

// stop lets a server whose data is kept finish its file.
func (r *redis) stop() error {
	switch {
	case r.process == nil:
		return nil
	case r.folder.kept:
		return r.process.stop(syscall.SIGTERM)
	default:
		return r.process.stop()
	}
}

// memoryRedis is a Redis inside this process.
type memoryRedis struct {
	server *miniredis.Miniredis
	quit   chan struct{}
	ended  chan struct{}
}

func startMemoryRedis() (*memoryRedis, error) {
	server, err := miniredis.Run()
	if err != nil {
		return nil, fmt.Errorf("start a redis in memory: %w", err)
	}
	m := &memoryRedis{server: server, quit: make(chan struct{}), ended: make(chan struct{})}
	go m.passTime()
	return m, nil
}

func (m *memoryRedis) url() string { return fmt.Sprintf("redis://%s/0", m.server.Addr()) }

// passTime lets keys expire: miniredis has no clock of its own, and asynq's
// leases and heartbeats are keys that must run out.
func (m *memoryRedis) passTime() {
	defer close(m.ended)
	const every = time.Second
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			m.server.FastForward(every)
		case <-m.quit:
			return
		}
	}
}

func (m *memoryRedis) close() {
	close(m.quit)
	<-m.ended
	m.server.Close()
}
