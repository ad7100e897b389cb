package main

import (
	"context"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

type accountPayCommand struct {
	Number string       `arg:"" help:"Number of the account."`
	Amount signedAmount `arg:"" help:"What was paid, in the account's currency: above zero."`
	Key    string       `required:"" placeholder:"K" help:"Makes it happen once: the same key and amount again changes nothing."`
	Note   string       `placeholder:"T" help:"What it was for."`
	at
}

// Help is the longer text of --help.
func (*accountPayCommand) Help() string {
	return "The credit test follows at once: an account in credit hold that has paid enough is released."
}

func (c *accountPayCommand) Run(ctx context.Context, s *session) error {
	return s.post(ctx, postgres.Posting{Account: c.Number, Kind: billing.PaymentPosting, Amount: c.Amount.Money, Key: c.Key,
		Note: c.Note, At: c.now(s), Actor: s.actor()})
}

// post makes a payment or an adjustment and prints what came of it.
func (s *session) post(ctx context.Context, posting postgres.Posting) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	done, err := store.Post(ctx, posting)
	if err != nil {
		return err
	}
	v, err := store.Account(ctx, posting.Account, posting.At)
	if err != nil {
		return err
	}
	return s.print(done, func(p *page) {
		if done.Repeated {
			p.line("Nothing changes: key %s was used for this %s of %s at %s.", done.Key, done.Kind, money(done.Amount, v.Currency), moment(done.At))
		} else {
			p.line("%s: %s of %s posted.", v.Number, done.Kind, money(done.Amount, v.Currency))
		}
		p.line("%s: %s, %s.", v.Number, figure(v), statusText(v))
	})
}
