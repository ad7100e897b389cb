package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
)

type statsCommand struct {
	Watch bool `help:"Look again every two seconds, until stopped."`
}

// watchEvery is how often --watch looks.
const watchEvery = 2 * time.Second

func (c *statsCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	q, err := s.reachQueue(ctx)
	if err != nil {
		return err
	}
	defer q.Close()
	if !c.Watch {
		return s.printStats(ctx, store, q)
	}
	for {
		s.clear()
		if err := s.printStats(ctx, store, q); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
	}
}

// stats is what a dashboard shows (CONTRACT §3).
type stats struct {
	Queues []queue.Stats `json:"queues"`
	*postgres.Stats
}

func (s *session) printStats(ctx context.Context, store *postgres.Store, q *queue.Client) error {
	queues, err := q.Stats(ctx)
	if err != nil {
		return err
	}
	known, err := store.Stats(ctx)
	if err != nil {
		return err
	}
	all := stats{Queues: queues, Stats: known}
	return s.print(all, func(p *page) { tellStats(p, all, s.now()) })
}

func tellStats(p *page, all stats, now time.Time) {
	p.line("%s", moment(now))
	t := p.table("queue", ">pending", ">active", ">scheduled", ">retry", ">archived", ">processed today", ">failed today", ">latency")
	for _, q := range all.Queues {
		t.row(q.Queue, q.Pending, q.Active, q.Scheduled, q.Retry, q.Archived, q.ProcessedToday, q.FailedToday,
			brief(time.Duration(q.LatencySeconds*float64(time.Second))))
	}
	if len(all.Queues) == 0 {
		p.line("No queue yet: nothing was ever put on one.")
	}
	t.end()
	p.line("")
	p.line("%s accepted, %s done, %s waiting.", plural(int(all.Batches.Accepted), "batch", "batches"),
		grouped(all.Batches.Done), grouped(all.Batches.Waiting))
	tellOutcomes(p, all.Outcomes, 0)
	tellJob(p, "credit sweep", all.Sweeps)
	tellJob(p, "periodic charging", all.Charges)
	if l := all.Leader; l != nil && l.ExpiresAt.Before(now) {
		p.line("No scheduler runs since %s.", moment(l.ExpiresAt))
	}
	if n := all.Notices; n.Waiting+n.Dead > 0 {
		p.line("%s to be sent, %s given up.", count(n.Waiting, "notice"), grouped(int64(n.Dead)))
	}
}

// tellJob prints how a scheduler's job fares, once it has run.
func tellJob(p *page, name string, job postgres.JobStats) {
	if job.Last == nil {
		return
	}
	counts := make([]string, 0, len(job.Last.Counts))
	for _, key := range slices.Sorted(maps.Keys(job.Last.Counts)) {
		counts = append(counts, fmt.Sprintf("%s %d", key, job.Last.Counts[key]))
	}
	p.line("Last %s: %s (%s); %s in the last day, %d failed.", name, moment(job.Last.StartedAt), strings.Join(counts, ", "),
		plural(job.Day["runs"], "run", "runs"), job.Day["failures"])
	if job.Last.Fault != "" {
		p.line("  it failed: %s", job.Last.Fault)
	}
}

// clear empties the terminal's screen, where there is one.
func (s *session) clear() {
	if !s.json && isTerminal(s.stdout) {
		_, _ = s.stdout.Write([]byte("\x1b[H\x1b[2J"))
	}
}
