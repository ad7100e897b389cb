package main

import "context"

type tokenRevokeCommand struct {
	Name string `arg:"" help:"Name of the token."`
}

// Help is the longer text of --help.
func (*tokenRevokeCommand) Help() string {
	return "Servers that run refuse it within three seconds. Its name stays taken: histories know it by that."
}

func (c *tokenRevokeCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	was, err := store.RevokeToken(ctx, c.Name, s.actor(), s.now())
	if err != nil {
		return err
	}
	answer := struct {
		Name      string `json:"name"`
		Unchanged bool   `json:"unchanged"`
	}{c.Name, !was}
	return s.print(answer, func(p *page) {
		if was {
			p.line("Token %s is revoked: no server takes it from three seconds on.", c.Name)
		} else {
			p.line("Nothing changes: token %s was revoked already.", c.Name)
		}
	})
}
