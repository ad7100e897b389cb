package main

import (
	"context"
	"strings"
	"time"

	"github.com/chargehand/chargehand/postgres"
)

type tokenListCommand struct{}

func (tokenListCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	tokens, err := store.Tokens(ctx)
	if err != nil {
		return err
	}
	read := func(each func(*tokenView) error) error {
		for _, k := range tokens {
			v := viewToken(k)
			if err := each(&v); err != nil {
				return err
			}
		}
		return nil
	}
	now := s.now()
	return listed(s, "There is no token. Make one with chargehand token create.",
		[]string{"name", "scopes", ">reseller", "created", "last used", "ends"}, read, func(v *tokenView) []any {
			var reseller any = "all"
			if v.Reseller != nil {
				reseller = *v.Reseller
			}
			return []any{v.Name, strings.Join(v.Scopes, " "), reseller, moment(v.CreatedAt), momentOrWord(v.LastUsedAt, "never"), tokenEnd(&v.Token, now)}
		})
}

func tokenEnd(k *postgres.Token, now time.Time) string {
	switch {
	case k.RevokedAt != nil:
		return "revoked " + moment(*k.RevokedAt)
	case k.ExpiresAt != nil && !now.Before(*k.ExpiresAt):
		return "expired " + moment(*k.ExpiresAt)
	}
	return momentOrWord(k.ExpiresAt, "never")
}

// momentOrWord is a time for people, or a word where there is none.
func momentOrWord(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return moment(*t)
}
