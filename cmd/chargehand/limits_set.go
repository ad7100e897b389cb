package main

import (
	"context"

	"github.com/chargehand/chargehand/postgres"
)

type limitsSetCommand struct {
	Number string `arg:"" help:"Number of the account."`
	File   string `short:"f" required:"" placeholder:"FILE" help:"Limits object, YAML or JSON, with an action in each entry; - is standard input."`
	at
}

// Help is the longer text of --help.
func (*limitsSetCommand) Help() string {
	return `What the file leaves out stays; null clears a ceiling. All of it is applied or nothing, at once for the next record.

    accumulated_maximum_usage_per_day: "50"
    usage_services_allowance:
      - {action: add, service: {code: Exxon Unleaded}, maximum_usage_per_month: "300"}
      - {action: remove, service_family: {code: FUEL}}`
}

func (c *limitsSetCommand) Run(ctx context.Context, s *session) error {
	body, err := s.readFile(c.File)
	if err != nil {
		return err
	}
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	l, err := store.SetLimits(ctx, postgres.LimitsRequest{Account: c.Number, Name: shownName(c.File), Body: body,
		ForAll: s.limitsForAll(), At: c.now(s), Actor: s.actor()})
	if err != nil {
		return err
	}
	return s.print(l, func(p *page) { tellLimits(p, l) })
}
