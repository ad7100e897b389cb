package api

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chargehand/chargehand/postgres"
)

// backlog is how many records are accepted and not judged, as of a moment ago.
type backlog struct {
	store  *postgres.Store
	most   int64
	shards int
	clock  func() time.Time
	// patience is how long counting may take.
	patience time.Duration

	mu       sync.Mutex
	until    time.Time // then it is counted again
	counting bool      // somebody does
	refusal  error     // of the last count; nil: there is room
}

const (
	// backlogHolds is how long a count holds; one that took long holds longer, so
	// that counting takes a twentieth of a connection's time at most.
	backlogHolds    = time.Second
	backlogCost     = 20
	backlogPatience = 5 * time.Second

	// judgedLately is the time over which the speed of judging is taken.
	judgedLately = 10 * time.Second

	// A feed is sent away for no longer than a minute: workers come and go.
	retryMin, retryMax = time.Second, time.Minute
)

// check says whether there is room for more; else the error is the problem that
// the feed is told. Whoever finds the count old counts anew; who asks meanwhile
// goes by the old one, as nobody is to wait for somebody else's question.
func (b *backlog) check(ctx context.Context) error {
	begun := time.Now()
	b.mu.Lock()
	if begun.Before(b.until) || b.counting {
		defer b.mu.Unlock()
		return b.refusal
	}
	b.counting = true
	b.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.patience) // what it finds is for others too
	defer cancel()
	refusal := b.count(ctx)
	// Where it cannot be counted there is no reason to refuse: a database that is
	// away says so itself when records are handed over.
	if !errors.As(refusal, new(*Problem)) {
		refusal = nil
	}
	counted := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.counting, b.refusal = false, refusal
	b.until = counted.Add(max(backlogHolds, backlogCost*counted.Sub(begun)))
	return refusal
}

// count asks the database.
func (b *backlog) count(ctx context.Context) error {
	waiting, err := b.store.Backlog(ctx)
	if err != nil {
		return fmt.Errorf("look for room: %w", err)
	}
	if waiting <= b.most {
		return nil
	}
	judged, err := b.store.Judged(ctx, b.shards, b.clock().Add(-judgedLately))
	if err != nil {
		return fmt.Errorf("look for room: %w", err)
	}
	return problem("backlog", fmt.Sprintf("%d records wait to be judged, more than the %d that may (http.backlog_records_max); nothing was accepted",
		waiting, b.most)).after(retryAfter(waiting-b.most, judged))
}

// retryAfter is how long judging takes to make room, at the speed of lately.
func retryAfter(tooMany, judged int64) time.Duration {
	if judged == 0 {
		return retryMax
	}
	seconds := tooMany * int64(judgedLately/time.Second) / judged // of a bound of 1e9 at most: no overflow
	return min(max(time.Duration(min(seconds, 3600))*time.Second, retryMin), retryMax)
}
