package api

import (
	"context"
	"net/http"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
)

// numbered names an account.
type numbered struct {
	Number string `path:"number" maxLength:"256" doc:"Number of the account." example:"ACR0000001526"`
}

// accountAnswer is one account.
type accountAnswer struct {
	Body *postgres.AccountView
}

func (s *Server) registerOwn() {
	s.registerRecords()
	s.registerPriceBook()
	s.registerSimulations()
	s.registerFigures()
	s.registerDeadLetters()
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/accounts/{number}", name: "getAccount", tag: "Accounts", need: access.Read,
		summary: "One account", description: "Balance, status, terms, and what is linked to it.", kinds: []string{"account-not-found"},
	}, s.getAccount)
}

func (s *Server) getAccount(ctx context.Context, in *numbered) (*accountAnswer, error) {
	v, err := s.Store.Account(ctx, in.Number, s.Clock())
	return &accountAnswer{v}, err
}
