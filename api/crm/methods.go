package crm

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
)

// setLimits changes an account's limits, and answers the account.
func (v *view) setLimits(ctx context.Context, by access.Caller, all []parameter) (json.RawMessage, error) {
	asked, change, err := decodeChange(all)
	if err != nil {
		return nil, err
	}
	number, err := v.find(ctx, by, asked.account)
	if err != nil {
		return nil, err
	}
	now := v.Clock()
	var (
		snap *postgres.Snapshot
		l    limits.Settings
	)
	if change.empty() {
		l, snap, err = v.limitsOf(ctx, number)
	} else {
		l, err = v.Store.SetLimits(about(ctx, number), postgres.LimitsRequest{
			Account: number, ForAll: v.LimitsForAll, At: now, Actor: by.Actor(),
			Patch: func(s *postgres.Snapshot, stored limits.Settings) (limits.Patch, error) {
				snap = s
				return change.patch(s.Catalogue(), stored)
			},
		})
	}
	if err != nil {
		return nil, absent(err, asked.account)
	}
	seen, err := v.account(ctx, number, now)
	if err != nil {
		return nil, absent(err, asked.account)
	}
	seen.Allowance = allowanceOf(l, seen.Currency.Code, shelve(snap.Catalogue()))
	return cut(seen.Receivable, asked.fields)
}

// about notes in the audit log which account a request was about.
func about(ctx context.Context, number string) context.Context {
	d, has := postgres.DeedOf(ctx)
	if !has {
		return ctx
	}
	d.Subject = number
	return postgres.WithDeed(ctx, d)
}

func (v *view) limitsOf(ctx context.Context, number string) (l limits.Settings, s *postgres.Snapshot, err error) {
	if l, err = v.Store.LimitsOf(ctx, number, v.LimitsForAll); err == nil {
		s, err = v.Store.Snapshot(ctx)
	}
	return l, s, err
}

// seenAccount is an account as it is printed, and as it is kept.
type seenAccount struct {
	*Receivable
	view *postgres.AccountView
}

func (v *view) account(ctx context.Context, number string, now time.Time) (s seenAccount, err error) {
	if s.view, err = v.Store.Account(ctx, number, now); err != nil {
		return s, err
	}
	found, err := v.Store.Receivables(ctx, number)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("account %s: %w", number, postgres.ErrNoAccount)
	}
	if err == nil {
		s.Receivable = receivableOf(s.view, &found[0])
	}
	return s, err
}

// remaining answers what is left of an account's limits.
func (v *view) remaining(ctx context.Context, by access.Caller, all []parameter) (json.RawMessage, error) {
	asked, err := decodeAsked(all, fieldsOf[Remaining](), func(parameter) (bool, error) { return false, nil })
	if err != nil {
		return nil, err
	}
	number, err := v.find(ctx, by, asked.account)
	if err != nil {
		return nil, err
	}
	now := v.Clock()
	left, err := v.Store.Remaining(ctx, number, "", now, v.LimitsForAll)
	if err != nil {
		return nil, absent(err, asked.account)
	}
	seen, err := v.account(ctx, number, now)
	if err != nil {
		return nil, absent(err, asked.account)
	}
	l, snap, err := v.limitsOf(ctx, number)
	if err != nil {
		return nil, absent(err, asked.account)
	}
	in := shelve(snap.Catalogue())
	seen.Allowance = allowanceOf(l, seen.Currency.Code, in)
	r := remainingOf(left, in)
	r.Account, r.UntilBlocking = seen.Receivable, untilBlocking(seen.view, snap.Classes[seen.view.Class], now)
	return cut(r, asked.fields)
}

// untilBlocking is the charge that an account may still bear; null: any.
func untilBlocking(a *postgres.AccountView, class billing.Class, now time.Time) *string {
	funds := billing.Funds{Balance: a.Balance, CurrentDebt: a.CurrentDebt}
	if a.NegativeSince != nil {
		funds.NegativeSince = *a.NegativeSince
	}
	terms := limits.Effective(class, &a.Threshold, &a.CreditLimit)
	left, bounded := terms.Headroom(funds, billing.Standing{Status: a.Status}, now)
	if !bounded {
		return nil
	}
	return new(left.Decimal().String())
}
