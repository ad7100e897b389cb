package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// Config says when a scheduler does what.
type Config struct {
	Sweep       string         // credit.sweep, a cron schedule
	Charge      string         // scheduler.charge, a cron schedule
	Zone        *time.Location // of both: scheduler.time_zone
	MaxCatchUp  int            // scheduler.max_catch_up
	Webhooks    string         // notices.webhooks
	KeepNotices time.Duration  // notices.keep
	KeepAudit   time.Duration  // audit.keep_days; 0: for ever
	// Observe, if set, is told of every run that is noted in the log of runs, from
	// many goroutines: for metrics.
	Observe func(postgres.Run)
}

// Validate names the setting that is not allowed, so that a start can be refused
// before it asks for servers.
func (c Config) Validate() error {
	_, err := jobs(c, nil)
	return err
}

// Scheduler runs jobs by the clock while it leads.
type Scheduler struct {
	id     uuid.UUID
	runner Runner
	jobs   []job
	pace   pace
	log    *slog.Logger
}

// pace is how often the lease is looked at.
type pace struct{ lease, renew, look time.Duration }

// The leader renews three times before its lease is over; the others look often
// enough that a dead leader is followed well within twenty seconds.
var leadership = pace{lease: 15 * time.Second, renew: 5 * time.Second, look: 2 * time.Second}

// New is a scheduler that has not begun yet. Its error names the setting that is
// not allowed.
func New(store *postgres.Store, q *queue.Client, config Config, clock func() time.Time, log *slog.Logger) (*Scheduler, error) {
	return newScheduler(Runner{Store: store, Clock: clock, Log: log, Observe: config.Observe}, config, q.Nudge)
}

func newScheduler(runner Runner, config Config, nudge nudge) (*Scheduler, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make a scheduler: %w", err)
	}
	jobs, err := jobs(config, nudge)
	if err != nil {
		return nil, err
	}
	runner.Log = runner.Log.With("scheduler", id)
	return &Scheduler{id: id, runner: runner, jobs: jobs, pace: leadership, log: runner.Log}, nil
}

// Run leads when it is its turn, and runs the jobs while it does, until ctx ends.
// It returns when everything that it began has stopped: what was at work is
// committed or rolled back, and the lead is free for others at once.
func (s *Scheduler) Run(ctx context.Context) error {
	for {
		asked := s.runner.Clock()
		fence, leads, err := s.ask(ctx, s.pace.renew)
		switch {
		case err != nil && ctx.Err() == nil:
			s.log.Warn("cannot ask who leads the schedulers", "error", err)
		case leads:
			s.lead(ctx, fence, asked)
		}
		if !pause(ctx, s.pace.look) {
			return nil
		}
	}
}

// ask tries to lead, or to go on leading, and waits for the answer as long as it
// may.
func (s *Scheduler) ask(ctx context.Context, patience time.Duration) (fence int64, leads bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, max(patience, 0))
	defer cancel()
	return s.runner.Store.Lead(ctx, s.id, s.pace.lease)
}

// lead runs the jobs until the lead is lost or ctx ends. The lease counts from
// when it was asked for.
func (s *Scheduler) lead(ctx context.Context, fence int64, asked time.Time) {
	s.log.Info("leads the schedulers", "fence", fence)
	work, stop := context.WithCancel(ctx)
	defer stop()
	runner := s.runner
	runner.fence = fence
	var wait sync.WaitGroup
	for i := range s.jobs {
		wait.Go(func() { s.jobs[i].repeat(work, &runner) })
	}
	s.renew(ctx, fence, asked.Add(s.pace.lease))
	stop()
	wait.Wait()
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeTime)
	defer cancel()
	if err := runner.Store.Resign(bye, s.id); err != nil {
		s.log.Warn("the lead could not be given back", "error", err) // it runs out
	}
	s.log.Info("leads no more", "fence", fence)
}

// renew keeps the lead; it returns when that is lost: somebody else leads, or the
// lease ran out while the database did not answer.
func (s *Scheduler) renew(ctx context.Context, fence int64, until time.Time) {
	for pause(ctx, s.pace.renew) {
		asked := s.runner.Clock()
		now, leads, err := s.ask(ctx, until.Sub(asked))
		switch {
		case err == nil && leads && now == fence:
			until = asked.Add(s.pace.lease)
		case err == nil:
			return
		case ctx.Err() == nil:
			s.log.Warn("the lead could not be renewed", "error", err)
			if !s.runner.Clock().Before(until) {
				return
			}
		}
	}
}

// pause waits; it reports whether there is still something to wait for.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}
