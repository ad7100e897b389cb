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

// newSite is a fresh, migrated database and an empty database of Redis.
func newSite(t testing.TB) *site {
	t.Helper()
	databaseURL, redisURL, leave, err := together.room(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := leave(); err != nil {
			t.Error(err)
		}
	})
	return &site{t: t, dir: t.TempDir(), databaseURL: databaseURL, redisURL: redisURL}
}

// room is what newSite has, and how to leave it.
func (s *servers) room(ctx context.Context) (databaseURL, redisURL string, leave func() error, err error) {
	s.once.Do(func() { s.err = errors.Join(lookAtSources(), s.start(context.WithoutCancel(ctx))) })
	if s.err != nil {
		return "", "", nil, s.err
	}
	database, err := s.create(ctx, " template "+s.template+" strategy file_copy")
	if err != nil {
		return "", "", nil, err
	}
	n := <-s.numbers
	redisURL = at(s.stack.RedisURL, fmt.Sprint(n))
	return at(s.stack.DatabaseURL, database), redisURL, func() error {
		err := errors.Join(flush(redisURL), s.drop(database))
		s.numbers <- n
		return err
	}, nil
}

// create makes a database under a new name.
func (s *servers) create(ctx context.Context, how string) (name string, err error) {
	id := uuid.New()
	name = fmt.Sprintf("e2e_%x", id[:])
	return name, s.exec(ctx, "create database "+name+how)
}

// drop takes a database away, whoever is connected.
func (s *servers) drop(name string) error {
	return s.exec(context.Background(), "drop database "+name+" with (force)")
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
