package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// fetchRows is how many rows a cursor has at a time: enough that a round trip is
// spread thin, few enough that a dozen cursors stay small.
const fetchRows = 1000

// cursor reads the rows of one query some at a time, so that no result is ever
// held whole, other statements can run on its connection meanwhile, and several
// can be read side by side. It lives as long as its transaction.
type cursor[T any] struct {
	tx    pgx.Tx
	name  string
	scan  func(*rawRow, *T)
	each  func(context.Context, []T) error // of every page as it comes, or nil
	page  []T
	at    int
	ended bool
}

// openCursor begins a query. The names of cursors of one transaction differ.
func openCursor[T any](
	ctx context.Context, tx pgx.Tx, name, query string, args pgx.NamedArgs, scan func(*rawRow, *T),
) (*cursor[T], error) {
	// All of it will be read, so a plan that begins late and ends early is best.
	if _, err := tx.Exec(ctx, `set local cursor_tuple_fraction = 1`); err != nil {
		return nil, fmt.Errorf("open cursor %s: %w", name, err)
	}
	if _, err := tx.Exec(ctx, `declare `+name+` no scroll cursor for `+query, pgx.QueryExecModeDescribeExec, args); err != nil {
		return nil, fmt.Errorf("open cursor %s: %w", name, err)
	}
	return &cursor[T]{tx: tx, name: name, scan: scan}, nil
}

// next is the next row, nil at the end. It holds until next is called again.
func (c *cursor[T]) next(ctx context.Context) (*T, error) {
	row, err := c.peek(ctx)
	if row != nil {
		c.at++
	}
	return row, err
}

// peek is the row that next will answer.
func (c *cursor[T]) peek(ctx context.Context) (*T, error) {
	if c.at == len(c.page) && !c.ended {
		if err := c.fetch(ctx); err != nil {
			return nil, fmt.Errorf("read cursor %s: %w", c.name, err)
		}
	}
	if c.at == len(c.page) {
		return nil, nil
	}
	return &c.page[c.at], nil
}

// eachRow hands over the rows that are left, until take wants no more.
func eachRow[T any](ctx context.Context, c *cursor[T], take func(*T) bool) error {
	for {
		row, err := c.next(ctx)
		if row == nil || err != nil || !take(row) {
			return err
		}
	}
}

// copied lets take keep what it gets: a row's place is the next page's too.
func copied[T any](take func(*T) bool) func(*T) bool {
	return func(row *T) bool { return take(new(*row)) }
}

func (c *cursor[T]) fetch(ctx context.Context) error {
	clear(c.page) // the rows of the last page are nobody's now
	var err error
	c.page, err = queryRaw(ctx, c.tx, fmt.Sprintf(`fetch %d from %s`, fetchRows, c.name), nil, c.page[:0], c.scan)
	if err != nil {
		return err
	}
	c.at, c.ended = 0, len(c.page) < fetchRows
	if c.each != nil {
		return c.each(ctx, c.page)
	}
	return nil
}

// queryRaw runs a query and appends what scan makes of each row to dst.
//
// The statement is described anew each time: the columns of a FETCH are those of
// whichever cursor bears the name now, so it must not be cached.
func queryRaw[T any](
	ctx context.Context, q querier, query string, args pgx.NamedArgs, dst []T, scan func(*rawRow, *T),
) ([]T, error) {
	rows, err := q.Query(ctx, query, pgx.QueryExecModeDescribeExec, pgx.QueryResultFormats{pgx.BinaryFormatCode}, args)
	if err != nil {
		return dst, err
	}
	defer rows.Close()
	for rows.Next() {
		row := rawRow{values: rows.RawValues()}
		dst = append(dst, *new(T))
		scan(&row, &dst[len(dst)-1])
		if row.err != nil {
			return dst, row.err
		}
	}
	return dst, rows.Err()
}
