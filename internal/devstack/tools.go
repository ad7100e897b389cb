package devstack

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// postgresVersionMin is the oldest PostgreSQL that the schema runs on.
const postgresVersionMin = 15

// ErrNoPostgres means that the machine has no PostgreSQL that could be started.
var ErrNoPostgres = errors.New("no PostgreSQL 15 or newer found: install it (Debian: apt-get install postgresql), " +
	"or set PG_BIN to the folder that holds its initdb and postgres, or set DATABASE_URL to a server that runs")

var (
	// versionOutput is what postgres --version prints, vendor's words aside.
	versionOutput = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

	// pathVersion is the first number in a folder's name: /usr/lib/postgresql/15/bin.
	pathVersion = regexp.MustCompile(`\d+`)
)

// tools is what was found on the machine.
type tools struct {
	postgresBin string   // folder of initdb and postgres
	redisServer string   // path; empty: none
	env         []string // what the servers see of our environment
}

// findTools looks for what is needed. A missing redis-server is no error here.
func findTools(ctx context.Context, env func(string) string, needsPostgres, needsRedis bool) (tools, error) {
	t := tools{env: serverEnv(env)}
	var err error
	if needsPostgres {
		if t.postgresBin, err = findPostgres(ctx, env, t.env); err != nil {
			return tools{}, err
		}
	}
	if needsRedis {
		if t.redisServer, err = findRedis(env); err != nil {
			return tools{}, err
		}
	}
	return t, nil
}

// serverEnv leaves out everything that could steer a server behind our back, of
// which PostgreSQL alone knows dozens (PGDATA, PGPORT, PGOPTIONS, PGTZ).
func serverEnv(env func(string) string) []string {
	vars := []string{"LC_ALL=C", "TZ=UTC"}
	for _, key := range []string{"PATH", "LD_LIBRARY_PATH"} {
		if value := env(key); value != "" {
			vars = append(vars, key+"="+value)
		}
	}
	return vars
}

// findPostgres returns the first folder that holds a PostgreSQL new enough. A
// PG_BIN that is set but wrong is an error, not a hint.
func findPostgres(ctx context.Context, env func(string) string, vars []string) (string, error) {
	if bin := env("PG_BIN"); bin != "" {
		if err := tryPostgres(ctx, bin, vars); err != nil {
			return "", fmt.Errorf("PG_BIN=%s, which is to be the folder of initdb and postgres: %w", bin, err)
		}
		return bin, nil
	}
	var refused []error
	for _, bin := range slices.Concat(filepath.SplitList(env("PATH")), usualPostgres()) {
		err := tryPostgres(ctx, bin, vars)
		if err == nil {
			return bin, nil
		}
		if !errors.Is(err, os.ErrNotExist) {
			refused = append(refused, err)
		}
	}
	return "", errors.Join(append([]error{ErrNoPostgres}, refused...)...)
}

// tryPostgres says why a folder does not serve. Both programs must be in it:
// some systems put a wrapper of one of them on the PATH.
func tryPostgres(ctx context.Context, bin string, vars []string) error {
	for _, name := range []string{"initdb", "postgres"} {
		if err := executable(filepath.Join(bin, name)); err != nil {
			return err
		}
	}
	path := filepath.Join(bin, "postgres")
	printed, err := output(ctx, nil, "/", vars, path, "--version")
	if err != nil {
		return err
	}
	match := versionOutput.FindStringSubmatch(printed)
	if match == nil {
		return fmt.Errorf("%s is no PostgreSQL server: it says %q", path, printed)
	}
	if version, err := strconv.Atoi(match[1]); err != nil || version < postgresVersionMin {
		return fmt.Errorf("%s is too old: it says %q", path, printed)
	}
	return nil
}

// usualPostgres lists the folders where packages put servers beside the PATH,
// the newest version first.
func usualPostgres() []string {
	patterns := []string{
		"/usr/lib/postgresql/*/bin",          // Debian, Ubuntu
		"/usr/pgsql-*/bin",                   // PostgreSQL's own packages for Red Hat
		"/opt/homebrew/opt/postgresql@*/bin", // Homebrew
		"/usr/local/opt/postgresql@*/bin",    // Homebrew on Intel
		"/Library/PostgreSQL/*/bin",          // EDB's installer
		"/usr/libexec/postgresql[1-9][0-9]*", // Alpine
		"/usr/local/pgsql/bin",               // make install
	}
	var all []string
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil {
			continue // not of these patterns
		}
		slices.SortFunc(found, func(a, b string) int { return cmp.Compare(versionIn(b), versionIn(a)) })
		all = append(all, found...)
	}
	return all
}

func versionIn(path string) int {
	version, err := strconv.Atoi(pathVersion.FindString(path))
	if err != nil {
		return 0
	}
	return version
}

// findRedis returns the path of redis-server, or of valkey-server, which is the
// same program under its free licence; empty where there is neither.
func findRedis(env func(string) string) (string, error) {
	if path := env("REDIS_SERVER"); path != "" {
		if err := executable(path); err != nil {
			return "", fmt.Errorf("REDIS_SERVER=%s: %w", path, err)
		}
		return path, nil
	}
	usual := []string{"/usr/bin", "/usr/local/bin", "/opt/homebrew/bin", "/usr/sbin"}
	for _, name := range []string{"redis-server", "valkey-server"} {
		for _, folder := range slices.Concat(filepath.SplitList(env("PATH")), usual) {
			if path := filepath.Join(folder, name); executable(path) == nil {
				return path, nil
			}
		}
	}
	return "", nil
}

// executable says why a file cannot be run.
func executable(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() || info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("%s cannot be run: mode %s", path, info.Mode())
	}
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("%s is not an absolute path", path)
	}
	return nil
}
