package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

// What an Idempotency-Key may be besides new.
var (
	ErrKeyReused  = errors.New("the key was used for another request")
	ErrInProgress = errors.New("a request with this key is being carried out")
)

// KeyedRequest is a request that is to be carried out once for its key.
type KeyedRequest struct {
	Token, Key string   // keys of two tokens are two keys
	Hash       [32]byte // of what is asked: method, path and body
	At         time.Time
}

// StoredAnswer is what a request was answered.
type StoredAnswer struct {
	Status int
	Head   http.Header
	Body   []byte
}

const (
	// idleMax bounds how long the transaction of a request is without a statement.
	// A server that dies hangs up, and its transaction ends. One whose machine
	// vanishes does not; its key would be in progress until TCP notices.
	idleMax = 30 * time.Second

	boundIdle = `select set_config('idle_in_transaction_session_timeout', @idle, true)`

	// lockKey goes with the transaction, however that ends.
	lockKey = `select pg_try_advisory_xact_lock(@lock)`

	readAnswer = `
	select hash, status, head, body
	from   answers
	where  token = @token
	and    key   = @key`

	keepAnswer = `
	insert into answers (token, key, hash, answered_at, status, head, body)
	values (@token, @key, @hash, @at, @status, @head, @body)`
)

// Once carries a request out, once for its key, in one transaction with the answer
// that is kept (ADR 12): whatever dies when, both are there or neither. It answers
// what the request was answered before, or nil where it was carried out now.
//
// carryOut does all through the context that it is given, and answers what is to
// be kept; nil rolls back what it did, and leaves the key free.
func (s *Store) Once(ctx context.Context, q *KeyedRequest, carryOut func(context.Context) *StoredAnswer) (before *StoredAnswer, err error) {
	// Read committed, whatever the database's default is: take relies on it.
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) (err error) {
		if before, err = q.take(ctx, tx); before != nil || err != nil {
			return err
		}
		answer := carryOut(context.WithValue(ctx, onceKey{}, tx))
		if answer == nil {
			return errNothingDone
		}
		return q.keep(ctx, tx, answer)
	})
	if errors.Is(err, errNothingDone) {
		return nil, nil
	}
	return before, err
}

// errNothingDone ends the transaction of a request that was refused.
var errNothingDone = errors.New("nothing was done")

// take makes the key this transaction's, or answers what stands for it. Only who
// has the lock may believe that there is no answer yet: the one who had it before
// gave it back after its commit. So the lock is asked for first, and the answer by
// a statement of its own, which sees all that was committed until then.
func (q *KeyedRequest) take(ctx context.Context, tx pgx.Tx) (*StoredAnswer, error) {
	var (
		b      pgx.Batch
		mine   bool
		hash   []byte
		answer StoredAnswer
	)
	b.Queue(boundIdle, pgx.NamedArgs{"idle": strconv.FormatInt(idleMax.Milliseconds(), 10)})
	b.Queue(lockKey, pgx.NamedArgs{"lock": q.lock()}).QueryRow(func(row pgx.Row) error { return row.Scan(&mine) })
	b.Queue(readAnswer, pgx.NamedArgs{"token": q.Token, "key": q.Key}).QueryRow(func(row pgx.Row) error {
		err := row.Scan(&hash, &answer.Status, &answer.Head, &answer.Body)
		if isNoRows(err) {
			return nil
		}
		return err
	})
	err := tx.SendBatch(ctx, &b).Close()
	switch {
	case err != nil:
		return nil, fmt.Errorf("look an Idempotency-Key up: %w", err)
	case hash == nil && !mine:
		return nil, fmt.Errorf("key %q: %w", q.Key, ErrInProgress)
	case hash == nil:
		return nil, nil
	case [32]byte(hash) != q.Hash:
		return nil, fmt.Errorf("key %q: %w", q.Key, ErrKeyReused)
	}
	return &answer, nil
}

// lock is the number of the lock that stands for the key. Two keys of one number,
// if ever there are, are only told once in vain to try again.
func (q *KeyedRequest) lock() int64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "Idempotency-Key %q %q", q.Token, q.Key))
	return int64(binary.BigEndian.Uint64(sum[:])) //nolint:gosec // a bit pattern
}

func (q *KeyedRequest) keep(ctx context.Context, tx pgx.Tx, a *StoredAnswer) error {
	body := a.Body
	if body == nil {
		body = []byte{} // nil would be null
	}
	_, err := tx.Exec(ctx, keepAnswer, pgx.NamedArgs{"token": q.Token, "key": q.Key, "hash": q.Hash[:], "at": q.At.UTC(),
		"status": a.Status, "head": a.Head, "body": body})
	return wrap(err, "keep the answer to an Idempotency-Key")
}

// ForgetAnswers takes answers away that were given before a time.
func (s *Store) ForgetAnswers(ctx context.Context, before time.Time) (n int, err error) {
	tag, err := s.pool.Exec(ctx, `delete from answers where answered_at < @before`, pgx.NamedArgs{"before": before})
	return int(tag.RowsAffected()), wrap(err, "forget answers")
}
