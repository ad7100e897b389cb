package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Store is an open database. It is safe for use by many goroutines.
type Store struct {
	pool *pool
}

// Options say how a Store connects.
type Options struct {
	Connections int32 // most connections; 0: pgx's choice
}

// ErrBadURL means that an address is none of a PostgreSQL. It is the
// configuration's fault, not the network's.
var ErrBadURL = errors.New("DATABASE_URL is no address of a PostgreSQL")

// parse reads the address of a database.
func parse(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadURL, err)
	}
	return config, nil
}

// Open connects to the database at url and makes sure that its schema is the
// one this binary knows; ErrOldSchema and ErrNewSchema say that it is not.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	if o.Connections > 0 {
		config.MaxConns = o.Connections
	}
	config.ConnConfig.RuntimeParams["application_name"] = "chargehand"
	all, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	s := &Store{&pool{all}}
	if err := s.checkSchema(ctx); err != nil {
		all.Close()
		return nil, err
	}
	return s, nil
}

// Close gives the connections back.
func (s *Store) Close() { s.pool.all.Close() }

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.all.Ping(ctx); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	return nil
}

func (s *Store) checkSchema(ctx context.Context) error {
	p, err := provider(s.pool.all)
	if err != nil {
		return err
	}
	defer func() { _ = p.Close() }() // its connections are the pool's
	if err := s.Ping(ctx); err != nil {
		return err
	}
	pending, err := p.HasPending(ctx)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	if pending {
		return ErrOldSchema
	}
	return checkNotNewer(ctx, p)
}

// ErrChanged means that a client judged by what has changed since: an account's
// revision, a version of limits. Nothing was written; the client is to read again.
var ErrChanged = errors.New("changed since it was read")

// ErrStale means that what was to be written was judged by something that has
// changed since: nothing was written; read and judge again.
var ErrStale = errors.New("judged by what has changed since")

// triesMax bounds how often a transaction is tried that the database gave up
// for the sake of another one. Each try judges anew, so more only loads it.
const triesMax = 10

// Tx is a write transaction. What it writes is there together or not at all.
type Tx struct {
	tx pgx.Tx
	// Now is asked once, when the transaction begins (SPEC R2.7).
	Now   time.Time
	Actor string // who is behind it: for histories

	dry     bool           // it is rolled back; what cannot be must not be done
	changes []StatusChange // to be written with the accounts
	subject string         // number of the account that was added: for the audit log
	idle    bool           // it was so already: there is no deed to note
}

// Write runs do in a transaction and commits it. Where the database gives up
// the transaction in favour of another one (serialization, deadlock) or do says
// ErrStale, it is tried again from the start, a bounded number of times. Under the
// context of Once it is a part of that transaction, and tried again as such.
func (s *Store) Write(ctx context.Context, now time.Time, actor string, do func(*Tx) error) error {
	return s.again(ctx, func() error {
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			t := &Tx{tx: tx, Now: now.UTC().Truncate(time.Microsecond), Actor: actor}
			if err := do(t); err != nil {
				return err
			}
			return t.note(about(ctx, t.subject))
		})
	})
}

// errDryRun ends a transaction that must leave no trace.
var errDryRun = errors.New("dry run")

// WriteDry runs do as Write does and rolls it back: what do found out is what
// Write would do now.
func (s *Store) WriteDry(ctx context.Context, now time.Time, actor string, do func(*Tx) error) error {
	err := s.Write(ctx, now, actor, func(t *Tx) error {
		t.dry = true
		if err := do(t); err != nil {
			return err
		}
		return errDryRun
	})
	if errors.Is(err, errDryRun) {
		return nil
	}
	return err
}

func (s *Store) again(ctx context.Context, do func() error) (err error) {
	for range triesMax {
		err = do()
		if !yields(err) || ctx.Err() != nil {
			return err
		}
	}
	return fmt.Errorf("gave up after %d tries: %w", triesMax, err)
}

// yields tells whether an error means that another transaction went first.
func yields(err error) bool {
	return errors.Is(err, ErrStale) || isCode(err, "40001") || isCode(err, "40P01") || idTaken(err)
}

// idTaken tells whether an id that was chosen is one that another transaction
// gave meanwhile: the next try chooses another.
func idTaken(err error) bool {
	if !isCode(err, "23505") {
		return false
	}
	switch constraintOf(err) {
	case "an_account_has_one_vendor_id", "a_user_has_one_id":
		return true
	}
	return false
}

// isCode tells whether the database answered with an SQLSTATE.
func isCode(err error, code string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == code
}

// constraintOf is the name of the constraint that a write would have broken.
func constraintOf(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.ConstraintName
	}
	return ""
}

// Away tells whether an error says that the database does not answer: it cannot be
// reached, is full, or shuts down. What was asked may be asked again.
func Away(err error) bool {
	var (
		pg      *pgconn.PgError
		connect *pgconn.ConnectError
		network net.Error
	)
	if errors.As(err, &pg) {
		return slices.Contains([]string{"08", "53"}, pg.Code[:2]) || strings.HasPrefix(pg.Code, "57P")
	}
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, pgconn.ErrConnClosed) // it was lost while an answer was waited for, like that to a commit
}

// ErrDamaged means that something stored cannot be read: the state of an
// account, the payload of a batch. Reading it again cannot help; what has nothing
// to do with it goes on.
var ErrDamaged = errors.New("stored and cannot be read")

// Transient tells whether an error may go away by itself or by what an operator
// does for everybody: the database is away, full, a standby, lacks a right or a
// migration. What is not is a fault of what was to be written or read, which
// fails the same way again: it is out of range, breaks a constraint, is more
// than the database takes, or is damaged.
func Transient(err error) bool {
	if errors.Is(err, ErrDamaged) {
		return false
	}
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return true // a connection that was lost, a time-out
	}
	switch pg.Code[:2] {
	case "22", "23", "54": // data, constraints, limits of the program
		return false
	}
	return true
}
