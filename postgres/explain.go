package postgres

import (
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/rating"
	"github.com/shopspring/decimal"
)

// Explanation is how a judgement came about (SPEC R3.6, R4.5), in the JSON of
// CONTRACT §3. What a check before it kept from being computed is nil or empty.
type Explanation struct {
	// Price is the price of a record, or of the original of a credit. It is nil
	// where none had a part in the charge: of a record that brought its own amount
	// or is counted at no charge, and of a credit of such a record or with its own
	// amount.
	Price *rating.Source `json:"price"`
	// Lines sum to Exact. An amount that was brought along, and what a credit
	// gives back of it, is one line of it.
	Lines       []rating.Line       `json:"lines"`
	Exact       *decimal.Decimal    `json:"exact"`
	Accumulated *rating.Accumulated `json:"accumulated"`
	// Charge is what was charged, or of a record that was rejected later than its
	// price was found, what would have been.
	Charge   *billing.Money `json:"charge"`
	Ceilings []limits.Row   `json:"ceilings"`
	Original *string        `json:"original"` // id of the record that a credit is of
	// The figure that the charge moves (postpay: current_debt). Of a rejected
	// record BalanceAfter is what it would have become.
	BalanceBefore *billing.Money `json:"balance_before"`
	BalanceAfter  *billing.Money `json:"balance_after"`
}

// Basis is what a record was judged by, found again by the numbers that its row
// keeps.
type Basis struct {
	Price    *rating.Price  // nil: none
	Place    *billing.Place // where it counts; nil: nowhere, its service was not known
	Rules    *limits.Rules  // nil: no ceiling was looked at
	Model    billing.PaymentModel
	Currency string
}

// Explain works out again how a judgement came about: from the record, what it
// was judged by and its trace, and nothing else.
func Explain(r *StoredRecord, b Basis) Explanation {
	e := Explanation{Lines: []rating.Line{}, Ceilings: []limits.Row{}}
	if r.Directive == billing.Credit && r.Judged.sawOriginal() {
		e.Original = new(r.OriginalID)
	}
	if !r.Judged.gotPriced() {
		return e
	}
	e.price(r, b)
	if r.Judged.Outcome == billing.Rated {
		e.Charge = new(r.Judged.Charge)
	}
	if e.Charge == nil {
		return e
	}
	t := &r.Judged.Trace
	if t.Judged && b.Rules != nil {
		e.Ceilings = append(e.Ceilings, b.Rules.Explain(t.Used, r.Quantity, *e.Charge)...)
	}
	if t.HasFigure {
		e.BalanceBefore, e.BalanceAfter = new(t.Figure), new(moved(b.Model, t.Figure, -*e.Charge))
	}
	return e
}

// moved is a figure after a posting: a balance goes with it, a debt against it.
func moved(model billing.PaymentModel, figure, posting billing.Money) billing.Money {
	if model == billing.Postpay {
		return figure - posting
	}
	return figure + posting
}

// gotPriced tells whether the check of the price was reached (SPEC R5.1). A
// cancelled record was rated before, and keeps what it was rated by.
func (j *StoredJudgement) gotPriced() bool {
	switch j.Outcome {
	case billing.Rated:
		return true
	case billing.Cancelled:
		return j.Trace.HasFigure
	}
	// From the range of the charge on, the reasons stand in the order of the
	// checks; those of credits are told apart by what they left behind.
	return j.Reason >= billing.OutOfRange && j.Reason <= billing.SubscriptionCreditLimit
}

// sawOriginal tells whether the original of a credit was found.
func (j *StoredJudgement) sawOriginal() bool {
	return j.gotPriced() || j.Reason == billing.CreditExceedsOriginal
}

// price explains the charge, whether or not it was charged in the end.
func (e *Explanation) price(r *StoredRecord, b Basis) {
	j := &r.Judged
	switch {
	case r.Directive == billing.Credit:
		e.credit(r, b)
	case r.Directive == billing.NoCharge:
		e.exactly(0)
	case r.Amount != nil:
		e.exactly(*r.Amount)
	case b.Price != nil:
		e.follow(b.Price.ExplainIn(j.Band, rating.Use{Quantity: r.Quantity, Before: j.Trace.Before}))
	}
}

// credit explains what a credit gives back (SPEC R5.9).
func (e *Explanation) credit(r *StoredRecord, b Basis) {
	j := &r.Judged
	if b.Price != nil && r.Amount == nil {
		if b.Price.Accumulate != rating.ByRecord {
			_, how := b.Price.GiveBack(j.Band, j.Trace.Before, r.Quantity)
			e.follow(how)
			return
		}
		e.Price = &rating.Source{ID: b.Price.ID, Band: b.Price.BandRef(j.Band)}
	}
	if back, ok := r.givenBack(b); ok {
		e.exactly(-back)
	}
}

// givenBack is the amount that a credit brings, or the share of what was not yet
// credited that its quantity is; false where nothing tells the share.
func (r *StoredRecord) givenBack(b Basis) (billing.Money, bool) {
	t := &r.Judged.Trace
	switch {
	case r.Amount != nil:
		return *r.Amount, true
	case !t.HasRest || t.Rest.Sign() <= 0:
		return 0, false
	}
	return billing.Share(t.RestAmount, r.Quantity, t.Rest, r.creditDigits(b)), true
}

// creditDigits is what a share is rounded to: the digits of the original's
// price; of an original that brought its own charge its currency's, or the
// charge's own if more.
func (r *StoredRecord) creditDigits(b Basis) int {
	if b.Price != nil {
		return b.Price.MinorDigits()
	}
	digits, _ := billing.MinorUnits(b.Currency)
	if o := r.Original; o != nil && o.Amount != nil {
		digits = max(digits, o.Amount.Places())
	}
	return digits
}

// follow takes over how a price came to its charge.
func (e *Explanation) follow(how rating.Explanation) {
	e.Price, e.Exact, e.Accumulated, e.Charge = &how.Price, &how.Exact, how.Accumulated, how.Charge
	e.Lines = append(e.Lines, how.Lines...)
}

// exactly explains a charge that no model made: one line of it, taken back where
// it is below zero, and none of nothing.
func (e *Explanation) exactly(m billing.Money) {
	amount := m.Decimal()
	e.Charge, e.Exact = &m, &amount
	if m != 0 {
		e.Lines = append(e.Lines, rating.Line{Quantity: decimal.NewFromInt(int64(amount.Sign())), UnitPrice: amount.Abs(), Amount: amount})
	}
}
