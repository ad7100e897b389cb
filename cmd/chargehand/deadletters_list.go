package main

import (
	"context"
	"fmt"

	"github.com/chargehand/chargehand/postgres"
)

type deadLettersListCommand struct {
	Kind letterKind `placeholder:"K" words:"unreadable,conflict,batch" help:"Only unreadable, conflict or batch. Else all."`
}

// Help is the longer text of --help.
func (*deadLettersListCommand) Help() string {
	return "Oldest first, without a cap. With --json a line of JSON each, with the text itself. Mend what was unreadable and send it again; then discard it here."
}

func (c *deadLettersListCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	read := func(each func(*postgres.DeadLetterView) error) error {
		return store.DeadLetters(ctx, postgres.DeadLetterFilter{Kind: postgres.DeadLetterKind(c.Kind)}, func(l *postgres.DeadLetter) error {
			v := l.View()
			return each(&v)
		})
	}
	// The fault comes last: it may be long, and what stands before it stays in view.
	return listed(s, "There is no dead letter.", []string{"at", "kind", "where", "id", "fault"}, read,
		func(l *postgres.DeadLetterView) []any {
			return []any{moment(l.At), l.Kind, whereFrom(l), l.ID, l.Fault}
		})
}

// whereFrom is where a dead letter was met: the line of a file, or whose record it is.
func whereFrom(l *postgres.DeadLetterView) string {
	switch {
	case l.File != "":
		return fmt.Sprintf("%s:%d", l.File, l.Line)
	case l.Source != "":
		return "source " + l.Source
	}
	return ""
}
