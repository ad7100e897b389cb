package verify

import (
	"errors"
	"fmt"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/rating"
	"github.com/shopspring/decimal"
)

// explanation proves the explanation of a rated record, as people are shown it
// (SPEC R9.4): its lines sum to exact, the charge follows, and no ceiling was
// passed.
func (v *verifier) explanation(r *postgres.StoredRecord, b postgres.Basis) {
	p := proof{verifier: v, r: r, b: b}
	if r.Judged.TraceFault != nil {
		p.broken("explanation", "readable", r.Judged.TraceFault.Error())
		return
	}
	if !p.basis() {
		return
	}
	e := postgres.Explain(r, b)
	p.charge(&e)
	p.lines(&e)
	p.ceilings(&e)
}

// proof is that of one record.
type proof struct {
	*verifier
	r *postgres.StoredRecord
	b postgres.Basis
}

func (p *proof) broken(what, expected, found string) {
	p.verifier.broken(Broken{"R9.4", p.r.Account, fmt.Sprintf("%s of record %s/%s", what, p.r.Source, p.r.ID), expected, found})
}

// basis proves that what the record names as its grounds is there and fits.
func (p *proof) basis() bool {
	r, j := p.r, &p.r.Judged
	priced := r.Directive == billing.Charge && r.Amount == nil
	switch price := p.b.Price; {
	case p.b.Place == nil:
		p.broken("placement", "the one that it counts in", fmt.Sprintf("number %d, which is none", j.Placement))
	case j.Price != 0 && price == nil:
		p.broken("price", "the price that rated it", fmt.Sprintf("number %d, which is none", j.Price))
	case priced && price == nil:
		p.broken("price", "a price", "none")
	case price != nil && r.Directive != billing.Credit && !priced:
		p.broken("price", "none: it brings its charge", price.ID)
	case price != nil && (price.Service != r.Service || price.Currency != p.b.Currency):
		p.broken("price", fmt.Sprintf("one of %s in %s", r.Service, p.b.Currency), fmt.Sprintf("%s of %s in %s", price.ID, price.Service, price.Currency))
	case price != nil && (j.Band < -1 || j.Band >= len(price.Bands)):
		p.broken("band", fmt.Sprintf("one of the %d of price %s", len(price.Bands), price.ID), fmt.Sprint(j.Band))
	case !j.Trace.HasFigure:
		p.broken("balance_before", "a figure", "none")
	default:
		return p.original()
	}
	return false
}

// original proves that a credit is of what may be credited (SPEC R5.9).
func (p *proof) original() bool {
	r := p.r
	if r.Directive != billing.Credit {
		return true
	}
	o, t := r.Original, &r.Judged.Trace
	switch {
	case o == nil || o.Directive == billing.Credit || o.Service != r.Service || o.Outcome == billing.Rejected:
		p.broken("original", "a record of "+r.Service+" that was rated", r.OriginalID)
	case !t.HasRest || r.Quantity.Cmp(t.Rest) > 0:
		p.broken("quantity", "at most what was not yet credited: "+t.Rest.String(), r.Quantity.String())
	default:
		return true
	}
	return false
}

// lines proves that an explanation adds up, whoever made it.
func (p *proof) lines(e *postgres.Explanation) {
	if e.Exact == nil {
		p.broken("exact", "an amount", "none")
		return
	}
	sum := decimal.Zero
	for i := range e.Lines {
		sum = sum.Add(e.Lines[i].Amount)
	}
	if !sum.Equal(*e.Exact) {
		p.broken("exact", sum.String(), e.Exact.String())
	}
}

// charge proves that the charge follows from price, quantity and counter, or
// from what the record brought along.
func (p *proof) charge(e *postgres.Explanation) {
	r, charge := p.r, p.r.Judged.Charge
	switch {
	case r.Directive == billing.NoCharge:
		p.equal("charge", 0, charge)
	case r.Directive == billing.Credit:
		p.credit(e)
	case r.Amount != nil:
		p.equal("charge", *r.Amount, charge)
	default:
		p.follows(e, r.Quantity)
	}
}

func (p *proof) equal(what string, expected, found billing.Money) {
	if expected != found {
		p.broken(what, expected.String(), found.String())
	}
}

// follows lets the price prove its own arithmetic, from nothing but itself.
func (p *proof) follows(e *postgres.Explanation, quantity billing.Fixed) {
	if e.Price == nil || e.Exact == nil {
		p.broken("price", p.b.Price.ID, "none")
		return
	}
	err := p.b.Price.Follows(rating.Explanation{
		Price: *e.Price, Lines: e.Lines, Exact: *e.Exact, Accumulated: e.Accumulated, Charge: e.Charge,
	}, quantity)
	var m *rating.Mismatch
	switch {
	case errors.As(err, &m):
		p.broken(m.What, m.Expected, m.Found)
	case err != nil:
		p.broken("explanation", "to hold", err.Error())
	}
}

// credit proves what a credit gave back: its own amount, at most the rest; what
// the price takes off where it accumulates; else its share of the rest.
func (p *proof) credit(e *postgres.Explanation) {
	r, back, t := p.r, -p.r.Judged.Charge, &p.r.Judged.Trace
	switch {
	case r.Amount != nil:
		p.equal("charge", -*r.Amount, -back)
		if back > t.RestAmount {
			p.broken("charge", "at most what was not yet credited: "+t.RestAmount.String(), back.String())
		}
	case p.b.Price != nil && p.b.Price.Accumulate != rating.ByRecord:
		p.follows(e, r.Quantity.Neg())
	case !p.isShare(back):
		p.broken("charge", fmt.Sprintf("−%s × %s / %s, rounded", t.RestAmount, r.Quantity, t.Rest), (-back).String())
	}
}

// isShare tells whether back is the part of the rest's money that the quantity
// is of the rest's quantity, rounded half away from zero. It multiplies only:
// back × rest may be off from money × quantity by half a unit of the last digit
// times the rest, by that half itself only away from zero.
func (p *proof) isShare(back billing.Money) bool {
	t := &p.r.Judged.Trace
	digits := int32(p.digits())
	given := back.Decimal().Mul(t.Rest.Decimal())
	exact := t.RestAmount.Decimal().Mul(p.r.Quantity.Decimal())
	half := decimal.New(5, -digits-1).Mul(t.Rest.Decimal())
	off := given.Sub(exact).Abs()
	return back.Decimal().Equal(back.Decimal().Truncate(digits)) &&
		(off.LessThan(half) || off.Equal(half) && given.Abs().GreaterThan(exact.Abs()))
}

// digits is how many decimal digits a share has (SPEC R5.9).
func (p *proof) digits() int {
	if p.b.Price != nil {
		return p.b.Price.MinorDigits()
	}
	digits, _ := billing.MinorUnits(p.b.Currency)
	if o := p.r.Original; o.Amount != nil {
		digits = max(digits, o.Amount.Places())
	}
	return digits
}

// ceilings proves that the record fitted every ceiling that was looked at: used
// + requested ≤ effective, but for values of 0 or less (SPEC R4.2).
func (p *proof) ceilings(e *postgres.Explanation) {
	t := &p.r.Judged.Trace
	if !t.Judged {
		return
	}
	if p.b.Rules == nil {
		p.broken("ceilings", fmt.Sprintf("version %d of the limits", t.Limits), "no such version")
		return
	}
	if p.b.Rules.Explain(t.Used, p.r.Quantity, 0) == nil {
		p.broken("ceilings", fmt.Sprintf("a value for each of version %d of the limits", t.Limits), fmt.Sprintf("%d values", len(t.Used)))
		return
	}
	p.report.Checked.Ceilings += int64(len(e.Ceilings))
	for i := range e.Ceilings {
		c := &e.Ceilings[i]
		after := c.Used.Add(c.Requested).Decimal()
		if c.Requested.Sign() > 0 && after.GreaterThan(c.Effective) {
			p.broken(ceilingName(c), "at most "+c.Effective.String(), after.String())
		}
	}
}

func ceilingName(c *limits.Row) string {
	of := c.Scope.String()
	if c.Target != "" {
		of += " " + c.Target
	}
	return fmt.Sprintf("ceiling of %s per %s and %s", c.Metric, c.Window, of)
}
