package main

import (
	"context"
	"errors"
	"log/slog"
	"os/user"
	"time"

	"github.com/chargehand/chargehand/configs"
	"github.com/chargehand/chargehand/metrics"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
)

// session is what every command is given: its surroundings, the configuration,
// and how it is to print.
type session struct {
	environment
	config configs.Config
	json   bool
	log    *slog.Logger
	// metrics counts what the worker and the scheduler of this process do.
	metrics *metrics.Metrics
}

// newSession loads the configuration; variables are those that flags have.
func newSession(c *commands, env environment, variables []string) (*session, error) {
	config, err := configs.Load(c.Config, env.variables, variables...)
	if err != nil {
		return nil, wrongUse{err}
	}
	s := &session{environment: env, config: config, json: c.JSON, metrics: metrics.New()}
	s.logAt(config.Log.Level)
	return s, nil
}

// logAt sends the log to standard error, from a level on.
func (s *session) logAt(level slog.Level) {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if err, is := a.Value.Any().(error); is {
			a.Value = slog.StringValue(oneLine(err))
		}
		return a
	}}
	if s.config.Log.Format == configs.LogJSON {
		s.log = slog.New(slog.NewJSONHandler(s.stderr, options))
	} else {
		s.log = slog.New(slog.NewTextHandler(s.stderr, options))
	}
	queue.LogConnections(s.log)
}

// Faults of a configuration that names no server.
var (
	errNoDatabase = usage("no database: set DATABASE_URL, like postgres://user:password@host:5432/database, " +
		"or database_url in a configuration file; chargehand demo and dev bring their own")
	errNoQueue = usage("no queue: set REDIS_URL, like redis://host:6379/0, " +
		"or redis_url in a configuration file; chargehand demo and dev bring their own")
)

// openStore opens the database that the configuration names.
func (s *session) openStore(ctx context.Context) (*postgres.Store, error) {
	if s.config.DatabaseURL == "" {
		return nil, errNoDatabase
	}
	store, err := postgres.Open(ctx, s.config.DatabaseURL, postgres.Options{Connections: connections(s.config)})
	if errors.Is(err, postgres.ErrOldSchema) {
		return nil, errors.New("the database's schema is old: run chargehand migrate")
	}
	return store, err
}

// openQueue connects to the Redis that the configuration names. One that is away
// stops nobody: the database has the batches, and the worker looks for them there.
func (s *session) openQueue(ctx context.Context) (*queue.Client, error) {
	q, err := s.connectQueue()
	if err != nil {
		return nil, err
	}
	if err := q.Ping(ctx); err != nil {
		s.log.Warn("the queue is away: batches wait in the database, where workers find them a little later", "error", err)
	}
	return q, nil
}

// reachQueue connects to a Redis that must answer, for commands that ask it.
func (s *session) reachQueue(ctx context.Context) (*queue.Client, error) {
	q, err := s.connectQueue()
	if err != nil {
		return nil, err
	}
	if err := q.Ping(ctx); err != nil {
		return nil, errors.Join(err, q.Close())
	}
	return q, nil
}

func (s *session) connectQueue() (*queue.Client, error) {
	if s.config.RedisURL == "" {
		return nil, errNoQueue
	}
	q, err := queue.Connect(s.config.RedisURL, s.log)
	if err != nil {
		return nil, wrongUse{err}
	}
	return q, nil
}

// limitsForAll is whether limits are set once for all accounts (SPEC R4.8).
func (s *session) limitsForAll() bool { return s.config.Limits.Scope == configs.AllAccounts }

// actor is who is behind a change, for the histories: the user of the machine.
func (s *session) actor() string {
	if u, err := user.Current(); err == nil {
		return "cli:" + u.Username
	}
	return "cli"
}

// at is the flag of commands that judge or write a time (SPEC R2.7).
type at struct {
	At *instant `placeholder:"T" help:"Act as if it were this time, RFC 3339 with an offset."`
}

// now is the time that the flag names, else the clock's.
func (a at) now(s *session) time.Time {
	if a.At != nil {
		return a.At.Time
	}
	return s.now()
}

// connections is how many connections a process may hold: one for each shard
// that commits, and some for everything beside. They are opened as needed.
func connections(c configs.Config) int32 { return int32(c.Queue.Shards) + 8 }
