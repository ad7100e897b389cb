package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
)

// StatusAction is what a manager asks of an account's status (SPEC R6.1).
type StatusAction int

// The actions.
const (
	HoldAccount    StatusAction = iota // set the administrative hold
	ReleaseAccount                     // lift it
	DeleteAccount
)

// StatusRequest is a manager's wish.
type StatusRequest struct {
	Account string
	Action  StatusAction
	Note    string
	If      Revisions
	At      time.Time
	Actor   string
}

// StatusAnswer is what became of it.
type StatusAnswer struct {
	Account   string               `json:"account"`
	From      billing.Status       `json:"from"`
	To        billing.Status       `json:"to"`
	Reason    billing.StatusReason `json:"-"`
	Unchanged bool                 `json:"unchanged"` // it had the status already
}

// SetStatus carries a manager's wish out, or refuses it.
func (s *Store) SetStatus(ctx context.Context, r StatusRequest) (answer *StatusAnswer, err error) {
	if err := CheckNote(r.Note); err != nil {
		return nil, err
	}
	err = s.Write(ctx, r.At, r.Actor, func(t *Tx) error {
		answer, err = t.setStatus(ctx, &r)
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (t *Tx) setStatus(ctx context.Context, r *StatusRequest) (*StatusAnswer, error) {
	a, err := t.locked(ctx, r.Account)
	if err != nil {
		return nil, err
	}
	if err := t.unchanged(ctx, r.Account, r.If); err != nil {
		return nil, err
	}
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	terms := snap.Terms(a)
	var (
		after  billing.Standing
		change limits.Change
	)
	switch r.Action {
	case HoldAccount:
		after, change, err = limits.Hold(a.Standing, t.Now)
	case ReleaseAccount:
		after, change, err = terms.Release(a.Funds, a.Standing, t.Now)
	default:
		after, change = limits.Delete(a.Standing, t.Now)
	}
	if errors.Is(err, limits.ErrDeleted) || errors.Is(err, limits.ErrHeldForDebt) {
		return nil, refuse("account %s: %v", r.Account, err)
	}
	if err != nil {
		return nil, fmt.Errorf("account %s: %w", r.Account, err)
	}
	answer := &StatusAnswer{Account: r.Account, From: change.From, To: change.To, Reason: change.Reason, Unchanged: change.Unchanged()}
	if answer.Unchanged {
		t.idle = true
		return answer, nil
	}
	a.Standing = after
	t.changed(a, terms, change, r.Note)
	if err := t.save(ctx, snap, a); err != nil {
		return nil, err
	}
	return answer, t.revise(ctx, r.Account)
}

// checkText refuses texts that the database cannot keep; pairs of what and text.
func checkText(pairs ...string) error {
	for i := 0; i < len(pairs); i += 2 {
		if strings.ContainsRune(pairs[i+1], 0) || !utf8.ValidString(pairs[i+1]) {
			return refuse("%s %q: it must be UTF-8 without NUL", pairs[i], pairs[i+1])
		}
	}
	return nil
}
