package worker

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// Correction is a cancel or a re-rate that was asked for (SPEC §8).
type Correction struct {
	Cancel bool // else a re-rate
	Filter postgres.CorrectionFilter
	Note   string // why: kept with every judgement that is replaced
	Actor  string
	Clock  Clock // asked once per account
	DryRun bool
	// Progress, if set, is told how many of the records named are dealt with.
	Progress func(records int)
}

// Corrections says what a correction did, or in a dry run would do.
type Corrections struct {
	postgres.Outcomes
	Widened  int `json:"widened"`  // records judged again that the filter did not name (SPEC R8.2)
	Changed  int `json:"changed"`  // records that have another judgement now
	Accounts int `json:"accounts"` // of which records are named
	// Accumulating counts cancelled records by whose price a window accumulates: a
	// re-rate mends what stands after them (SPEC R8.1).
	Accumulating int `json:"accumulating"`
	// Moved is how much the accounts' balances went up (postpay: their debts went
	// down) by currency.
	Moved map[string]billing.Money `json:"moved"`
}

func (c *Corrections) add(o *Corrections) {
	c.Outcomes = c.Outcomes.Add(o.Outcomes)
	c.Widened, c.Changed, c.Accounts, c.Accumulating = c.Widened+o.Widened, c.Changed+o.Changed, c.Accounts+o.Accounts, c.Accumulating+o.Accumulating
	for currency, m := range o.Moved {
		c.Moved[currency] += m
	}
}

// Corrector carries corrections out, account by account, each in a transaction of
// its own: no account is ever half corrected, and workers go on meanwhile. What
// is judged as it was stays as it was, without a line; so a run that was stopped
// is resumed by starting it again.
type Corrector struct {
	store    *postgres.Store
	settings Settings
	partMax  int // records of an account that are held at a time

	lock     sync.Mutex
	snapshot *postgres.Snapshot
	marked   map[int32]bool // prices that have rated since the snapshot was taken
}

// NewCorrector is a corrector that judges by settings as its workers do.
func NewCorrector(store *postgres.Store, s Settings) *Corrector {
	return &Corrector{store: store, settings: s, partMax: partMax, marked: map[int32]bool{}}
}

const (
	// accountsPage is how many accounts are looked up at a time.
	accountsPage = 500
	// correctedAtOnce is how many accounts are corrected side by side: enough that
	// the database is not waited for, few enough that workers keep most of it.
	correctedAtOnce = 4
	// partMax is how many records of an account are held at a time, some 60 MB. An
	// account with more is replayed month by month, still in one transaction.
	partMax = 100_000
)

// Run carries a correction out. Where it fails half way, what it did stays done,
// account by account, and is in the answer.
func (c *Corrector) Run(ctx context.Context, o Correction) (*Corrections, error) {
	done := &Corrections{Outcomes: postgres.Outcomes{Reasons: map[string]int{}}, Moved: map[string]billing.Money{}}
	if err := o.check(); err != nil {
		return done, err
	}
	if o.Filter.Record != nil {
		if err := c.mayCorrect(ctx, &o); err != nil {
			return done, err
		}
	}
	for after := ""; ; {
		page, err := c.store.AccountsAsked(ctx, o.Filter, after, accountsPage)
		if err != nil || len(page) == 0 {
			return done, err
		}
		if err := c.page(ctx, &o, page, done); err != nil {
			return done, err
		}
		after = page[len(page)-1].Number
	}
}

// check refuses what names nothing, and fills in what a cancel and a re-rate are
// about.
func (o *Correction) check() error {
	f := &o.Filter
	refuse := func(text string) error { return &postgres.Refusal{Text: text} }
	if err := postgres.CheckNote(o.Note); err != nil {
		return err
	}
	switch {
	case f.Record == nil && f.Account == "" && f.Service == "" && f.From.IsZero() && f.To.IsZero() && f.Reason == 0:
		return refuse("name a record, or what records are meant by account, service, time or reason: everything is refused")
	case o.Cancel && (f.Reason != 0 || f.Rejected):
		return refuse("only rated records are cancelled: a reason and rejected records are for a re-rate")
	}
	f.Rated, f.Credits = f.Reason == 0, !o.Cancel || f.Record != nil
	f.Rejected = !o.Cancel && (f.Rejected || f.Reason != 0 || f.Record != nil)
	return nil
}

// mayCorrect refuses a record that is named and cannot be corrected.
func (c *Corrector) mayCorrect(ctx context.Context, o *Correction) error {
	id := *o.Filter.Record
	found, err := c.store.Record(ctx, postgres.RecordKey{Source: id.Source, ID: id.ID, Account: id.Account})
	if err != nil {
		return err
	}
	name := fmt.Sprintf("record %s/%s/%s", id.Account, id.Source, id.ID)
	switch {
	case len(found) == 0:
		return &postgres.Refusal{Text: name + ": there is none"}
	case found[0].Outcome == billing.Cancelled && !o.Cancel:
		return &postgres.Refusal{Text: name + " is cancelled and stays so: send it anew under another id"}
	case found[0].Outcome == billing.Rejected && o.Cancel:
		return &postgres.Refusal{Text: name + " was rejected: there is nothing to cancel"}
	case found[0].Directive == billing.Credit && found[0].Outcome == billing.Rated:
		return c.mayCorrectCredit(ctx, name, found[0].Account, found[0].Source, found[0].Explanation.Original)
	}
	return nil
}

// mayCorrectCredit refuses a credit that was settled with its original.
func (c *Corrector) mayCorrectCredit(ctx context.Context, name, account, source string, original *string) error {
	if original == nil {
		return nil
	}
	found, err := c.store.Record(ctx, postgres.RecordKey{Source: source, ID: *original, Account: account})
	if err == nil && len(found) > 0 && found[0].Outcome == billing.Cancelled {
		return &postgres.Refusal{Text: name + " is a credit that was settled when its original " + *original + " was cancelled: it stays"}
	}
	return err
}

// page corrects some accounts side by side.
func (c *Corrector) page(ctx context.Context, o *Correction, page []postgres.AskedAccount, done *Corrections) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	work := make(chan postgres.AskedAccount)
	var wait sync.WaitGroup
	for range min(correctedAtOnce, len(page)) {
		wait.Go(func() {
			for asked := range work {
				one, err := c.account(ctx, o, asked)
				if err != nil {
					stop(err)
					continue // the channel is drained, so that its writer ends
				}
				c.lock.Lock()
				done.add(one)
				if o.Progress != nil {
					o.Progress(done.Accepted - done.Widened)
				}
				c.lock.Unlock()
			}
		})
	}
	for _, asked := range page {
		if ctx.Err() != nil {
			break
		}
		work <- asked
	}
	close(work)
	wait.Wait()
	return context.Cause(ctx)
}

// account corrects one account, and answers what came of it.
func (c *Corrector) account(ctx context.Context, o *Correction, asked postgres.AskedAccount) (*Corrections, error) {
	var (
		one    *Corrections
		rating []int32
	)
	err := c.store.Correct(ctx, postgres.Correction{Account: asked.Number, Filter: o.Filter, At: o.Clock(), Actor: o.Actor, DryRun: o.DryRun},
		func(ctx context.Context, r *postgres.Replay) (err error) {
			one = &Corrections{Outcomes: postgres.Outcomes{Reasons: map[string]int{}}, Accounts: 1, Moved: map[string]billing.Money{}}
			if r.Account == nil {
				one.Accepted, one.Rejected = asked.Records, asked.Records
				one.Reasons[billing.AccountNotFound.String()] = asked.Records
				return nil
			}
			rating, err = c.correct(ctx, o, r, one)
			return err
		})
	if err != nil {
		return nil, err
	}
	if !o.DryRun {
		c.lock.Lock()
		for _, ref := range rating {
			c.marked[ref] = true
		}
		c.lock.Unlock()
	}
	return one, nil
}

// settingsOf is the snapshot of the version that an account was taken up under.
func (c *Corrector) settingsOf(ctx context.Context, r *postgres.Replay) (*postgres.Snapshot, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if c.snapshot != nil && c.snapshot.Version == r.Version {
		return c.snapshot, nil
	}
	s, err := r.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	c.snapshot = s
	clear(c.marked)
	return s, nil
}

// correct does it, part by part. It answers the prices that rate for the first
// time.
func (c *Corrector) correct(ctx context.Context, o *Correction, r *postgres.Replay, one *Corrections) (refs []int32, err error) {
	snapshot, err := c.settingsOf(ctx, r)
	if err != nil {
		return nil, err
	}
	w := newWork(&State{Now: r.Now(), Settings: c.settings, Snapshot: snapshot}, r)
	parts, err := w.parts(ctx, c.partMax)
	if err != nil {
		return nil, err
	}
	for _, in := range parts {
		if err := c.part(ctx, o, w, in, one); err != nil {
			return nil, err
		}
	}
	if one.Changed == 0 {
		return nil, nil
	}
	if err := w.finish(ctx, one); err != nil {
		return nil, err
	}
	c.lock.Lock()
	refs = slices.DeleteFunc(slices.Clone(w.judge.commit.RatedBy), func(ref int32) bool { return c.marked[ref] })
	c.lock.Unlock()
	slices.Sort(refs)
	return refs, r.MarkRated(ctx, refs)
}

func (c *Corrector) part(ctx context.Context, o *Correction, w *work, in postgres.ReplaySpan, one *Corrections) error {
	p, err := w.read(ctx, in, o.Cancel)
	if err != nil {
		return err
	}
	var lines []postgres.Corrected
	if o.Cancel {
		lines, err = p.cancel(&w.ledger)
	} else {
		p.again()
		lines, err = p.lines(&w.ledger)
	}
	if err != nil {
		return err
	}
	one.count(p, o.Cancel)
	return w.write(ctx, lines, o.Note)
}

// count adds up what came of the items that were taken.
func (c *Corrections) count(p *replay, cancel bool) {
	for i := range p.items {
		it := &p.items[i]
		if !it.taken {
			continue
		}
		c.Accepted++
		if it.widened {
			c.Widened++
		}
		if it.changed {
			c.Changed++
		}
		switch {
		case cancel:
			c.Cancelled++
			if price := p.Snapshot.Price(it.Price); price != nil {
				if _, accumulates := price.Accumulate.Window(); accumulates {
					c.Accumulating++
				}
			}
		case it.verdict.Outcome == billing.Rated:
			c.Rated++
		default:
			c.Rejected++
			c.Reasons[it.verdict.Reason.String()]++
		}
	}
}
