package devstack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// startPatience bounds Start and the restarts. A fresh server is up within a
// second; one that was killed under load first replays up to 4 GB of its log.
const startPatience = 2 * time.Minute

// Options says which servers a Stack has and how careful they are.
type Options struct {
	// Dir keeps the data between runs. Empty: a temporary folder that Close
	// removes. A folder that holds something else is refused.
	Dir string

	// DatabaseURL and RedisURL are servers to use as they are, in place of
	// private ones.
	DatabaseURL string
	RedisURL    string

	// NoPostgres and NoRedis leave a server out.
	NoPostgres bool
	NoRedis    bool

	// Durable makes the servers keep what they confirmed, as production does:
	// fsync on, Redis with an append-only file. Without it they are faster, a
	// temporary folder is in memory where there is room, and a crash of the
	// machine, or of Redis, may lose everything.
	Durable bool

	// Env looks up PG_BIN, REDIS_SERVER, PATH and LD_LIBRARY_PATH, as os.Getenv
	// does. Nil: none of them is set.
	Env func(key string) string

	// Log takes what the operator should know. Nil: nobody is told.
	Log *slog.Logger
}

// Stack is the running servers. Close it, or they end with this process.
type Stack struct {
	DatabaseURL string // empty with NoPostgres
	RedisURL    string // empty with NoRedis

	// RedisInMemory says that the queue lives in this process and is lost with
	// it. Tests of durability skip then.
	RedisInMemory bool

	mu       sync.Mutex // guards the servers against a Kill or Close at once
	folder   *folder    // nil: no private server
	launcher *launcher
	postgres *postgres    // nil: none, or not ours
	redis    *redis       // nil: none, not ours, or in memory
	memory   *memoryRedis // nil: none, or a process
}

// Start brings the servers up and returns once they answer. The context bounds
// the start only; the servers live until Close or until this process ends. Two
// Stacks may run at once, but not over the same Dir.
func Start(ctx context.Context, o Options) (*Stack, error) {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if o.Env == nil {
		o.Env = func(string) string { return "" }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Stack{DatabaseURL: o.DatabaseURL, RedisURL: o.RedisURL}
	if err := s.start(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// start fills in what the options leave to private servers. What it has begun
// when it fails is in s, for Close to undo.
func (s *Stack) start(ctx context.Context, o Options) error {
	needsPostgres := o.DatabaseURL == "" && !o.NoPostgres
	needsRedis := o.RedisURL == "" && !o.NoRedis
	if o.NoPostgres {
		s.DatabaseURL = ""
	}
	if o.NoRedis {
		s.RedisURL = ""
	}
	if !needsPostgres && !needsRedis {
		return nil
	}
	tools, err := findTools(ctx, o.Env, needsPostgres, needsRedis)
	if err != nil {
		return err
	}
	if s.folder, err = openFolder(ctx, o); err != nil {
		return err
	}
	s.launcher = newLauncher()
	if needsPostgres {
		if err := s.startPostgres(ctx, tools, o.Durable); err != nil {
			return err
		}
	}
	if needsRedis {
		return s.startRedis(ctx, tools, o)
	}
	return nil
}

func (s *Stack) startPostgres(ctx context.Context, t tools, durable bool) error {
	s.postgres = &postgres{bin: t.postgresBin, env: t.env, folder: s.folder, launcher: s.launcher, durable: durable}
	if err := s.postgres.create(ctx); err != nil {
		return err
	}
	if err := s.postgres.start(ctx); err != nil {
		return err
	}
	s.DatabaseURL = s.postgres.url(databaseName)
	return s.postgres.createDatabase(ctx)
}

func (s *Stack) startRedis(ctx context.Context, t tools, o Options) error {
	if t.redisServer == "" {
		o.Log.Warn("no redis-server found: the queue is kept in memory and ends with this process")
		memory, err := startMemoryRedis()
		if err != nil {
			return err
		}
		s.memory, s.RedisURL, s.RedisInMemory = memory, memory.url(), true
		return nil
	}
	s.redis = &redis{path: t.redisServer, env: t.env, folder: s.folder, launcher: s.launcher, durable: o.Durable}
	if err := s.redis.startOnFreePort(ctx); err != nil {
		return err
	}
	s.RedisURL = s.redis.url()
	return nil
}

// Close stops the servers, waits for them and removes what was temporary. A
// second Close does nothing.
func (s *Stack) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	if s.memory != nil {
		s.memory.close()
	}
	if s.redis != nil {
		errs = append(errs, s.redis.stop())
	}
	if s.postgres != nil {
		errs = append(errs, s.postgres.stop())
	}
	if s.launcher != nil {
		s.launcher.close()
	}
	if s.folder != nil {
		errs = append(errs, s.folder.close())
	}
	s.memory, s.redis, s.postgres, s.launcher, s.folder = nil, nil, nil, nil, nil
	return errors.Join(errs...)
}

// KillPostgres ends the private PostgreSQL as a power cut would: kill -9 to
// every process of it. It returns when they are gone.
func (s *Stack) KillPostgres() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.postgres == nil {
		return errors.New("kill postgres: this stack started none")
	}
	return s.postgres.kill()
}

// RestartPostgres starts the private PostgreSQL again over the same data and
// socket, stopping it first if it still runs. DatabaseURL stays what it was.
func (s *Stack) RestartPostgres(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.postgres == nil {
		return errors.New("restart postgres: this stack started none")
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := s.postgres.stop(); err != nil {
		return err
	}
	return s.postgres.start(ctx)
}

// KillRedis ends the private Redis with kill -9 and returns when it is gone.
func (s *Stack) KillRedis() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.redis == nil {
		return errors.New("kill redis: this stack started no redis-server")
	}
	if !s.redis.process.running() {
		return errors.New("kill redis: it does not run")
	}
	return s.redis.process.stop()
}

// RestartRedis starts the private Redis again over the same data and port,
// stopping it first if it still runs. RedisURL stays what it was.
func (s *Stack) RestartRedis(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.redis == nil {
		return errors.New("restart redis: this stack started no redis-server")
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := s.redis.stop(); err != nil {
		return err
	}
	return s.redis.start(ctx)
}

// PIDs returns the process ids of the private servers, 0 for one that does not
// run or that this Stack did not start. PostgreSQL's is that of its first process; the others
// are its children.
func (s *Stack) PIDs() (postgres, redis int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.postgres != nil && s.postgres.process.running() {
		postgres = s.postgres.process.pid()
	}
	if s.redis != nil && s.redis.process.running() {
		redis = s.redis.process.pid()
	}
	return postgres, redis
}

// CPU returns the processor time that the private servers have used since they
// were last started, children that have ended included: what a benchmark
// subtracts before from after. It is 0 for a server without a process id (PIDs),
// and on systems without /proc.
func (s *Stack) CPU() (postgres, redis time.Duration, err error) {
	postgresPID, redisPID := s.PIDs()
	var postgresErr, redisErr error
	if postgresPID != 0 {
		postgres, postgresErr = familyCPU(postgresPID)
	}
	if redisPID != 0 {
		redis, redisErr = familyCPU(redisPID)
	}
	if err := errors.Join(postgresErr, redisErr); err != nil {
		return 0, 0, fmt.Errorf("read the servers' processor time: %w", err)
	}
	return postgres, redis, nil
}
