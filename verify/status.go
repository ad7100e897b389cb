package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// status proves that an account came to its status by rules or a manager (SPEC
// R9.5): its history begins with active, each line goes on where the one before
// it ended, gives a reason that its figures bear out, and the last one ends at
// the status that the account has.
func (v *verifier) status(ctx context.Context, a *postgres.Audited) error {
	var now billing.Standing
	err := a.EachChange(ctx, func(c *postgres.AuditedChange) error {
		v.report.Checked.Changes++
		if c.From != now.Status || c.From == billing.Deleted {
			v.broken(Broken{"R9.5", a.Number, changeName(c), "a change from " + now.Status.String(), "from " + c.From.String()})
		}
		v.change(a, c)
		since := now.InactiveSince
		switch {
		case c.To == billing.Active:
			since = time.Time{}
		case c.From == billing.Active:
			since = c.At
		}
		now = billing.Standing{Status: c.To, Reason: c.Reason, InactiveSince: since}
		return nil
	})
	if err != nil || !a.HasState {
		return err
	}
	if a.Status != now.Status || a.Reason != now.Reason {
		v.broken(Broken{"R9.5", a.Number, "status", standingText(now) + " by its history", standingText(a.Standing)})
	} else if !a.InactiveSince.Equal(now.InactiveSince) {
		v.broken(Broken{"R5.5", a.Number, "inactive_since", instant(now.InactiveSince), instant(a.InactiveSince)})
	}
	v.due(a)
	return nil
}

// due proves that the credit sweep would find an active account when its debt
// obliges it to (SPEC R6.4): the sweep asks for due accounts only. When an
// account on hold is due hangs on when it was judged, and cannot be told.
func (v *verifier) due(a *postgres.Audited) {
	if a.Status != billing.Active {
		return
	}
	expected := "never"
	if at, due := a.Terms().DueAt(a.Funds, a.Standing, time.Time{}); due {
		expected = dueText(at)
	}
	found := "never"
	if a.DueAt != nil {
		found = dueText(*a.DueAt)
	}
	if found != expected {
		v.broken(Broken{"R6.4", a.Number, "due_at", expected, found})
	}
}

func dueText(at time.Time) string {
	if at.IsZero() {
		return "at once"
	}
	return at.Format(timeFormat)
}

// change proves one line: what it gives as the reason is true of the figures it
// was judged by.
func (v *verifier) change(a *postgres.Audited, c *postgres.AuditedChange) {
	expected := ""
	switch {
	case c.To == billing.CreditHold && c.Reason == billing.ByThreshold:
		if c.Balance >= -c.Threshold {
			expected = "a balance below " + (-c.Threshold).String()
		}
	case c.To == billing.CreditHold && c.Reason == billing.BySubzero:
		if c.Balance >= 0 || c.Balance < -c.Threshold {
			expected = "a balance below 0 and not below " + (-c.Threshold).String()
		}
	case c.To == billing.CreditHold:
		expected = "reason threshold or subzero"
	case c.To == billing.AdministrativeHold && c.Reason != billing.ByManager:
		expected = "reason manager"
	case c.To != billing.AdministrativeHold && c.Reason != 0:
		expected = "no reason"
	case c.From == billing.CreditHold && c.To == billing.Active && c.Balance < -c.Threshold:
		expected = "a balance of at least " + (-c.Threshold).String()
	}
	if expected != "" {
		v.broken(Broken{"R9.5", a.Number, changeName(c), expected,
			fmt.Sprintf("reason %s, balance %s, threshold %s", reasonText(c.Reason), c.Balance, c.Threshold)})
	}
}

func changeName(c *postgres.AuditedChange) string {
	return fmt.Sprintf("change to %s at %s", c.To, c.At.Format(timeFormat))
}

func standingText(s billing.Standing) string {
	return fmt.Sprintf("%s, reason %s", s.Status, reasonText(s.Reason))
}

func reasonText(r billing.StatusReason) string {
	if r == 0 {
		return "none"
	}
	return r.String()
}

func instant(t time.Time) string {
	if t.IsZero() {
		return "null"
	}
	return t.Format(timeFormat)
}
