package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoToken means that there is no token of this name or id.
var ErrNoToken = errors.New("no such token")

// Token is a token of the API as it is stored: without its secret.
type Token struct {
	ID         string     `json:"-"`
	Name       string     `json:"name"`
	Hash       [32]byte   `json:"-"` // SHA-256 of the secret
	Scopes     int16      `json:"-"`
	Reseller   int64      `json:"-"` // 0: the whole installation
	CreatedAt  time.Time  `json:"created_at"`
	CreatedBy  string     `json:"created_by"`
	ExpiresAt  *time.Time `json:"expires_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	LastUsedAt *time.Time `json:"last_used_at"` // to the minute
}

const insertToken = `
	insert into tokens (id, name, secret_hash, scopes, reseller, created_at, created_by, expires_at)
	values (@id, @name, @hash, @scopes, @reseller, @now, @actor, @expires)`

// CreateToken keeps a new token. A name that a token has, or had, is refused: the
// histories know it by that name.
func (s *Store) CreateToken(ctx context.Context, k *Token) error {
	if err := checkName("name", k.Name); err != nil {
		return err
	}
	err := s.Write(ctx, k.CreatedAt, k.CreatedBy, func(t *Tx) error {
		_, err := t.tx.Exec(ctx, insertToken, pgx.NamedArgs{"id": k.ID, "name": k.Name, "hash": k.Hash[:], "scopes": k.Scopes,
			"reseller": nullID(k.Reseller), "now": t.Now, "actor": t.Actor, "expires": k.ExpiresAt})
		return err
	})
	if isCode(err, "23505") && constraintOf(err) == "a_token_has_one_name" {
		return refuse("token %q exists already, or did: choose another name", k.Name)
	}
	return wrap(err, "create token %s", k.Name)
}

const tokenColumns = `id, name, secret_hash, scopes, coalesce(reseller, 0), created_at, created_by, expires_at, revoked_at, last_used_at`

func scanToken(r pgx.CollectableRow) (k *Token, err error) {
	k = &Token{}
	var hash []byte
	err = r.Scan(&k.ID, &k.Name, &hash, &k.Scopes, &k.Reseller, &k.CreatedAt, &k.CreatedBy, &k.ExpiresAt, &k.RevokedAt, &k.LastUsedAt)
	copy(k.Hash[:], hash)
	k.CreatedAt = k.CreatedAt.UTC()
	for _, at := range []*time.Time{k.ExpiresAt, k.RevokedAt, k.LastUsedAt} {
		if at != nil {
			*at = at.UTC()
		}
	}
	return k, err
}

// Token reads the token that an id names, whether it is still good or not; or
// says ErrNoToken.
func (s *Store) Token(ctx context.Context, id string) (*Token, error) {
	found, err := collect(ctx, s.pool, `select `+tokenColumns+` from tokens where id = @id`, scanToken, pgx.NamedArgs{"id": id})
	if err != nil {
		return nil, fmt.Errorf("look up a token: %w", err)
	}
	if len(found) == 0 {
		return nil, ErrNoToken
	}
	return found[0], nil
}

// Tokens reads all tokens, in the order of their names.
func (s *Store) Tokens(ctx context.Context) ([]*Token, error) {
	found, err := collect(ctx, s.pool, `select `+tokenColumns+` from tokens order by name`, scanToken, pgx.NamedArgs{})
	return found, wrap(err, "list tokens")
}

// RevokeToken ends a token. It answers whether it was still good.
func (s *Store) RevokeToken(ctx context.Context, name, actor string, now time.Time) (was bool, err error) {
	err = s.Write(ctx, now, actor, func(t *Tx) error {
		var revoked *time.Time
		err := t.tx.QueryRow(ctx, `select revoked_at from tokens where name = @name for update`, pgx.NamedArgs{"name": name}).Scan(&revoked)
		if isNoRows(err) {
			return fmt.Errorf("token %q: %w; chargehand token list names those there are", name, ErrNoToken)
		}
		if was = err == nil && revoked == nil; !was {
			t.idle = true
			return err
		}
		_, err = t.tx.Exec(ctx, `update tokens set revoked_at = @now where name = @name`, pgx.NamedArgs{"name": name, "now": t.Now})
		return err
	})
	return was, err
}

// TokenUsed notes when a token was last used. It may be called seldom: nothing is
// decided by it.
func (s *Store) TokenUsed(ctx context.Context, id string, now time.Time) error {
	_, err := s.pool.Exec(ctx, `update tokens set last_used_at = @now where id = @id and (last_used_at is null or last_used_at < @now)`,
		pgx.NamedArgs{"id": id, "now": now.UTC().Truncate(time.Minute)})
	return wrap(err, "note the use of a token")
}
