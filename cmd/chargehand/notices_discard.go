package main

import "context"

type noticesDiscardCommand struct{ chosenNotices }

func (c *noticesDiscardCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	discarded, err := store.DiscardNotices(ctx, s.now(), c.filter())
	if err != nil {
		return err
	}
	return s.print(map[string]int{"discarded": discarded}, func(p *page) {
		p.line("%s discarded.", count(discarded, "notice"))
	})
}
