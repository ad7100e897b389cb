package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/jackc/pgx/v5"
)

// auditedAccounts is how many accounts are read as of one moment. More would
// hold a snapshot longer, which keeps the database from clearing away what
// batches leave behind; fewer would open cursors more often than they read.
const auditedAccounts = 2000

// Audit says whom an audit tells what it reads.
type Audit struct {
	Account string // only this one; empty: all
	// Each gets every account. It has to read all of the account's parts, each
	// once: what it leaves would be taken for a part of nobody.
	Each func(context.Context, *Audited) error
	// Stray gets what belongs to no account that exists.
	Stray func(Stray) error
}

// Audited is an account with everything that must agree, as of one moment.
type Audited struct {
	Number, Class, Currency string
	TimeZone                string
	CycleDay                int
	Model                   billing.PaymentModel
	Opening                 billing.Money
	HasState                bool // false: the rest of the row is missing
	billing.Funds
	billing.Standing
	DueAt    *time.Time // from when on the credit test would change it, as it is stored
	Counters []byte     // open ones, as billing.ReadCounters reads them
	// What the account has of its own; nil: the class's.
	Threshold, CreditLimit *billing.Money

	audit *auditPage
}

// Stray is a row that belongs to no account. A record may: it was rejected.
type Stray struct {
	Account string
	Table   string
	What    string        // which row of the account
	Record  *StoredRecord // nil where it is none
}

// auditPage is what the cursors of one page of accounts have in common.
type auditPage struct {
	numbers   map[string]bool // of the page
	stray     func(Stray) error
	explainer *explainer

	accounts   *cursor[Audited]
	records    *cursor[StoredRecord]
	judgements *cursor[AuditedJudgement]
	entries    *cursor[AuditedEntry]
	changes    *cursor[AuditedChange]
	counters   *cursor[AuditedCounter]
	periods    *cursor[AuditedPeriod]
}

// Audit reads every account with all that belongs to it, in a bounded number of
// rows at a time. A page of accounts is seen as of one moment, so it may run
// beside everything else; later pages are seen as of later moments.
func (s *Store) Audit(ctx context.Context, a Audit) error {
	var (
		x     *explainer
		after *string // the last account of the page before
	)
	for {
		err := s.view(ctx, func(tx pgx.Tx) (err error) {
			x, after, err = a.page(ctx, tx, x, after)
			return err
		})
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		if after == nil {
			return nil
		}
	}
}

const auditedNumbers = `
	select   number
	from     accounts
	where    (number > @after::text or @after::text is null)
	and      (number = @only::text or @only::text is null)
	order by number
	limit    @most`

// page audits the accounts that come after one. It answers the last of them, nil
// where no more can follow.
func (a *Audit) page(ctx context.Context, tx pgx.Tx, x *explainer, after *string) (*explainer, *string, error) {
	numbers, err := collect(ctx, tx, auditedNumbers, pgx.RowTo[string],
		pgx.NamedArgs{"after": after, "only": nullText(a.Account), "most": auditedAccounts})
	if err != nil {
		return nil, nil, err
	}
	var last *string // the page of the last accounts has all rows behind them too
	if len(numbers) == auditedAccounts {
		last = &numbers[len(numbers)-1]
	}
	if x, err = x.renewed(ctx, tx); err != nil {
		return nil, nil, err
	}
	p := &auditPage{numbers: make(map[string]bool, len(numbers)), stray: a.Stray, explainer: x}
	for _, n := range numbers {
		p.numbers[n] = true
	}
	if err := p.open(ctx, tx, pgx.NamedArgs{"after": after, "upto": last, "only": nullText(a.Account)}); err != nil {
		return nil, nil, err
	}
	for {
		account, err := p.accounts.next(ctx)
		if err != nil {
			return nil, nil, err
		}
		if account == nil {
			return x, last, p.drain(ctx)
		}
		account.audit, account.Model = p, x.snapshot.Classes[account.Class].PaymentModel
		if err := a.Each(ctx, account); err != nil {
			return nil, nil, err
		}
	}
}

// renewed is x, or a new one where the settings have changed since it was made.
func (x *explainer) renewed(ctx context.Context, q querier) (*explainer, error) {
	if x == nil {
		return newExplainer(ctx, q)
	}
	var version int64
	if err := q.QueryRow(ctx, settingsVersion).Scan(&version); err != nil {
		return nil, err
	}
	if version != x.snapshot.Version {
		return newExplainer(ctx, q)
	}
	return x, nil
}

// Snapshot is the settings as the page of the account sees them.
func (a *Audited) Snapshot() *Snapshot { return a.audit.explainer.snapshot }

// Terms are what is in force for the account (SPEC R6.5).
func (a *Audited) Terms() limits.Terms {
	return limits.Effective(a.Snapshot().Classes[a.Class], a.Threshold, a.CreditLimit)
}

const (
	auditRange = `
	where    (account > @after::text or @after::text is null)
	and      (account <= @upto::text or @upto::text is null)
	and      (account = @only::text or @only::text is null)`

	auditAccounts = `
	select   a.number, a.class, a.currency, a.time_zone, a.cycle_day, a.opening_balance, s.account is not null,
	         s.balance, s.current_debt, s.negative_since, s.status, s.status_reason, s.inactive_since, s.due_at, s.counters,
	         a.threshold, a.credit_limit
	from     accounts a
	left join account_states s on s.account = a.number
	where    (a.number > @after::text or @after::text is null)
	and      (a.number <= @upto::text or @upto::text is null)
	and      (a.number = @only::text or @only::text is null)
	order by a.number`

	auditRecords = `
	select   ` + recordColumns + `
	from     records r ` + withOriginal + auditRange + `
	order by account, source, id`

	auditJudgements = `
	select   account, source, id, seq, outcome, reason, charge, price, band, placement, trace, rated_at
	from     judgements ` + auditRange + `
	order by account`

	auditEntries = `
	select   account, seq, kind, amount, balance_after, source, record, periodic, key
	from     entries ` + auditRange + `
	order by account, seq`

	auditChanges = `
	select   account, seq, at, from_status, to_status, status_reason, balance, threshold, actor
	from     status_history ` + auditRange + `
	order by account, seq`

	auditCounters = `
	select   account, scope, "window", target, starts, quantity, amount
	from     closed_counters ` + auditRange + `
	order by account, "window", starts, scope, target`

	auditPeriods = `
	select   account, name, starts, amount, skipped, seq
	from     periodic_charges ` + auditRange + `
	order by account, seq`
)

func (p *auditPage) open(ctx context.Context, tx pgx.Tx, in pgx.NamedArgs) (err error) {
	if p.accounts, err = openCursor(ctx, tx, "audit_accounts", auditAccounts, in, scanAudited); err != nil {
		return err
	}
	if p.records, err = openCursor(ctx, tx, "audit_records", auditRecords, in, scanRecord); err != nil {
		return err
	}
	p.records.each = func(ctx context.Context, page []StoredRecord) error {
		return loadFor(ctx, p.explainer, tx, page, func(r *StoredRecord) *StoredRecord { return r })
	}
	if p.judgements, err = openCursor(ctx, tx, "audit_judgements", auditJudgements, in, scanAuditedJudgement); err != nil {
		return err
	}
	if p.entries, err = openCursor(ctx, tx, "audit_entries", auditEntries, in, scanAuditedEntry); err != nil {
		return err
	}
	if p.changes, err = openCursor(ctx, tx, "audit_changes", auditChanges, in, scanAuditedChange); err != nil {
		return err
	}
	if p.counters, err = openCursor(ctx, tx, "audit_counters", auditCounters, in, scanAuditedCounter); err != nil {
		return err
	}
	p.periods, err = openCursor(ctx, tx, "audit_periods", auditPeriods, in, scanAuditedPeriod)
	return err
}

// drain hands over as strays what stands behind the rows of the last account.
func (p *auditPage) drain(ctx context.Context) error {
	nobody := &Audited{audit: p} // takes nothing: all that is left is stray
	if err := nobody.EachRecord(ctx, nil); err != nil {
		return err
	}
	if err := nobody.EachJudgement(ctx, nil); err != nil {
		return err
	}
	if err := nobody.EachEntry(ctx, nil); err != nil {
		return err
	}
	if err := nobody.EachChange(ctx, nil); err != nil {
		return err
	}
	if err := nobody.EachCounter(ctx, nil); err != nil {
		return err
	}
	return nobody.EachPeriod(ctx, nil)
}

func scanAudited(row *rawRow, a *Audited) {
	a.Number, a.Class, a.Currency = row.text(), row.text(), row.text()
	a.TimeZone, a.CycleDay, a.Opening, a.HasState = row.text(), row.int16(), row.money(), row.bool()
	a.Balance, a.CurrentDebt, a.NegativeSince = row.money(), row.money(), row.time()
	a.Status, a.Reason, a.InactiveSince = billing.Status(row.int16()), billing.StatusReason(row.int16()), row.time()
	if never, due := row.isNull(), row.time(); !never {
		a.DueAt = &due // a zero time is at once
	}
	a.Counters = append([]byte(nil), row.bytes()...)
	a.Threshold, a.CreditLimit = row.moneyOrNil(), row.moneyOrNil()
}
