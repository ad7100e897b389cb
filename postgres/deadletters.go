package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// DeadLetterKind says what a dead letter is.
type DeadLetterKind int16

// The kinds of dead letter.
const (
	Unreadable DeadLetterKind = iota + 1 // a line that is no record (SPEC R5.3)
	Conflict                             // a record whose identity has other content (SPEC R5.4)
	BadBatch                             // a queue task that holds no batch
)

var deadLetterKinds = map[DeadLetterKind]string{Unreadable: "unreadable", Conflict: "conflict", BadBatch: "batch"}

// String is the kind's word.
func (k DeadLetterKind) String() string { return deadLetterKinds[k] }

// DeadLetter is something that a person must look at.
type DeadLetter struct {
	ID      uuid.UUID
	Kind    DeadLetterKind
	At      time.Time
	Source  string
	File    string
	Line    int64 // physical line of a file, or place in a payload, from 1
	Fault   string
	Payload []byte
	Batch   uuid.UUID // uuid.Nil: none
}

// SetAside tells whether d is of a batch that was accepted and could not be
// committed: what it says is kept with the batch.
func (d *DeadLetter) SetAside() bool { return len(d.Payload) == 0 && d.Batch != uuid.Nil }

const insertDeadLetter = `
	insert into dead_letters (id, kind, at, source, file, line, fault, payload, batch)
	values (@id, @kind, @at, @source, @file, @line, @fault, @payload, @batch)
	on conflict on constraint a_dead_letter_has_one_id do nothing`

// SaveDeadLetter keeps a dead letter by itself; one that is there already stays.
func (s *Store) SaveDeadLetter(ctx context.Context, letters ...DeadLetter) error {
	var b pgx.Batch
	for i := range letters {
		letters[i].queue(&b)
	}
	if err := s.pool.SendBatch(ctx, &b).Close(); err != nil {
		return fmt.Errorf("keep a dead letter: %w", err)
	}
	return nil
}

func (d *DeadLetter) queue(b *pgx.Batch) { b.Queue(insertDeadLetter, d.args()) }

func (d *DeadLetter) args() pgx.NamedArgs {
	var batch *uuid.UUID
	if d.Batch != uuid.Nil {
		batch = &d.Batch
	}
	payload := d.Payload
	if payload == nil {
		payload = []byte{} // nil would be null
	}
	return pgx.NamedArgs{"id": d.ID, "kind": int16(d.Kind), "at": d.At, "source": keepable(d.Source),
		"file": keepable(d.File), "line": d.Line, "fault": keepable(d.Fault), "payload": payload, "batch": batch}
}

// keepable is text as the database can keep it. A dead letter must not fail for
// the very bytes that it complains of.
func keepable(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\uFFFD"), "\uFFFD")
}

// DeadLetterView is a dead letter as people read it (CONTRACT §3).
type DeadLetterView struct {
	ID      uuid.UUID `json:"id"`
	Kind    string    `json:"kind"`
	At      time.Time `json:"at"`
	Source  string    `json:"source"`
	File    string    `json:"file"`
	Line    int64     `json:"line"`
	Fault   string    `json:"fault"`
	Payload string    `json:"payload"` // bytes that are no UTF-8 are replaced
}

// DeadLetterFilter chooses dead letters that nobody has settled yet.
type DeadLetterFilter struct {
	Kind DeadLetterKind // 0: all
	IDs  []uuid.UUID    // nil: all
	// After is the place of a letter: only what comes after it. Limit, if not 0, is
	// how many there are at most.
	After LetterPlace
	Limit int
}

// LetterPlace is the place of a dead letter in the order in which they came.
type LetterPlace struct {
	At time.Time `json:"t"`
	ID uuid.UUID `json:"i"`
}

// Cursor is p as a text for URLs that says nothing to its reader.
func (p LetterPlace) Cursor() string { return cursorOf(p) }

// ParseLetterPlace reads a cursor; the empty one is before all letters.
func ParseLetterPlace(cursor string) (p LetterPlace, err error) {
	err = parseCursor(cursor, &p)
	return p, err
}

const openDeadLetters = `
	select   id, kind, at, source, file, line, fault, payload, batch
	from     dead_letters
	where    settled_at is null
	and      (at, id) > (@at, @id)
	and      (at, id) <= (@last_at, @last_id)
	and      (@kind = 0 or kind = @kind)
	and      (@ids::uuid[] is null or id = any(@ids::uuid[]))
	order by at, id
	limit    @most`

const newestDeadLetter = `
	select   at, id
	from     dead_letters
	where    settled_at is null
	order by at desc, id desc
	limit    1`

// letterPage is how many dead letters are read at once: payloads may be large.
const letterPage = 500

// DeadLetters hands unsettled dead letters to each, oldest first, a page at a
// time: as many as there are, in flat memory. It ends with the newest of when it
// began: a conflict that is sent again is soon a dead letter again, and whoever
// waited for the last one would send it for ever.
func (s *Store) DeadLetters(ctx context.Context, f DeadLetterFilter, each func(*DeadLetter) error) error {
	var last DeadLetter
	switch err := s.pool.QueryRow(ctx, newestDeadLetter).Scan(&last.At, &last.ID); {
	case isNoRows(err):
		return nil
	case err != nil:
		return fmt.Errorf("find the newest dead letter: %w", err)
	}
	args := pgx.NamedArgs{"at": time.Unix(0, 0), "id": uuid.Nil, "last_at": last.At, "last_id": last.ID, "kind": int16(f.Kind),
		"ids": f.IDs, "most": letterPage}
	if f.After != (LetterPlace{}) {
		args["at"], args["id"] = f.After.At, f.After.ID
	}
	for left := f.Limit; ; left -= letterPage {
		if f.Limit > 0 {
			args["most"] = min(letterPage, left)
		}
		page, err := collect(ctx, s.pool, openDeadLetters, scanDeadLetter, args)
		if err != nil {
			return fmt.Errorf("list dead letters: %w", err)
		}
		for i := range page {
			if err := each(&page[i]); err != nil {
				return err
			}
		}
		if len(page) < letterPage || left == letterPage {
			return nil
		}
		args["at"], args["id"] = page[len(page)-1].At, page[len(page)-1].ID
	}
}

func scanDeadLetter(r pgx.CollectableRow) (d DeadLetter, err error) {
	var batch *uuid.UUID
	err = r.Scan(&d.ID, &d.Kind, &d.At, &d.Source, &d.File, &d.Line, &d.Fault, &d.Payload, &batch)
	if d.At = d.At.UTC(); batch != nil {
		d.Batch = *batch
	}
	return d, err
}

// Place is where d stands in the order of dead letters.
func (d *DeadLetter) Place() LetterPlace { return LetterPlace{d.At, d.ID} }

// MissingLetters are those of some ids that no unsettled dead letter has: they may
// be misspelt, or seen to by somebody else.
func (s *Store) MissingLetters(ctx context.Context, ids []uuid.UUID) (missing []uuid.UUID, err error) {
	const query = `
	select   n.id
	from     unnest(@ids::uuid[]) with ordinality as n (id, place)
	where    not exists (select from dead_letters d where d.id = n.id and d.settled_at is null)
	order by n.place`
	missing, err = collect(ctx, s.pool, query, pgx.RowTo[uuid.UUID], pgx.NamedArgs{"ids": ids})
	return missing, wrap(err, "look up dead letters")
}

// View is d as people read it.
func (d *DeadLetter) View() DeadLetterView {
	return DeadLetterView{ID: d.ID, Kind: d.Kind.String(), At: d.At, Source: d.Source, File: d.File, Line: d.Line,
		Fault: d.Fault, Payload: keepable(string(d.Payload))}
}

const redrivenDeadLetters = `
	update dead_letters
	set    settled_at = @now,
	       settled_by = 'redriven'
	where  id = any(@ids::uuid[])
	and    settled_at is null`

// Redriven marks dead letters as sent again; they stay, out of sight. It answers
// how many were unsettled until now.
func (s *Store) Redriven(ctx context.Context, ids []uuid.UUID, now time.Time) (int64, error) {
	n, err := s.settle(ctx, now, redrivenDeadLetters, pgx.NamedArgs{"ids": ids, "now": now})
	return n, wrap(err, "settle dead letters")
}

const discardDeadLetters = `
	update dead_letters
	set    settled_at = @now,
	       settled_by = 'discarded'
	where  settled_at is null
	and    (@kind = 0 or kind = @kind)
	and    (@ids::uuid[] is null or id = any(@ids::uuid[]))`

// Discard marks dead letters as seen to; they stay, out of sight. It answers how
// many they were.
func (s *Store) Discard(ctx context.Context, f DeadLetterFilter, now time.Time) (int64, error) {
	n, err := s.settle(ctx, now, discardDeadLetters, pgx.NamedArgs{"now": now, "kind": int16(f.Kind), "ids": f.IDs})
	return n, wrap(err, "discard dead letters")
}

// Revive lets a batch that was set aside be tried again.
func (s *Store) Revive(ctx context.Context, batch uuid.UUID) error {
	_, err := s.pool.Exec(ctx, `update batches set failed_at = null where id = @id and done_at is null`, pgx.NamedArgs{"id": batch})
	return wrap(err, "revive batch %s", batch)
}
