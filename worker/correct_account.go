package worker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// work is one account under correction, over all of its parts.
type work struct {
	*postgres.Replay
	judge   *judge
	account *account
	ledger  ledger
	before  billing.Funds
}

func newWork(s *State, r *postgres.Replay) *work {
	a := newAccount(r.Account, s.Snapshot)
	a.begin()
	return &work{Replay: r, judge: &judge{State: s, commit: &postgres.Commit{Now: s.Now}}, account: a, before: a.Funds,
		ledger: ledger{model: a.terms.Model, figure: a.Figure(a.terms.Model), place: s.Now.UnixMicro()}}
}

// parts cuts the account into what is replayed at a time. Months do not touch one
// another: windows and credits stay within them. So a small account is one part,
// and of a large one each month is.
func (w *work) parts(ctx context.Context, most int) ([]postgres.ReplaySpan, error) {
	days, err := w.Days(ctx)
	if err != nil {
		return nil, err
	}
	const day = 24 * time.Hour // of UTC
	total := 0
	var months []postgres.ReplaySpan
	for _, d := range days {
		total += d.Records
		if d.Asked == 0 {
			continue
		}
		// The day may lie in two of the account's months.
		for _, at := range [...]time.Time{d.Begin, d.Begin.Add(day - time.Microsecond)} {
			_, m := w.account.windows(at)
			if n := len(months); n > 0 && months[n-1].From.Equal(m.Begin) {
				months[n-1].First = min(months[n-1].First, d.First)
			} else if n == 0 || months[n-1].From.Before(m.Begin) {
				months = append(months, postgres.ReplaySpan{From: m.Begin, To: m.End, First: d.First})
			}
		}
	}
	if total > most || len(months) == 0 {
		return months, nil
	}
	whole := postgres.ReplaySpan{From: months[0].From, To: months[len(months)-1].To, First: months[0].First}
	for _, m := range months {
		whole.First = min(whole.First, m.First)
	}
	return []postgres.ReplaySpan{whole}, nil
}

// read makes a part ready to be replayed.
func (w *work) read(ctx context.Context, in postgres.ReplaySpan, cancel bool) (*replay, error) {
	records, err := w.Records(ctx, in)
	if err != nil {
		return nil, err
	}
	p := newReplay(w.judge, w.account, records)
	var know []billing.Identity
	if cancel {
		know = p.take()
	} else {
		p.widen()
		know = p.originals()
	}
	s := w.judge.State
	if s.Known, err = w.Known(ctx, know); err != nil {
		return nil, err
	}
	s.Closed, err = w.Closed(ctx, p.closedWindows())
	return p, err
}

// take takes what is to be cancelled, and answers what must be known of it.
func (r *replay) take() (know []billing.Identity) {
	for i := range r.items {
		it := &r.items[i]
		if it.taken = it.Asked && !it.Settled; it.taken && it.Directive != billing.Credit {
			know = append(know, it.Identity())
		}
	}
	return know
}

// write writes what a part changed, but for the account itself.
func (w *work) write(ctx context.Context, lines []postgres.Corrected, note string) error {
	if err := w.Replace(ctx, lines, note); err != nil {
		return err
	}
	if len(lines) == 0 {
		clear(w.judge.commit.Closed) // taken back and counted again
		return nil
	}
	if err := w.SaveClosed(ctx, w.judge.commit.Closed); err != nil {
		return err
	}
	clear(w.judge.commit.Closed)
	return nil
}

// settle makes all that was moved one move at now (SPEC R6.2), and answers it.
func (w *work) settle() billing.Money {
	a := w.account
	up := a.Figure(a.terms.Model) - w.before.Figure(a.terms.Model)
	if a.terms.Model == billing.Postpay {
		up = -up
	}
	a.Funds = w.before.Move(a.terms.Model, up, w.judge.Now)
	return up
}

// errUneven would be a fault of this room: the account moved by another amount
// than its lines say.
var errUneven = errors.New("the lines do not come to what the account moved by")

// finish writes the account. The credit test follows where money came back, as
// after an adjustment, and where debits are followed by it too (SPEC R6.4).
func (w *work) finish(ctx context.Context, one *Corrections) error {
	a := w.account
	if w.ledger.figure != a.Figure(a.terms.Model) {
		return fmt.Errorf("correct account %s: %w", a.Number, errUneven)
	}
	up := w.settle()
	one.Moved[a.Currency] += up
	closed := map[postgres.ClosedKey]billing.Counter{}
	for k, v := range a.close() {
		closed[postgres.ClosedKey{Account: a.Number, CounterKey: k}] = v
	}
	if err := w.SaveClosed(ctx, closed); err != nil {
		return err
	}
	return w.Save(ctx, w.judge.Snapshot, up > 0 || up < 0 && w.judge.HoldOnDebit)
}
