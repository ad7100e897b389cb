package postgres

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// StatementLine is a posting for people, with the JSON of CONTRACT §3. One of
// Record, Periodic and Key says what it was for.
type StatementLine struct {
	At           time.Time           `json:"at"`
	Kind         billing.PostingKind `json:"kind"`
	Amount       billing.Money       `json:"amount"`        // a debit is below zero
	BalanceAfter billing.Money       `json:"balance_after"` // the figure moved: balance, or of a postpay account current_debt
	Description  string              `json:"description"`
	Record       string              `json:"record,omitempty"`   // SOURCE/ID of the record that was charged or taken back
	Periodic     string              `json:"periodic,omitempty"` // name of the periodic service
	Key          string              `json:"key,omitempty"`      // idempotency key of a payment or adjustment

	Seq int64 `json:"-"` // its place among the account's lines
}

// Span says which lines of an account are wanted: those of the instants from
// From on and before To, of a place after After, Most of them. What is zero is no
// bound.
type Span struct {
	From, To time.Time
	After    int64
	Most     int
}

func (s Span) args(account string) pgx.NamedArgs {
	args := pgx.NamedArgs{"account": account, "from": nullTime(s.From), "to": nullTime(s.To), "after": nil, "most": nil}
	if s.After != 0 {
		args["after"] = s.After
	}
	if s.Most > 0 {
		args["most"] = int64(s.Most)
	}
	return args
}

const modelOfAccount = `
	select c.payment_model
	from   accounts a
	join   classes  c on c.key = a.class
	where  a.number = @account`

// Records say what they left of the figure in their traces, entries in a column.
const statementLines = `
	select l.seq, l.at, l.kind, l.amount, l.balance_after, l.trace, l.description, l.source, l.record, l.periodic, l.key
	from   (select coalesce(seq, arrival) as seq, rated_at as at, 1::smallint as kind, -charge as amount,
	               null::numeric as balance_after, trace, source, id as record,
	               case when directive = 1 then service || ', credit of ' || original_id else service end as description,
	               null::text as periodic, null::text as key
	        from   records
	        where  account = @account
	        and    outcome = 1
	        union all
	        select j.seq, j.rated_at, 1::smallint, -j.charge, null, j.trace, j.source, j.id,
	               case when r.directive = 1 then r.service || ', credit of ' || r.original_id else r.service end, null, null
	        from   judgements j
	        join   records    r
	        on     r.account = j.account
	        and    r.source  = j.source
	        and    r.id      = j.id
	        where  j.account = @account
	        and    j.outcome = 1
	        union all
	        select seq, at, kind, amount, balance_after, null, source, record, description, periodic, key
	        from   entries
	        where  account = @account) l
	where  (l.at >= @from::timestamptz or @from::timestamptz is null)
	and    (l.at < @to::timestamptz or @to::timestamptz is null)
	and    (l.seq > @after::bigint or @after::bigint is null)
	order by l.seq
	limit  @most::bigint`

// Statement answers the postings of an account in the order in which they moved
// its figure, as of one moment and however many there are. What a cancel took
// back stays: the usage that was charged, and its reversal.
func (s *Store) Statement(ctx context.Context, account string, in Span) iter.Seq2[*StatementLine, error] {
	return streamed("read the statement of "+account, func(take func(*StatementLine) bool) error {
		return s.view(ctx, func(tx pgx.Tx) error {
			model, err := modelOf(ctx, tx, account)
			if err != nil {
				return err
			}
			c, err := openCursor(ctx, tx, "statement_lines", statementLines, in.args(account),
				func(row *rawRow, l *StatementLine) { scanStatementLine(row, l, model) })
			if err != nil {
				return err
			}
			return eachRow(ctx, c, copied(take))
		})
	})
}

func modelOf(ctx context.Context, q querier, account string) (model billing.PaymentModel, err error) {
	err = q.QueryRow(ctx, modelOfAccount, pgx.NamedArgs{"account": account}).Scan(&model)
	if isNoRows(err) {
		return model, ErrNoAccount
	}
	return model, err
}

func scanStatementLine(row *rawRow, l *StatementLine, model billing.PaymentModel) {
	l.Seq, l.At, l.Kind, l.Amount = row.int64(), row.time(), billing.PostingKind(row.int16()), row.money()
	l.BalanceAfter = row.money()
	if trace := row.bytes(); trace != nil {
		t, err := ReadTrace(trace)
		if err != nil {
			row.err = fmt.Errorf("line %d: %w", l.Seq, err)
		}
		l.BalanceAfter = moved(model, t.Figure, l.Amount)
	}
	l.Description = row.text()
	if row.isNull() {
		row.skip(2)
	} else {
		l.Record = row.text() + "/" + row.text()
	}
	l.Periodic, l.Key = row.text(), row.text()
}

// HistoryLine is a change of an account's status for people, with the JSON of
// CONTRACT §3.
type HistoryLine struct {
	At        time.Time             `json:"at"`
	From      billing.Status        `json:"from"`
	To        billing.Status        `json:"to"`
	Reason    *billing.StatusReason `json:"status_reason"` // nil where the new status is no hold
	Note      string                `json:"note"`
	Balance   billing.Money         `json:"balance"`
	Threshold billing.Money         `json:"threshold"` // in force then
	Actor     string                `json:"actor"`

	Seq int64 `json:"-"` // its place among the account's lines
}

const historyLines = `
	select seq, at, from_status, to_status, status_reason, note, balance, threshold, actor
	from   status_history
	where  account = @account
	and    (at >= @from::timestamptz or @from::timestamptz is null)
	and    (at < @to::timestamptz or @to::timestamptz is null)
	and    (seq > @after::bigint or @after::bigint is null)
	order by seq
	limit  @most::bigint`

// History answers the changes of an account's status, oldest first.
func (s *Store) History(ctx context.Context, account string, in Span) iter.Seq2[*HistoryLine, error] {
	return streamed("read the history of "+account, func(take func(*HistoryLine) bool) error {
		return s.view(ctx, func(tx pgx.Tx) error {
			if _, err := modelOf(ctx, tx, account); err != nil {
				return err
			}
			c, err := openCursor(ctx, tx, "history_lines", historyLines, in.args(account), scanHistoryLine)
			if err != nil {
				return err
			}
			return eachRow(ctx, c, copied(take))
		})
	})
}

func scanHistoryLine(row *rawRow, l *HistoryLine) {
	l.Seq, l.At = row.int64(), row.time()
	l.From, l.To = billing.Status(row.int16()), billing.Status(row.int16())
	if reason := billing.StatusReason(row.int16()); reason != 0 {
		l.Reason = &reason
	}
	l.Note, l.Balance, l.Threshold, l.Actor = row.text(), row.money(), row.money(), row.text()
}
