package rating_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/rating"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// FuzzRate holds the compiled form of a price against the decimals.
func FuzzRate(f *testing.F) { f.Fuzz(rapid.MakeFuzz(everyPathAgrees)) }

func TestEveryPathAgrees(t *testing.T) { rapid.Check(t, everyPathAgrees) }

// everyPathAgrees says that for any price and record the compiled form, the
// decimals and the explanation have one charge, and that the explanation, even
// when it was written to JSON and read again, proves it.
func everyPathAgrees(t *rapid.T) {
	p := open(t, drawPrice(t))
	u := drawUse(t, p)
	copied := *p // which its compiled form does not belong to
	charge, exact := p.Rate(u), copied.Rate(u)
	if charge != exact {
		t.Errorf("compiled: %+v, in decimals %+v", charge, exact)
	}
	e := p.Explain(u)
	agree(t, charge, e)
	follow(t, p, e, u.Quantity)
	if p.Accumulate != rating.ByRecord {
		c, e := p.GiveBack(charge.Band, u.Before, u.Quantity)
		agree(t, c, e)
		follow(t, p, e, u.Quantity.Neg())
	}
}

func agree(t *rapid.T, c rating.Charge, e rating.Explanation) {
	switch {
	case (e.Charge == nil) != c.OutOfRange:
		t.Errorf("explained charge %v, charge %+v", e.Charge, c)
	case e.Charge != nil && *e.Charge != c.Amount:
		t.Errorf("explained charge %s, charge %s", e.Charge, c.Amount)
	case e.Price.Band.Index != c.Band:
		t.Errorf("explained band %d, band %d", e.Price.Band.Index, c.Band)
	case e.Accumulated == nil || c.OutOfRange:
	case !e.Accumulated.PriceBefore.Equal(c.PriceBefore.Decimal()) || !e.Accumulated.PriceAfter.Equal(c.PriceAfter.Decimal()):
		t.Errorf("explained prices of the counter %s and %s, of the charge %s and %s",
			e.Accumulated.PriceBefore, e.Accumulated.PriceAfter, c.PriceBefore, c.PriceAfter)
	}
}

func follow(t *rapid.T, p *rating.Price, e rating.Explanation, quantity billing.Fixed) {
	if err := p.Follows(e, quantity); err != nil {
		t.Error(err)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var read rating.Explanation
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if err := p.Follows(read, quantity); err != nil {
		t.Errorf("read from %s: %v", text, err)
	}
}

// However a quantity is split over the records of an accumulating price, they
// add up to the rounded price of the whole, and giving it back in other parts
// leaves nothing (SPEC R3.3, R5.9). Fees by the record stand aside.
func TestChargesOfAWindowAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := drawPrice(t)
		price.Accumulate, price.PerRecord, price.Step, price.Minimum, price.Maximum = rating.ByMonth, nil, nil, nil, nil
		price.Bands = nil // one model must rate them all
		p := open(t, price)
		var counter, sum billing.Fixed
		for _, q := range rapid.SliceOfN(everydayQuantity(), 1, 20).Draw(t, "parts") {
			c := p.Rate(rating.Use{Quantity: q, Before: counter})
			if c.OutOfRange {
				t.Skip("a part is out of range")
			}
			counter, sum = counter.Add(q), sum.Add(c.Amount.Fixed())
		}
		whole := p.Rate(rating.Use{Quantity: counter})
		if whole.OutOfRange {
			t.Skip("the whole is out of range")
		}
		if sum != whole.Amount.Fixed() {
			t.Errorf("parts add up to %s, the whole costs %s", sum, whole.Amount)
		}
		for counter.Sign() > 0 {
			q := everydayQuantity().Draw(t, "credit")
			c, _ := p.GiveBack(-1, counter, q)
			if c.OutOfRange {
				t.Skip("a credit falls back into a tier out of range")
			}
			counter, sum = counter.Sub(q), sum.Add(c.Amount.Fixed())
		}
		if !sum.IsZero() {
			t.Errorf("when all was given back %s is left", sum)
		}
	})
}

// More of a graduated price never costs less.
func TestGraduatedNeverFalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := open(t, rating.Price{Currency: "EUR", Model: rating.Model{Graduated: drawTiers(t)}})
		less := everydayQuantity().Draw(t, "less")
		more := less.Add(everydayQuantity().Draw(t, "more"))
		a, b := p.Rate(rating.Use{Quantity: less}), p.Rate(rating.Use{Quantity: more})
		if !a.OutOfRange && !b.OutOfRange && b.Amount < a.Amount {
			t.Errorf("%s costs %s, %s costs %s", less, a.Amount, more, b.Amount)
		}
	})
}

// Models that say the same in different words cost the same.
func TestModelsOfOnePriceAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := decimalOf(priceUnits).Draw(t, "unit price")
		tiers := drawTiers(t)
		for i := range tiers {
			tiers[i].UnitPrice, tiers[i].Flat = unit, nil
		}
		n := billing.FixedInt(rapid.Int64Range(1, 1e12-1).Draw(t, "whole quantity"))
		models := []rating.Model{{PerUnit: &unit}, {Graduated: tiers}, {Volume: tiers}, {Package: &rating.Package{Size: decimal.NewFromInt(1), Price: unit}}}
		want := open(t, rating.Price{Currency: "KWD", Model: models[0]}).Rate(rating.Use{Quantity: n})
		for i, m := range models {
			if got := open(t, rating.Price{Currency: "KWD", Model: m}).Rate(rating.Use{Quantity: n}); got != want {
				t.Errorf("model %d: got %+v, want %+v", i, got, want)
			}
		}
	})
}

// No record has a quantity of nothing, and it would cost the fee.
func TestNothingCostsTheFee(t *testing.T) {
	for _, step := range []*decimal.Decimal{nil, dec("6")} {
		p := openTB(t, rating.Price{Model: rating.Model{PerUnit: dec("3")}, Step: step, PerRecord: dec("0.1")})
		if got, want := p.Rate(rating.Use{}).Amount.String(), "0.1"; got != want {
			t.Errorf("step %v: got %s, want %s", step, got, want)
		}
	}
}

// open is the price in a book of its own, with what a price must have.
func open(t rapid.TB, p rating.Price) *rating.Price {
	p.ID, p.Service, p.ValidFrom = "p", "s", day(1)
	book, err := rating.Open([]rating.Price{p})
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return book.Price("p")
}

func drawPrice(t *rapid.T) rating.Price {
	p := rating.Price{
		Currency:   rapid.SampledFrom([]string{"EUR", "JPY", "KWD", "CLF"}).Draw(t, "currency"),
		Accumulate: rapid.SampledFrom([]rating.Accumulation{rating.ByRecord, rating.ByDay, rating.ByMonth}).Draw(t, "accumulate"),
		Model:      drawModel(t),
		PerRecord:  maybe(t, "per record", priceUnits),
	}
	if rapid.Bool().Draw(t, "own digits") {
		digits := rapid.IntRange(0, 6).Draw(t, "digits")
		p.Digits = &digits
	}
	if p.Accumulate == rating.ByRecord {
		p.Step = maybe(t, "step", quantityUnits)
		if p.Minimum, p.Maximum = maybe(t, "minimum", priceUnits), maybe(t, "maximum", priceUnits); p.Minimum != nil && p.Maximum != nil {
			least, most := decimal.Min(*p.Minimum, *p.Maximum), decimal.Max(*p.Minimum, *p.Maximum)
			p.Minimum, p.Maximum = &least, &most
		}
	}
	for _, name := range []string{"", "night"}[:rapid.IntRange(0, 2).Draw(t, "bands")] {
		b := drawBand(t)
		b.Name = name
		p.Bands = append(p.Bands, b)
	}
	return p
}

func drawBand(t *rapid.T) rating.Band {
	minutes := rapid.IntRange(0, 24*60-1)
	from, to := minutes.Draw(t, "from"), minutes.Draw(t, "to")
	if from == to {
		to = 24 * 60
	}
	return rating.Band{
		Days: rating.Weekdays(rapid.IntRange(0, 127).Draw(t, "days")),
		From: rating.TimeOfDay(from), To: rating.TimeOfDay(to), Model: drawModel(t),
	}
}

func drawModel(t *rapid.T) (m rating.Model) {
	switch rapid.IntRange(0, 3).Draw(t, "model") {
	case 0:
		unit := decimalOf(priceUnits).Draw(t, "unit price")
		m.PerUnit = &unit
	case 1:
		m.Graduated = drawTiers(t)
	case 2:
		m.Volume = drawTiers(t)
	default:
		m.Package = &rating.Package{Size: decimalOf(quantityUnits).Draw(t, "size"), Price: decimalOf(priceUnits).Draw(t, "price")}
	}
	return m
}

func drawTiers(t *rapid.T) (tiers []rating.Tier) {
	upper := decimal.Zero
	for range rapid.IntRange(0, 3).Draw(t, "edges") {
		wider := upper.Add(decimalOf(quantityUnits).Draw(t, "width"))
		if wider.Cmp(decimal.New(1, 12)) >= 0 {
			break
		}
		upper = wider
		tiers = append(tiers, rating.Tier{UpTo: &wider, UnitPrice: decimalOf(priceUnits).Draw(t, "unit price"), Flat: maybe(t, "flat", priceUnits)})
	}
	return append(tiers, rating.Tier{UnitPrice: decimalOf(priceUnits).Draw(t, "unit price"), Flat: maybe(t, "flat", priceUnits)})
}

// drawUse likes the edges of the price's tiers, where the mistakes are.
func drawUse(t *rapid.T, p *rating.Price) rating.Use {
	u := rating.Use{
		Quantity: fixed(decimalOf(quantityUnits).Draw(t, "quantity")),
		At:       time.Unix(rapid.Int64Range(0, 2e9).Draw(t, "at"), 0).UTC(),
		Zone:     time.FixedZone("", rapid.IntRange(-14, 14).Draw(t, "offset")*3600),
	}
	if rapid.Bool().Draw(t, "used before") {
		u.Before = fixed(decimalOf(quantityUnits).Draw(t, "before"))
	}
	if rapid.IntRange(0, 9).Draw(t, "huge") == 0 {
		u.Before = fixed(decimalOf(quantityUnits).Draw(t, "before").Shift(8).Truncate(12))
	}
	if edge, ok := drawEdge(t, p); ok {
		if p.Accumulate != rating.ByRecord && edge.Cmp(u.Before) > 0 {
			edge = edge.Sub(u.Before)
		}
		u.Quantity = edge
	}
	if rapid.IntRange(0, 19).Draw(t, "overdrawn") == 0 {
		u.Before = u.Before.Neg()
	}
	return u
}

func drawEdge(t *rapid.T, p *rating.Price) (billing.Fixed, bool) {
	var edges []billing.Fixed
	for _, tier := range append(append([]rating.Tier{}, p.Graduated...), p.Volume...) {
		if tier.UpTo != nil {
			edges = append(edges, fixed(*tier.UpTo))
		}
	}
	if len(edges) == 0 || rapid.Bool().Draw(t, "off the edges") {
		return billing.Fixed{}, false
	}
	beside := rapid.SampledFrom([]string{"0", "0.000000000001", "-0.000000000001"}).Draw(t, "beside")
	edge := rapid.SampledFrom(edges).Draw(t, "edge").Add(quantity(beside))
	return edge, edge.Sign() > 0
}

// numbers says how many digits may stand before the point, and from what on.
type numbers struct {
	integer int
	least   int64
}

var (
	quantityUnits = numbers{integer: 12, least: 1}
	priceUnits    = numbers{integer: 9}
)

// seam is where the compiled form ends: 2^63 in units of 10^-12. Sums and steps
// once slipped over it, past a tier's edge.
var seam = decimal.New(1<<62, -12).Mul(decimal.NewFromInt(2))

// decimalOf draws short and long numbers: of everyday size, odd to the twelfth
// place, large, about the seam, and anything between.
func decimalOf(n numbers) *rapid.Generator[decimal.Decimal] {
	return rapid.Custom(func(t *rapid.T) decimal.Decimal {
		if rapid.IntRange(0, 9).Draw(t, "about the seam") == 9 {
			return seam.Add(decimal.New(rapid.Int64Range(-3, 3).Draw(t, "off"), rapid.Int32Range(-12, 6).Draw(t, "by")))
		}
		places := rapid.IntRange(0, 12).Draw(t, "places")
		digits := rapid.IntRange(1, min(n.integer+places, 18)).Draw(t, "digits")
		return decimal.New(rapid.Int64Range(n.least, pow10(digits)-1).Draw(t, "coefficient"), -int32(places))
	})
}

func maybe(t *rapid.T, name string, n numbers) *decimal.Decimal {
	if !rapid.Bool().Draw(t, "with "+name) {
		return nil
	}
	d := decimalOf(n).Draw(t, name)
	return &d
}

func everydayQuantity() *rapid.Generator[billing.Fixed] {
	return rapid.Custom(func(t *rapid.T) billing.Fixed {
		return fixed(decimal.New(rapid.Int64Range(1, 1e9).Draw(t, "coefficient"), -int32(rapid.IntRange(0, 6).Draw(t, "places"))))
	})
}

func pow10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}
