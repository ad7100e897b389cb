package queue

import (
	"context"
	"fmt"
	"slices"
)

// Stats are the figures of one queue, in tasks. A day is one of UTC, as
// asynq counts; latency is the age of the oldest task that is pending.
type Stats struct {
	Queue          string  `json:"queue"`
	Pending        int     `json:"pending"`
	Active         int     `json:"active"`
	Scheduled      int     `json:"scheduled"`
	Retry          int     `json:"retry"`
	Archived       int     `json:"archived"`
	ProcessedToday int     `json:"processed_today"`
	FailedToday    int     `json:"failed_today"`
	LatencySeconds float64 `json:"latency_seconds"`
}

// Queues are the names of all queues that a task was ever put on, in order.
func (c *Client) Queues(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	names, err := c.inspect.Queues()
	if err != nil {
		return nil, fmt.Errorf("list queues: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// Stats are the figures of every queue, by name. They cost three round trips a
// queue: fit for a page that is cached for seconds.
func (c *Client) Stats(ctx context.Context) ([]Stats, error) {
	names, err := c.Queues(ctx)
	if err != nil {
		return nil, err
	}
	stats := make([]Stats, 0, len(names))
	for _, name := range names {
		s, err := c.stats(ctx, name)
		if err != nil {
			return nil, err
		}
		stats = append(stats, s)
	}
	return stats, nil
}

// Idle reports whether nothing is left to do on the queues of the first shards:
// no task pending, active, scheduled or waiting for its retry. It sees one queue
// after the other, so it means something when nobody enqueues meanwhile.
func (c *Client) Idle(ctx context.Context, shards int) (bool, error) {
	names, err := c.Queues(ctx)
	if err != nil {
		return false, err
	}
	for shard := range shards {
		if _, known := slices.BinarySearch(names, Name(shard)); !known {
			continue // nothing was ever put on it
		}
		s, err := c.stats(ctx, Name(shard))
		if err != nil {
			return false, err
		}
		if s.Pending+s.Active+s.Scheduled+s.Retry > 0 {
			return false, nil
		}
	}
	return true, nil
}

// stats asks for one queue. asynq's Inspector takes no context; the client's own
// timeouts bound it.
func (c *Client) stats(ctx context.Context, name string) (Stats, error) {
	if err := ctx.Err(); err != nil {
		return Stats{}, err
	}
	q, err := c.inspect.GetQueueInfo(name)
	if err != nil {
		return Stats{}, fmt.Errorf("inspect %s: %w", name, err)
	}
	return Stats{
		Queue:          q.Queue,
		Pending:        q.Pending,
		Active:         q.Active,
		Scheduled:      q.Scheduled,
		Retry:          q.Retry,
		Archived:       q.Archived,
		ProcessedToday: q.Processed,
		FailedToday:    q.Failed,
		LatencySeconds: q.Latency.Seconds(),
	}, nil
}
