package api

import (
	"context"
	"time"

	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/postgres"
)

// reach is which accounts a reseller's token reaches, as far as they were asked
// for.
type reach struct {
	store    *postgres.Store
	patience time.Duration // with the store
	reseller int64
	known    map[string]bool // by number
}

// reachMax is how many accounts are remembered: a body may name any number.
const reachMax = 100_000

// learn asks for the accounts of some records that are not known yet, all in one
// question.
func (r *reach) learn(ctx context.Context, lines []feed.Line) error {
	if len(r.known) > reachMax {
		clear(r.known)
	}
	var unknown []string
	for i := range lines {
		number := lines[i].Record.Account
		if _, known := r.known[number]; !known {
			r.known[number] = false
			unknown = append(unknown, number)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	within, err := r.store.AccountsInReach(ctx, r.reseller, unknown)
	for _, number := range within {
		r.known[number] = true
	}
	return err
}
