package main

import (
	"context"

	"github.com/chargehand/chargehand/postgres"
)

type auditCommand struct {
	List auditListCommand `cmd:"" help:"List changes, in the order in which they were made."`
}

type auditListCommand struct {
	Account string   `placeholder:"N" help:"Only changes of an account, by its number."`
	From    *instant `placeholder:"T" help:"That were made from this time on, RFC 3339 with an offset."`
	To      *instant `placeholder:"T" help:"That were made before this time."`
	Actor   string   `placeholder:"A" help:"Only those of an actor, as the list has it: \"token shop\", cli:jane."`
}

// Help is the longer text of --help.
func (*auditListCommand) Help() string {
	return "Every change that a command or a request to the API makes is noted in the transaction that makes it: none is missing, and none is noted that was not made. What workers and the scheduler do by themselves stands in statements and histories. With --json a line of JSON each."
}

func (c *auditListCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	filter := postgres.DeedFilter{Account: c.Account, Actor: c.Actor, From: c.From.orZero(), To: c.To.orZero()}
	read := func(each func(*postgres.DeedLine) error) error { return store.Deeds(ctx, filter, each) }
	return listed(s, "Nothing was changed.", []string{"at", "actor", "action", "subject", "reason", "request"}, read,
		func(l *postgres.DeedLine) []any {
			return []any{moment(l.At), l.Actor, l.Action, l.Subject, l.Reason, l.RequestID}
		})
}
