package main

import "context"

type limitsRemainingCommand struct {
	Number  string `arg:"" help:"Number of the account."`
	Service string `placeholder:"CODE" help:"Say also what the next transaction of this service may take."`
	at
}

func (c *limitsRemainingCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	r, err := store.Remaining(ctx, c.Number, c.Service, c.now(s), s.limitsForAll())
	if err != nil {
		return err
	}
	return s.print(r, func(p *page) { tellRemaining(p, c.Service, r) })
}
