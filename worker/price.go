package worker

import (
	"errors"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/rating"
)

// price puts the charge of a record into its verdict: nothing where it is not
// to be charged, its own amount where it brings one, else what the book says
// (SPEC §3, R5.10).
func (j *judge) price(c *record) billing.Reason {
	if c.Directive == billing.NoCharge {
		return 0
	}
	if c.Amount != nil {
		c.verdict.Charge = *c.Amount
		return 0
	}
	a := c.account
	p, err := j.Snapshot.Book.Find(rating.Query{Service: c.Service, Account: a.Number, Class: a.Class,
		Currency: a.Currency, At: c.OccurredAt})
	if errors.Is(err, rating.ErrCurrencyMismatch) {
		return billing.CurrencyMismatch
	}
	if err != nil {
		return billing.NoPrice
	}
	j.ratedBy(c, p)
	use := rating.Use{Quantity: c.Quantity, At: c.OccurredAt, Zone: a.Calendar.Zone}
	if kind, accumulates := p.Accumulate.Window(); accumulates {
		use.Before = c.counters[billing.OfService][kind].Quantity
		c.trace.Before = use.Before
	}
	charge := p.Rate(use)
	c.verdict.Band = charge.Band
	if charge.OutOfRange {
		return billing.OutOfRange
	}
	c.verdict.Charge = charge.Amount
	return 0
}

// ratedBy notes which price rates a record, and that it has rated one, which
// closes it for changes (SPEC R3.7).
func (j *judge) ratedBy(c *record, p *rating.Price) {
	ref := j.Snapshot.Ref(p)
	c.verdict.Price = ref
	if !j.Snapshot.Rated(ref) && !j.marked[ref] {
		if j.marked == nil {
			j.marked = map[int32]bool{}
		}
		j.marked[ref] = true
		j.commit.RatedBy = append(j.commit.RatedBy, ref)
	}
}

// credit finds what a credit gives back and of what (SPEC R5.9). It counts where
// and when its original counted.
func (j *judge) credit(c *record) billing.Reason {
	o := j.originalOf(c.UsageRecord)
	if o == nil {
		return billing.OriginalNotFound
	}
	c.original = o
	rest := o.Record.Quantity.Sub(o.CreditedQuantity)
	if c.Quantity.Cmp(rest) > 0 {
		return billing.CreditExceedsOriginal
	}
	c.place, c.counted = j.Snapshot.PlaceOf(o.Placement), c.Quantity.Neg()
	c.verdict.Placement = o.Placement
	j.openWindows(c, o.Record.OccurredAt)
	back, reason := j.giveBack(c, o, rest)
	if reason != 0 {
		return reason
	}
	c.verdict.Charge = -back
	return 0
}

// giveBack is the money of a credit: its own amount, or what the original's
// price takes off for the quantity where it accumulates, or the quantity's share
// of what of the charge is not yet credited.
func (j *judge) giveBack(c *record, o *postgres.Known, rest billing.Fixed) (billing.Money, billing.Reason) {
	restAmount := o.Charge - o.CreditedAmount
	c.trace.Rest, c.trace.RestAmount, c.trace.HasRest = rest, restAmount, true
	p := j.Snapshot.Price(o.Price)
	switch {
	case c.Amount != nil:
		if *c.Amount > restAmount {
			return 0, billing.CreditExceedsOriginal
		}
		return *c.Amount, 0
	case p != nil:
		c.verdict.Price, c.verdict.Band = o.Price, o.Band
		if kind, accumulates := p.Accumulate.Window(); accumulates {
			c.trace.Before = c.counters[billing.OfService][kind].Quantity
			charge, _ := p.GiveBack(o.Band, c.trace.Before, c.Quantity)
			if charge.OutOfRange {
				return 0, billing.OutOfRange
			}
			return -charge.Amount, 0
		}
	}
	return billing.Share(restAmount, c.Quantity, rest, creditDigits(p, o, c.account.Currency)), 0
}

// creditDigits is what a share is rounded to: the digits of the original's
// price; of a pre-rated original its currency's, or its own if more.
func creditDigits(p *rating.Price, o *postgres.Known, currency string) int {
	if p != nil {
		return p.MinorDigits()
	}
	digits, _ := billing.MinorUnits(currency)
	return max(digits, o.Charge.Places())
}

// originalOf is the rated record that a credit is of: of the same account,
// source and service, and no credit itself.
func (j *judge) originalOf(r *billing.UsageRecord) *postgres.Known {
	id := billing.Identity{Account: r.Account, Source: r.Source, ID: r.OriginalID}
	o := j.Known[id]
	if at, met := j.fresh[id]; o == nil && met && at < len(j.commit.Judgements) {
		v := &j.commit.Judgements[at]
		o = &postgres.Known{Record: *v.Record, Outcome: v.Outcome, Charge: v.Charge, Price: v.Price, Band: v.Band,
			Placement: v.Placement}
		j.Known[id] = o // so that a second credit sees what the first one took
	}
	if o == nil || o.Outcome != billing.Rated || o.Record.Service != r.Service || o.Record.Directive == billing.Credit {
		return nil
	}
	return o
}
