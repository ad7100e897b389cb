package api

import (
	"context"
	"errors"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/postgres"
)

// reach is which accounts a reseller's token reaches, as far as they were asked
// for.
type reach struct {
	gate   *access.Gate
	caller access.Caller
	known  map[string]bool // by number
}

// learn asks for the accounts of some records that are not known yet.
func (r *reach) learn(ctx context.Context, lines []feed.Line) error {
	for i := range lines {
		number := lines[i].Record.Account
		if _, known := r.known[number]; known {
			continue
		}
		err := r.gate.Sees(ctx, r.caller, number)
		if err != nil && !errors.Is(err, postgres.ErrNoAccount) {
			return err
		}
		r.known[number] = err == nil
	}
	return nil
}
