package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/rating"
	"github.com/chargehand/chargehand/setup"
)

type applyCommand struct {
	File   []string `short:"f" required:"" sep:"none" placeholder:"FILE" help:"Set-up file, YAML or JSON; - is standard input. May be repeated: several files are as one."`
	DryRun bool     `help:"Say what would change, and change nothing."`
	at
}

// Help is the longer text of --help.
func (applyCommand) Help() string {
	return `What a file does not name stays as it is. All faults are told, each with its line.

    chargehand apply -f prices.yaml -f customers.yaml --dry-run`
}

func (c *applyCommand) Run(ctx context.Context, s *session) error {
	file, err := c.read(s)
	if err != nil {
		return err
	}
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	done, err := store.Apply(ctx, file, postgres.ApplyOptions{At: c.now(s), Actor: s.actor(), DryRun: c.DryRun,
		TimeZone: s.config.Billing.TimeZone, LimitsForAll: s.limitsForAll()})
	if err != nil {
		return fmt.Errorf("apply: %w", err)
	}
	return s.print(done, func(p *page) { c.tell(p, done) })
}

// read makes one set-up of the files.
func (c *applyCommand) read(s *session) (*setup.File, error) {
	files := make([]*setup.File, 0, len(c.File))
	for _, name := range c.File {
		text, err := s.readFile(name)
		if err != nil {
			return nil, err
		}
		f, err := setup.Parse(shownName(name), text)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return setup.Join(files...)
}

// readFile reads a file that a command line names; - is standard input.
func (s *session) readFile(name string) ([]byte, error) {
	if name == "-" {
		text, err := io.ReadAll(s.stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return text, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, wrongUse{err}
	}
	return text, nil
}

// shownName is what messages call a file.
func shownName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return name
}

func (c *applyCommand) tell(p *page, done *postgres.Applied) {
	t := p.table()
	did := map[string]int{}
	for _, change := range done.Changes {
		t.row(change.Did, change.What, change.Key, change.Detail)
		did[change.Did]++
	}
	t.end()
	warnings(p, done.Warnings)
	switch {
	case len(done.Changes) == 0:
		p.line("Nothing changes: everything is as the file says.")
	case c.DryRun:
		p.line("Dry run: %d would be added, %d changed. Nothing was written.", did["added"], did["changed"])
	default:
		p.line("Done: %d added, %d changed.", did["added"], did["changed"])
	}
}

func warnings(p *page, all []rating.Warning) {
	for _, w := range all {
		p.line("Warning: %s", w)
	}
}
