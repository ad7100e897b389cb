package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/postgres"
)

type devCommand struct {
	Dir   string `default:".devstack" placeholder:"DIR" help:"Folder that keeps the servers' data between runs. Default: ${default}."`
	Clean bool   `help:"Begin with empty servers: remove what the folder keeps."`
}

// Help is the longer text of --help.
func (*devCommand) Help() string {
	return `Starts a PostgreSQL and a Redis of its own from the programs on this machine, brings the schema up to date, and runs everything in this process until it is stopped. Servers that DATABASE_URL and REDIS_URL name are used in place of its own. Let other commands join in from another terminal, with the two lines that it prints:

    export DATABASE_URL=… REDIS_URL=…
    chargehand apply -f setup.yaml
    chargehand ingest usage.ndjson --wait`
}

func (c *devCommand) Run(ctx context.Context, s *session) error {
	if c.Clean {
		if err := devstack.Clean(c.Dir); err != nil {
			return err
		}
	}
	stack, err := devstack.Start(ctx, devstack.Options{Dir: c.Dir, DatabaseURL: s.config.DatabaseURL, RedisURL: s.config.RedisURL,
		Durable: true, Env: s.variable, Log: s.log})
	if err != nil {
		return err
	}
	defer stack.Close()
	database, redis := s.config.DatabaseURL, s.config.RedisURL
	s.config.DatabaseURL, s.config.RedisURL = stack.DatabaseURL, stack.RedisURL
	if _, err := postgres.Migrate(ctx, stack.DatabaseURL); err != nil {
		return named("DATABASE_URL", database, err)
	}
	q, err := s.reachQueue(ctx)
	if err != nil {
		return named("REDIS_URL", redis, err)
	}
	if err := q.Close(); err != nil {
		return err
	}
	urls := map[string]string{"database_url": stack.DatabaseURL, "redis_url": stack.RedisURL}
	if err := s.print(urls, func(p *page) {
		p.line("export DATABASE_URL='%s'", stack.DatabaseURL)
		p.line("export REDIS_URL='%s'", stack.RedisURL)
	}); err != nil {
		return err
	}
	return allCommand{}.Run(ctx, s)
}

// named tells of a server that failed where that came from, if somebody named it:
// often it is one of an earlier dev, whose lines this shell still has.
func named(variable, url string, err error) error {
	if url == "" {
		return err
	}
	// On a line of its own, which oneLine joins when the causes are told once.
	return fmt.Errorf("%w\ndev uses the server that %s names: unset DATABASE_URL REDIS_URL, and it brings its own", err, variable)
}

// variable looks an environment variable up, as os.Getenv does.
func (e environment) variable(name string) string {
	for _, entry := range e.variables {
		if value, found := strings.CutPrefix(entry, name+"="); found {
			return value
		}
	}
	return ""
}
