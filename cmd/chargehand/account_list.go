package main

import (
	"context"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

type accountListCommand struct {
	Customer      string          `placeholder:"REF" help:"Only those of a customer."`
	Status        *billing.Status `placeholder:"S" words:"active,administrative_hold,credit_hold,deleted" help:"Only those that are active, administrative_hold, credit_hold or deleted."`
	NearThreshold *percentage     `placeholder:"P" help:"Only prepay accounts whose debt is at least P percent of their threshold; deleted ones only with that status."`
}

func (c *accountListCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	filter := postgres.AccountFilter{Customer: c.Customer, Status: c.Status, NearThreshold: c.NearThreshold.orNil()}
	return listed(s, "No account matches.", []string{"number", "customer", "class", "status", ">balance", ">debt", ">threshold", "currency"},
		func(each func(*postgres.AccountView) error) error { return store.Accounts(ctx, filter, s.now(), each) },
		func(v *postgres.AccountView) []any {
			return []any{v.Number, v.Customer, v.Class, v.Status, amount(v.Balance, v.Currency), amount(v.CurrentDebt, v.Currency),
				amount(v.Threshold, v.Currency), v.Currency}
		})
}
