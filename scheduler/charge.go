package scheduler

import (
	"context"
	"slices"

	"github.com/chargehand/chargehand/postgres"
)

// Charged counts what a run of periodic charging did.
type Charged struct {
	Charged int `json:"charged"`
	Skipped int `json:"skipped"`
	Left    int `json:"left"` // periods that have begun, for the next run
}

// Charge charges every period that has begun by now and was not charged yet,
// oldest first, at most so many of one service (SPEC R7.1, R7.2). However many
// runs there are at once, a period is charged once. An error says which accounts
// were left undone; the others are done.
func (r *Runner) Charge(ctx context.Context, o Order, mostPerService int) (done Charged, err error) {
	err = r.record(ctx, postgres.ChargeJob, o, false, func() (map[string]int, error) {
		done, err = r.charge(ctx, o, mostPerService)
		return map[string]int{"charged": done.Charged, "skipped": done.Skipped, "left": done.Left}, err
	})
	if done.Left > 0 {
		r.Log.Warn("periods left for the next run", "left", done.Left, "max_catch_up", mostPerService)
	}
	return done, err
}

func (r *Runner) charge(ctx context.Context, o Order, most int) (done Charged, err error) {
	var undone faults
	// An account of which something is left is due still, further behind in the
	// list, and must not be met again by this run.
	met := map[string]bool{}
	for after := (postgres.DueKey{}); ; {
		page, err := r.Store.PeriodicDue(ctx, o.At, after, pageSize)
		if err != nil {
			return done, err
		}
		if len(page) == 0 {
			return done, undone.err()
		}
		after = page[len(page)-1]
		for group := range slices.Chunk(accountsOf(page, met), groupSize) {
			if err := undone.group(ctx, group, func(numbers []string) error {
				more, behind, err := r.chargeGroup(ctx, o, numbers, most)
				if err != nil {
					return err
				}
				done = Charged{done.Charged + more.Charged, done.Skipped + more.Skipped, done.Left + more.Left}
				for _, number := range behind {
					met[number] = true
				}
				return nil
			}); err != nil {
				return done, err
			}
		}
	}
}

// chargeGroup charges accounts in one transaction. It answers those of which
// something is left.
func (r *Runner) chargeGroup(ctx context.Context, o Order, numbers []string, most int) (done Charged, behind []string, err error) {
	err = r.Store.Write(ctx, o.At, o.Actor, func(t *postgres.Tx) error {
		done, behind = Charged{}, nil
		accounts, err := t.PeriodicAccounts(ctx, numbers)
		if err != nil {
			return err
		}
		var result postgres.Periodic
		for _, a := range accounts {
			left := chargeAccount(&result, a, t.Now, most)
			if left > 0 {
				behind = append(behind, a.Number)
			}
			done.Left += left
		}
		for i := range result.Charges {
			if result.Charges[i].Skipped == "" {
				done.Charged++
			} else {
				done.Skipped++
			}
		}
		return t.SavePeriodic(ctx, &result)
	})
	return done, behind, err
}
