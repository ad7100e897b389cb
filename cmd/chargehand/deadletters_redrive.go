package main

import (
	"context"
	"errors"

	"github.com/chargehand/chargehand/feed"
)

type deadLettersRedriveCommand struct {
	chosenLetters
	Corrected string `placeholder:"FILE" help:"What is sent in the place of the one letter that is named; - is standard input."`
}

// Validate makes sure that a correction is one letter's.
func (c *deadLettersRedriveCommand) Validate() error {
	if c.Corrected != "" && len(c.ID) != 1 {
		return errors.New("--corrected goes with the id of one dead letter")
	}
	return c.chosenLetters.Validate()
}

// Help is the longer text of --help.
func (*deadLettersRedriveCommand) Help() string {
	return "Records that can be read by now are accepted anew, conflicts are judged anew, batches that were set aside are tried again. What still cannot be read stays a dead letter, unless --corrected says what was meant."
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
	done, err := c.redrive(ctx, s, s.door(store, q))
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

func (c *deadLettersRedriveCommand) redrive(ctx context.Context, s *session, door feed.Door) (feed.Redriven, error) {
	if c.Corrected == "" {
		return door.Redrive(ctx, c.filter())
	}
	text, err := s.readFile(c.Corrected)
	if err != nil {
		return feed.Redriven{}, err
	}
	return door.RedriveCorrected(ctx, c.ID[0], text)
}
