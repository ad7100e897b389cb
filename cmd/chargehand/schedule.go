package main

import (
	"context"
	"time"

	"github.com/chargehand/chargehand/configs"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/scheduler"
)

type scheduleCommand struct{}

// Help is the longer text of --help.
func (scheduleCommand) Help() string {
	return "Sweeps, charges, reminds shards that stand still, and sends notices to webhooks. Any number of schedulers may run: one leads, and another follows within seventeen seconds if it is killed. What was missed while none ran is made up for."
}

func (scheduleCommand) Run(ctx context.Context, s *session) error {
	if err := s.checkSchedules(); err != nil {
		return err
	}
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	q, err := s.openQueue(ctx)
	if err != nil {
		return err
	}
	defer q.Close()
	scheduler, err := s.newScheduler(store, q)
	if err != nil {
		return err
	}
	return s.measured(ctx, store, q, scheduler.Run)
}

// checkSchedules refuses schedules and webhooks that are not allowed, before any
// server is asked for.
func (s *session) checkSchedules() error {
	if err := schedulerConfig(s.config).Validate(); err != nil {
		return wrongUse{err}
	}
	return nil
}

// newScheduler is a scheduler as configured.
func (s *session) newScheduler(store *postgres.Store, q *queue.Client) (*scheduler.Scheduler, error) {
	c := schedulerConfig(s.config)
	c.Observe = s.metrics.Run
	return scheduler.New(store, q, c, s.now, s.log)
}

func schedulerConfig(c configs.Config) scheduler.Config {
	return scheduler.Config{
		Sweep:       c.Credit.Sweep,
		Charge:      c.Scheduler.Charge,
		Zone:        c.Scheduler.TimeZone,
		MaxCatchUp:  c.Scheduler.MaxCatchUp,
		Webhooks:    c.Notices.Webhooks,
		KeepNotices: c.Notices.Keep,
		KeepAudit:   time.Duration(c.Audit.KeepDays) * 24 * time.Hour,
	}
}
