package main

import (
	"context"

	"github.com/chargehand/chargehand/postgres"
)

type migrateCommand struct{}

// Help is the longer text of --help.
func (migrateCommand) Help() string {
	return "Run it before a new version starts. It is safe to run from many places at once: one works, the others wait."
}

func (migrateCommand) Run(ctx context.Context, s *session) error {
	if s.config.DatabaseURL == "" {
		return errNoDatabase
	}
	ran, err := postgres.Migrate(ctx, s.config.DatabaseURL)
	if err != nil {
		return err
	}
	return s.print(map[string]int{"migrations": ran}, func(p *page) {
		if ran == 0 {
			p.line("The schema is up to date.")
		} else {
			p.line("The schema is up to date: %s ran.", count(ran, "migration"))
		}
	})
}
