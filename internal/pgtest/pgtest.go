// Package pgtest gives every test a PostgreSQL database of its own, with the
// schema already in it.
//
// A test binary starts one private server when its first test asks for one
// (about half a second), brings a template database up to date once, and clones
// it per test (about 15 ms). The server is fast rather than careful: it does not
// survive a power cut, and the tests that need one that does use devstack.
//
// Its one invariant: two tests never see each other's rows, so they may run in
// parallel and stop anywhere.
//
// With TEST_DATABASE_URL set, that server is used in place of a private one; its
// role must be allowed to create databases. DATABASE_URL is not looked at: it
// may name a server that earns money.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// dropPatience bounds how long a test's database may take to go: the context of
// the test is over by then.
const dropPatience = 30 * time.Second

// running is the server of this test binary. It is one of the few variables of
// this repository that change: the testing package offers no place of its own
// for what outlives a test.
var running server

// server is the private server, started when the first test asks.
type server struct {
	migrate func(ctx context.Context, databaseURL string) error // nil: Main was not called

	once     sync.Once
	stack    *devstack.Stack
	url      string // of a database that new ones can be created from
	template string
	err      error
}

// Main runs the tests of a package and then stops the server that they have
// used. Its result is for os.Exit:
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, postgres.Migrate)) }
//
// The function migrate brings an empty database up to date, once per test
// binary, and must have closed its connections when it returns. It is passed in
// because the package that has it uses pgtest in its own tests.
func Main(m *testing.M, migrate func(ctx context.Context, databaseURL string) error) int {
	running.migrate = migrate
	code := m.Run()
	if err := running.close(); err != nil {
		fmt.Fprintln(os.Stderr, "pgtest:", err)
		return max(code, 1)
	}
	return code
}

// New returns the URL of a fresh, migrated database. It is dropped when the test
// ends, whoever is still connected.
func New(t testing.TB) (databaseURL string) {
	t.Helper()
	if running.migrate == nil {
		t.Fatal("pgtest.New needs func TestMain(m *testing.M) { os.Exit(pgtest.Main(m, migrate)) } in the package")
	}
	running.once.Do(func() { running.err = running.start(context.WithoutCancel(t.Context())) })
	if running.err != nil {
		t.Fatal(running.err)
	}
	name := newName()
	// Without fsync the checkpoints that a copy of files needs cost nothing, and
	// it takes half as long as a copy through the log.
	if err := running.exec(t.Context(), "create database "+name+" template "+running.template+" strategy file_copy"); err != nil {
		t.Fatalf("clone the template database: %v", err)
	}
	t.Cleanup(func() {
		if err := running.drop(name); err != nil {
			t.Error(err)
		}
	})
	databaseURL, err := withDatabase(running.url, name)
	if err != nil {
		t.Fatal(err)
	}
	return databaseURL
}

// start brings up the server and the template database.
func (s *server) start(ctx context.Context) error {
	stack, err := devstack.Start(ctx, devstack.Options{DatabaseURL: os.Getenv("TEST_DATABASE_URL"), NoRedis: true, Env: os.Getenv})
	if err != nil {
		return err
	}
	s.stack, s.url = stack, stack.DatabaseURL
	name := newName()
	if err := s.exec(ctx, "create database "+name); err != nil {
		return fmt.Errorf("make a template database: %w", err)
	}
	s.template = name
	templateURL, err := withDatabase(s.url, name)
	if err != nil {
		return err
	}
	if err := s.migrate(ctx, templateURL); err != nil {
		return fmt.Errorf("migrate the template database: %w", err)
	}
	return nil
}

// close drops the template, which matters where the server was given, and stops
// the server where it is ours.
func (s *server) close() error {
	if s.stack == nil {
		return nil
	}
	var dropErr error
	if s.template != "" {
		dropErr = s.drop(s.template)
	}
	return errors.Join(dropErr, s.stack.Close())
}

func (s *server) drop(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), dropPatience)
	defer cancel()
	if err := s.exec(ctx, "drop database if exists "+name+" with (force)"); err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

// exec runs one statement over a connection of its own: databases cannot be
// created inside a transaction, and tests ask in parallel.
func (s *server) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// newName is a database name that no other test binary on a shared server uses.
func newName() string {
	id := uuid.New()
	return fmt.Sprintf("chargehand_test_%x", id[:])
}

// withDatabase returns the URL of another database on the same server.
func withDatabase(serverURL, name string) (string, error) {
	u, err := url.Parse(serverURL)
	if err != nil || u.Scheme == "" {
		return "", fmt.Errorf("name database %s: the server's address %q is not of the form postgres://…", name, serverURL)
	}
	u.Path = "/" + name
	return u.String(), nil
}
