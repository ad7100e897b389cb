package main

import (
	"fmt"
	"strings"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/rating"
	"github.com/shopspring/decimal"
)

// recordCommand is what can be asked about usage records; each is a file.
type recordCommand struct {
	Show recordShowCommand `cmd:"" help:"Show what became of a usage record, and why."`
	List recordListCommand `cmd:"" help:"List usage records with their outcomes."`
}

// tellRecord prints a record and its explanation for people, and of a refusal
// what would mend it.
func tellRecord(p *page, r *postgres.RecordView) { tellRecordBy(p, r, nil) }

// tellRecordBy says besides why its price was chosen, by the book.
func tellRecordBy(p *page, r *postgres.RecordView, book *rating.Book) {
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
	tellExplanation(t, r, currency, book)
	t.end()
	tellCeilings(p, &r.Explanation, r.Outcome == billing.Rated)
	if r.Reason != nil {
		p.line("%s", mending(*r.Reason))
	}
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

func tellExplanation(t *table, r *postgres.RecordView, currency string, book *rating.Book) {
	e := &r.Explanation
	if e.Original != nil {
		t.row("credit of", *e.Original)
	}
	if e.Price != nil {
		why := ""
		if book != nil {
			why = choiceText(book.Price(e.Price.ID))
		}
		t.row("price", e.Price.ID+bandText(e.Price.Band)+why)
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
		title := "charge"
		if r.Outcome == billing.Rejected {
			title = "would cost" // nothing was debited
		}
		t.row(title, money(*e.Charge, currency)+exact)
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

// tellCeilings prints what was looked at: what was used before, and what is left
// of it, by now where the record passed.
func tellCeilings(p *page, e *postgres.Explanation, passed bool) {
	t := p.table("scope", "target", "window", "metric", ">effective", ">used", ">requested", ">left", "")
	for _, c := range e.Ceilings {
		verdict := ""
		if c.Breached {
			verdict = "breached"
		}
		left := c.Effective.Sub(c.Used.Decimal())
		if passed {
			left = left.Sub(c.Requested.Decimal())
		}
		t.row(c.Scope, c.Target, c.Window, c.Metric, c.Effective, c.Used, c.Requested, decimal.Max(left, decimal.Zero), verdict)
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
