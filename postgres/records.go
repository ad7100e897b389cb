package postgres

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// RecordFilter says which records are wanted. What is zero does not narrow.
type RecordFilter struct {
	Account, Service string
	Outcome          billing.Outcome
	Reason           billing.Reason
	From, To         time.Time   // of occurred_at, half-open
	After            RecordPlace // only what arrived after it
	Limit            int         // most records
}

// RecordPlace is the place of a record in the lists that Records answers.
type RecordPlace struct {
	Arrival int64  `json:"a"`
	Account string `json:"n"`
	Source  string `json:"s"`
	ID      string `json:"i"`
}

// Cursor is p as a text for URLs that says nothing to its reader.
func (p RecordPlace) Cursor() string { return cursorOf(p) }

// cursorOf packs a place.
func cursorOf(place any) string {
	text, _ := json.Marshal(place) // strings, numbers, times and ids always marshal
	return base64.RawURLEncoding.EncodeToString(text)
}

// ErrNotCursor means that a text is no cursor that was given out.
var ErrNotCursor = errors.New("not a cursor from an answer before")

// ParseRecordPlace reads a cursor; the empty one is before all records.
func ParseRecordPlace(cursor string) (p RecordPlace, err error) {
	err = parseCursor(cursor, &p)
	return p, err
}

// parseCursor unpacks a place; of the empty cursor it leaves it zero.
func parseCursor[P any](cursor string, place *P) error {
	if cursor == "" {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(cursor)
	if err == nil {
		err = json.Unmarshal(text, place)
	}
	// One of another list lacks what this one's places have, or has more.
	if err != nil || cursorOf(place) != cursor || bytes.Contains(text, []byte(`\u0000`)) {
		*place = *new(P)
		return fmt.Errorf("read cursor %.40q: %w", cursor, ErrNotCursor)
	}
	return nil
}

// RecordView is a record for people, with the JSON of CONTRACT §3.
type RecordView struct {
	Source      string            `json:"source"`
	ID          string            `json:"id"`
	Account     string            `json:"account"`
	Service     string            `json:"service"`
	Quantity    billing.Fixed     `json:"quantity"`
	OccurredAt  time.Time         `json:"occurred_at"`
	Directive   billing.Directive `json:"directive"`
	Outcome     billing.Outcome   `json:"outcome"`
	Reason      *billing.Reason   `json:"reason"`   // nil unless rejected
	Charge      *billing.Money    `json:"charge"`   // nil unless rated; below zero for a credit
	Currency    *string           `json:"currency"` // nil where there is no such account
	RatedAt     time.Time         `json:"rated_at"`
	Explanation Explanation       `json:"explanation"`

	// Judgements are those that a cancel or a re-rate replaced, the first one
	// first. Only Record answers them.
	Judgements []ReplacedJudgement `json:"judgements,omitempty"`

	Place RecordPlace `json:"-"`
}

// foundRecord is a record with what is known of its account.
type foundRecord struct {
	StoredRecord
	known           bool // there is such an account
	currency, class string
}

// The records are found and sorted before anything is looked up for them: a page
// of a long list looks up originals and accounts for its own rows only.
//
// Those of an account come in the order of arrival. Pages of all come in the
// order of their identity, which the primary key has: a page of millions of
// records reads what is on it. Arrival counts the lines of each account by itself
// and says nothing of two accounts, so that nobody loses an order by it (ADR 13).
const (
	chosenRecords = `
	with   r as (
	       select r.account, r.source, r.id, r.arrival, r.batch, r.service, r.quantity, r.occurred_at, r.directive, r.amount,
	              r.original_id, r.seq, r.outcome, r.reason, r.charge, r.price, r.band, r.placement, r.trace, r.rated_at
	       from   records r
	       where  (r.service = @service::text or @service::text is null)
	       and    (r.outcome = @outcome::smallint or @outcome::smallint is null)
	       and    (r.reason = @reason::smallint or @reason::smallint is null)
	       and    (r.occurred_at >= @from::timestamptz or @from::timestamptz is null)
	       and    (r.occurred_at < @to::timestamptz or @to::timestamptz is null)`

	foundRecords = `
	select ` + recordColumns + `,
	       a.number is not null, coalesce(a.currency, ''), coalesce(a.class, '')
	from   r ` + withOriginal + `
	left join accounts a on a.number = r.account`

	recordsOfAll = chosenRecords + `
	       and    ((r.account, r.source, r.id) > (@after_account::text, @after_source::text, @after_id::text) or not @after::boolean)
	       order by r.account, r.source, r.id
	       limit  @most::bigint)` + foundRecords + `
	order by r.account, r.source, r.id`

	// recordsWhole is not paged, and sorted whatever its order is: so it is the one
	// by which accounts can be worked out again.
	recordsWhole = chosenRecords + `)` + foundRecords + `
	order by r.account, r.arrival, r.source, r.id`

	recordsOfAccount = chosenRecords + `
	       and    r.account = @account
	       and    ((r.arrival, r.source, r.id) > (@after_arrival::bigint, @after_source::text, @after_id::text) or not @after::boolean)
	       order by r.arrival, r.source, r.id
	       limit  @most::bigint)` + foundRecords + `
	order by r.arrival, r.source, r.id`
)

// Records answers the records of a filter, those of an account in the order of
// arrival, a page of all in the order of account, source and id, and all of them
// account by account, each in the order of arrival; as of one moment and however
// many there are: they come one by one, and breaking off costs nothing. A fault
// ends them.
func (s *Store) Records(ctx context.Context, f RecordFilter) iter.Seq2[*RecordView, error] {
	return streamed("list records", func(take func(*RecordView) bool) error {
		return s.view(ctx, func(tx pgx.Tx) error { return eachRecord(ctx, tx, f.query(), f.args(), take) })
	})
}

// streamed makes a sequence of what each hands over one by one until take wants
// no more. A fault of each is the last element, unless its reader has left.
func streamed[T any](what string, each func(take func(T) bool) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		left := false
		err := each(func(v T) bool {
			left = !yield(v, nil)
			return !left
		})
		if err != nil && !left {
			yield(*new(T), fmt.Errorf("%s: %w", what, err))
		}
	}
}

func (f *RecordFilter) query() string {
	if f.Account != "" {
		return recordsOfAccount
	}
	if f.Limit == 0 && f.After == (RecordPlace{}) {
		return recordsWhole
	}
	return recordsOfAll
}

func (f *RecordFilter) args() pgx.NamedArgs {
	args := pgx.NamedArgs{"account": f.Account, "service": nullText(f.Service), "outcome": nil, "reason": nil,
		"from": nullTime(f.From), "to": nullTime(f.To), "after": f.After != RecordPlace{}, "after_arrival": f.After.Arrival,
		"after_account": f.After.Account, "after_source": f.After.Source, "after_id": f.After.ID, "most": nil}
	if f.Outcome != 0 {
		args["outcome"] = int16(f.Outcome)
	}
	if f.Reason != 0 {
		args["reason"] = int16(f.Reason)
	}
	if f.Limit > 0 {
		args["most"] = int64(f.Limit)
	}
	return args
}

// view runs do in a transaction that reads, all as of one moment.
func (s *Store) view(ctx context.Context, do func(tx pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, do)
}

func eachRecord(ctx context.Context, tx pgx.Tx, query string, args pgx.NamedArgs, take func(*RecordView) bool) error {
	x, err := newExplainer(ctx, tx)
	if err != nil {
		return err
	}
	c, err := openCursor(ctx, tx, "listed_records", query, args, scanFound)
	if err != nil {
		return err
	}
	c.each = func(ctx context.Context, page []foundRecord) error {
		return loadFor(ctx, x, tx, page, (*foundRecord).stored)
	}
	return eachRow(ctx, c, func(r *foundRecord) bool { return take(x.view(r)) })
}

func scanFound(row *rawRow, r *foundRecord) {
	scanRecord(row, &r.StoredRecord)
	r.known, r.currency, r.class = row.bool(), row.text(), row.text()
}

func (r *foundRecord) stored() *StoredRecord { return &r.StoredRecord }

// view is a record as people see it. It shares nothing with r, whose place the
// next page takes.
func (x *explainer) view(r *foundRecord) *RecordView {
	j := &r.Judged
	v := &RecordView{
		Source: r.Source, ID: r.ID, Account: r.Account, Service: r.Service, Quantity: r.Quantity,
		OccurredAt: r.OccurredAt, Directive: r.Directive, Outcome: j.Outcome, RatedAt: j.RatedAt,
		Reason: j.reasonOrNil(), Charge: j.chargeOrNil(),
		Explanation: Explain(&r.StoredRecord, x.basisOf(r)),
		Place:       RecordPlace{r.Arrival, r.Account, r.Source, r.ID},
	}
	if r.known {
		v.Currency = new(r.currency)
	}
	return v
}

func (x *explainer) basisOf(r *foundRecord) Basis {
	b := x.basis(&r.StoredRecord)
	b.Model, b.Currency = x.snapshot.Classes[r.class].PaymentModel, r.currency
	return b
}

func (j *StoredJudgement) reasonOrNil() *billing.Reason {
	if j.Outcome != billing.Rejected {
		return nil
	}
	return new(j.Reason)
}

func (j *StoredJudgement) chargeOrNil() *billing.Money {
	if j.Outcome != billing.Rated {
		return nil
	}
	return new(j.Charge)
}
