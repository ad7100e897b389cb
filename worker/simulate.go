package worker

import (
	"context"
	"sync"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
)

// Simulation is a set-up that is tried out on the records of a span: what a
// re-rate would do if it were applied.
type Simulation struct {
	Imagined *postgres.Imagined
	Filter   postgres.CorrectionFilter
	Clock    Clock // asked once
	// Each is told of every account that the set-up or the span touches: those with
	// records in the order of their numbers, then those that are only held or freed.
	Each func(*SimulatedAccount) error
	// Progress, if set, is told how many records have been judged.
	Progress func(records int)
}

// Simulated is what a set-up would make of charges and outcomes.
type Simulated struct {
	Records int           `json:"records"` // judged: named by the span, and widened to
	Widened int           `json:"widened"`
	Before  billing.Money `json:"charge_now"`
	After   billing.Money `json:"charge_then"`
	More    billing.Money `json:"difference"` // After less Before
	Changed int           `json:"changed"`    // records with another judgement
	// Records whose outcome would change, by reason.
	NewlyRejected map[string]int `json:"newly_rejected"`
	NewlyRated    map[string]int `json:"newly_rated"`  // by the reason that they are rejected for now
	OtherReason   map[string]int `json:"other_reason"` // rejected all the same, by the new reason
}

// SimulatedAccount is what a set-up would make of one account.
type SimulatedAccount struct {
	Account  string `json:"account"`
	Currency string `json:"currency"`
	Simulated
	Figure billing.Money `json:"balance_then"` // postpay: current_debt
	// Hold says that the credit test would hold the account and does not now; Free
	// the opposite.
	Hold bool `json:"held"`
	Free bool `json:"freed"`
}

// Unchanged tells whether everything of the account would stay as it is.
func (s *SimulatedAccount) Unchanged() bool { return s.Changed == 0 && !s.Hold && !s.Free }

// SimulatedTotal is a simulation's sums; money by currency.
type SimulatedTotal struct {
	Accounts      int                      `json:"accounts"`
	Differing     int                      `json:"accounts_changed"`
	Records       int                      `json:"records"`
	Widened       int                      `json:"widened"`
	Changed       int                      `json:"changed"`
	Before        map[string]billing.Money `json:"charge_now"`
	After         map[string]billing.Money `json:"charge_then"`
	More          map[string]billing.Money `json:"difference"`
	NewlyRejected map[string]int           `json:"newly_rejected"`
	NewlyRated    map[string]int           `json:"newly_rated"`
	OtherReason   map[string]int           `json:"other_reason"`
	Held          int                      `json:"held"`
	Freed         int                      `json:"freed"`
}

func (t *SimulatedTotal) add(a *SimulatedAccount) {
	t.Accounts++
	if !a.Unchanged() {
		t.Differing++
	}
	t.Records, t.Widened, t.Changed = t.Records+a.Records, t.Widened+a.Widened, t.Changed+a.Changed
	t.Before[a.Currency] += a.Before
	t.After[a.Currency] += a.After
	t.More[a.Currency] += a.More
	for _, m := range []struct{ to, from map[string]int }{
		{t.NewlyRejected, a.NewlyRejected}, {t.NewlyRated, a.NewlyRated}, {t.OtherReason, a.OtherReason},
	} {
		for reason, n := range m.from {
			m.to[reason] += n
		}
	}
	if a.Hold {
		t.Held++
	}
	if a.Free {
		t.Freed++
	}
}

// simulatedAtOnce is how many accounts are read as of one moment.
const simulatedAtOnce = 100

// Simulate tries a set-up out. It writes nothing, and holds no more than a few
// hundred accounts' sums and a few accounts' records at a time.
func (c *Corrector) Simulate(ctx context.Context, o Simulation) (*SimulatedTotal, error) {
	total := &SimulatedTotal{Before: map[string]billing.Money{}, After: map[string]billing.Money{}, More: map[string]billing.Money{},
		NewlyRejected: map[string]int{}, NewlyRated: map[string]int{}, OtherReason: map[string]int{}}
	o.Filter.Rated, o.Filter.Credits = true, true
	s := &simulator{Corrector: c, Simulation: o, total: total}
	s.state = State{Now: o.Clock(), Settings: c.settings, Snapshot: o.Imagined.Then}
	if err := s.withRecords(ctx); err != nil {
		return nil, err
	}
	return total, s.withoutRecords(ctx)
}

type simulator struct {
	*Corrector
	Simulation
	state State
	total *SimulatedTotal
}

// withRecords tries out the accounts of which the filter names records.
func (s *simulator) withRecords(ctx context.Context) error {
	for after := ""; ; {
		page, err := s.store.AccountsAsked(ctx, s.Filter, after, simulatedAtOnce*correctedAtOnce)
		if err != nil || len(page) == 0 {
			return err
		}
		numbers := make([]string, len(page))
		for i := range page {
			numbers[i] = page[i].Number
		}
		if err := s.page(ctx, numbers); err != nil {
			return err
		}
		after = numbers[len(numbers)-1]
	}
}

// withoutRecords tries out what is left of the accounts that the file touches.
func (s *simulator) withoutRecords(ctx context.Context) error {
	for after := ""; ; {
		numbers, err := s.store.AccountsTouched(ctx, s.Imagined, s.Filter, after, simulatedAtOnce*correctedAtOnce)
		if err != nil || len(numbers) == 0 {
			return err
		}
		if err := s.page(ctx, numbers); err != nil {
			return err
		}
		after = numbers[len(numbers)-1]
	}
}

// page tries accounts out side by side and tells of them in their order.
func (s *simulator) page(ctx context.Context, numbers []string) error {
	var (
		wait  sync.WaitGroup
		found = make([]*SimulatedAccount, len(numbers))
		errs  = make([]error, (len(numbers)+simulatedAtOnce-1)/simulatedAtOnce)
	)
	for part := range errs {
		wait.Go(func() {
			at, end := part*simulatedAtOnce, min((part+1)*simulatedAtOnce, len(numbers))
			errs[part] = s.store.Replays(ctx, s.Filter, numbers[at:end], func(ctx context.Context, r *postgres.Replay) (err error) {
				found[at], err = s.account(ctx, r)
				at++
				return err
			})
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	for _, a := range found {
		if a == nil {
			continue // there is no such account, now or then
		}
		s.total.add(a)
		if err := s.Each(a); err != nil {
			return err
		}
	}
	if s.Progress != nil {
		s.Progress(s.total.Records)
	}
	return nil
}

// account tries one account out.
func (s *simulator) account(ctx context.Context, r *postgres.Replay) (*SimulatedAccount, error) {
	then, err := s.Imagined.Of(r.Number, r.Account)
	if err != nil || then == nil {
		return nil, err
	}
	one := &SimulatedAccount{Account: then.Number, Currency: then.Currency}
	one.NewlyRejected, one.NewlyRated, one.OtherReason = map[string]int{}, map[string]int{}, map[string]int{}
	held := false
	if r.Account != nil {
		held = wouldHold(s.Imagined.Now.Terms(r.Account), r.Account, s.state.Now)
	}
	r.Account = then
	state := s.state
	w := newWork(&state, r)
	parts, err := w.parts(ctx, s.partMax)
	if err != nil {
		return nil, err
	}
	for _, in := range parts {
		p, err := w.read(ctx, in, false)
		if err != nil {
			return nil, err
		}
		p.again()
		one.count(p)
		clear(w.judge.commit.Closed)
	}
	w.settle()
	one.Figure = w.account.Figure(w.account.terms.Model)
	holds := wouldHold(w.account.terms, then, s.state.Now)
	one.Hold, one.Free = holds && !held, held && !holds
	return one, nil
}

// wouldHold tells whether an account is in credit hold after the credit test.
func wouldHold(terms limits.Terms, a *postgres.Account, now time.Time) bool {
	standing, _ := terms.Test(a.Funds, a.Standing, now)
	return standing.Status == billing.CreditHold
}

// count compares what the items that were judged again are and would be.
func (s *Simulated) count(p *replay) {
	for i := range p.items {
		it := &p.items[i]
		if !it.taken {
			continue
		}
		s.Records++
		if it.widened {
			s.Widened++
		}
		if it.Outcome == billing.Rated {
			s.Before += it.Charge
		}
		if it.verdict.Outcome == billing.Rated {
			s.After += it.verdict.Charge
		}
		if it.changed {
			s.Changed++
		}
		s.More = s.After - s.Before
		switch was, is := it.Outcome, it.verdict.Outcome; {
		case was == billing.Rated && is == billing.Rejected:
			s.NewlyRejected[it.verdict.Reason.String()]++
		case was == billing.Rejected && is == billing.Rated:
			s.NewlyRated[it.Reason.String()]++
		case was == billing.Rejected && it.Reason != it.verdict.Reason:
			s.OtherReason[it.verdict.Reason.String()]++
		}
	}
}
