package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/worker"
)

// correctFlags are what cancel and re-rate have in common (CONTRACT §1).
type correctFlags struct {
	Record  recordName `placeholder:"ACCOUNT/SOURCE/ID" xor:"account,service,from,to" help:"Only this record."`
	Account string     `placeholder:"N" xor:"account" help:"Only those of an account, by the number as it was sent."`
	Service string     `placeholder:"CODE" xor:"service" help:"Only those of a service."`
	From    *instant   `placeholder:"T" xor:"from" help:"That occurred from this time on, RFC 3339 with an offset."`
	To      *instant   `placeholder:"T" xor:"to" help:"That occurred before this time."`
	Note    string     `required:"" placeholder:"T" help:"Why: kept with every judgement that is replaced."`
	DryRun  bool       `help:"Do the same and take it back: say what would come of it."`
	at
}

// recordName is ACCOUNT/SOURCE/ID as it was typed. Each part may have slashes of
// its own, so that only the records that there are tell what it means.
type recordName string

// UnmarshalText refuses what can name no record.
func (n *recordName) UnmarshalText(text []byte) error {
	if parts := strings.SplitN(string(text), "/", 3); len(parts) < 3 || parts[0] == "" || parts[2] == "" {
		return fmt.Errorf("%q: write it like ACR0000001526/pump-7/r1", text)
	}
	*n = recordName(text)
	return nil
}

// record is the one record that the name means.
func (n recordName) record(ctx context.Context, store *postgres.Store) (*billing.Identity, error) {
	found, err := store.RecordsNamed(ctx, string(n))
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, fmt.Errorf("record %s: there is none", n)
	case len(found) > 1:
		return nil, fmt.Errorf("record %s: %d records can be meant: name it by account, service and time instead", n, len(found))
	}
	return &found[0], nil
}

func (c *correctFlags) filter() postgres.CorrectionFilter {
	return postgres.CorrectionFilter{Account: c.Account, Service: c.Service, From: c.From.orZero(), To: c.To.orZero()}
}

// correct carries a correction out and prints what came of it. Of one that fails
// half way it says what is done.
func (s *session) correct(ctx context.Context, c *correctFlags, o worker.Correction) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	if c.Record != "" {
		if o.Filter.Record, err = c.Record.record(ctx, store); err != nil {
			return err
		}
	}
	o.Note, o.Actor, o.DryRun = c.Note, s.actor(), c.DryRun
	o.Clock = func() time.Time { return c.now(s) }
	what := "re-rating"
	if o.Cancel {
		what = "cancelling"
	}
	bar := s.progress(what, -1, recordsUnit)
	o.Progress = func(records int) { bar.set(int64(records)) }
	done, err := worker.NewCorrector(store, workerConfig(s.config).Settings).Run(ctx, o)
	bar.end()
	if err != nil {
		if ctx.Err() != nil && !c.DryRun {
			return fmt.Errorf("stopped by a signal: %s are done, the same command goes on from there", count(done.Accounts, "account"))
		}
		if done.Accounts > 0 && !c.DryRun {
			err = fmt.Errorf("%w; the %s before it are done: the same command goes on from there", err, count(done.Accounts, "account"))
		}
		return err
	}
	return s.print(done, func(p *page) { tellCorrections(p, done, o) })
}

func tellCorrections(p *page, done *worker.Corrections, o worker.Correction) {
	if done.Accepted == 0 {
		p.line("No record matches: nothing changes.")
		return
	}
	t := p.table()
	t.right = []bool{false, true}
	t.row("records named", grouped(int64(done.Accepted-done.Widened)))
	t.row("accounts", grouped(int64(done.Accounts)))
	if o.Cancel {
		t.row("cancelled", grouped(int64(done.Cancelled)))
	} else {
		t.row("widened to", grouped(int64(done.Widened)))
		t.row("rated", grouped(int64(done.Rated)))
		t.row("rejected", grouped(int64(done.Rejected)))
		for _, reason := range byCount(done.Reasons) {
			t.row("  "+reason, grouped(int64(done.Reasons[reason])))
		}
		t.row("changed", grouped(int64(done.Changed)))
	}
	for _, currency := range slices.Sorted(maps.Keys(done.Moved)) {
		t.row("given back", money(done.Moved[currency], currency))
	}
	t.end()
	if done.Accumulating > 0 {
		p.line("%s of a price that accumulates: re-rate the account's window to mend what stands after.", plural(done.Accumulating, "was", "were"))
	}
	if o.DryRun {
		p.line("Dry run: nothing was written.")
	}
}
