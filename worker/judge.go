package worker

import (
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
)

// Settings are the configuration that judging depends on (CONTRACT §5).
type Settings struct {
	Lateness         time.Duration // rating.lateness; 0 takes anything (SPEC R5.6)
	FutureTolerance  time.Duration // rating.future_tolerance
	EnforceThreshold bool          // rating.enforce_threshold (SPEC R5.7)
	HoldOnDebit      bool          // credit.hold_on_debit (SPEC R6.4)
	LimitsForAll     bool          // limits.scope: all_accounts (SPEC R4.8)
}

// State is what a group of batches is judged from. Judge works on the accounts
// in place: after it they are as they are to be, all but their versions.
type State struct {
	Now time.Time
	// Place is that of the first new record among all lines, in microseconds; the
	// next ones follow. It is Now, unless more was judged than that has microseconds.
	Place int64
	Settings
	Snapshot *postgres.Snapshot
	Accounts map[string]*account
	Known    map[billing.Identity]*postgres.Known
	// Closed holds the counters of those windows that are over and that records
	// of the group fall into.
	Closed map[postgres.ClosedKey]billing.Counter
}

// Judge says what becomes of batches: pure, in the order in which they are given
// (SPEC R4.7, R5.1). What it answers is what a Store's Commit writes.
func Judge(s *State, batches []billing.Batch) *postgres.Commit {
	j := &judge{State: s, commit: &postgres.Commit{Now: s.Now, Version: s.Snapshot.Version}}
	n := 0
	for i := range batches {
		n += len(batches[i].Records)
	}
	j.fresh = make(map[billing.Identity]int, n)
	j.commit.Judgements = make([]postgres.Judgement, 0, n)
	j.place = max(s.Place, s.Now.UnixMicro())
	for i := range batches {
		j.batch(&batches[i])
	}
	j.finish()
	return j.commit
}

// judge is one judgement at work.
type judge struct {
	*State
	commit  *postgres.Commit
	fresh   map[billing.Identity]int // index in commit.Judgements
	marked  map[int32]bool           // prices in commit.RatedBy
	touched []*account
	moved   []*account // whose funds the batch at hand moved
	place   int64      // of the next new record among all lines
	trace   []byte     // where traces are laid one behind the other
}

func (j *judge) batch(b *billing.Batch) {
	out := postgres.Outcomes{Accepted: len(b.Records), Reasons: map[string]int{}}
	for i := range b.Records {
		r := &b.Records[i]
		switch j.identity(b, r, i) {
		case isDuplicate:
			out.Duplicate++
			continue
		case isConflict:
			out.Conflict++
			continue
		}
		v := j.record(b, r)
		if v.Outcome == billing.Rated {
			out.Rated++
		} else {
			out.Rejected++
			out.Reasons[v.Reason.String()]++
		}
		j.place++
	}
	j.commit.Batches = append(j.commit.Batches, postgres.BatchResult{ID: b.ID, Outcomes: out})
	j.settle()
}

// What a delivery of a record can be.
const (
	isNew = iota
	isDuplicate
	isConflict
)

// identity compares a delivery with what has its identity already, in the
// database or earlier in the group (SPEC R5.4).
func (j *judge) identity(b *billing.Batch, r *billing.UsageRecord, i int) int {
	id := r.Identity()
	var first *billing.UsageRecord
	if k := j.Known[id]; k != nil {
		first = &k.Record
	} else if at, met := j.fresh[id]; met {
		first = j.commit.Judgements[at].Record
	}
	switch {
	case first == nil:
		j.fresh[id] = len(j.commit.Judgements)
		return isNew
	case first.Same(r):
		return isDuplicate
	}
	j.commit.DeadLetters = append(j.commit.DeadLetters, conflict(b, r, i, j.Now))
	return isConflict
}

// record is one new record on the desk: what is known of it so far.
type record struct {
	*billing.UsageRecord
	account  *account
	place    *billing.Place
	counters limits.Counters
	original *postgres.Known // of a credit
	day      billing.Window
	month    billing.Window
	trace    postgres.Trace
	verdict  postgres.Judgement
	// was is what became of a record that is judged again; 0 where it is new.
	was billing.Outcome
	// counted is what the counters go up by: below zero for a credit.
	counted billing.Fixed
}

// record judges one new record: the first check that fails gives the reason
// (SPEC R5.1).
func (j *judge) record(b *billing.Batch, r *billing.UsageRecord) *postgres.Judgement {
	c := record{UsageRecord: r, account: j.Accounts[r.Account], counted: r.Quantity}
	c.verdict = postgres.Judgement{Record: r, Batch: b.ID, Arrival: j.place, Band: -1}
	if c.account != nil {
		j.touch(c.account)
		c.verdict.Arrival = c.account.NextSeq(j.place)
	}
	reason := j.checks(&c, b.AcceptedAt)
	if reason == 0 {
		c.verdict.Outcome = billing.Rated
		j.count(&c)
	} else {
		c.verdict.Outcome, c.verdict.Reason, c.verdict.Charge = billing.Rejected, reason, 0
	}
	at := len(j.trace)
	j.trace = c.trace.AppendBinary(j.trace)
	c.verdict.Trace = j.trace[at:len(j.trace):len(j.trace)]
	j.commit.Judgements = append(j.commit.Judgements, c.verdict)
	return &j.commit.Judgements[len(j.commit.Judgements)-1]
}

func (j *judge) checks(c *record, acceptedAt time.Time) billing.Reason {
	if c.account == nil {
		return billing.AccountNotFound
	}
	if reason := j.status(c); reason != 0 {
		return reason
	}
	if c.place = j.Snapshot.Place(c.Service); c.place == nil {
		return billing.ServiceNotFound
	}
	c.verdict.Placement = c.place.ID
	if !c.account.Services[c.Service] {
		return billing.ServiceNotLinked
	}
	if reason := j.time(c, acceptedAt); reason != 0 {
		return reason
	}
	if c.Directive == billing.Credit {
		if reason := j.credit(c); reason != 0 {
			return reason
		}
		return j.funds(c)
	}
	j.openWindows(c, c.OccurredAt)
	if reason := j.price(c); reason != 0 {
		return reason
	}
	if reason := j.allowance(c); reason != 0 {
		return reason
	}
	return j.funds(c)
}

// status asks whether the account may be used (SPEC R5.5). What is judged again
// has been let in before (SPEC R8.2), but for a deleted account, which takes
// nothing that it had not taken already.
func (j *judge) status(c *record) billing.Reason {
	if c.was == billing.Rated || c.was != 0 && c.account.Status != billing.Deleted {
		return 0
	}
	return limits.Admits(c.account.Standing, c.Directive, c.OccurredAt)
}

// time holds the time of use against when the batch was accepted (SPEC R5.6),
// the first time that a record is judged.
func (j *judge) time(c *record, acceptedAt time.Time) billing.Reason {
	if c.was != 0 {
		return 0
	}
	switch ahead := c.OccurredAt.Sub(acceptedAt); {
	case ahead > j.FutureTolerance:
		return billing.InFuture
	case j.Lateness > 0 && ahead < -j.Lateness: // -ahead would not do: Sub ends at a Duration that has no negative
		return billing.TooLate
	}
	return 0
}

// allowance holds the record against the limits in force (SPEC §4).
func (j *judge) allowance(c *record) billing.Reason {
	rules := j.rules(c)
	if rules == nil {
		return 0
	}
	c.trace.Judged = true
	c.trace.Used = rules.Used(&c.counters, c.account.used[:0])
	c.account.used = c.trace.Used
	return rules.Judge(&c.counters, c.Quantity, c.verdict.Charge)
}

// rules are the limits in force as they bind the record's service; nil where
// there are none.
func (j *judge) rules(c *record) *limits.Rules {
	in, version := c.account.Limits, c.account.LimitsVersion
	if j.LimitsForAll {
		in, version = j.Snapshot.Limits, j.Snapshot.LimitsVersion
	}
	if in == nil {
		return nil
	}
	c.trace.Limits, c.trace.AllAccounts = version, j.LimitsForAll
	return c.account.rulesFor(in, c.place)
}

// funds checks that the figure which the charge moves stays in money's range,
// and then the credit (SPEC R2.2, R5.7, R5.8). A credit is asked for its range
// only, and so is what costs nothing by order, and what was rated before.
func (j *judge) funds(c *record) billing.Reason {
	model := c.account.terms.Model
	c.trace.Figure, c.trace.HasFigure = c.account.Figure(model), true
	charge := c.verdict.Charge
	after := c.trace.Figure - charge
	if model == billing.Postpay {
		after = c.trace.Figure + charge
	}
	if !after.InRange() {
		return billing.OutOfRange
	}
	if c.Directive != billing.Charge || c.was == billing.Rated {
		return 0
	}
	return c.account.terms.Afford(c.account.Funds, charge, j.EnforceThreshold)
}

// count writes a rated record into the account: funds and counters.
func (j *judge) count(c *record) {
	a, charge := c.account, c.verdict.Charge
	if !a.moved {
		a.moved = true
		j.moved = append(j.moved, a)
	}
	if a.terms.Model == billing.Postpay {
		a.CurrentDebt += charge
	} else {
		a.Balance -= charge
	}
	a.debited = a.debited || charge > 0
	if c.original != nil {
		c.original.CreditedQuantity = c.original.CreditedQuantity.Add(c.Quantity)
		c.original.CreditedAmount -= charge
	}
	amount := charge.Fixed()
	for kind := range c.counters {
		if !c.place.Counts(billing.ScopeKind(kind)) {
			continue
		}
		for _, w := range [...]*billing.Window{&c.day, &c.month} {
			j.addTo(a, c.place, billing.ScopeKind(kind), w, c.counted, amount)
		}
	}
	a.counted(&c.day, &c.month)
}
