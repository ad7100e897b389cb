package pgtest_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	code := pgtest.Main(m, migrate)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// migrate stands in for the real migrations.
func migrate(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "create table accounts (number text primary key); insert into accounts values ('seed')")
	return err
}

func TestEveryTestHasItsOwnDatabase(t *testing.T) {
	for _, name := range []string{"first", "second", "third"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := connect(t, pgtest.New(t))
			if _, err := conn.Exec(t.Context(), "insert into accounts values ('mine')"); err != nil {
				t.Fatal(err)
			}
			if got := count(t, conn); got != 2 {
				t.Errorf("rows: got %d, want the template's and mine", got)
			}
		})
	}
}

func TestTwoDatabasesInOneTest(t *testing.T) {
	a, b := connect(t, pgtest.New(t)), connect(t, pgtest.New(t))
	if _, err := a.Exec(t.Context(), "delete from accounts"); err != nil {
		t.Fatal(err)
	}
	if got := count(t, b); got != 1 {
		t.Errorf("rows of the other database: got %d, want 1", got)
	}
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	var databaseURL string
	t.Run("ended with a connection open", func(t *testing.T) {
		databaseURL = pgtest.New(t)
		connect(t, databaseURL)
	})
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err == nil {
		conn.Close(t.Context())
		t.Errorf("connected to %s after its test", databaseURL)
	}
}

func connect(t *testing.T, databaseURL string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func count(t *testing.T, conn *pgx.Conn) int {
	t.Helper()
	var n int
	if err := conn.QueryRow(t.Context(), "select count(*) from accounts").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// BenchmarkNew measures a clone; the databases pile up until it ends.
func BenchmarkNew(b *testing.B) {
	pgtest.New(b) // starts the server
	for b.Loop() {
		pgtest.New(b)
	}
}
