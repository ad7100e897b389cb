package main

import "context"

type deadLettersDiscardCommand struct{ chosenLetters }

// Help is the longer text of --help.
func (*deadLettersDiscardCommand) Help() string {
	return "They stay in the database, out of sight."
}

func (c *deadLettersDiscardCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := c.present(ctx, store); err != nil {
		return err
	}
	discarded, err := store.Discard(ctx, c.filter(), s.now())
	if err != nil {
		return err
	}
	return s.print(map[string]int64{"discarded": discarded}, func(p *page) {
		p.line("%s discarded.", count(int(discarded), "dead letter"))
	})
}
