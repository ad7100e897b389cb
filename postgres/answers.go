package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// What an Idempotency-Key may be besides new.
var (
	ErrKeyReused  = errors.New("the key was used for another request")
	ErrInProgress = errors.New("a request with this key is being carried out")
)

// Claim is a request that is to be carried out once.
type Claim struct {
	Token, Key string
	Hash       [32]byte // of what is asked: method, path and body
	// Reserved is what the request chose before it acts, like the number of a new
	// account. Who takes an abandoned request over is given the first choice, so
	// that it meets what that may have done already.
	Reserved string
	At       time.Time

	id uuid.UUID
}

// StoredAnswer is what a request was answered.
type StoredAnswer struct {
	Status int
	Head   http.Header
	Body   []byte
}

// claimPatience is after how long a request without an answer is taken for
// abandoned: its server died. It is longer than any request may take.
const claimPatience = 15 * time.Minute

// claimKey takes a key that is new, or whose request was abandoned. Where it
// answers no row, the key is somebody's.
const claimKey = `
	insert into answers (token, key, hash, reserved, claimed_at, claim)
	values (@token, @key, @hash, @reserved, @now, @claim)
	on conflict on constraint a_key_has_one_answer do update
	set    claimed_at = @now,
	       claim      = @claim
	where  answers.status is null
	and    answers.hash = @hash
	and    answers.claimed_at < @abandoned
	returning reserved`

const readAnswer = `
	select hash, status, head, body
	from   answers
	where  token = @token
	and    key   = @key`

// Claim begins a request, or answers what it was answered before. Where both are
// nil the request is to be carried out, and Reserved is what it is to use.
func (s *Store) Claim(ctx context.Context, c *Claim) (*StoredAnswer, error) {
	var err error
	if c.id, err = uuid.NewV7(); err != nil {
		return nil, fmt.Errorf("claim an Idempotency-Key: %w", err)
	}
	args := pgx.NamedArgs{"token": c.Token, "key": c.Key, "hash": c.Hash[:], "reserved": c.Reserved, "now": c.At.UTC(),
		"claim": c.id, "abandoned": c.At.Add(-claimPatience).UTC()}
	err = s.pool.QueryRow(ctx, claimKey, args).Scan(&c.Reserved)
	if !isNoRows(err) {
		return nil, wrap(err, "claim an Idempotency-Key")
	}
	var (
		hash   []byte
		status *int
		answer StoredAnswer
	)
	err = s.pool.QueryRow(ctx, readAnswer, args).Scan(&hash, &status, &answer.Head, &answer.Body)
	switch {
	case isNoRows(err): // forgotten, or given up, between the two
		return nil, fmt.Errorf("key %q: %w", c.Key, ErrInProgress)
	case err != nil:
		return nil, fmt.Errorf("look an Idempotency-Key up: %w", err)
	case [32]byte(hash) != c.Hash:
		return nil, fmt.Errorf("key %q: %w", c.Key, ErrKeyReused)
	case status == nil:
		return nil, fmt.Errorf("key %q: %w", c.Key, ErrInProgress)
	}
	answer.Status = *status
	return &answer, nil
}

// Answer keeps what a claimed request was answered.
func (s *Store) Answer(ctx context.Context, c *Claim, a *StoredAnswer) error {
	const keep = `
	update answers
	set    status = @status,
	       head   = @head,
	       body   = @body
	where  token = @token
	and    key   = @key
	and    claim = @claim`
	body := a.Body
	if body == nil {
		body = []byte{}
	}
	_, err := s.pool.Exec(ctx, keep, pgx.NamedArgs{"token": c.Token, "key": c.Key, "claim": c.id, "status": a.Status, "head": a.Head, "body": body})
	return wrap(err, "keep the answer to an Idempotency-Key")
}

// GiveUp frees the key of a claimed request that did nothing.
func (s *Store) GiveUp(ctx context.Context, c *Claim) error {
	_, err := s.pool.Exec(ctx, `delete from answers where token = @token and key = @key and claim = @claim and status is null`,
		pgx.NamedArgs{"token": c.Token, "key": c.Key, "claim": c.id})
	return wrap(err, "free an Idempotency-Key")
}

// Abandon gives a claimed request up of which nobody knows whether it did
// something: the next of its kind takes it over at once.
func (s *Store) Abandon(ctx context.Context, c *Claim) error {
	_, err := s.pool.Exec(ctx, `update answers set claimed_at = '-infinity' where token = @token and key = @key and claim = @claim and status is null`,
		pgx.NamedArgs{"token": c.Token, "key": c.Key, "claim": c.id})
	return wrap(err, "abandon an Idempotency-Key")
}

// ForgetAnswers takes answers away that were claimed before a time.
func (s *Store) ForgetAnswers(ctx context.Context, before time.Time) (n int, err error) {
	tag, err := s.pool.Exec(ctx, `delete from answers where claimed_at < @before`, pgx.NamedArgs{"before": before})
	return int(tag.RowsAffected()), wrap(err, "forget answers")
}
