package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
)

// linked names what is linked to an account.
type linked struct {
	Number string `arg:"" help:"Number of the account."`
	Kind   string `arg:"" enum:"service,application,periodic" help:"service, application or periodic."`
	Name   string `arg:"" help:"Code of the service, or name of the application or periodic service."`
}

type accountLinkCommand struct {
	linked
	Price     *signedAmount   `group:"periodic" placeholder:"A" help:"What a period costs."`
	Period    *billing.Period `group:"periodic" placeholder:"P" words:"daily,weekly,monthly,yearly" help:"daily, weekly, monthly or yearly."`
	Every     int             `group:"periodic" default:"1" placeholder:"N" help:"How many periods are charged as one. Default: ${default}."`
	StartsOn  *billing.Date   `group:"periodic" placeholder:"DATE" help:"First day, as 2026-01-31. Else today in the account's zone."`
	AnchorDay int             `group:"periodic" placeholder:"D" help:"Day of the month on which months and years begin. Else that of the first day."`
	EndsOn    *billing.Date   `group:"periodic" placeholder:"DATE" help:"First day that is not charged any more."`
	Prorate   bool            `group:"periodic" help:"Charge a period that is cut short by its days."`
	at
}

// Help is the longer text of --help.
func (*accountLinkCommand) Help() string {
	return `Only linked services are rated. A periodic service is charged in advance, once per period.

    chargehand account link ACR0000001526 service "Exxon Unleaded"
    chargehand account link ACR0000001526 periodic "Fleet card" --price 5 --period monthly`
}

// Validate holds the flags against what is linked.
func (c *accountLinkCommand) Validate() error {
	periodic := c.Price != nil || c.Period != nil || c.Every != 1 || c.StartsOn != nil || c.AnchorDay != 0 || c.EndsOn != nil || c.Prorate
	switch {
	case c.Kind != "periodic" && periodic:
		return fmt.Errorf("a %s has no price and no period: leave them out, or link a periodic", c.Kind)
	case c.Kind == "periodic" && (c.Price == nil || c.Period == nil):
		return errors.New("a periodic service needs --price and --period")
	}
	return nil
}

func (c *accountLinkCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	request := c.request(c.now(s), s.actor())
	if c.Kind == "periodic" {
		request.Periodic, request.FromToday, request.PeriodicName = c.periodic(), c.StartsOn == nil, ""
	}
	return c.carryOut(ctx, s, store, request)
}

// periodic is the periodic service that the flags describe.
func (c *accountLinkCommand) periodic() *setup.PeriodicService {
	p := &setup.PeriodicService{Name: c.Name, Price: c.Price.Money, Period: *c.Period, Every: c.Every, AnchorDay: c.AnchorDay,
		EndsOn: c.EndsOn, Prorate: c.Prorate}
	if c.StartsOn != nil {
		p.StartsOn = *c.StartsOn
	}
	return p
}

// request is a wish to link, or to unlink, what is named.
func (l *linked) request(now time.Time, actor string) postgres.LinkRequest {
	r := postgres.LinkRequest{Account: l.Number, At: now, Actor: actor}
	switch l.Kind {
	case "service":
		r.Service = l.Name
	case "application":
		r.Application = l.Name
	default:
		r.PeriodicName = l.Name
	}
	return r
}

type accountUnlinkCommand struct {
	linked
	at
}

// Help is the longer text of --help.
func (*accountUnlinkCommand) Help() string {
	return "What was charged stays charged. A periodic service ends: no further period is charged."
}

func (c *accountUnlinkCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	request := c.request(c.now(s), s.actor())
	request.Remove = true
	return c.carryOut(ctx, s, store, request)
}

// carryOut links or unlinks, and says what that changed.
func (l *linked) carryOut(ctx context.Context, s *session, store *postgres.Store, request postgres.LinkRequest) error {
	did, err := store.Link(ctx, request)
	if err != nil {
		return err
	}
	return s.printChanges(did)
}
