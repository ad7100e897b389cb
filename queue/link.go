package queue

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// dialTimeout bounds one attempt to reach Redis, TLS included. It is shorter
// than go-redis' own five seconds so that, within these, an unreachable Sentinel
// leaves time to ask the next.
const dialTimeout = 2 * time.Second

// link is how the client of one consumer reaches Redis. It does two things that
// asynq cannot be told to do.
//
// It keeps trying an acknowledgement while Redis is away: see ProcessHook.
//
// It can be cut. asynq asks Redis without deadlines, so a server that is being
// stopped waits for a Redis that does not answer as long as that lasts. Closing
// the client is no way out: asynq reads from the subscription that would close
// with it and panics. A link that is cut closes its connections and makes no new
// ones; asynq sees errors, as when a network is down, and its stop goes on.
type link struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	gone  chan struct{} // closed by cut
}

// errCut is what every command of a link that was cut ends with. It is none of
// the errors that go-redis would try again.
var errCut = errors.New("connection to redis was cut to stop")

func newLink(t *tls.Config) *link {
	return &link{
		dial:  redis.NewDialer(&redis.Options{DialTimeout: dialTimeout, TLSConfig: t}),
		conns: make(map[net.Conn]struct{}),
		gone:  make(chan struct{}),
	}
}

// connect is the client's dialer.
func (l *link) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if l.isCut() {
		return nil, errCut
	}
	c, err := l.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return l.adopt(c)
}

// adopt remembers a new connection until it is closed.
func (l *link) adopt(c net.Conn) (net.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isCut() {
		_ = c.Close()
		return nil, errCut
	}
	l.conns[c] = struct{}{}
	forget := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.conns, c)
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		return tcpConn{tcp, forget}, nil
	}
	return otherConn{c, forget}, nil
}

// tcpConn embeds the concrete type because go-redis looks through it, at the
// file descriptor, for connections that died while idle.
type tcpConn struct {
	*net.TCPConn
	forget func()
}

func (c tcpConn) Close() error {
	c.forget()
	return c.TCPConn.Close()
}

type otherConn struct {
	net.Conn
	forget func()
}

func (c otherConn) Close() error {
	c.forget()
	return c.Conn.Close()
}

// cut ends the link for good. It may be called more than once.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isCut() {
		return
	}
	close(l.gone)
	for c := range l.conns {
		_ = c.Close()
	}
}

func (l *link) isCut() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

// The pauses between two attempts of an acknowledgement.
const (
	pauseMin = 50 * time.Millisecond
	pauseMax = time.Second
)

// ProcessHook repeats a command that Redis was not there to answer until the
// command's deadline, if it has one.
//
// Of all scripts that asynq sends, only what ends a task's processing has one: the
// lease of the task, at most 30 seconds away. Redis may be restarted within it
// and the task is still acknowledged. What asynq does in a loop anyway — fetch,
// forward, heartbeat — comes without and fails after go-redis' few attempts, or
// a loop that is stuck in its retries would hold up the heartbeats, and all
// loops the stop. This is why it is a hook and not go-redis' MaxRetries.
//
// An acknowledgement that Redis carried out but could not answer fails the
// second time, with NOT FOUND, and is done all the same.
func (l *link) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if _, bounded := ctx.Deadline(); !bounded || !isScript(cmd) {
			return err
		}
		for pause := pauseMin; isAway(err) && l.wait(ctx, pause); pause = min(2*pause, pauseMax) {
			err = next(ctx, cmd)
		}
		return err
	}
}

// isScript leaves out the greeting of a new connection, which passes the hook as
// well and must fail with its connection.
func isScript(cmd redis.Cmder) bool {
	return cmd.Name() == "evalsha" || cmd.Name() == "eval"
}

// DialHook and ProcessPipelineHook change nothing; redis.Hook asks for them.
func (l *link) DialHook(next redis.DialHook) redis.DialHook { return next }

func (l *link) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// wait reports whether d passed before the command's time was over.
func (l *link) wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-l.gone:
	}
	return false
}

// isAway reports whether Redis was not reached, or answered that it cannot
// answer now: it starts, has become a replica, or its cluster is rearranging.
func isAway(err error) bool {
	if err == nil || errors.Is(err, errCut) || errors.Is(err, redis.ErrClosed) {
		return false
	}
	if reply := redis.Error(nil); !errors.As(err, &reply) {
		return true
	}
	return redis.IsLoadingError(err) || redis.IsReadOnlyError(err) || redis.IsMasterDownError(err) ||
		redis.IsClusterDownError(err) || redis.IsTryAgainError(err) || redis.IsMaxClientsError(err)
}
