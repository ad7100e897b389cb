package main

import (
	"context"
	"fmt"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
)

type tokenCreateCommand struct {
	Name     string         `required:"" placeholder:"N" help:"What logs and histories call it. No two tokens have one name."`
	Scope    []access.Scope `required:"" placeholder:"S" help:"What it may do: read, feed or manage. Give several for several."`
	Reseller int64          `placeholder:"ID" help:"It reaches accounts of this reseller, and of those downstream of it, only."`
	Expires  expiry         `placeholder:"T" help:"When it ends: RFC 3339, or how long from now, like 90d. Without it never."`
}

// Help is the longer text of --help.
func (*tokenCreateCommand) Help() string {
	return `The scopes do not include one another: read shows, feed sends usage, manage changes. Only a hash of the token is stored; whoever loses it makes a new one.

    TOKEN=$(chargehand token create --name shop --scope read --scope manage)
    curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/v1/accounts`
}

func (c *tokenCreateCommand) Run(ctx context.Context, s *session) error {
	now := s.now()
	expires, err := c.Expires.after(now)
	if err != nil {
		return err
	}
	var scopes access.Scope
	for _, scope := range c.Scope {
		scopes |= scope
	}
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	if c.Reseller != 0 {
		if _, err := store.Reseller(ctx, c.Reseller, postgres.Reach{}); err != nil {
			return err
		}
	}
	made, err := access.Make()
	if err != nil {
		return err
	}
	k := &postgres.Token{ID: made.ID, Name: c.Name, Hash: made.Hash, Scopes: int16(scopes), Reseller: c.Reseller,
		CreatedAt: now, CreatedBy: s.actor(), ExpiresAt: expires}
	if err := store.CreateToken(ctx, k); err != nil {
		return err
	}
	v := viewToken(k)
	v.Text = made.Text
	if !s.json { // beside the token, so that TOKEN=$(…) takes that alone
		fmt.Fprintf(s.stderr, "This is the token %s, with %s. It is shown this once and stored nowhere: keep it now.\n", k.Name, scopes)
	}
	return s.print(v, func(p *page) { p.line("%s", made.Text) })
}
