package postgres

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/setup"
)

func TestMain(m *testing.M) {
	os.Exit(pgtest.Main(m, func(ctx context.Context, url string) error {
		_, err := Migrate(ctx, url)
		return err
	}))
}

// newStore is a store over a database of the test's own, set up by a file.
func newStore(t *testing.T, file string) *Store {
	t.Helper()
	s, err := Open(t.Context(), pgtest.New(t), Options{Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	f, err := setup.Parse("setup.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), f, ApplyOptions{At: at("2025-01-01T00:00:00Z"), Actor: "test", TimeZone: time.UTC}); err != nil {
		t.Fatal(err)
	}
	return s
}

// do runs statements as they stand.
func (s *Store) do(t *testing.T, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := s.pool.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err) // the test's own text
	}
	return t
}
