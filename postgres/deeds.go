package postgres

import (
	"context"
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
	if !has {
		return nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an id for the audit log: %w", err)
	}
	_, err = t.tx.Exec(ctx, insertDeed, pgx.NamedArgs{"id": id, "at": t.Now, "request": d.RequestID, "actor": t.Actor,
		"action": keepable(d.Action), "subject": keepable(d.Subject), "reason": keepable(d.Reason)})
	return wrap(err, "write the audit log")
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
