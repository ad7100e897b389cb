package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/chargehand/chargehand/postgres"
)

type accountCreateCommand struct {
	Customer string `required:"" placeholder:"REF" help:"Customer who owns it; a new one is added."`
	Number   string `placeholder:"N" help:"Its number. Else one like ACR0000001526 is chosen."`
	Class    string `placeholder:"K" help:"Key of its account class. Else the default class."`
	Currency string `placeholder:"C" help:"ISO 4217 code. Else that of the customer's newest account, else the one that most prices have."`
	TimeZone *zone  `placeholder:"Z" help:"IANA name; its days and months begin there. Else billing.time_zone of the configuration."`
}

func (c *accountCreateCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	now := s.now()
	number, err := store.CreateAccount(ctx, postgres.NewAccountRequest{Customer: c.Customer, Number: c.Number, Class: c.Class,
		Currency: c.Currency, TimeZone: cmp.Or(c.TimeZone.location(), s.config.Billing.TimeZone).String(), At: now, Actor: s.actor()})
	if err != nil {
		return fmt.Errorf("create an account: %w", err)
	}
	v, err := store.Account(ctx, number, now)
	if err != nil {
		return err
	}
	return s.print(v, func(p *page) {
		p.line("Account %s of %s created: class %s, %s, %s. Link services to it: chargehand account link %s service CODE",
			v.Number, v.Customer, v.Class, v.Currency, v.TimeZone, v.Number)
	})
}
