package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// Task is one delivery. Its payload has not been looked at: what is on the queue
// of a shard is handed over, whoever put it there.
type Task struct {
	Shard   int
	ID      string   // the batch's, or one that begins with nudge:
	Payload []byte   // for Decode
	Retried int      // how often it came back after a failure
	Traces  []string // of the requests that its records came with, for logs; nil: not known
}

// Handler does the work that a task reminds of. Its result decides what becomes
// of the task: nil acknowledges it, GiveUp ends it, any other error brings it
// back. Its context ends when the task's lease is lost, its half hour is over or
// the consumer's patience while stopping is; the handler returns soon after.
type Handler func(ctx context.Context, t Task) error

const (
	// taskCheck is how often on average an idle consumer asks for work: it is
	// what a batch that meets idle workers waits, at most half as long again.
	// Sixteen idle shards then cost Redis 1.5 % of a core and the worker 6 %. A
	// consumer with work to fetch does not pause.
	taskCheck = 50 * time.Millisecond

	// delayedCheck is how often tasks that wait for their retry are looked at.
	// Their time is kept in whole seconds; more often finds nothing more.
	delayedCheck = time.Second

	// janitorEvery is how often asynq deletes completed tasks that were retained.
	// Ours are not.
	janitorEvery = time.Hour

	// stopGrace is how long handlers may go on when their consumer stops: several
	// commits, and far less than what supervisors grant before they kill (30 s).
	stopGrace = 5 * time.Second

	// stopReturn is how long a handler then has to see its context end.
	stopReturn = time.Second

	// stopCut is when, after both, the connection is cut. It is the time for
	// acknowledgements and for handing tasks back.
	stopCut = 3 * time.Second
)

// Consume delivers the tasks of a shard to h, up to concurrency at a time and in
// no promised order, until ctx ends. It starts and ends as a worker gains and
// loses a shard: tasks whose worker died long enough ago are delivered at its
// start, and it returns when nothing of it runs any more.
//
// Stopping has a bound. Handlers that run have five seconds to finish; then their
// context ends, and tasks that were not finished go back to the head of the
// queue. After nine seconds the connection to Redis is cut, whatever still wants
// to be written. Only a handler that ignores its context is waited for longer.
func (c *Client) Consume(ctx context.Context, shard, concurrency int, h Handler) error {
	if shard < 0 || concurrency < 1 {
		return fmt.Errorf("consume shard %d with %d handlers: want a shard from 0 and at least one handler", shard, concurrency)
	}
	log := c.log.With("queue", Name(shard))
	l := newLink(c.address.options().TLSConfig)
	r := c.serverClient(l)
	defer func() { _ = r.Close() }() // its connections are of no more use; what fails is moot

	g := newGate()
	srv := asynq.NewServerFromRedisClient(r, asynq.Config{
		Queues:                   map[string]int{Name(shard): 1},
		Concurrency:              concurrency,
		TaskCheckInterval:        taskCheck,
		DelayedTaskCheckInterval: delayedCheck,
		JanitorInterval:          janitorEvery,
		RetryDelayFunc:           retryDelay,
		IsFailure:                isFailure,
		ShutdownTimeout:          stopGrace + stopReturn,
		Logger:                   newLogger(log),
		LogLevel:                 asynq.DebugLevel, // log decides
		// No HealthCheckFunc: whoever asks after Redis asks Ping.
	})
	if err := srv.Start(g.handler(shard, h, log)); err != nil {
		return fmt.Errorf("consume %s: %w", Name(shard), err)
	}
	<-ctx.Done()
	halting := time.AfterFunc(stopGrace, g.halt)
	cutting := time.AfterFunc(stopGrace+stopReturn+stopCut, func() {
		l.cut()
		g.free() // asynq counts its own patience from its last fetch, which may hang
	})
	srv.Shutdown()
	halting.Stop()
	cutting.Stop()
	g.close()
	return nil
}

// serverClient is the Redis client of one consumer.
func (c *Client) serverClient(l *link) redis.UniversalClient {
	o := c.address.options()
	o.Dialer = l.connect
	o.ReadTimeout = 3 * time.Second
	r := redis.NewUniversalClient(o)
	r.AddHook(l)
	return r
}
