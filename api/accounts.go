package api

import (
	"context"
	"net/http"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/danielgtaylor/huma/v2"
	"github.com/shopspring/decimal"
)

// Numbered names an account.
type Numbered struct {
	Number string `path:"number" maxLength:"256" doc:"Number of the account; a slash in it is written %2F." example:"ACR0000001526"`
}

// Dated is a request that may say when it is.
type Dated struct {
	At instant `query:"at" doc:"Act as if it were this time. Else it is now."`
}

// now is the time of a request: the one that it names, else the clock's.
func (s *Server) now(at instant) time.Time {
	if at.time.IsZero() {
		return s.Clock()
	}
	return at.time
}

// by is who is behind a change, for the histories, and a context whose line in
// the audit log says why it was made.
func by(ctx context.Context, reason string) (context.Context, string) {
	if deed, has := postgres.DeedOf(ctx); has && reason != "" {
		deed.Reason = reason
		ctx = postgres.WithDeed(ctx, deed)
	}
	return ctx, access.From(ctx).Actor()
}

// accountAnswer is one account.
type accountAnswer struct {
	Status   int
	Location string `header:"Location" doc:"Address of the new account."`
	ETag     string `header:"ETag" doc:"Of what people set of the account: terms, links, limits, the status by hand; not of its balance. For If-Match." example:"\"r3\""`
	Body     *postgres.AccountView
}

func accountOf(status int, v *postgres.AccountView) *accountAnswer {
	return &accountAnswer{Status: status, ETag: tagOf(accountTags, v.Revision), Body: v}
}

func (s *Server) registerOwn() {
	s.registerCustomers()
	s.registerAccounts()
	s.registerLinks()
	s.registerMoney()
	s.registerLimits()
	s.registerRecords()
	s.registerPriceBook()
	s.registerSimulations()
	s.registerFigures()
	s.registerDeadLetters()
}

func (s *Server) registerAccounts() {
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/accounts", name: "listAccounts", tag: "Accounts", need: access.Read,
		summary:     "All accounts",
		description: "In the order of their numbers. A reseller's token sees its own and those of the resellers below it.",
	}, s.listAccounts)
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/accounts/{number}", name: "getAccount", tag: "Accounts", need: access.Read,
		summary: "One account", description: "Balance, status, terms, and what is linked to it.", kinds: []string{"account-not-found"},
	}, s.getAccount)
	register(s, endpoint{
		method: http.MethodPatch, path: "/v1/accounts/{number}", name: "changeAccount", tag: "Accounts", need: access.Manage,
		summary: "Change the terms of an account",
		description: "What the body leaves out stays; a threshold or credit limit of null is the class's. The credit test follows at once, for hold and for " +
			"release. With another time zone or cycle day open windows are counted anew. The answer says what changed, in words.",
		kinds: []string{"account-not-found", "changed-meanwhile"},
	}, s.changeAccount)
	register(s, endpoint{
		method: http.MethodDelete, path: "/v1/accounts/{number}", name: "deleteAccount", tag: "Accounts", need: access.Manage,
		summary:     "Delete an account",
		description: "It stays readable, its usage is rejected from now on, and nothing leads back. One that is deleted already stays so, and the answer says it.",
		kinds:       []string{"account-not-found", "changed-meanwhile"},
	}, s.deleteAccount)
}

// chosenAccounts is the query that chooses accounts, as account list does.
type chosenAccounts struct {
	Paged
	Customer string     `query:"customer" maxLength:"256" doc:"Only those of a customer." example:"jane"`
	Status   string     `query:"status" enum:"active,administrative_hold,credit_hold,deleted" doc:"Only those in a status."`
	Near     percentage `query:"near_threshold" doc:"Only prepay accounts whose debt is at least so many percent of their threshold; deleted ones only with that status."`
}

// percentage is a percentage in a query.
type percentage struct{ value *decimal.Decimal }

// UnmarshalText reads a number of at least 0.
func (p *percentage) UnmarshalText(text []byte) error {
	d, err := billing.ParsePercentage(string(text))
	p.value = &d
	return err
}

// Schema is how OpenAPI describes it; billing judges it.
func (percentage) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Extensions: map[string]any{"pattern": decimalPattern}, Examples: []any{"80"}}
}

func (s *Server) listAccounts(ctx context.Context, in *chosenAccounts) (*pageAnswer[*postgres.AccountView], error) {
	f := postgres.AccountFilter{Customer: in.Customer, NearThreshold: in.Near.value, Most: in.Limit + 1,
		Within: postgres.Reach{Reseller: access.From(ctx).Reseller}}
	if in.Status != "" {
		f.Status = new(billing.Status)
		if err := f.Status.UnmarshalText([]byte(in.Status)); err != nil {
			return nil, err
		}
	}
	return s.accountPage(ctx, &in.Paged, f)
}

// accountPage is a page of the accounts of a filter.
func (s *Server) accountPage(ctx context.Context, p *Paged, f postgres.AccountFilter) (*pageAnswer[*postgres.AccountView], error) {
	var key numberKey
	if err := p.after(&key); err != nil {
		return nil, err
	}
	f.After = key.Number
	var found []*postgres.AccountView
	if err := s.Store.Accounts(ctx, f, s.Clock(), func(v *postgres.AccountView) error {
		found = append(found, v)
		return nil
	}); err != nil {
		return nil, err
	}
	return page(p, found, func(v *postgres.AccountView) any { return numberKey{v.Number} })
}

type accountQuestion struct {
	Numbered
	Dated
}

func (s *Server) getAccount(ctx context.Context, in *accountQuestion) (*accountAnswer, error) {
	v, err := s.Store.Account(ctx, in.Number, s.now(in.At))
	if err != nil {
		return nil, err
	}
	return accountOf(http.StatusOK, v), nil
}

type accountChange struct {
	Numbered
	Keyed
	Conditional
	Body accountChangeBody
}

type accountChangeBody struct {
	Threshold   ownAmount `json:"financial_blocking_threshold,omitempty" doc:"Debt that is tolerated."`
	CreditLimit ownAmount `json:"subscription_credit_limit,omitempty" doc:"How far the debt of a postpay account may go; 0 is no limit."`
	Class       *string   `json:"class,omitempty" doc:"Key of its account class." example:"default"`
	TimeZone    *string   `json:"time_zone,omitempty" doc:"IANA name; days and months begin there." example:"Europe/Athens"`
	CycleDay    *int      `json:"cycle_day,omitempty" minimum:"1" maximum:"31" doc:"Day of the month on which its months begin."`
	At          instant   `json:"at,omitempty" doc:"Act as if it were this time. Else it is now."`
}

// check refuses a change that changes nothing, and amounts that are none.
func (b *accountChangeBody) check() error {
	if b.Threshold.text == nil && b.CreditLimit.text == nil && b.Class == nil && b.TimeZone == nil && b.CycleDay == nil {
		return invalid("", "nothing to set: give financial_blocking_threshold, subscription_credit_limit, class, time_zone or cycle_day")
	}
	if err := b.Threshold.check("/financial_blocking_threshold"); err != nil {
		return err
	}
	return b.CreditLimit.check("/subscription_credit_limit")
}

// changesAnswer is what a change did.
type changesAnswer struct {
	Status   int
	Location string `header:"Location" doc:"Of what was linked; only where it is new."`
	Body     *postgres.Changes
}

func (s *Server) changeAccount(ctx context.Context, in *accountChange) (*changesAnswer, error) {
	b := &in.Body
	if err := b.check(); err != nil {
		return nil, err
	}
	ctx, actor := by(ctx, "")
	did, err := s.Store.SetAccount(ctx, postgres.AccountChange{Account: in.Number, Threshold: b.Threshold.text, CreditLimit: b.CreditLimit.text,
		Class: b.Class, TimeZone: b.TimeZone, CycleDay: b.CycleDay, If: in.revisions(accountTags), At: s.now(b.At), Actor: actor})
	return &changesAnswer{Status: http.StatusOK, Body: did}, err
}

// noted is a change without a body that says why.
type noted struct {
	Numbered
	Keyed
	Conditional
	Dated
	Note string `query:"note" required:"true" minLength:"1" maxLength:"8192" pattern:"\\S" doc:"Why." example:"closed by the customer"`
}

func (s *Server) deleteAccount(ctx context.Context, in *noted) (*statusAnswer, error) {
	return s.setStatus(ctx, postgres.StatusRequest{Account: in.Number, Action: postgres.DeleteAccount, Note: in.Note,
		If: in.revisions(accountTags), At: s.now(in.At)})
}
