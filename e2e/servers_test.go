package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// redisDatabases is how many databases a redis-server has unless told otherwise.
const redisDatabases = 16

// together is the servers that tests share which do not kill any: each test has
// a database of its own in both. It starts when the first test asks.
var together servers

type servers struct {
	once     sync.Once
	stack    *devstack.Stack
	template string
	numbers  chan int // free databases of Redis
	err      error
}

// newSite is a fresh, migrated database and an empty Redis database.
func newSite(t testing.TB) *site {
	t.Helper()
	together.once.Do(func() { together.err = together.start(context.WithoutCancel(t.Context())) })
	if together.err != nil {
		t.Fatal(together.err)
	}
	return &site{t: t, dir: t.TempDir(), databaseURL: together.database(t), redisURL: together.redis(t)}
}

func (s *servers) start(ctx context.Context) error {
	stack, err := devstack.Start(ctx, devstack.Options{Env: os.Getenv})
	if err != nil {
		return err
	}
	s.stack = stack
	s.numbers = make(chan int, redisDatabases)
	for n := range redisDatabases {
		s.numbers <- n
	}
	s.template = "e2e_template"
	if err := s.exec(ctx, "create database "+s.template); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, "migrate")
	cmd.Env = []string{"DATABASE_URL=" + at(stack.DatabaseURL, s.template)}
	if told, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("migrate the template database: %w\n%s", err, told)
	}
	return nil
}

func (s *servers) close() error {
	if s.stack == nil {
		return nil
	}
	return s.stack.Close()
}

// database clones the template; the clone goes with the test.
func (s *servers) database(t testing.TB) (databaseURL string) {
	t.Helper()
	id := uuid.New()
	name := fmt.Sprintf("e2e_%x", id[:])
	if err := s.exec(t.Context(), "create database "+name+" template "+s.template+" strategy file_copy"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec(context.Background(), "drop database "+name+" with (force)"); err != nil {
			t.Error(err)
		}
	})
	return at(s.stack.DatabaseURL, name)
}

// redis takes a database of Redis for the test, and empties it afterwards.
func (s *servers) redis(t testing.TB) (redisURL string) {
	t.Helper()
	n := <-s.numbers
	redisURL = at(s.stack.RedisURL, fmt.Sprint(n))
	t.Cleanup(func() {
		if err := flush(redisURL); err != nil {
			t.Error(err)
		}
		s.numbers <- n
	})
	return redisURL
}

// exec runs one statement over a connection of its own.
func (s *servers) exec(ctx context.Context, sql string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.stack.DatabaseURL)
	if err != nil {
		return err
	}
	if _, err = conn.Exec(ctx, sql); err != nil {
		err = fmt.Errorf("%s: %w", sql, err)
	}
	return errors.Join(err, conn.Close(ctx))
}

// at is the address of another database on the same server.
func at(serverURL, database string) string {
	u, err := url.Parse(serverURL)
	if err != nil {
		panic(err) // devstack made it
	}
	u.Path = "/" + database
	return u.String()
}
