package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

// LinkRequest links something to an account, or takes it off.
type LinkRequest struct {
	Account      string
	Service      string // code
	Application  string // name
	Periodic     *setup.PeriodicService
	FromToday    bool   // Periodic starts on today's date in the account's zone
	PeriodicName string // to take off
	Remove       bool
	If           Revisions
	At           time.Time
	Actor        string
}

// Link links or unlinks a service, an application or a periodic service.
func (s *Store) Link(ctx context.Context, r LinkRequest) (did *Changes, err error) {
	err = s.Write(ctx, r.At, r.Actor, func(t *Tx) (err error) {
		var details []string
		switch {
		case r.Periodic != nil:
			details, err = t.linkPeriodic(ctx, &r)
		case r.PeriodicName != "":
			details, err = t.unlinkPeriodic(ctx, &r)
		default:
			details, err = t.alter(ctx, r.Account, r.If, func(now *accountRow) error { return t.relink(ctx, &r, now) })
			if len(details) > 0 {
				details = []string{r.text()}
			}
		}
		did = changes(r.Account, details)
		t.idle = len(details) == 0
		return err
	})
	return did, err
}

// text is what the request did, where it did something.
func (r *LinkRequest) text() string {
	what, done := "service "+r.Service, "linked"
	if r.Application != "" {
		what = "application " + r.Application
	}
	if r.Remove {
		done = "taken off"
	}
	return what + " " + done
}

func (t *Tx) relink(ctx context.Context, r *LinkRequest, now *accountRow) error {
	list, name := &now.Services, r.Service
	if r.Application != "" {
		list, name = &now.Applications, r.Application
		if err := checkName("application", name); err != nil {
			return err
		}
	} else if !r.Remove {
		var known bool
		if err := t.tx.QueryRow(ctx, `select exists (select from services where code = @code)`, pgx.NamedArgs{"code": name}).
			Scan(&known); err != nil {
			return fmt.Errorf("look up service %s: %w", name, err)
		}
		if !known {
			return refuse("service %q: there is none with this code", name)
		}
	}
	*list = slices.DeleteFunc(*list, func(s string) bool { return s == name })
	if !r.Remove {
		*list = sorted(append(*list, name))
	}
	return nil
}

func (t *Tx) linkPeriodic(ctx context.Context, r *LinkRequest) ([]string, error) {
	if err := t.raise(ctx, r.Account); err != nil {
		return nil, err
	}
	a, err := t.account(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	if err := t.unchanged(ctx, r.Account, r.If); err != nil {
		return nil, err
	}
	p := *r.Periodic
	if r.FromToday {
		p.StartsOn = billing.Calendar{Zone: a.Calendar.Zone, CycleDay: 1}.Date(t.Now)
	}
	if err := p.Validate(); err != nil {
		return nil, refuse("%v", err)
	}
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if err := snap.Terms(a).Buy(a.Funds, p.Price); errors.Is(err, limits.ErrInsufficientFunds) {
		return nil, refuse("account %s: %v", r.Account, err)
	}
	stored, err := periodicServices(ctx, t.tx, r.Account)
	if err != nil {
		return nil, fmt.Errorf("read the periodic services of %s: %w", r.Account, err)
	}
	old := find(stored, p.Name, func(p storedPeriodic) string { return p.Name })
	return t.putPeriodic(ctx, r.Account, a.Calendar.Zone, &p, old)
}

func (t *Tx) unlinkPeriodic(ctx context.Context, r *LinkRequest) ([]string, error) {
	if err := t.raise(ctx, r.Account); err != nil {
		return nil, err
	}
	if _, err := t.account(ctx, r.Account); err != nil {
		return nil, err
	}
	if err := t.unchanged(ctx, r.Account, r.If); err != nil {
		return nil, err
	}
	stored, err := periodicServices(ctx, t.tx, r.Account)
	if err != nil {
		return nil, fmt.Errorf("read the periodic services of %s: %w", r.Account, err)
	}
	old := find(stored, r.PeriodicName, func(p storedPeriodic) string { return p.Name })
	if old == nil || old.Ended {
		return nil, nil
	}
	return []string{"periodic service " + r.PeriodicName + " ended"}, t.endPeriodic(ctx, r.Account, r.PeriodicName)
}
