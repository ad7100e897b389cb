package api

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// Referred names a customer.
type Referred struct {
	Ref string `path:"ref" maxLength:"256" doc:"Ref of the customer; a slash in it is written %2F." example:"jane"`
}

type customerAnswer struct {
	Status   int
	Location string `header:"Location" doc:"Address of the new customer."`
	Body     *postgres.CustomerView
}

func (s *Server) registerCustomers() {
	register(s, endpoint{
		method: http.MethodPost, path: "/v1/customers", name: "addCustomer", tag: "Customers", need: access.Manage, whole: true,
		status: http.StatusCreated, also: map[int]string{http.StatusOK: "It was there already, under this name."},
		summary: "Add a customer", description: "It has no account until one is added.",
	}, s.addCustomer)
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/customers", name: "listCustomers", tag: "Customers", need: access.Read, whole: true,
		summary: "All customers", description: "In the order of their refs.",
	}, s.listCustomers)
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/customers/{ref}", name: "getCustomer", tag: "Customers", need: access.Read, whole: true,
		summary: "One customer", description: "What is known of it, and how many accounts it has.", kinds: []string{"not-found"},
	}, s.getCustomer)
	register(s, endpoint{
		method: http.MethodPost, path: "/v1/customers/{ref}/accounts", name: "addAccount", tag: "Customers", need: access.Manage, whole: true,
		status:  http.StatusCreated,
		summary: "Add an account to a customer",
		description: "No body is needed: without one, or with {}, the account has a number that is chosen, the default class, the customer's usual currency, " +
			"and balance 0. The same call again adds another one, unless it has the same Idempotency-Key: then there is one account, whatever " +
			"happened to the first answer.",
		kinds: []string{"not-found"},
	}, s.addAccount)
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/customers/{ref}/accounts", name: "listAccountsOfCustomer", tag: "Customers", need: access.Read, whole: true,
		summary: "The accounts of a customer", description: "In the order of their numbers; none, where none was added yet.", kinds: []string{"not-found"},
	}, s.listAccountsOfCustomer)
}

type newCustomer struct {
	Keyed
	Body newCustomerBody
}

type newCustomerBody struct {
	Ref  string `json:"ref" minLength:"1" maxLength:"256" doc:"What it is called by from now on." example:"mia"`
	Name string `json:"name,omitempty" maxLength:"8192" doc:"Name for people." example:"Mia Miller"`
}

func (s *Server) addCustomer(ctx context.Context, in *newCustomer) (*customerAnswer, error) {
	ctx, actor := by(about(ctx, in.Body.Ref), "")
	v, added, err := s.Store.AddCustomer(ctx, postgres.CustomerRequest{Ref: in.Body.Ref, Name: in.Body.Name, At: s.Clock(), Actor: actor})
	switch {
	case err != nil:
		return nil, err
	case !added:
		return &customerAnswer{Status: http.StatusOK, Body: v}, nil
	}
	return &customerAnswer{Status: http.StatusCreated, Location: "/v1/customers/" + url.PathEscape(v.Ref), Body: v}, nil
}

// about is a context whose line in the audit log names a subject.
func about(ctx context.Context, subject string) context.Context {
	deed, has := postgres.DeedOf(ctx)
	if !has {
		return ctx
	}
	deed.Subject = subject
	return postgres.WithDeed(ctx, deed)
}

func (s *Server) listCustomers(ctx context.Context, in *Paged) (*pageAnswer[*postgres.CustomerView], error) {
	var key numberKey
	if err := in.after(&key); err != nil {
		return nil, err
	}
	found, err := s.Store.Customers(ctx, key.Number, in.Limit+1)
	if err != nil {
		return nil, err
	}
	return page(in, found, func(v *postgres.CustomerView) any { return numberKey{v.Ref} })
}

func (s *Server) getCustomer(ctx context.Context, in *Referred) (*customerAnswer, error) {
	v, err := s.Store.Customer(ctx, in.Ref)
	return &customerAnswer{Status: http.StatusOK, Body: v}, err
}

type newAccount struct {
	Referred
	Keyed
	// Body is nil where there is none.
	Body *newAccountBody
}

type newAccountBody struct {
	Number   string `json:"number,omitempty" maxLength:"256" doc:"Its number. Else one like ACR0000001526 is chosen."`
	Class    string `json:"class,omitempty" maxLength:"256" doc:"Key of its account class. Else the default class." example:"default"`
	Currency string `json:"currency,omitempty" maxLength:"3" doc:"ISO 4217 code. Else that of the customer's newest account, else the one that most prices have." example:"EUR"`
	TimeZone string `json:"time_zone,omitempty" doc:"IANA name; its days and months begin there. Else billing.time_zone of the configuration." example:"Europe/Athens"`
}

func (s *Server) addAccount(ctx context.Context, in *newAccount) (*accountAnswer, error) {
	b := in.Body
	if b == nil {
		b = &newAccountBody{}
	}
	if b.TimeZone != "" {
		if _, err := billing.LoadZone(b.TimeZone); err != nil {
			return nil, invalid("/time_zone", "%v", err)
		}
	}
	now := s.Clock()
	ctx, actor := by(ctx, "")
	number, err := s.Store.CreateAccount(ctx, postgres.NewAccountRequest{Customer: in.Ref, Number: b.Number, Class: b.Class, Currency: b.Currency,
		TimeZone: cmp.Or(b.TimeZone, s.TimeZone.String()), OfKnown: true, At: now, Actor: actor})
	if err != nil {
		return nil, err
	}
	v, err := s.Store.Account(ctx, number, now)
	if err != nil {
		return nil, err
	}
	answer := accountOf(http.StatusCreated, v)
	answer.Location = accountPath(number)
	return answer, nil
}

// accountPath is the address of an account.
func accountPath(number string) string { return "/v1/accounts/" + url.PathEscape(number) }

type accountsOfCustomer struct {
	Referred
	Paged
}

func (s *Server) listAccountsOfCustomer(ctx context.Context, in *accountsOfCustomer) (*pageAnswer[*postgres.AccountView], error) {
	if _, err := s.Store.Customer(ctx, in.Ref); err != nil {
		return nil, err
	}
	return s.accountPage(ctx, &in.Paged, postgres.AccountFilter{Customer: in.Ref, Most: in.Limit + 1})
}
