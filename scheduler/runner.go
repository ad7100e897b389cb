package scheduler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// Runner carries out jobs one run at a time and keeps the log of runs: for the
// commands, and for a Scheduler. It may be used by many goroutines.
type Runner struct {
	Store *postgres.Store
	Clock func() time.Time
	Log   *slog.Logger
	// Observe, if set, is told of every run that is noted in the log, when it has
	// ended: for metrics.
	Observe func(postgres.Run)

	fence int64 // of the leader that it works for; 0: a command
}

// Order is a wish for one run.
type Order struct {
	At    time.Time // the now of all that it decides (SPEC R2.7)
	Actor string    // who is behind it: for histories
}

// byeTime bounds what must still be written when everything is to end.
const byeTime = 5 * time.Second

// record carries out one run and notes it in the log, when it begins and when it
// ends. A quiet one is noted only if it did something or failed.
func (r *Runner) record(ctx context.Context, job string, o Order, quiet bool, do func() (map[string]int, error)) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make the id of a run: %w", err)
	}
	run := postgres.Run{ID: id, Job: job, Fence: r.fence, AsOf: o.At, StartedAt: r.Clock()}
	if !quiet {
		if err := r.Store.BeginRun(ctx, &run); err != nil {
			return err
		}
	}
	counts, err := do()
	end := r.Clock()
	run.FinishedAt, run.Counts, run.Fault = &end, counts, fault(ctx, err)
	if quiet && isZero(counts) && (err == nil || ctx.Err() != nil) {
		return err
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeTime)
	defer cancel()
	err = errors.Join(err, r.Store.FinishRun(bye, &run))
	if r.Observe != nil {
		r.Observe(run)
	}
	return err
}

// fault is why a run failed, for the log of runs.
func fault(ctx context.Context, err error) string {
	switch {
	case err == nil:
		return ""
	case ctx.Err() != nil:
		return "stopped before it was done: the next run goes on"
	}
	return strings.ReplaceAll(err.Error(), "\n", "; ")
}

func isZero(counts map[string]int) bool {
	for _, n := range counts {
		if n != 0 {
			return false
		}
	}
	return true
}

const (
	// pageSize is how many due rows are listed at a time.
	pageSize = 500

	// groupSize is how many accounts one transaction changes: enough that its round
	// trips and its commit are spread thin, few enough that what a batch or a payment
	// has changed meanwhile seldom costs a second try.
	groupSize = 100
)

// faults are the accounts that a run could not work on. The others are done all
// the same.
type faults struct {
	accounts map[string]bool
	first    []error
}

// faultsTold bounds how many of them an error names.
const faultsTold = 5

func (f *faults) add(account string, err error) {
	if f.accounts == nil {
		f.accounts = map[string]bool{}
	}
	f.accounts[account] = true
	if len(f.first) < faultsTold {
		f.first = append(f.first, fmt.Errorf("account %s: %w", account, err))
	}
}

// err is what a run says that left accounts undone.
func (f *faults) err() error {
	if len(f.accounts) == 0 {
		return nil
	}
	return fmt.Errorf("%d accounts were left undone, among them: %w", len(f.accounts), errors.Join(f.first...))
}

// group works on accounts together. Where that fails for the sake of one of them
// - batches change it all the time, or it is damaged -, each is worked on by
// itself. What is answered stops the run.
func (f *faults) group(ctx context.Context, accounts []string, do func([]string) error) error {
	err := do(accounts)
	if err == nil || ctx.Err() != nil || !ofOne(err) {
		return err
	}
	if len(accounts) == 1 {
		f.add(accounts[0], err)
		return nil
	}
	for i := range accounts {
		if err := f.group(ctx, accounts[i:i+1], do); err != nil {
			return err
		}
	}
	return nil
}

// ofOne tells whether an error is about an account and not about the database.
func ofOne(err error) bool { return errors.Is(err, postgres.ErrStale) || !postgres.Transient(err) }
