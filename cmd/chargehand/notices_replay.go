package main

import "context"

type noticesReplayCommand struct{ chosenNotices }

// Help is the longer text of --help.
func (*noticesReplayCommand) Help() string {
	return "A scheduler has to run. They are sent within seconds, with the ids that they had."
}

func (c *noticesReplayCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	replayed, err := store.ReplayNotices(ctx, s.now(), c.filter())
	if err != nil {
		return err
	}
	return s.print(map[string]int{"replayed": replayed}, func(p *page) {
		p.line("%s on the way again.", count(replayed, "notice"))
	})
}
