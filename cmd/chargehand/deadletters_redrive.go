package main

import "context"

type deadLettersRedriveCommand struct{ chosenLetters }

// Help is the longer text of --help.
func (*deadLettersRedriveCommand) Help() string {
	return "Records that can be read by now are accepted anew, conflicts are judged anew, batches that were set aside are tried again. What still cannot be read stays a dead letter."
}

func (c *deadLettersRedriveCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := c.present(ctx, store); err != nil {
		return err
	}
	q, err := s.openQueue(ctx)
	if err != nil {
		return err
	}
	defer q.Close()
	door := s.door(store, q)
	done, err := door.Redrive(ctx, c.filter())
	if err != nil {
		return err
	}
	return s.print(done, func(p *page) {
		p.line("%s redriven.", count(done.Redriven, "dead letter"))
		if done.Left > 0 {
			p.line("%s left, as still unreadable.", plural(done.Left, "is", "are"))
		}
	})
}
