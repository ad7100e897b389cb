package verify

import (
	"context"
	"fmt"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// chain is an account whose lines do not join.
type chain struct {
	account string
	model   billing.PaymentModel
	begin   billing.Money
}

// ledger adds up the postings of an account (SPEC R9.1).
type ledger struct {
	of    *postgres.Audited
	lines int64
	sum   billing.Fixed // money, which in any other order than its own may pass money's range
	// joints are what the figures before all lines and those after them come to,
	// scrambled: see join.
	before, after uint64
	periodic      map[int64]*periodicEntry // by place
}

func newLedger(a *postgres.Audited) *ledger { return &ledger{of: a} }

// post adds a posting: a debit is below zero.
func (l *ledger) post(amount billing.Money) {
	l.lines++
	l.sum = l.sum.Add(amount.Fixed())
}

// join notes that a line took the figure from one amount to another by a charge.
//
// Lines come in any order here, and the statement of an account may be longer
// than memory. But where each line begins with what the one before it left, the
// figures before them, with the one at the end, are the figures after them, with
// the one at the beginning. Sums of scrambled figures show whether they are: that
// two different lots come to one sum has odds of one in 2^64.
func (l *ledger) join(before, charge billing.Money) {
	after := before - charge
	if l.of.Model == billing.Postpay {
		after = before + charge
	}
	l.before += scramble(before)
	l.after += scramble(after)
}

// scramble spreads an amount over 64 bits, so that sums of such do not cancel
// out as sums of amounts do (the finisher of SplitMix64).
func scramble(m billing.Money) uint64 {
	x := uint64(m) + 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func (l *ledger) judgement(j *postgres.AuditedJudgement) error {
	if j.Outcome == billing.Rated {
		l.post(-j.Charge)
		l.join(j.Trace.Figure, j.Charge)
	}
	return nil
}

func (l *ledger) entry(e *postgres.AuditedEntry) error {
	l.post(e.Amount)
	before := e.BalanceAfter - e.Amount
	if l.of.Model == billing.Postpay {
		before = e.BalanceAfter + e.Amount
	}
	l.join(before, -e.Amount)
	if e.Kind == billing.PeriodicPosting {
		if l.periodic == nil {
			l.periodic = map[int64]*periodicEntry{}
		}
		l.periodic[e.Seq] = &periodicEntry{name: e.Periodic, amount: e.Amount}
	}
	return nil
}

// opening is the figure before the first line: a debt begins at 0 (SPEC R5.8).
func opening(a *postgres.Audited) billing.Money {
	if a.Model == billing.Postpay {
		return 0
	}
	return a.Opening
}

// balance holds what the postings come to against the account's row.
func (v *verifier) balance(a *postgres.Audited, l *ledger) {
	balance, debt := a.Opening.Fixed().Add(l.sum), billing.Fixed{}
	if a.Model == billing.Postpay {
		balance, debt = a.Opening.Fixed(), l.sum.Neg()
	}
	if found := a.Balance.Fixed(); found != balance {
		v.broken(Broken{"R9.1", a.Number, "balance", balance.String(), found.String()})
	}
	if found := a.CurrentDebt.Fixed(); found != debt {
		v.broken(Broken{"R9.1", a.Number, "current_debt", debt.String(), found.String()})
	}
	if negative := a.Balance < 0; negative == a.NegativeSince.IsZero() {
		v.broken(Broken{"R6.2", a.Number, "negative_since", setOr(negative), setOr(!negative)})
	}
	// Against the end that the lines lead to, so that a changed balance, which is
	// named above, is not named again.
	end, _ := l.sum.Add(opening(a).Fixed()).Money()
	if a.Model == billing.Postpay {
		end, _ = l.sum.Neg().Money()
	}
	if l.before+scramble(end) != l.after+scramble(opening(a)) {
		v.chains = append(v.chains, chain{a.Number, a.Model, opening(a)})
	}
}

func setOr(set bool) string {
	if set {
		return "set"
	}
	return "null"
}

// walk goes through an account's lines in order and names the first that does
// not begin with what the one before it left. It looks at a later moment than
// the audit did, which matters little: lines are never changed.
func (v *verifier) walk(ctx context.Context, store *postgres.Store, c chain) error {
	figure := c.begin
	for line, err := range store.Statement(ctx, c.account, postgres.Span{}) {
		if err != nil {
			return err
		}
		if c.model == billing.Postpay {
			figure -= line.Amount
		} else {
			figure += line.Amount
		}
		if line.BalanceAfter != figure {
			v.broken(Broken{"R9.1", c.account, "balance after " + lineName(line), figure.String(), line.BalanceAfter.String()})
			return nil
		}
	}
	v.broken(Broken{"R9.1", c.account, "balances of the statement", "each to follow from the one before", "a gap"})
	return nil
}

func lineName(l *postgres.StatementLine) string {
	name := fmt.Sprintf("%s of %s at %s", l.Kind, l.Amount, l.At.Format(timeFormat))
	switch {
	case l.Record != "":
		name += ", record " + l.Record
	case l.Periodic != "":
		name += ", " + l.Periodic
	case l.Key != "":
		name += ", key " + l.Key
	}
	return name
}
