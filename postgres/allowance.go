package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

// LimitsRequest changes an account's allowance limits: body is the object of
// limits set (CONTRACT §2), YAML or JSON, from a file of this name.
type LimitsRequest struct {
	Account string
	Name    string
	Body    []byte
	// Patch stands in place of Body where the change is written in another way:
	// it is made from the settings and the limits that the transaction sees. Its
	// error refuses the change, and comes back as it is.
	Patch  func(*Snapshot, limits.Settings) (limits.Patch, error)
	ForAll bool      // limits.scope: all_accounts, where this is refused
	If     Revisions // versions of the limits
	At     time.Time
	Actor  string
}

func (r *LimitsRequest) patch(s *Snapshot, stored limits.Settings) (limits.Patch, error) {
	if r.Patch != nil {
		return r.Patch(s, stored)
	}
	names, err := setup.NewNames(s.Catalogue())
	if err != nil {
		return limits.Patch{}, refuse("%v", err)
	}
	return setup.ParsePatch(r.Name, r.Body, names)
}

// SetLimits applies a change of limits, whole or not at all (SPEC R4.6: at once,
// for the next record), and answers the limits that are then in force.
func (s *Store) SetLimits(ctx context.Context, r LimitsRequest) (l limits.Settings, err error) {
	if r.ForAll {
		return l, refuse("%w", ErrLimitsGlobal)
	}
	err = s.Write(ctx, r.At, r.Actor, func(t *Tx) error {
		l, err = t.setLimits(ctx, &r)
		return err
	})
	return l, err
}

func (t *Tx) setLimits(ctx context.Context, r *LimitsRequest) (l limits.Settings, err error) {
	if err := t.lock(ctx, r.Account); err != nil {
		return l, err
	}
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return l, err
	}
	rows, err := t.accountRows(ctx, []string{r.Account})
	if err != nil {
		return l, err
	}
	old := rows[r.Account]
	if old == nil {
		return l, fmt.Errorf("account %s: %w", r.Account, ErrNoAccount)
	}
	if err := r.If.hold("limits of account", r.Account, int64(old.LimitsVersion)); err != nil {
		return l, err
	}
	_, stored, err := t.limitsOf(ctx, r.Account, old.LimitsVersion)
	if err != nil {
		return l, err
	}
	patch, err := r.patch(snap, stored)
	if err != nil {
		return l, err
	}
	if l, err = stored.Apply(patch); err != nil {
		return l, refuse("limits of account %s: %w", r.Account, err)
	}
	now := *old
	details, err := t.changeAccount(ctx, snap, r.Account, old, &now, &l)
	t.idle = len(details) == 0
	return l, err
}

// LimitsOf reads the limits that bind an account: its own, or those of all.
func (s *Store) LimitsOf(ctx context.Context, number string, forAll bool) (limits.Settings, error) {
	l, _, err := s.VersionedLimits(ctx, number, forAll)
	return l, err
}

// VersionedLimits reads them with their version, which every change of them raises.
func (s *Store) VersionedLimits(ctx context.Context, number string, forAll bool) (l limits.Settings, version int32, err error) {
	version, err = s.limitsVersion(ctx, number, forAll)
	if err != nil {
		return l, 0, err
	}
	if forAll {
		number = ""
	}
	_, l, err = limitsAt(ctx, s.pool, number, version)
	return l, version, err
}

func (s *Store) limitsVersion(ctx context.Context, number string, forAll bool) (version int32, err error) {
	const query = `
	select case when @all then coalesce((select max(version) from limits where account = ''), 0) else limits_version end
	from   accounts
	where  number = @number`
	err = s.pool.QueryRow(ctx, query, pgx.NamedArgs{"number": number, "all": forAll}).Scan(&version)
	if isNoRows(err) {
		return 0, fmt.Errorf("account %s: %w", number, ErrNoAccount)
	}
	return version, wrap(err, "read the limits of account %s", number)
}

// Remaining is what an account may still use at a time (SPEC R4.9); with a
// service also what the next transaction may take of it.
func (s *Store) Remaining(ctx context.Context, number, service string, at time.Time, forAll bool) (r limits.Remaining, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		t := &Tx{tx: tx}
		snap, err := t.Snapshot(ctx)
		if err != nil {
			return err
		}
		a, err := t.account(ctx, number)
		if err != nil {
			return err
		}
		r, err = t.remaining(ctx, snap, a, service, at, forAll)
		return err
	})
	return r, err
}

func (t *Tx) remaining(ctx context.Context, snap *Snapshot, a *Account, service string, at time.Time, forAll bool) (r limits.Remaining, err error) {
	in := a.Limits
	if forAll {
		in = snap.Limits
	}
	if in == nil {
		in = limits.Open(limits.Settings{})
	}
	var placement *billing.Placement
	if service != "" {
		place := snap.Place(service)
		if place == nil {
			return r, refuse("service %q: there is none with this code", service)
		}
		placement = &place.Placement
	}
	windows := map[billing.WindowKind]billing.Window{billing.Day: a.Calendar.Day(at), billing.Month: a.Calendar.Month(at)}
	closed, err := t.closedOf(ctx, a, windows)
	if err != nil {
		return r, err
	}
	return in.Remaining(placement, func(scope billing.Scope, kind billing.WindowKind) billing.Counter {
		target, known := snap.Target(scope)
		if !known {
			return billing.Counter{}
		}
		k := billing.CounterKey{Kind: scope.Kind, Window: kind, Target: target, Start: windows[kind].Start}
		if a.Counters.IsOpen(kind, k.Start) {
			return a.Counters.At(k)
		}
		return closed[ClosedKey{a.Number, k}]
	}), nil
}

func (t *Tx) closedOf(ctx context.Context, a *Account, windows map[billing.WindowKind]billing.Window) (map[ClosedKey]billing.Counter, error) {
	var need []ClosedWindow
	for kind, w := range windows {
		if !a.Counters.IsOpen(kind, w.Start) {
			need = append(need, ClosedWindow{Account: a.Number, Kind: kind, Start: w.Start})
		}
	}
	if len(need) == 0 {
		return nil, nil
	}
	return readClosed(ctx, t.tx, need)
}

// IsRefusal tells whether an error is a rule's refusal or names something that
// is not there: the caller's request is at fault, not the machine.
func IsRefusal(err error) bool {
	var r *Refusal
	var f setup.Faults
	return errors.As(err, &r) || errors.As(err, &f) || errors.Is(err, ErrNoAccount)
}
