package devstack

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// roleName owns the private servers' databases.
	roleName = "chargehand"

	// databaseName is the database that DatabaseURL names.
	databaseName = "chargehand"
)

// postgres is a private server: a data folder and, while it runs, a process.
type postgres struct {
	bin      string
	env      []string
	folder   *folder
	launcher *launcher
	durable  bool

	process *process // nil before the first start
}

func (p *postgres) data() string { return filepath.Join(p.folder.path, "postgres") }

// url names the port too, or a PGPORT in the client's environment would pick
// another socket.
func (p *postgres) url(database string) string {
	query := url.Values{"host": {p.folder.socket}, "port": {"5432"}}
	return (&url.URL{Scheme: "postgres", User: url.User(roleName), Host: "", Path: "/" + database, RawQuery: query.Encode()}).String()
}

// create makes the data folder unless it is there. It is made under another
// name and renamed at the end: what an interrupted initdb left is never started.
func (p *postgres) create(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(p.data(), "PG_VERSION")); err == nil {
		return nil
	}
	unfinished := p.data() + ".new"
	err := p.initdb(ctx, unfinished, "C.UTF-8")
	if err != nil && ctx.Err() == nil {
		err = p.initdb(ctx, unfinished, "C") // not every system has C.UTF-8
	}
	if err != nil {
		return err
	}
	if err := os.Rename(unfinished, p.data()); err != nil {
		return fmt.Errorf("make a database cluster: %w", err)
	}
	return nil
}

// initdb makes a cluster that trusts whoever can reach its socket: the folder
// lets in nobody but its owner.
func (p *postgres) initdb(ctx context.Context, dir, locale string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("make a database cluster: %w", err)
	}
	args := []string{"--pgdata", dir, "--username", roleName, "--auth", "trust", "--encoding", "UTF8", "--locale", locale}
	if !p.folder.kept || !p.durable {
		args = append(args, "--no-sync") // a machine that loses power loses the folder anyway
	}
	if _, err := output(ctx, p.folder.owner, p.folder.path, p.env, filepath.Join(p.bin, "initdb"), args...); err != nil {
		return fmt.Errorf("make a database cluster: %w", err)
	}
	return nil
}

// start runs the server and returns when it takes connections. It goes quietly
// when we are killed: SIGQUIT has it end its children and itself at once, and
// the next start replays its log.
func (p *postgres) start(ctx context.Context) error {
	settings := p.settings(ctx)
	args := []string{"-D", p.data()}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	process, err := p.launcher.start(program{
		path:        filepath.Join(p.bin, "postgres"),
		args:        args,
		env:         p.env,
		folder:      p.folder,
		logPath:     filepath.Join(p.folder.path, "postgres.log"),
		deathSignal: syscall.SIGQUIT,
	})
	if err != nil {
		return err
	}
	p.process = process
	return process.await(ctx, p.ping)
}

func (p *postgres) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// createDatabase makes the database that DatabaseURL names unless it is there.
func (p *postgres) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return fmt.Errorf("create database %s: %w", databaseName, err)
	}
	defer conn.Close(ctx)
	var found bool
	err = conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", databaseName).Scan(&found)
	if err == nil && !found {
		_, err = conn.Exec(ctx, "create database "+databaseName)
	}
	if err != nil {
		return fmt.Errorf("create database %s: %w", databaseName, err)
	}
	return nil
}

// stop shuts down in order what is kept (SIGINT: no new work, a checkpoint),
// and at once what will be deleted (SIGQUIT).
func (p *postgres) stop() error {
	switch {
	case p.process == nil:
		return nil
	case p.folder.kept:
		return p.process.stop(syscall.SIGINT, syscall.SIGQUIT)
	default:
		return p.process.stop(syscall.SIGQUIT)
	}
}

// kill ends all processes of the server with SIGKILL. A server cannot start
// over the same data while one of them is attached to its memory, so all are
// waited for; then what they held of System V memory, which outlives processes,
// is given back.
func (p *postgres) kill() error {
	if !p.process.running() {
		return errors.New("kill postgres: it does not run")
	}
	family, err := killFamily(p.process.pid())
	if err := errors.Join(err, p.process.stop(), awaitGone(family)); err != nil {
		return fmt.Errorf("kill postgres: %w", err)
	}
	if id, ok := p.sharedMemory(); ok {
		removeSharedMemory(id)
	}
	return nil
}

// sharedMemory reads which segment the server took, from the seventh line of
// its pid file: key and number.
func (p *postgres) sharedMemory() (id int, ok bool) {
	content, err := os.ReadFile(filepath.Join(p.data(), "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	lines := strings.Split(string(content), "\n")
	const at = 6
	if len(lines) <= at {
		return 0, false
	}
	var key int
	_, err = fmt.Sscan(lines[at], &key, &id)
	return id, err == nil
}

// awaitGone waits for processes that are not ours to reap.
func awaitGone(pids []int) error {
	deadline := time.After(stopPatience)
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for _, pid := range pids {
		for !gone(pid) {
			select {
			case <-poll.C:
			case <-deadline:
				return fmt.Errorf("process %d is still there after SIGKILL", pid)
			}
		}
	}
	return nil
}

// settings is the server's configuration, for a machine of a few cores that
// takes writes in bulk. It stands on the command line, not in the data folder:
// the same data can be served carefully today and carelessly tomorrow.
func (p *postgres) settings(ctx context.Context) []string {
	settings := []string{
		"listen_addresses=", // the socket only: no port to collide on, nothing to reach from outside
		"port=5432",         // names the socket
		"unix_socket_directories=" + p.folder.socket,
		"unix_socket_permissions=0700",    // trust is for those who own the folder
		"dynamic_shared_memory_type=mmap", // in the data folder: a kill -9 leaves nothing in /dev/shm
		"timezone=UTC",                    // nothing may depend on where the machine stands
		"log_timezone=UTC",
		"log_min_messages=warning", // the log is read when a start fails
		"max_connections=200",      // a worker's shards, the API and a test's many pools together
		"jit=off",                  // our statements run for less time than one takes to compile
		"random_page_cost=1.1",     // no disk of today seeks
		"maintenance_work_mem=128MB",
	}
	if !p.durable {
		return append(settings,
			"fsync=off", // the data is thrown away with the test
			"synchronous_commit=off",
			"full_page_writes=off",
			"shared_buffers=128MB", // one server per test binary, several at once
			"max_wal_size=256MB",   // it may lie in memory, and a checkpoint costs nothing here
			"min_wal_size=32MB",
			"autovacuum=off", // tables live for seconds, and a worker in the template keeps it from being cloned
		)
	}
	return append(settings,
		"shared_buffers=512MB",             // the accounts' rows and the indexes stay in memory
		"max_wal_size=4GB",                 // a bulk load must not force a checkpoint every few seconds,
		"min_wal_size=1GB",                 // nor make new log files while it runs
		"checkpoint_timeout=15min",         // each checkpoint makes the next change of every page log it whole
		"checkpoint_completion_target=0.9", // spread it, do not stall commits
		"wal_compression="+p.walCompression(ctx),
		"wal_buffers=16MB", // a batch's COPY fits in before it is flushed
	)
}

// walCompression is lz4 where the server was built with it: it halves the log
// of random updates for a few per cent of processor, where the built-in method
// costs more than it saves on two cores.
func (p *postgres) walCompression(ctx context.Context) string {
	_, err := output(ctx, p.folder.owner, p.folder.path, p.env,
		filepath.Join(p.bin, "postgres"), "-D", p.data(), "-c", "wal_compression=lz4", "-C", "wal_compression")
	if err != nil {
		return "on"
	}
	return "lz4"
}
