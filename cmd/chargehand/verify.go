package main

import (
	"context"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/verify"
)

type verifyCommand struct {
	Account string `placeholder:"N" help:"Only this account, and no batches. Else everything."`
}

// Help is the longer text of --help.
func (*verifyCommand) Help() string {
	return `Reads everything and writes nothing; it may run while workers do. Proved are: every balance is its opening balance and its postings; every counter is the sum of its records; every batch's records are all accounted for; every charge follows from its explanation and kept within its ceilings; every hold has its reason.

Exit status 3 says that something is broken; each row that breaks a rule is listed, with what was expected and what was found.`
}

func (c *verifyCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	report, err := s.verify(ctx, store, c.Account)
	if err != nil {
		return err
	}
	if err := s.print(report, func(p *page) { tellReport(p, report) }); err != nil {
		return err
	}
	if !report.Sound() {
		return exit(exitBroken)
	}
	return nil
}

// verify runs verify with a progress.
func (s *session) verify(ctx context.Context, store *postgres.Store, account string) (*verify.Report, error) {
	bar := s.progress("verifying", -1, recordsUnit)
	defer bar.end()
	return verify.Run(ctx, store, verify.Options{Account: account, Progress: func(c verify.Checked) { bar.set(c.Records) }})
}

func tellReport(p *page, r *verify.Report) {
	c := r.Checked
	p.line("Checked %s, %s, %s, %s, %s and %s.", count(int(c.Accounts), "account"), count(int(c.Records), "record"),
		count(int(c.Postings), "posting"), count(int(c.Counters), "counter"), count(int(c.Ceilings), "ceiling"),
		plural(int(c.Batches), "batch", "batches"))
	t := p.table("rule", "account", "what", "expected", "found")
	for _, b := range r.Broken {
		t.row(b.Rule, b.Account, b.What, b.Expected, b.Found)
	}
	t.end()
	switch {
	case r.Sound():
		p.line("Everything holds.")
	case r.More > 0:
		p.line("Broken: these, and %s more.", grouped(r.More))
	default:
		p.line("Broken: %s.", plural(len(r.Broken), "row", "rows"))
	}
}
