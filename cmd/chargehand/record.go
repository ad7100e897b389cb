package main

import (
	"fmt"
	"strings"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/rating"
)

// recordCommand is what can be asked about usage records; each is a file.
type recordCommand struct {
	Show recordShowCommand `cmd:"" help:"Show what became of a usage record, and why."`
	List recordListCommand `cmd:"" help:"List usage records with their outcomes."`
}

// tellRecord prints a record and its explanation for people.
func tellRecord(p *page, r *postgres.RecordView) {
	currency := ""
	if r.Currency != nil {
		currency = *r.Currency
	}
	t := p.table()
	t.row("record", r.Source+"/"+r.ID+" of account "+r.Account)
	t.row("outcome", outcomeText(r.Outcome, r.Reason, r.Charge, currency))
	t.row("service", r.Service)
	t.row("quantity", r.Quantity)
	t.row("occurred", moment(r.OccurredAt))
	t.row("judged", moment(r.RatedAt))
	if r.Directive != billing.Charge {
		t.row("directive", words(r.Directive.String()))
	}
	tellExplanation(t, &r.Explanation, currency)
	t.end()
	tellCeilings(p, &r.Explanation)
	for _, j := range r.Judgements {
		p.line("Before %s it was %s; %s changed that: %s", moment(j.EndedAt), outcomeText(j.Outcome, j.Reason, j.Charge, currency), j.Actor, j.Note)
	}
}

func outcomeText(o billing.Outcome, reason *billing.Reason, charge *billing.Money, currency string) string {
	switch {
	case reason != nil:
		return o.String() + ": " + reason.String()
	case charge != nil:
		return o.String() + ": " + money(*charge, currency)
	}
	return o.String()
}

func tellExplanation(t *table, e *postgres.Explanation, currency string) {
	if e.Original != nil {
		t.row("credit of", *e.Original)
	}
	if e.Price != nil {
		t.row("price", e.Price.ID+bandText(e.Price.Band))
	}
	if a := e.Accumulated; a != nil {
		t.row("counted before", fmt.Sprintf("%s, worth %s; with it worth %s", a.Before, a.PriceBefore, a.PriceAfter))
	}
	for i, l := range e.Lines {
		title := ""
		if i == 0 {
			title = "calculation"
		}
		t.row(title, fmt.Sprintf("%s × %s = %s", l.Quantity, l.UnitPrice, l.Amount))
	}
	if e.Charge != nil {
		exact := ""
		if e.Exact != nil {
			exact = ", exactly " + e.Exact.String()
		}
		t.row("charge", money(*e.Charge, currency)+exact)
	}
	if e.BalanceBefore != nil && e.BalanceAfter != nil {
		t.row("balance", amount(*e.BalanceBefore, currency)+" → "+money(*e.BalanceAfter, currency))
	}
}

func bandText(b rating.BandRef) string {
	switch {
	case b.Name != "":
		return ", band " + b.Name
	case b.Index >= 0:
		return fmt.Sprintf(", band %d", b.Index)
	}
	return ""
}

func tellCeilings(p *page, e *postgres.Explanation) {
	t := p.table("scope", "target", "window", "metric", ">effective", ">used", ">requested", "")
	for _, c := range e.Ceilings {
		verdict := ""
		if c.Breached {
			verdict = "breached"
		}
		t.row(c.Scope, c.Target, c.Window, c.Metric, c.Effective, c.Used, c.Requested, verdict)
	}
	t.end()
}

// recordText is a record's outcome in a word or two, for lists.
func recordText(r *postgres.RecordView) string {
	if r.Reason != nil {
		return r.Reason.String()
	}
	return strings.TrimSpace(bandOrPrice(r))
}

func bandOrPrice(r *postgres.RecordView) string {
	if r.Explanation.Price == nil {
		return ""
	}
	return r.Explanation.Price.ID + bandText(r.Explanation.Price.Band)
}
