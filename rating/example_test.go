package rating_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/rating"
)

// A hundred messages a month are included; the record that passes them is split.
func Example() {
	var price rating.Price
	_ = json.Unmarshal([]byte(`{
		"id": "sms", "service": "SMS", "currency": "EUR", "valid_from": "2026-01-01T00:00:00Z", "accumulate": "month",
		"graduated": [{"up_to": "100", "unit_price": "0"}, {"unit_price": "0.035"}]
	}`), &price)
	book, err := rating.Open([]rating.Price{price})
	if err != nil {
		fmt.Println(err)
		return
	}

	at := time.Date(2026, time.March, 14, 10, 0, 0, 0, time.UTC)
	p, err := book.Find(rating.Query{Service: "SMS", Account: "A1", Currency: "EUR", At: at})
	if err != nil {
		fmt.Println(err)
		return
	}
	use := rating.Use{Quantity: billing.FixedInt(7), Before: billing.FixedInt(98), At: at, Zone: time.UTC}
	fmt.Println("charge", p.Rate(use).Amount)
	for _, l := range p.Explain(use).Lines {
		fmt.Println(l.Quantity, "@", l.UnitPrice, "=", l.Amount)
	}
	// Output:
	// charge 0.18
	// 2 @ 0 = 0
	// 5 @ 0.035 = 0.175
}
