package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
	"github.com/danielgtaylor/huma/v2"
)

func (s *Server) registerLinks() {
	kinds := []string{"account-not-found", "changed-meanwhile"}
	link := func(path, name, summary, description string) endpoint {
		return endpoint{method: http.MethodPost, path: "/v1/accounts/{number}/" + path, name: name, tag: "Accounts", need: access.Manage,
			status: http.StatusCreated, also: map[int]string{http.StatusOK: "It was linked already; changed says what became of it."},
			summary: summary, description: description, kinds: kinds}
	}
	unlink := func(path, name, summary, description string) endpoint {
		return endpoint{method: http.MethodDelete, path: "/v1/accounts/{number}/" + path, name: name, tag: "Accounts", need: access.Manage,
			summary: summary, description: description + " What is not linked stays so, and the answer says it.", kinds: kinds}
	}
	register(s, link("services", "linkService", "Link a service", "Usage of the service is rated from now on. Only linked services are."), s.linkService)
	register(s, link("applications", "linkApplication", "Link an application", "For people; nothing is judged by it."), s.linkApplication)
	register(s, link("periodic-services", "linkPeriodicService", "Link a periodic service",
		"It is charged in advance, once per period. Of one that is linked already the price, the end and the proration change; of one that "+
			"was charged the rhythm stays."), s.linkPeriodic)
	register(s, unlink("services/{code}", "unlinkService", "Take a service off",
		"Usage of it is rejected from now on. What was charged stays charged."), s.unlinkService)
	register(s, unlink("applications/{name}", "unlinkApplication", "Take an application off", "It is no longer shown."), s.unlinkApplication)
	register(s, unlink("periodic-services/{name}", "unlinkPeriodicService", "End a periodic service",
		"No further period is charged. What was charged stays charged."), s.unlinkPeriodic)
}

type serviceLink struct {
	Numbered
	Keyed
	Conditional
	Body struct {
		Code string  `json:"code" minLength:"1" maxLength:"256" doc:"Code of the service." example:"Exxon Unleaded"`
		At   instant `json:"at,omitempty" doc:"Act as if it were this time. Else it is now."`
	} `nameHint:"ServiceLink"`
}

func (s *Server) linkService(ctx context.Context, in *serviceLink) (*changesAnswer, error) {
	return s.link(ctx, in.Body.At, "services/"+url.PathEscape(in.Body.Code),
		postgres.LinkRequest{Account: in.Number, Service: in.Body.Code, If: in.revisions(accountTags)})
}

type applicationLink struct {
	Numbered
	Keyed
	Conditional
	Body struct {
		Name string  `json:"name" minLength:"1" maxLength:"256" doc:"Name of the application." example:"Fleet app"`
		At   instant `json:"at,omitempty" doc:"Act as if it were this time. Else it is now."`
	} `nameHint:"ApplicationLink"`
}

func (s *Server) linkApplication(ctx context.Context, in *applicationLink) (*changesAnswer, error) {
	return s.link(ctx, in.Body.At, "applications/"+url.PathEscape(in.Body.Name),
		postgres.LinkRequest{Account: in.Number, Application: in.Body.Name, If: in.revisions(accountTags)})
}

type periodicLink struct {
	Numbered
	Keyed
	Conditional
	Body newPeriodicBody
}

type newPeriodicBody struct {
	Name      string      `json:"name" minLength:"1" maxLength:"256" doc:"Its name; an account has one of a name." example:"Fleet card"`
	Price     decimalText `json:"price" doc:"What a period costs." example:"5"`
	Period    string      `json:"period" enum:"daily,weekly,monthly,yearly" doc:"How long a period is." example:"monthly"`
	Every     int         `json:"every,omitempty" minimum:"1" maximum:"1000" default:"1" doc:"How many periods are charged as one."`
	StartsOn  *dateText   `json:"starts_on,omitempty" doc:"First day. Else today in the account's zone." example:"2026-01-31"`
	AnchorDay int         `json:"anchor_day,omitempty" minimum:"1" maximum:"31" doc:"Day of the month on which months and years begin. Else that of the first day."`
	EndsOn    *dateText   `json:"ends_on,omitempty" doc:"First day that is not charged any more."`
	Prorate   bool        `json:"prorate,omitempty" doc:"Whether a period that is cut short costs its part by days."`
	At        instant     `json:"at,omitempty" doc:"Act as if it were this time. Else it is now."`
}

// dateText is a date in a body, as it stands there: billing reads it.
type dateText string

// Schema is how OpenAPI describes it; huma is not to judge by the format.
func (dateText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Extensions: map[string]any{"format": "date"}, Examples: []any{"2026-01-31"}}
}

// service is the periodic service that the body describes.
func (b *newPeriodicBody) service() (*setup.PeriodicService, error) {
	price, err := b.Price.money("/price")
	if err != nil {
		return nil, err
	}
	p := &setup.PeriodicService{Name: b.Name, Price: price, Every: b.Every, AnchorDay: b.AnchorDay, Prorate: b.Prorate}
	if err := p.Period.UnmarshalText([]byte(b.Period)); err != nil {
		return nil, invalid("/period", "%v", err)
	}
	if b.StartsOn != nil {
		if err := p.StartsOn.UnmarshalText([]byte(*b.StartsOn)); err != nil {
			return nil, invalid("/starts_on", "%v", err)
		}
	}
	if b.EndsOn != nil {
		p.EndsOn = new(billing.Date)
		if err := p.EndsOn.UnmarshalText([]byte(*b.EndsOn)); err != nil {
			return nil, invalid("/ends_on", "%v", err)
		}
	}
	return p, nil
}

func (s *Server) linkPeriodic(ctx context.Context, in *periodicLink) (*changesAnswer, error) {
	p, err := in.Body.service()
	if err != nil {
		return nil, err
	}
	return s.link(ctx, in.Body.At, "periodic-services/"+url.PathEscape(p.Name), postgres.LinkRequest{Account: in.Number, Periodic: p,
		FromToday: in.Body.StartsOn == nil, If: in.revisions(accountTags)})
}

// link carries a link out; place is where it is found afterwards.
func (s *Server) link(ctx context.Context, at instant, place string, r postgres.LinkRequest) (*changesAnswer, error) {
	r.At, r.Actor = s.now(at), access.From(ctx).Actor()
	did, err := s.Store.Link(ctx, r)
	if err != nil {
		return nil, err
	}
	answer := &changesAnswer{Status: http.StatusOK, Body: did}
	if len(did.Changed) > 0 && !strings.HasSuffix(did.Changed[0], " changed") {
		answer.Status, answer.Location = http.StatusCreated, accountPath(r.Account)+"/"+place
	}
	return answer, nil
}

// Unlinking is a change that takes something off.
type Unlinking struct {
	Numbered
	Keyed
	Conditional
	Dated
}

type serviceUnlink struct {
	Unlinking
	Code string `path:"code" maxLength:"256" doc:"Code of the service; a slash in it is written %2F." example:"Exxon Unleaded"`
}

type nameUnlink struct {
	Unlinking
	Name string `path:"name" maxLength:"256" doc:"Its name; a slash in it is written %2F." example:"Fleet card"`
}

func (s *Server) unlinkService(ctx context.Context, in *serviceUnlink) (*changesAnswer, error) {
	return s.unlink(ctx, &in.Unlinking, postgres.LinkRequest{Service: in.Code})
}

func (s *Server) unlinkApplication(ctx context.Context, in *nameUnlink) (*changesAnswer, error) {
	return s.unlink(ctx, &in.Unlinking, postgres.LinkRequest{Application: in.Name})
}

func (s *Server) unlinkPeriodic(ctx context.Context, in *nameUnlink) (*changesAnswer, error) {
	return s.unlink(ctx, &in.Unlinking, postgres.LinkRequest{PeriodicName: in.Name})
}

func (s *Server) unlink(ctx context.Context, in *Unlinking, r postgres.LinkRequest) (*changesAnswer, error) {
	r.Account, r.Remove, r.If, r.At, r.Actor = in.Number, true, in.revisions(accountTags), s.now(in.At), access.From(ctx).Actor()
	did, err := s.Store.Link(ctx, r)
	return &changesAnswer{Status: http.StatusOK, Body: did}, err
}
