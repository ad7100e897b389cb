package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
	"github.com/chargehand/chargehand/worker"
)

type simulateCommand struct {
	File     []string `short:"f" required:"" sep:"none" placeholder:"FILE" help:"Set-up file, YAML or JSON, with changed prices, class terms or limits; - is standard input. May be repeated."`
	From     *instant `placeholder:"T" help:"Judge the records that occurred from this time on, RFC 3339 with an offset."`
	To       *instant `placeholder:"T" help:"And before this time."`
	Account  string   `placeholder:"N" help:"Only this account."`
	Service  string   `placeholder:"CODE" help:"Only records of a service."`
	Rejected bool     `help:"Rejected records too, not only those that are rated."`
	Every    bool     `help:"List every account, not only those for which something changes."`
	CSV      bool     `xor:"form" help:"Print a line of CSV for each account, with a header."`
	at
}

// Help is the longer text of --help.
func (*simulateCommand) Help() string {
	return `Writes nothing: says what apply of the file and a re-rate of these records would make of charges and outcomes, and whom the credit test would hold or free. A changed price that has rated records already, which apply refuses, is taken as voided with another in its place. With --json a line for each account and at the end one with the total.

    chargehand simulate -f next-year.yaml --from 2026-03-01T00:00:00Z --to 2026-04-01T00:00:00Z`
}

func (c *simulateCommand) Run(ctx context.Context, s *session) error {
	file, err := (&applyCommand{File: c.File}).read(s)
	if err != nil {
		return err
	}
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	imagined, err := c.imagine(ctx, s, store, file)
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	out := c.printer(s)
	bar := s.progress("simulating", -1, recordsUnit)
	total, err := worker.NewCorrector(store, workerConfig(s.config).Settings).Simulate(ctx, worker.Simulation{
		Imagined: imagined, Clock: s.now,
		Filter: postgres.CorrectionFilter{Account: c.Account, Service: c.Service, From: c.From.orZero(), To: c.To.orZero(), Rejected: c.Rejected},
		Each: func(a *worker.SimulatedAccount) error {
			if a.Unchanged() && !c.Every {
				return nil
			}
			return out.account(a)
		},
		Progress: func(records int) { bar.set(int64(records)) },
	})
	bar.end()
	if err != nil {
		return fmt.Errorf("simulate: %w", err)
	}
	return out.total(total, imagined)
}

func (c *simulateCommand) imagine(ctx context.Context, s *session, store *postgres.Store, file *setup.File) (*postgres.Imagined, error) {
	return store.Imagine(ctx, file, postgres.ApplyOptions{At: c.now(s), Actor: s.actor(), DryRun: true,
		TimeZone: s.config.Billing.TimeZone, LimitsForAll: s.limitsForAll()})
}

// simulationPrinter prints accounts as they come.
type simulationPrinter interface {
	account(*worker.SimulatedAccount) error
	total(*worker.SimulatedTotal, *postgres.Imagined) error
}

func (c *simulateCommand) printer(s *session) simulationPrinter {
	switch {
	case c.CSV:
		return &simulationCSV{w: csv.NewWriter(s.stdout)}
	case s.json:
		return simulationJSON{s}
	}
	p := &page{to: s.stdout}
	return &simulationText{p, p.table("account", ">records", ">charge now", ">charge then", ">difference", "currency", "")}
}

// simulationJSON is a line of JSON each.
type simulationJSON struct{ *session }

func (j simulationJSON) account(a *worker.SimulatedAccount) error { return j.printJSON(a) }

func (j simulationJSON) total(t *worker.SimulatedTotal, m *postgres.Imagined) error {
	renewed := m.Renewed
	if renewed == nil {
		renewed = []string{}
	}
	return j.printJSON(struct {
		Total   *worker.SimulatedTotal `json:"total"`
		Renewed []string               `json:"renewed_prices"`
	}{t, renewed})
}

// simulationCSV is a line of CSV for each account.
type simulationCSV struct {
	w     *csv.Writer
	begun bool
}

func (c *simulationCSV) head() {
	if !c.begun {
		_ = c.w.Write([]string{"account", "currency", "records", "changed", "charge_now", "charge_then", "difference", "newly_rejected",
			"newly_rated", "balance_then", "held", "freed"}) // Flush tells
		c.begun = true
	}
}

func (c *simulationCSV) account(a *worker.SimulatedAccount) error {
	c.head()
	return c.w.Write([]string{a.Account, a.Currency, strconv.Itoa(a.Records), strconv.Itoa(a.Changed), a.Before.String(), a.After.String(),
		a.More.String(), strconv.Itoa(sumOf(a.NewlyRejected)), strconv.Itoa(sumOf(a.NewlyRated)), a.Figure.String(),
		strconv.FormatBool(a.Hold), strconv.FormatBool(a.Free)})
}

func (c *simulationCSV) total(*worker.SimulatedTotal, *postgres.Imagined) error {
	c.head()
	c.w.Flush()
	if err := c.w.Error(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

func sumOf(counts map[string]int) (sum int) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

// simulationText is for people.
type simulationText struct {
	*page
	accounts *table
}

func (t *simulationText) account(a *worker.SimulatedAccount) error {
	status := ""
	switch {
	case a.Hold:
		status = "would be held"
	case a.Free:
		status = "would be freed"
	}
	t.accounts.row(a.Account, grouped(int64(a.Records)), amount(a.Before, a.Currency), amount(a.After, a.Currency),
		amount(a.More, a.Currency), a.Currency, status)
	return t.err
}

func (t *simulationText) total(s *worker.SimulatedTotal, m *postgres.Imagined) error {
	t.accounts.end()
	for _, id := range m.Renewed {
		t.line("Note: price %s has rated records, so apply will refuse to change it: void it and begin another.", id)
	}
	t.line("%s of %s judged: %s would come out another way, on %s.", count(s.Records, "record"), count(s.Accounts, "account"),
		grouped(int64(s.Changed)), count(s.Differing, "account"))
	for _, currency := range slices.Sorted(maps.Keys(s.More)) {
		t.line("%s: charged now %s, then %s, difference %s.", currency, amount(s.Before[currency], currency),
			amount(s.After[currency], currency), amount(s.More[currency], currency))
	}
	t.reasons("rated now, would be rejected", s.NewlyRejected)
	t.reasons("rejected now, would be rated", s.NewlyRated)
	t.reasons("rejected all the same, for another reason", s.OtherReason)
	if s.Held+s.Freed > 0 {
		t.line("%s would be held, %d freed.", count(s.Held, "account"), s.Freed)
	}
	return t.err
}

func (t *simulationText) reasons(what string, counts map[string]int) {
	for _, reason := range byCount(counts) {
		t.line("  %s: %s %s", what, grouped(int64(counts[reason])), reason)
	}
}
