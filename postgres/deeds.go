package postgres

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Deed is what somebody asked for: a command, a request. Whatever it changes is
// noted in the audit log, in the transaction that changes it.
type Deed struct {
	RequestID string // of the request, or of the run of the command
	Action    string // the command, or method and path
	Subject   string // number of the account, name of the file
	Reason    string // the note
	Actor     string // who asked, for changes that keep no actor themselves
}

type deedKey struct{}

// WithDeed makes all that is written under a context part of a deed.
func WithDeed(ctx context.Context, d Deed) context.Context {
	return context.WithValue(ctx, deedKey{}, d)
}

// DeedOf is the deed of a context, if it has one.
func DeedOf(ctx context.Context) (d Deed, has bool) {
	d, has = ctx.Value(deedKey{}).(Deed)
	return d, has
}

const insertDeed = `
	insert into audit_log (id, at, request_id, actor, action, subject, reason)
	values (@id, @at, @request, @actor, @action, @subject, @reason)`

// note writes the deed of a transaction down, if it is part of one.
func (t *Tx) note(ctx context.Context) error {
	d, has := DeedOf(ctx)
	if !has || t.idle {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an id for the audit log: %w", err)
	}
	_, err = t.tx.Exec(ctx, insertDeed, pgx.NamedArgs{"id": id, "at": t.Now, "request": d.RequestID, "actor": cmp.Or(t.Actor, d.Actor),
		"action": keepable(d.Action), "subject": keepable(d.Subject), "reason": keepable(d.Reason)})
	return wrap(err, "write the audit log")
}

// settle runs a statement that settles things in hand, as a part of the deed of
// its context. It answers how many rows it was about.
func (s *Store) settle(ctx context.Context, now time.Time, statement string, args pgx.NamedArgs) (n int64, err error) {
	err = s.Write(ctx, now, "", func(t *Tx) error {
		tag, err := t.tx.Exec(ctx, statement, args)
		n = tag.RowsAffected()
		t.idle = n == 0
		return err
	})
	return n, err
}

// about is a context whose deed is about a subject, where nobody has said so yet:
// a correction of many accounts is noted for each.
func about(ctx context.Context, subject string) context.Context {
	d, has := DeedOf(ctx)
	if !has || d.Subject != "" {
		return ctx
	}
	d.Subject = subject
	return WithDeed(ctx, d)
}

// DeedLine is a line of the audit log.
type DeedLine struct {
	At        time.Time `json:"at"`
	RequestID string    `json:"request_id"`
	Actor     string    `json:"actor"`
	Action    string    `json:"action"`
	Subject   string    `json:"subject"`
	Reason    string    `json:"reason"`
}

// DeedFilter chooses lines of the audit log; what is zero chooses all.
type DeedFilter struct {
	Account  string    // the subject
	Actor    string    // as the log has it
	From, To time.Time // half-open
}

const deedLines = `
	select   at, request_id, actor, action, subject, reason
	from     audit_log
	where    (subject = @subject or @subject = '')
	and      (actor = @actor or @actor = '')
	and      (at >= @from::timestamptz or @from::timestamptz is null)
	and      (at < @to::timestamptz or @to::timestamptz is null)
	order by id`

// Deeds hands the lines of the audit log to each, in the order in which they were
// written: as many as there are, in flat memory.
func (s *Store) Deeds(ctx context.Context, f DeedFilter, each func(*DeedLine) error) error {
	rows, err := s.pool.Query(ctx, deedLines, pgx.NamedArgs{"subject": f.Account, "actor": f.Actor, "from": nullTime(f.From), "to": nullTime(f.To)})
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	var l DeedLine
	_, err = pgx.ForEachRow(rows, []any{&l.At, &l.RequestID, &l.Actor, &l.Action, &l.Subject, &l.Reason}, func() error {
		line := l
		line.At = l.At.UTC()
		return each(&line)
	})
	return wrap(err, "read the audit log")
}

// forgottenTogether is how many lines one transaction takes away, so that none of
// them is long.
const forgottenTogether = 10_000

// ForgetDeeds takes lines of the audit log away that were written before a time.
// When a line was written its id tells; at may be earlier, where a command said
// so, and such a line has its time in the log too.
func (s *Store) ForgetDeeds(ctx context.Context, before time.Time) (n int, err error) {
	const forget = `
	delete from audit_log
	where  id in (select id from audit_log where id < @before order by id limit @most)`
	for {
		tag, err := s.pool.Exec(ctx, forget, pgx.NamedArgs{"before": firstID(before), "most": forgottenTogether})
		if err != nil {
			return n, fmt.Errorf("shorten the audit log: %w", err)
		}
		if n += int(tag.RowsAffected()); tag.RowsAffected() < forgottenTogether {
			return n, nil
		}
	}
}

// firstID is below all UUIDv7 that are made from a time on, and above those made
// before, to the millisecond.
func firstID(at time.Time) (id uuid.UUID) {
	binary.BigEndian.PutUint64(id[:], uint64(max(at.UnixMilli(), 0))<<16) //nolint:gosec // it is not below zero
	return id
}
