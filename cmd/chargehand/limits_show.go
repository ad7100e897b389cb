package main

import "context"

type limitsShowCommand struct {
	Number string `arg:"" help:"Number of the account."`
}

func (c *limitsShowCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	l, err := store.LimitsOf(ctx, c.Number, s.limitsForAll())
	if err != nil {
		return err
	}
	return s.print(l, func(p *page) { tellLimits(p, l) })
}
