package scheduler

import (
	"context"
	"slices"

	"github.com/chargehand/chargehand/postgres"
)

// Sweep judges every account that the credit test could change by now, holds and
// releases (SPEC R6.4). What it reads grows with those accounts, not with all of
// them. An error says which accounts were left undone; the others are done.
func (r *Runner) Sweep(ctx context.Context, o Order) (done postgres.Swept, err error) {
	err = r.record(ctx, postgres.SweepJob, o, false, func() (map[string]int, error) {
		done, err = r.sweep(ctx, o)
		return map[string]int{"judged": done.Judged, "held": done.Held, "released": done.Released}, err
	})
	return done, err
}

func (r *Runner) sweep(ctx context.Context, o Order) (done postgres.Swept, err error) {
	var undone faults
	for after := (postgres.DueKey{}); ; {
		page, err := r.Store.CreditDue(ctx, o.At, after, pageSize)
		if err != nil {
			return done, err
		}
		if len(page) == 0 {
			return done, undone.err()
		}
		after = page[len(page)-1]
		for group := range slices.Chunk(accountsOf(page, nil), groupSize) {
			if err := undone.group(ctx, group, func(numbers []string) error {
				var swept postgres.Swept
				err := r.Store.Write(ctx, o.At, o.Actor, func(t *postgres.Tx) (err error) {
					swept, err = t.CreditTest(ctx, numbers)
					return err
				})
				if err == nil {
					done = done.Add(swept)
				}
				return err
			}); err != nil {
				return done, err
			}
		}
	}
}

// accountsOf are the accounts of a page, each once, but for those to leave out.
func accountsOf(page []postgres.DueKey, without map[string]bool) []string {
	numbers := make([]string, 0, len(page))
	for _, k := range page {
		if !without[k.Account] {
			numbers = append(numbers, k.Account)
		}
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}
