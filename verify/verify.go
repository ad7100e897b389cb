package verify

import (
	"context"
	"fmt"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// Options say what is verified and who is told meanwhile.
type Options struct {
	Account string // only this one, and no batches; empty: everything
	// Progress is called every now and then with what has been checked so far; it
	// may be nil.
	Progress func(Checked)
}

// brokenMax bounds how many broken rows a report lists: a rule that a fault of
// the program breaks is broken by every record. The rest is counted.
const brokenMax = 1000

// progressRecords is how many records are checked between two calls of Progress.
const progressRecords = 10_000

// Report is what was found, with the JSON of CONTRACT §3.
type Report struct {
	Checked Checked  `json:"checked"`
	Broken  []Broken `json:"broken"`
	More    int64    `json:"more,omitempty"` // broken rows beyond those that are listed
}

// Sound tells whether nothing is broken.
func (r *Report) Sound() bool { return len(r.Broken) == 0 }

// Checked counts what was looked at.
type Checked struct {
	Accounts int64 `json:"accounts"`
	Records  int64 `json:"records"`
	Postings int64 `json:"postings"` // usage, reversed or not, and all others
	Counters int64 `json:"counters"`
	Ceilings int64 `json:"ceilings"` // rows of explanations
	Changes  int64 `json:"changes"`  // of status
	Periods  int64 `json:"periods"`  // charged or skipped
	Batches  int64 `json:"batches"`
	// Of all batches, the records accepted and what became of them at first.
	Accepted  int64 `json:"accepted"`
	Rated     int64 `json:"rated"`
	Rejected  int64 `json:"rejected"`
	Duplicate int64 `json:"duplicate"`
	Conflict  int64 `json:"conflict"`
	Waiting   int64 `json:"waiting"`
}

// Broken is a row that breaks a rule of SPEC.
type Broken struct {
	Rule     string `json:"rule"`
	Account  string `json:"account"` // empty where it belongs to none
	What     string `json:"what"`
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

// Run verifies. The error is that of a database which cannot be read, or of an
// account that is asked for and not there; broken rows are in the report.
func Run(ctx context.Context, store *postgres.Store, o Options) (*Report, error) {
	v := &verifier{options: o, report: Report{Broken: []Broken{}}, calendars: map[calendarKey]*calendar{}}
	if err := v.run(ctx, store); err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	return &v.report, nil
}

// verifier is one run at work.
type verifier struct {
	options   Options
	report    Report
	calendars map[calendarKey]*calendar
	expected  counters // of the account at hand
	room      []line   // for the lines of the account at hand
	// chains are accounts whose lines do not join; which line it is shows when
	// they are walked, after everything else.
	chains []chain
}

func (v *verifier) run(ctx context.Context, store *postgres.Store) error {
	err := store.Audit(ctx, postgres.Audit{Account: v.options.Account, Each: v.account, Stray: v.stray})
	if err != nil {
		return err
	}
	if v.options.Account != "" && v.report.Checked.Accounts == 0 {
		return fmt.Errorf("account %s: %w", v.options.Account, postgres.ErrNoAccount)
	}
	if v.options.Account == "" {
		if err := store.AuditBatches(ctx, v.batch); err != nil {
			return err
		}
	}
	for i, c := range v.chains {
		if len(v.report.Broken) == brokenMax {
			v.report.More += int64(len(v.chains) - i) // not worth the walk
			break
		}
		if err := v.walk(ctx, store, c); err != nil {
			return err
		}
	}
	v.tell()
	return nil
}

func (v *verifier) tell() {
	if v.options.Progress != nil {
		v.options.Progress(v.report.Checked)
	}
}

// broken notes a row that breaks a rule.
func (v *verifier) broken(b Broken) {
	if len(v.report.Broken) == brokenMax {
		v.report.More++
		return
	}
	v.report.Broken = append(v.report.Broken, b)
}

// account verifies all that belongs to an account.
func (v *verifier) account(ctx context.Context, a *postgres.Audited) error {
	v.report.Checked.Accounts++
	zone, err := billing.LoadZone(a.TimeZone)
	if err != nil {
		v.broken(Broken{"R2.5", a.Number, "time zone", "an IANA name", a.TimeZone})
		zone = nil
	}
	l := newLedger(a, v.room)
	v.expected.begin(v.calendar(calendarKey{a.TimeZone, a.CycleDay}, zone))
	if err := a.EachRecord(ctx, func(r *postgres.StoredRecord, b postgres.Basis) error { return v.record(ctx, l, r, b) }); err != nil {
		return err
	}
	if err := a.EachJudgement(ctx, func(j *postgres.AuditedJudgement) error { return v.judgement(l, j) }); err != nil {
		return err
	}
	if err := a.EachEntry(ctx, l.entry); err != nil {
		return err
	}
	if !a.HasState {
		v.broken(Broken{"R9.1", a.Number, "state of the account", "one row", "none"})
	}
	v.balance(a, l)
	if err := v.counters(ctx, a); err != nil {
		return err
	}
	if err := v.status(ctx, a); err != nil {
		return err
	}
	if err := v.periods(ctx, a, l); err != nil {
		return err
	}
	v.report.Checked.Postings += l.lines
	v.room = l.figures
	v.tell()
	return nil
}

// record verifies one record and adds it to what its account should have.
func (v *verifier) record(ctx context.Context, l *ledger, r *postgres.StoredRecord, b postgres.Basis) error {
	if v.report.Checked.Records++; v.report.Checked.Records%progressRecords == 0 {
		v.tell()
	}
	if r.Judged.Outcome != billing.Rated {
		return ctx.Err()
	}
	l.use(&r.Judged)
	v.explanation(r, b)
	v.expected.count(l.of.Snapshot(), r, b.Place)
	return ctx.Err()
}

// judgement adds one that was replaced: if it was rated it stays a posting.
func (v *verifier) judgement(l *ledger, j *postgres.AuditedJudgement) error {
	if j.Outcome == billing.Rated {
		l.use(&j.StoredJudgement)
	}
	if j.TraceFault != nil {
		v.broken(Broken{"R9.4", j.Account, fmt.Sprintf("explanation of record %s/%s as judged at %s", j.Source, j.ID,
			j.RatedAt.Format(timeFormat)), "readable", j.TraceFault.Error()})
	}
	return nil
}

// stray notes a row that belongs to no account. Only a record may: one that was
// rejected because there was no such account (SPEC R5.2).
func (v *verifier) stray(s postgres.Stray) error {
	rule := "R9.1"
	switch s.Table {
	case "records":
		v.report.Checked.Records++
		if s.Record.Judged.Outcome == billing.Rejected {
			return nil
		}
	case "judgements":
		return nil // the record itself tells
	case "closed_counters":
		rule = "R9.2"
	case "status_history", "periodic_charges":
		rule = "R9.5"
	}
	v.broken(Broken{rule, s.Account, fmt.Sprintf("row of %s: %s", s.Table, s.What), "an account", "none"})
	return nil
}
