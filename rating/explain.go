package rating

import (
	"encoding/json"
	"fmt"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// Explanation is how a charge came about (SPEC R3.6), in the JSON form of a
// record's explanation (CONTRACT §3). Its lines are those of the model and the
// fee per record and sum to Exact; the charge follows from them by SPEC R3.3:
//
//   - by the record: Exact, raised to the minimum, lowered to the maximum, rounded;
//   - accumulating: PriceAfter − PriceBefore, plus the fee, rounded. Exact is then
//     what the record would add if nothing were ever rounded.
type Explanation struct {
	Price       Source          `json:"price"`
	Lines       []Line          `json:"lines"`
	Exact       decimal.Decimal `json:"exact"`
	Accumulated *Accumulated    `json:"accumulated"` // nil where the price does not accumulate
	Charge      *billing.Money  `json:"charge"`      // nil where it is out of money's range
}

// Source names the price, and the band of it, that priced a record.
type Source struct {
	ID   string  `json:"id"`
	Band BandRef `json:"band"`
}

// BandRef names a band of a price: in JSON by its name, else by its index from
// 0, and by null for the price's own model.
type BandRef struct {
	Index int // -1: the price's own model
	Name  string
}

// Line is a part of a charge: Amount is Quantity × UnitPrice, unrounded. Where
// something is taken back, the quantity is below zero.
type Line struct {
	Quantity  decimal.Decimal `json:"quantity"`
	UnitPrice decimal.Decimal `json:"unit_price"`
	Amount    decimal.Decimal `json:"amount"`
}

// Accumulated is the counter before the record, and the rounded prices of the
// counter before and after it.
type Accumulated struct {
	Before      billing.Fixed   `json:"before"`
	PriceBefore decimal.Decimal `json:"price_before"`
	PriceAfter  decimal.Decimal `json:"price_after"`
}

func lineOf(quantity, unitPrice decimal.Decimal) Line {
	return Line{Quantity: quantity, UnitPrice: unitPrice, Amount: quantity.Mul(unitPrice)}
}

// Explain is how Rate comes to its charge.
func (p *Price) Explain(u Use) Explanation { return p.ExplainIn(p.BandAt(u.At, u.Zone), u) }

// ExplainIn explains in the band that priced the record when it was judged: the
// account's zone may have changed since, and its charge has not (SPEC R6.8).
func (p *Price) ExplainIn(band int, u Use) Explanation {
	e, _ := p.explain(band, p.span(u))
	return e
}

// GiveBack is what a credit of quantity is charged, usually below zero, where
// its original's price accumulates: the rounded price of the counter less the
// quantity, minus that of the counter (SPEC R5.9). The counter is now's, of the
// original's window; the band is the original's. A counter below the quantity
// gives back what it has, and fees by the record stay charged. Where a volume
// price falls back into a dearer tier the charge is above zero.
func (p *Price) GiveBack(band int, counter, quantity billing.Fixed) (Charge, Explanation) {
	e, s := p.explain(band, giveBack(counter, quantity))
	return s.charge(band), e
}

func giveBack(counter, quantity billing.Fixed) span {
	return span{from: counter.Decimal(), to: counter.Sub(quantity).Decimal()}
}

func (p *Price) explain(band int, s span) (Explanation, settled) {
	r := p.settle(band, s)
	e := Explanation{Price: Source{ID: p.ID, Band: p.BandRef(band)}, Lines: p.model(band).lines(s.from, s.to)}
	if p.PerRecord != nil && !s.credit() {
		e.Lines = append(e.Lines, lineOf(one, s.fee))
	}
	e.Exact = sum(e.Lines)
	if p.Accumulate != ByRecord {
		before, _ := billing.FixedOf(s.from) // it was one
		e.Accumulated = &Accumulated{Before: before, PriceBefore: r.before, PriceAfter: r.after}
	}
	if r.inRange {
		e.Charge = &r.amount
	}
	return e, r
}

func (s span) credit() bool { return s.to.LessThan(s.from) }

func sum(lines []Line) decimal.Decimal {
	total := decimal.Zero
	for _, l := range lines {
		total = total.Add(l.Amount)
	}
	return total
}

// BandRef names the band with this index, or for -1 the price's own model.
func (p *Price) BandRef(band int) BandRef {
	if band < 0 {
		return BandRef{Index: -1}
	}
	return BandRef{Index: band, Name: p.Bands[band].Name}
}

// MarshalJSON writes the band's name, else its index, else null.
func (b BandRef) MarshalJSON() ([]byte, error) {
	switch {
	case b.Name != "":
		return json.Marshal(b.Name)
	case b.Index >= 0:
		return json.Marshal(b.Index)
	default:
		return []byte("null"), nil
	}
}

// UnmarshalJSON reads what MarshalJSON wrote. The index of a named band is known
// to its price only; here it is 0.
func (b *BandRef) UnmarshalJSON(text []byte) error {
	*b = BandRef{Index: -1}
	if string(text) == "null" {
		return nil
	}
	if text[0] == '"' {
		b.Index = 0
		return json.Unmarshal(text, &b.Name)
	}
	if err := json.Unmarshal(text, &b.Index); err != nil {
		return fmt.Errorf("band %s: neither a name nor an index", clip(string(text)))
	}
	return nil
}
