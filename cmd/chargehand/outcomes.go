package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// lookEvery is how often a command that waits looks again: at first often, so
// that small work is seen done at once, then less.
const (
	lookFirst = 5 * time.Millisecond
	lookMost  = 250 * time.Millisecond
)

// errTimeout ends a wait that took as long as it may.
type errTimeout struct{ error }

// until asks done again and again until it says yes, or the time is over.
func until(ctx context.Context, timeout time.Duration, done func(context.Context) (bool, error)) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for pause := lookFirst; ; pause = min(2*pause, lookMost) {
		if yes, err := done(ctx); yes || err != nil {
			return err
		}
		select {
		case <-limited.Done():
			if err := ctx.Err(); err != nil {
				return err
			}
			return errTimeout{limited.Err()}
		case <-time.After(pause):
		}
	}
}

// outcomes waits until batches are judged, and answers what became of them.
func (s *session) outcomes(ctx context.Context, store *postgres.Store, batches []uuid.UUID, timeout time.Duration) (o postgres.Outcomes, err error) {
	var waiting, aside int
	bar := s.progress("judging", -1, recordsUnit)
	defer bar.end()
	err = until(ctx, timeout, func(ctx context.Context) (done bool, err error) {
		o, waiting, err = store.OutcomesOf(ctx, batches)
		bar.total(int64(o.Accepted))
		bar.set(int64(judged(o)))
		if err != nil || waiting == 0 {
			return waiting == 0, err
		}
		aside, err = store.SetAside(ctx, batches)
		return aside == waiting, err
	})
	if err == nil && aside > 0 {
		err = fmt.Errorf("%s set aside as faulty: chargehand dead-letters list --kind batch says why, "+
			"and dead-letters redrive tries again", plural(aside, "batch was", "batches were"))
	}
	if errors.As(err, new(errTimeout)) {
		err = fmt.Errorf("after %s %s of %d are still queued: see that a worker runs (chargehand work), then chargehand drain",
			timeout, plural(waiting, "batch", "batches"), len(batches))
	}
	return o, err
}

// judged is how many records have come out in whatever way.
func judged(o postgres.Outcomes) int { return o.Rated + o.Rejected + o.Duplicate + o.Conflict }

// tellOutcomes prints outcomes for people: what came out, and rejected records
// by reason, the most frequent first.
func tellOutcomes(p *page, o postgres.Outcomes, took time.Duration) {
	t := p.table()
	t.right = []bool{false, true}
	put := func(what string, n int, always bool) {
		if n > 0 || always {
			t.row(what, grouped(int64(n)))
		}
	}
	put("accepted", o.Accepted, true)
	put("  rated", o.Rated, true)
	put("  rejected", o.Rejected, true)
	for _, reason := range byCount(o.Reasons) {
		put("    "+reason, o.Reasons[reason], false)
	}
	put("  duplicate", o.Duplicate, false)
	put("  conflict", o.Conflict, false)
	put("  cancelled", o.Cancelled, false)
	put("unreadable", o.Unreadable, false)
	t.end()
	if took > 0 {
		p.line("Judged in %s.", brief(took))
	}
}

// byCount lists keys, the one with the most first.
func byCount(counts map[string]int) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a, b))
	})
}
