package scheduler

import (
	"context"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// actor is who the histories name for what a scheduler did.
const actor = "scheduler"

// job is something that is done again and again.
type job struct {
	name string
	when Schedule
	run  func(context.Context, *Runner, Order) error
}

// The paces of jobs that are not configured.
const (
	lostBatchPace = 5 * time.Second
	noticePace    = 2 * time.Second
	tidyPace      = time.Hour
)

// nudge reminds the consumer of a shard of a batch.
type nudge func(ctx context.Context, shard int, batch uuid.UUID) error

// jobs are all that a scheduler does.
func jobs(c Config, nudge nudge) ([]job, error) {
	sweep, err := ParseSchedule(c.Sweep, c.Zone)
	if err != nil {
		return nil, fmt.Errorf("credit.sweep: %q is not allowed: %w", c.Sweep, err)
	}
	charge, err := ParseSchedule(c.Charge, c.Zone)
	if err != nil {
		return nil, fmt.Errorf("scheduler.charge: %q is not allowed: %w", c.Charge, err)
	}
	webhooks, err := parseWebhooks(c.Webhooks)
	if err != nil {
		return nil, fmt.Errorf("notices.webhooks: %w", err)
	}
	addresses := make([]string, len(webhooks))
	for i := range webhooks {
		addresses[i] = webhooks[i].address
	}
	all := []job{
		{postgres.SweepJob, sweep, func(ctx context.Context, r *Runner, o Order) error {
			_, err := r.Sweep(ctx, o)
			return err
		}},
		{postgres.ChargeJob, charge, func(ctx context.Context, r *Runner, o Order) error {
			_, err := r.Charge(ctx, o, c.MaxCatchUp)
			return err
		}},
		{"lost batches", every(lostBatchPace), func(ctx context.Context, r *Runner, o Order) error {
			return r.remind(ctx, o, nudge)
		}},
		{"tidy", every(tidyPace), func(ctx context.Context, r *Runner, o Order) error {
			return r.tidy(ctx, o, c, addresses)
		}},
	}
	for _, w := range webhooks {
		all = append(all, job{"notices to " + w.host(), every(noticePace), func(ctx context.Context, r *Runner, o Order) error {
			return r.deliver(ctx, o, w, addresses)
		}})
	}
	return all, nil
}

// repeat runs a job at once and then by its schedule until ctx ends. A run that
// failed is tried again after a while, which grows.
func (j *job) repeat(ctx context.Context, r *Runner) {
	failures := 0
	for wait := time.Duration(0); pause(ctx, wait); {
		err := j.run(ctx, r, Order{At: r.Clock(), Actor: actor})
		now := r.Clock()
		if err == nil || ctx.Err() != nil {
			failures, wait = 0, j.when.Next(now).Sub(now)
			continue
		}
		failures++
		wait = backoff(failures)
		r.Log.Error("job failed", "job", j.name, "failures", failures, "again_in", wait, "error", err)
	}
}

// A failing job is tried again after five seconds, then twice as long each time.
const (
	backoffFirst = 5 * time.Second
	backoffMost  = 5 * time.Minute
)

// backoff is how long to wait after so many failures in a row.
func backoff(failures int) time.Duration {
	d := backoffFirst
	for i := 1; i < failures && d < backoffMost; i++ {
		d *= 2
	}
	return min(d, backoffMost)
}

// lostAfter is how long a shard may finish nothing, though batches wait, before it
// is reminded. A worker looks by itself sooner; this is the second net.
const lostAfter = 10 * time.Second

// remind sends shards that stand still a task anew: the one that they had may be
// lost with Redis, or lie with a worker that died.
func (r *Runner) remind(ctx context.Context, o Order, nudge nudge) error {
	return r.record(ctx, "lost batches", o, true, func() (map[string]int, error) {
		stalled, err := r.Store.Stalled(ctx, o.At.Add(-lostAfter))
		reminded := 0
		for shard, batch := range stalled {
			if err := nudge(ctx, shard, batch); err != nil {
				return map[string]int{"reminded": reminded}, err
			}
			reminded++
		}
		if reminded > 0 {
			r.Log.Warn("shards stood still and were reminded", "shards", reminded)
		}
		return map[string]int{"reminded": reminded}, err
	})
}

// keepRuns is how long the log of runs reaches back.
const keepRuns = 30 * 24 * time.Hour

// keepAnswers is how long the API gives the same answer to an Idempotency-Key.
const keepAnswers = 24 * time.Hour

// tidy forgets old runs, old notices, old answers of the API, and, if told so, old
// lines of the audit log.
func (r *Runner) tidy(ctx context.Context, o Order, c Config, webhooks []string) error {
	return r.record(ctx, "tidy", o, true, func() (map[string]int, error) {
		notices, err := r.Store.ForgetNotices(ctx, c.KeepNotices, webhooks)
		if err != nil {
			return nil, err
		}
		runs, err := r.Store.ForgetRuns(ctx, o.At.Add(-keepRuns))
		if err != nil {
			return nil, err
		}
		answers, err := r.Store.ForgetAnswers(ctx, o.At.Add(-keepAnswers))
		deeds := 0
		if err == nil && c.KeepAudit > 0 {
			deeds, err = r.Store.ForgetDeeds(ctx, o.At.Add(-c.KeepAudit))
		}
		return map[string]int{"notices": notices, "runs": runs, "answers": answers, "deeds": deeds}, err
	})
}
