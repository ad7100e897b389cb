package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// Posting is a payment or an adjustment to be made (SPEC R6.7).
type Posting struct {
	Account string
	Kind    billing.PostingKind
	Amount  billing.Money // a payment is above zero, an adjustment is not zero
	Key     string        // makes it happen once
	Note    string
	If      Revisions
	At      time.Time
	Actor   string
}

// PostingAnswer is what a posting did, and what the same one sent again is told.
type PostingAnswer struct {
	At           time.Time           `json:"at"`
	Kind         billing.PostingKind `json:"kind"`
	Amount       billing.Money       `json:"amount"`
	BalanceAfter billing.Money       `json:"balance_after"` // postpay: current_debt
	Key          string              `json:"key"`
	Repeated     bool                `json:"repeated"` // the key was used before: nothing happened now
}

// entry is a line of the ledger that is no usage record.
type entry struct {
	Account      string
	Seq          int64
	At           time.Time
	Kind         billing.PostingKind
	Amount       billing.Money
	BalanceAfter billing.Money
	Description  string
	Key          string
	Source       string // of the record that a reversal takes back
	Record       string
	Periodic     string
	Actor        string
}

const insertEntry = `
	insert into entries (account, seq, at, kind, amount, balance_after, description, key, source, record, periodic, actor)
	values (@account, @seq, @at, @kind, @amount::bigint * 0.000001, @after::bigint * 0.000001, @description, @key, @source,
	        @record, @periodic, @actor)`

func (e *entry) queue(b *pgx.Batch) {
	b.Queue(insertEntry, pgx.NamedArgs{"account": e.Account, "seq": e.Seq, "at": e.At, "kind": int16(e.Kind),
		"amount": int64(e.Amount), "after": int64(e.BalanceAfter), "description": e.Description, "key": nullText(e.Key),
		"source": nullText(e.Source), "record": nullText(e.Record), "periodic": nullText(e.Periodic), "actor": e.Actor})
}

// keyMax bounds keys and notes in bytes, as R5.3 bounds the names of a record.
const (
	keyMax  = 256
	noteMax = 8 << 10
)

// ErrKeyUsed means that the key of a posting was used for another one.
var ErrKeyUsed = errors.New("key was used for another posting")

// check refuses what no account could take.
func (p *Posting) check() error {
	switch {
	case p.Kind == billing.PaymentPosting && p.Amount <= 0:
		return refuse("a payment of %s: it must be above zero", p.Amount)
	case p.Amount == 0:
		return refuse("an adjustment of 0: it must not be zero")
	case p.Key == "" || len(p.Key) > keyMax:
		return refuse("a key of %d bytes: give one of 1 to %d", len(p.Key), keyMax)
	}
	if err := checkText("key", p.Key); err != nil {
		return err
	}
	if p.Kind == billing.PaymentPosting && p.Note == "" {
		return nil // that it was paid says why
	}
	return CheckNote(p.Note)
}

// CheckNote refuses a note that does not say why something was done by hand.
func CheckNote(note string) error {
	switch {
	case strings.TrimSpace(note) == "":
		return refuse("note %q: it says nothing, write why this is done", note)
	case len(note) > noteMax:
		return refuse("a note of %d bytes: at most %d are taken", len(note), noteMax)
	}
	return checkText("note", note)
}

// Post makes a payment or an adjustment, once per key, and follows with the
// credit test in the same transaction (SPEC R6.4, R6.7). Accounts on hold and
// deleted ones are paid and adjusted too (SPEC R6.1).
func (s *Store) Post(ctx context.Context, p Posting) (answer *PostingAnswer, err error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	err = s.Write(ctx, p.At, p.Actor, func(t *Tx) error {
		answer, err = t.post(ctx, &p)
		if isCode(err, "23505") && constraintOf(err) == "a_key_is_used_once" {
			return fmt.Errorf("key %q was used meanwhile: %w", p.Key, ErrStale)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func (t *Tx) post(ctx context.Context, p *Posting) (*PostingAnswer, error) {
	a, err := t.locked(ctx, p.Account)
	if err != nil {
		return nil, err
	}
	if first, err := t.firstAnswer(ctx, p); first != nil || err != nil {
		t.idle = true
		return first, err
	}
	if err := t.unchanged(ctx, p.Account, p.If); err != nil {
		return nil, err
	}
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	model := snap.Terms(a).Model
	a.Funds = a.Move(model, p.Amount, t.Now)
	if !a.Figure(model).InRange() {
		return nil, refuse("account %s would come to %s: that is beyond money's range of %s", p.Account, a.Figure(model), billing.MoneyMax)
	}
	e := entry{Account: a.Number, Seq: a.NextSeq(t.Now.UnixMicro()), At: t.Now, Kind: p.Kind, Amount: p.Amount,
		BalanceAfter: a.Figure(model), Description: p.Note, Key: p.Key, Actor: t.Actor}
	t.creditTest(a, snap)
	if err := t.save(ctx, snap, a); err != nil {
		return nil, err
	}
	var b pgx.Batch
	e.queue(&b)
	if err := t.tx.SendBatch(ctx, &b).Close(); err != nil {
		return nil, fmt.Errorf("post to account %s: %w", p.Account, err)
	}
	return &PostingAnswer{At: e.At, Kind: e.Kind, Amount: e.Amount, BalanceAfter: e.BalanceAfter, Key: e.Key}, nil
}

// firstAnswer is what the key's first use was told, or nil where it is new. The
// body is kind and amount, without time and note.
func (t *Tx) firstAnswer(ctx context.Context, p *Posting) (*PostingAnswer, error) {
	const query = `
	select at, kind, (amount * 1000000)::bigint, (balance_after * 1000000)::bigint, key
	from   entries
	where  account = @account
	and    key     = @key`
	first := PostingAnswer{Repeated: true}
	err := t.tx.QueryRow(ctx, query, pgx.NamedArgs{"account": p.Account, "key": p.Key}).
		Scan(&first.At, &first.Kind, &first.Amount, &first.BalanceAfter, &first.Key)
	switch {
	case isNoRows(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look up key %q of account %s: %w", p.Key, p.Account, err)
	case first.Kind != p.Kind || first.Amount != p.Amount:
		return nil, &Refusal{cause: ErrKeyUsed, Text: fmt.Sprintf("key %q of account %s was used for a %s of %s: give another key",
			p.Key, p.Account, first.Kind, first.Amount)}
	}
	first.At = first.At.UTC()
	return &first, nil
}
