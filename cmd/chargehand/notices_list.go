package main

import (
	"context"

	"github.com/chargehand/chargehand/postgres"
)

type noticesListCommand struct{}

// Help is the longer text of --help.
func (noticesListCommand) Help() string {
	return "Oldest first, without a cap. A notice is tried eight times within eighteen hours; then it waits here until it is replayed or discarded. With --json a line of JSON each, with the notice as it is sent."
}

func (noticesListCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	read := func(each func(*postgres.DeadNotice) error) error { return store.DeadNotices(ctx, each) }
	return listed(s, "There is no dead notice.", []string{"id", "webhook", "account", ">tries", "last try", "fault"}, read,
		func(n *postgres.DeadNotice) []any {
			return []any{n.ID, n.Webhook, n.Account, n.Tries, moment(n.TriedAt), n.Fault}
		})
}
