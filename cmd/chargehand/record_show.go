package main

import (
	"context"
	"fmt"

	"github.com/chargehand/chargehand/postgres"
)

type recordShowCommand struct {
	Source  string `arg:"" help:"Source of the record."`
	ID      string `arg:"" help:"Its id."`
	Account string `placeholder:"N" help:"Number of its account, where several accounts have a record of this source and id."`
}

func (c *recordShowCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	found, err := store.Record(ctx, postgres.RecordKey{Source: c.Source, ID: c.ID, Account: c.Account})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("record %s/%s: there is none; an unreadable line or a conflict is among chargehand dead-letters list", c.Source, c.ID)
	}
	settings, err := store.Snapshot(ctx)
	if err != nil {
		return err
	}
	for i, r := range found {
		err := s.print(r, func(p *page) {
			if i > 0 {
				p.line("")
			}
			tellRecordBy(p, r, settings.Book)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
