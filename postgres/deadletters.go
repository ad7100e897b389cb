package postgres

import (
	"context"
	"fmt"
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

func (d *DeadLetter) queue(b *pgx.Batch) {
	var batch *uuid.UUID
	if d.Batch != uuid.Nil {
		batch = &d.Batch
	}
	b.Queue(insertDeadLetter, pgx.NamedArgs{"id": d.ID, "kind": int16(d.Kind), "at": d.At, "source": d.Source,
		"file": d.File, "line": d.Line, "fault": d.Fault, "payload": d.Payload, "batch": batch})
}
