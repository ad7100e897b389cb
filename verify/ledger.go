package verify

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// ledger adds up the postings of an account (SPEC R9.1).
type ledger struct {
	of       *postgres.Audited
	lines    int64
	sum      billing.Fixed // money, which in any other order than its own may pass money's range
	figures  []line        // up to linesMax
	periodic map[int64]*periodicEntry
	// unreadable says that a trace is, and with it what its line left.
	unreadable bool
}

// line is where a posting took the figure from and to, at its place.
type line struct {
	seq           int64
	before, after billing.Money
}

// linesMax bounds the lines of one account that are kept to be put in order: 24
// MB. The lines of a larger account are walked once more, in order.
const linesMax = 1 << 20

// newLedger begins an account in the room that the last one leaves.
func newLedger(a *postgres.Audited, room []line) *ledger { return &ledger{of: a, figures: room[:0]} }

// post adds a posting: a debit is below zero. The figure before it is the one
// that it moved.
func (l *ledger) post(seq int64, before, amount billing.Money) {
	l.lines++
	l.sum = l.sum.Add(amount.Fixed())
	if len(l.figures) < linesMax {
		l.figures = append(l.figures, line{seq, before, moved(l.of.Model, before, amount)})
	}
}

// use adds the posting that a rated judgement is.
func (l *ledger) use(j *postgres.StoredJudgement) {
	l.post(j.Seq, j.Trace.Figure, -j.Charge)
	l.unreadable = l.unreadable || j.TraceFault != nil
}

func (l *ledger) entry(e *postgres.AuditedEntry) error {
	l.post(e.Seq, moved(l.of.Model, e.BalanceAfter, -e.Amount), e.Amount)
	if e.Kind == billing.PeriodicPosting {
		if l.periodic == nil {
			l.periodic = map[int64]*periodicEntry{}
		}
		l.periodic[e.Seq] = &periodicEntry{name: e.Periodic, amount: e.Amount}
	}
	return nil
}

// moved is a figure after a posting: a balance goes with it, a debt against it.
func moved(model billing.PaymentModel, figure, amount billing.Money) billing.Money {
	if model == billing.Postpay {
		return figure - amount
	}
	return figure + amount
}

// joins tells whether each line begins with what the one before it left.
func (l *ledger) joins() bool {
	slices.SortFunc(l.figures, func(a, b line) int { return cmp.Compare(a.seq, b.seq) })
	figure := opening(l.of)
	for i := range l.figures {
		if l.figures[i].before != figure {
			return false
		}
		figure = l.figures[i].after
	}
	return true
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
	if !l.unreadable && (l.lines > linesMax || !l.joins()) {
		v.chains = append(v.chains, chain{a.Number, a.Model, opening(a)})
	}
}

func setOr(set bool) string {
	if set {
		return "set"
	}
	return "null"
}

// chain is an account whose lines have to be walked.
type chain struct {
	account string
	model   billing.PaymentModel
	begin   billing.Money
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
		if figure = moved(c.model, figure, line.Amount); line.BalanceAfter != figure {
			v.broken(Broken{"R9.1", c.account, "balance after " + lineName(line), figure.String(), line.BalanceAfter.String()})
			return nil
		}
	}
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
