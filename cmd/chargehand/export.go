package main

import (
	"context"
	"fmt"
)

type exportCommand struct{}

// Help is the longer text of --help.
func (exportCommand) Help() string {
	return `Applying what it prints changes nothing. With --json it is the same file in JSON.

    chargehand export > setup.yaml`
}

func (exportCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	file, err := store.Export(ctx)
	if err != nil {
		return err
	}
	write := file.YAML
	if s.json {
		write = file.JSON
	}
	text, err := write()
	if err != nil {
		return err
	}
	if _, err := s.stdout.Write(text); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}
