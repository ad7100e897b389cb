package crm

import (
	"context"
	"errors"
	"strings"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// find is the number of the account that a request names, where the caller
// reaches it. What it does not reach is told like what there is not.
func (v *view) find(ctx context.Context, by access.Caller, account named) (string, error) {
	number, err := v.number(ctx, account)
	if err == nil {
		err = v.Gate.Sees(ctx, by, number)
	}
	return number, absent(err, account)
}

// absent says of an account that there is none, in the request's words.
func absent(err error, account named) error {
	if errors.Is(err, postgres.ErrNoAccount) {
		return refuse(accountNotFound, "%s: no accounts receivable has the %s %q", account.name, account.by, clip(account.text))
	}
	return err
}

func (v *view) number(ctx context.Context, account named) (string, error) {
	switch account.by {
	case "id":
		id, err := uuid.Parse(account.text)
		if err != nil {
			return "", postgres.ErrNoAccount // an id that no account can have
		}
		return v.Store.AccountNumber(ctx, id)
	case "name":
		return v.byName(ctx, account.text)
	}
	return account.text, nil
}

// byName finds the account that is printed under a name. The name begins with
// the number, and a blank ends it; a number may have blanks too.
func (v *view) byName(ctx context.Context, name string) (string, error) {
	numbers := []string{name}
	for i := range name {
		if name[i] == ' ' {
			numbers = append(numbers, strings.TrimRight(name[:i], " "))
		}
	}
	found, err := v.Store.Receivables(ctx, numbers...)
	if err != nil {
		return "", err
	}
	for i := range found {
		if nameOf(&found[i]) == name {
			return found[i].Number, nil
		}
	}
	return "", postgres.ErrNoAccount
}
