package rating_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/rating"
)

// Follows must find whatever was changed in an explanation that held.
func TestFollowsFindsWhatWasTamperedWith(t *testing.T) {
	month := monthly(from("sms", 1))
	month.Model = rating.Model{Graduated: []rating.Tier{{UpTo: dec("100"), UnitPrice: *dec("0")}, {UnitPrice: *dec("0.035")}}}
	month.PerRecord = dec("0.02")
	month.Bands = []rating.Band{{Name: "night", From: 60, To: 120, Model: rating.Model{PerUnit: dec("1")}}}
	tests := []struct {
		name   string
		change func(*rating.Explanation)
		want   string
	}{
		{"nothing", func(*rating.Explanation) {}, ""},
		{"the price", func(e *rating.Explanation) { e.Price.ID = "mms" }, "price is mms band -1"},
		{"the band", func(e *rating.Explanation) { e.Price.Band = rating.BandRef{Name: "night"} }, "exact is 0.195, expected 7.02"},
		{"a band that is not there", func(e *rating.Explanation) { e.Price.Band.Index = 1 }, "price is sms band 1"},
		{"a band of a name that is not there", func(e *rating.Explanation) { e.Price.Band.Name = "day" }, `price is sms band -1 "day"`},
		{"an amount", func(e *rating.Explanation) { e.Lines[1].Amount = *dec("0.18") }, "amount of line 1 is 0.18, expected 0.175"},
		{"a line", func(e *rating.Explanation) { e.Lines = e.Lines[:2] }, "exact is 0.195, expected 0.175"},
		{"lines and sum together", func(e *rating.Explanation) { e.Lines, e.Exact = e.Lines[:2], *dec("0.175") }, "exact is 0.175, expected 0.195"},
		{"the counter", func(e *rating.Explanation) { e.Accumulated.Before = quantity("99") }, "exact is 0.195, expected 0.23"},
		{"the price before", func(e *rating.Explanation) { e.Accumulated.PriceBefore = *dec("0.01") }, "price before is 0.01, expected 0"},
		{"the price after", func(e *rating.Explanation) { e.Accumulated.PriceAfter = *dec("0.17") }, "price after is 0.17, expected 0.18"},
		{"the charge", func(e *rating.Explanation) { *e.Charge = 190_000 }, "charge is 0.19, expected 0.2"},
		{"no charge", func(e *rating.Explanation) { e.Charge = nil }, "charge is none, expected 0.2"},
		{"no counter", func(e *rating.Explanation) { e.Accumulated = nil }, "accumulated is false, expected month"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := month.Explain(rating.Use{Quantity: quantity("7"), Before: quantity("98"), At: day(2), Zone: day(2).Location()})
			tt.change(&e)
			expectMismatch(t, month.Follows(e, quantity("7")), tt.want)
		})
	}
}

func TestFollowsLooksAtTheQuantity(t *testing.T) {
	p := from("sms", 1)
	p.Minimum = dec("5")
	e := p.Explain(rating.Use{Quantity: quantity("3")})
	expectMismatch(t, p.Follows(e, quantity("3")), "")
	expectMismatch(t, p.Follows(e, quantity("4")), "exact is 3, expected 4")
	*e.Charge = 3 * billing.MoneyUnit // as if there were no minimum
	expectMismatch(t, p.Follows(e, quantity("3")), "charge is 3, expected 5")
}

func TestFollowsOutOfRange(t *testing.T) {
	p := from("sms", 1)
	p.PerUnit = dec("2")
	e := p.Explain(rating.Use{Quantity: quantity("999999999999")})
	expectMismatch(t, p.Follows(e, quantity("999999999999")), "")
	e.Charge = new(billing.MoneyMax)
	expectMismatch(t, p.Follows(e, quantity("999999999999")), "charge is 999999999999.999999, expected none: out of range")
}

func expectMismatch(t *testing.T, err error, want string) {
	t.Helper()
	var m *rating.Mismatch
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want none", err)
	case want != "" && (!errors.As(err, &m) || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want one with %q", err, want)
	}
}
