package main

import (
	"context"
	"strings"

	"github.com/chargehand/chargehand/postgres"
)

// statusFlags are the same for all that a manager does to a status.
type statusFlags struct {
	Number string `arg:"" help:"Number of the account."`
	Note   string `required:"" placeholder:"T" help:"Why."`
	at
}

type accountHoldCommand struct{ statusFlags }

// Help is the longer text of --help.
func (*accountHoldCommand) Help() string {
	return "Records that occur from now on are rejected until it is lifted; earlier ones that arrive late are rated."
}

func (c *accountHoldCommand) Run(ctx context.Context, s *session) error {
	return c.carryOut(ctx, s, postgres.HoldAccount)
}

type accountReleaseCommand struct{ statusFlags }

// Help is the longer text of --help.
func (*accountReleaseCommand) Help() string {
	return "The credit test runs at once: with too much debt the account goes over to credit hold. A credit hold itself is released by a payment, not by hand."
}

func (c *accountReleaseCommand) Run(ctx context.Context, s *session) error {
	return c.carryOut(ctx, s, postgres.ReleaseAccount)
}

type accountDeleteCommand struct{ statusFlags }

func (c *accountDeleteCommand) Run(ctx context.Context, s *session) error {
	return c.carryOut(ctx, s, postgres.DeleteAccount)
}

func (c *statusFlags) carryOut(ctx context.Context, s *session, action postgres.StatusAction) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	done, err := store.SetStatus(ctx, postgres.StatusRequest{Account: c.Number, Action: action, Note: c.Note, At: c.now(s), Actor: s.actor()})
	if err != nil {
		return err
	}
	return s.print(done, func(p *page) {
		if done.Unchanged {
			p.line("Nothing changes: %s is in status %s already.", done.Account, words(done.To.String()))
		} else {
			p.line("%s: %s, it was %s.", done.Account, words(done.To.String()), words(done.From.String()))
		}
	})
}

// words is a word of a closed set as it is written for people.
func words(word string) string { return strings.ReplaceAll(word, "_", " ") }
