package main

import "context"

type accountShowCommand struct {
	Number string `arg:"" help:"Number of the account."`
	at
}

func (c *accountShowCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	v, err := store.Account(ctx, c.Number, c.now(s))
	if err != nil {
		return err
	}
	return s.print(v, func(p *page) { tellAccount(p, v) })
}
