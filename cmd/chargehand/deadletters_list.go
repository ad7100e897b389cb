package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/chargehand/chargehand/postgres"
)

type deadLettersListCommand struct {
	Kind letterKind `placeholder:"K" words:"unreadable,conflict,batch" help:"Only unreadable, conflict or batch. Else all."`
}

// Help is the longer text of --help.
func (*deadLettersListCommand) Help() string {
	return "Oldest first, without a cap. With --json a line of JSON each, with the payload. Mend what was unreadable and send it again; then discard it here."
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
	return listed(s, "There is no dead letter.", []string{"id", "kind", "at", "where", "fault", "payload"}, read,
		func(l *postgres.DeadLetterView) []any {
			where := l.Source
			if l.File != "" {
				where = l.File
			}
			if l.Line > 0 {
				where += fmt.Sprintf(":%d", l.Line)
			}
			return []any{l.ID, l.Kind, moment(l.At), where, l.Fault, shortened(l.Payload)}
		})
}

// shortened is the beginning of a text, on one line.
func shortened(text string) string {
	const most = 60
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
