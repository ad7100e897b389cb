package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// ErrOldSchema means that the database lacks migrations of this binary.
var ErrOldSchema = errors.New("the schema is old: run chargehand migrate")

// ErrNewSchema means that the database has migrations that this binary lacks: what
// it would read and write may be something else by now.
var ErrNewSchema = errors.New("the database's schema is that of a newer chargehand: run that one")

// Migrate brings the schema at url up to date and returns how many migrations
// ran; one that is newer stays as it is (ErrNewSchema). Many may run it at once:
// the first one works, the others wait.
func Migrate(ctx context.Context, url string) (ran int, err error) {
	config, err := parse(url)
	if err != nil {
		return 0, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return 0, fmt.Errorf("connect to the database: %w", err)
	}
	defer pool.Close()
	p, err := provider(pool)
	if err != nil {
		return 0, err
	}
	defer p.Close()
	results, err := p.Up(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	return len(results), checkNotNewer(ctx, p)
}

// checkNotNewer refuses a schema that a later binary made.
func checkNotNewer(ctx context.Context, p *goose.Provider) error {
	current, target, err := p.GetVersions(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read the schema's version: %w", err)
	case current > target:
		return ErrNewSchema
	}
	return nil
}

func provider(pool *pgxpool.Pool) (*goose.Provider, error) {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return nil, fmt.Errorf("read embedded migrations: %w", err)
	}
	locker, err := lock.NewPostgresTableLocker()
	if err != nil {
		return nil, fmt.Errorf("make a migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, stdlib.OpenDBFromPool(pool), files,
		goose.WithLocker(locker), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return nil, fmt.Errorf("read embedded migrations: %w", err)
	}
	return p, nil
}
