package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

// enqueueWait bounds an enqueue, a nudge and an inspection. The caller has the
// batch safe in PostgreSQL and the scheduler's sweep sends what is missing, so a
// feed is better off without Redis than waiting for it.
const enqueueWait = 2 * time.Second

// Client is the way to the queues: it enqueues and inspects over one pool of
// connections, and every consumer opens its own. It may be used by many
// goroutines.
type Client struct {
	address address
	log     *slog.Logger
	redis   redis.UniversalClient
	inspect *asynq.Inspector

	// tasks enqueues. asynq names a queue in its list of queues once and then
	// remembers that it did; a Redis that lost its data does not. So there is a
	// new one after every new connection, which a restarted Redis always means.
	tasks       atomic.Pointer[asynq.Client]
	reconnected atomic.Bool
}

// Connect reads a REDIS_URL — redis://, redis+sentinel://, redis+cluster:// and,
// with TLS, rediss in their place — and returns a client for it, which Close ends.
// An error names what is wrong in the URL and shows no password. Redis itself
// need not be there yet: Ping asks that.
func Connect(url string, log *slog.Logger) (*Client, error) {
	a, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	c := &Client{address: a, log: log}
	o := a.options()
	o.ContextTimeoutEnabled = true
	o.DialTimeout = enqueueWait
	o.ReadTimeout = enqueueWait
	o.MaxRetries = 1 // for a connection that died while idle
	o.OnConnect = func(context.Context, *redis.Conn) error {
		c.reconnected.Store(true)
		return nil
	}
	c.redis = redis.NewUniversalClient(o)
	c.inspect = asynq.NewInspectorFromRedisClient(c.redis)
	c.tasks.Store(asynq.NewClientFromRedisClient(c.redis))
	return c, nil
}

// Close ends the client. Consumers end with their context, not here.
func (c *Client) Close() error { return c.redis.Close() }

// String is the address of Redis without its passwords.
func (c *Client) String() string { return c.address.String() }

// Ping reports whether Redis answers, within two seconds.
func (c *Client) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, enqueueWait)
	defer cancel()
	if err := c.redis.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("reach redis at %s: %w", c, err)
	}
	return nil
}

// versionMin is the major version of Redis that the tests run on.
const versionMin = 7

// Check reads how Redis is set up and returns, in words for its operator, what
// may lose or delay reminders. Of a cluster it asks every master.
func (c *Client) Check(ctx context.Context) (warnings []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, enqueueWait)
	defer cancel()
	var mu sync.Mutex
	ask := func(ctx context.Context, r redis.Cmdable, at string) error {
		said, err := check(ctx, r)
		mu.Lock()
		defer mu.Unlock()
		for _, s := range said {
			warnings = append(warnings, fmt.Sprintf("redis at %s %s", at, s))
		}
		return err
	}
	if cluster, ok := c.redis.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(ctx, func(ctx context.Context, r *redis.Client) error {
			return ask(ctx, r, r.Options().Addr)
		})
	} else {
		err = ask(ctx, c.redis, c.String())
	}
	if err != nil {
		return nil, fmt.Errorf("check redis at %s: %w", c, err)
	}
	return warnings, nil
}

// check asks one server. One that does not tell, as some in memory and some
// rented ones do not, is warned about and no error.
func check(ctx context.Context, r redis.Cmdable) (said []string, err error) {
	server, err := info(ctx, r, "server")
	if err != nil {
		return nil, err
	}
	memory, err := info(ctx, r, "memory")
	if err != nil {
		return nil, err
	}
	var major int
	if _, err := fmt.Sscanf(server["redis_version"], "%d.", &major); err != nil {
		said = append(said, "does not tell its version")
	} else if major < versionMin {
		said = append(said, fmt.Sprintf("is version %s; %d or later is what Chargehand is tested with",
			server["redis_version"], versionMin))
	}
	if p := memory["maxmemory_policy"]; p != "" && p != "noeviction" {
		said = append(said, fmt.Sprintf("has maxmemory-policy %s; it must be noeviction, or tasks vanish when memory is short", p))
	}
	return said, nil
}

// info reads a section of INFO. It is empty where the server refuses to tell.
func info(ctx context.Context, r redis.Cmdable, section string) (map[string]string, error) {
	text, err := r.Info(ctx, section).Result()
	if reply := redis.Error(nil); errors.As(err, &reply) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	fields := make(map[string]string)
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[key] = value
		}
	}
	return fields, nil
}
