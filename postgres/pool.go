package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// pool is the connections of a Store. What is asked under the context of Once
// goes into its transaction, whichever method asks, and takes no second
// connection: where each of as many requests as there are connections waited for
// one more, all would wait for ever. So nothing under that context may run side
// by side.
type pool struct{ all *pgxpool.Pool }

// conn is what statements are sent through: the connections, or one transaction.
type conn interface {
	querier
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	Begin(ctx context.Context) (pgx.Tx, error)
}

type onceKey struct{}

// transactionOf is the transaction that a context bears; nil: none.
func transactionOf(ctx context.Context) pgx.Tx {
	tx, _ := ctx.Value(onceKey{}).(pgx.Tx)
	return tx
}

func (p *pool) of(ctx context.Context) conn {
	if tx := transactionOf(ctx); tx != nil {
		return tx
	}
	return p.all
}

// Query asks for rows.
func (p *pool) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	return p.of(ctx).Query(ctx, sql, args...)
}

// QueryRow asks for a row.
func (p *pool) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return p.of(ctx).QueryRow(ctx, sql, args...)
}

// Exec runs a statement.
func (p *pool) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	return p.of(ctx).Exec(ctx, sql, args...)
}

// SendBatch sends statements in one go.
func (p *pool) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	return p.of(ctx).SendBatch(ctx, b)
}

// Begin begins a transaction, or where ctx bears one a part of it.
func (p *pool) Begin(ctx context.Context) (pgx.Tx, error) {
	tx, err := p.of(ctx).Begin(ctx)
	if err != nil || transactionOf(ctx) == nil {
		return tx, err
	}
	return inner{tx}, nil
}

// BeginTx begins a transaction that reads as of one moment. Where ctx bears one it
// is a part of that, which sees what was written before in it, and of what others
// wrote each statement what stands when it begins: a part has no isolation of its
// own. Who writes an account and then reads it holds its row.
func (p *pool) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	if tx := transactionOf(ctx); tx != nil {
		return tx.Begin(ctx)
	}
	return p.all.BeginTx(ctx, o)
}

// errInOnce means that what has a transaction of its own was called in another one.
var errInOnce = errors.New("this cannot be part of a request that happens once")

// alone is the connections, for what has its own way with one.
func (p *pool) alone(ctx context.Context) (*pgxpool.Pool, error) {
	if transactionOf(ctx) != nil {
		return nil, errInOnce
	}
	return p.all, nil
}

// inner is a part of a transaction that is taken for one of its own: it is rolled
// back alone, with the locks that it took, and may then be tried again.
type inner struct{ pgx.Tx }

// Commit ends the part. What waits for the commit to be checked is checked now,
// while there is somebody who can try again: an id that another one took
// meanwhile.
func (i inner) Commit(ctx context.Context) error {
	var b pgx.Batch
	b.Queue(`set constraints all immediate`)
	b.Queue(`set constraints all deferred`) // as all of them are that can be
	if err := i.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	return i.Tx.Commit(ctx)
}
