package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/queue"
)

// ClientOptions say how a Client batches. The zero value of a field is its
// default.
type ClientOptions struct {
	Shards       int           // must be the workers' queue.shards; default 8
	BatchRecords int           // most records of a batch; default 1000
	BatchWait    time.Duration // longest time that a record waits for company; default 10 ms
	Log          *slog.Logger
}

// Client is a feed written in Go. It puts usage records on the queue by itself:
// grouped by shard, batched by size and time, in the order of sending for each
// account. Many goroutines may send at once; the more do, the fuller the batches.
//
// A record whose Send has returned nil is on the queue, and as durable as Redis
// makes it: with its append-only file synced each second, a crash of the machine
// may lose the last second. Whoever cannot live with that sends over the API or
// ingest, which answer when PostgreSQL has the records.
type Client struct {
	queue   *queue.Client
	options ClientOptions
	shards  []*gathering
	wait    sync.WaitGroup
}

// gathering is the batch of a shard that still grows, and who waits for it.
type gathering struct {
	mu      sync.Mutex
	open    opening
	waiters []chan error
	due     *time.Timer
	closed  bool
	out     chan parcel // to the shard's one sender, in the order of ids
}

// parcel is a batch on its way, and who waits for it.
type parcel struct {
	sealed
	waiters []chan error
}

// parcelsAhead is how many batches of a shard may wait for Redis before Send
// blocks.
const parcelsAhead = 4

// ErrClosed means that a Client was used after Close.
var ErrClosed = errors.New("the feed is closed")

// Connect makes a Client of the Redis at url (REDIS_URL of CONTRACT §5).
func Connect(ctx context.Context, url string, o ClientOptions) (*Client, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Shards = orDefault(o.Shards, 8)
	o.BatchRecords = orDefault(o.BatchRecords, 1000)
	o.BatchWait = orDefault(o.BatchWait, 10*time.Millisecond)
	q, err := queue.Connect(url, o.Log)
	if err != nil {
		return nil, err
	}
	if err := q.Ping(ctx); err != nil {
		return nil, errors.Join(err, q.Close())
	}
	c := &Client{queue: q, options: o}
	for range o.Shards {
		g := &gathering{out: make(chan parcel, parcelsAhead)}
		c.shards = append(c.shards, g)
		c.wait.Go(func() { c.send(g) })
	}
	return c, nil
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// Send puts a record on the queue and returns when it is there. A record that
// the door would refuse is refused here (SPEC R5.3).
func (c *Client) Send(ctx context.Context, r *billing.UsageRecord) error {
	if err := check(r); err != nil {
		return err
	}
	shard := queue.Shard(r.Account, len(c.shards))
	done, err := c.gather(shard, r)
	if err != nil {
		return err
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("send record %s/%s: it may be on the queue or not: %w", r.Source, r.ID, ctx.Err())
	}
}

// check reads a record as a worker will.
func check(r *billing.UsageRecord) error {
	if _, err := billing.DecodeRecord(billing.AppendRecord(nil, r)); err != nil {
		return fmt.Errorf("send record %s/%s: %w", r.Source, r.ID, err)
	}
	return nil
}

// gather puts a record into its shard's batch; the first one starts the clock,
// and the last one that fits sends it.
func (c *Client) gather(shard int, r *billing.UsageRecord) (<-chan error, error) {
	g := c.shards[shard]
	done := make(chan error, 1)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, ErrClosed
	}
	g.open.add(r)
	g.waiters = append(g.waiters, done)
	switch g.open.count {
	case c.options.BatchRecords:
		c.flush(shard, g)
	case 1:
		g.due = time.AfterFunc(c.options.BatchWait, func() {
			g.mu.Lock()
			defer g.mu.Unlock()
			c.flush(shard, g)
		})
	}
	return done, nil
}

// flush seals the batch and hands it to the sender; g is locked.
func (c *Client) flush(shard int, g *gathering) {
	if g.due != nil {
		g.due.Stop()
	}
	if g.open.count == 0 {
		return
	}
	waiters := g.waiters
	g.waiters = nil
	b, err := g.open.seal(shard)
	if err != nil {
		tell(waiters, err)
		return
	}
	g.out <- parcel{b, waiters}
}

// send puts a shard's batches on the queue, one after the other.
func (c *Client) send(g *gathering) {
	for p := range g.out {
		tell(p.waiters, c.queue.Enqueue(context.Background(), p.shard, queue.Encode(p.id, p.records), p.id))
	}
}

func tell(waiters []chan error, err error) {
	for _, w := range waiters {
		w <- err
	}
}

// Close sends what waits and gives the connection back.
func (c *Client) Close() error {
	for shard, g := range c.shards {
		g.mu.Lock()
		c.flush(shard, g)
		g.closed = true
		close(g.out)
		g.mu.Unlock()
	}
	c.wait.Wait()
	return c.queue.Close()
}
