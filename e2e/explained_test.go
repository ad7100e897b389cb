package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// everyModel is a tariff with a price of each kind, and ceilings on every other
// account that some of its records breach.
const everyModel = `
types:
  - {code: DATA, name: Data, unit: {code: MB, name: Megabyte}}
services:
  - {code: unit, type: DATA}
  - {code: fine, type: DATA}
  - {code: tiers, type: DATA}
  - {code: volume, type: DATA}
  - {code: package, type: DATA}
  - {code: call, type: DATA}
  - {code: month, type: DATA}
  - {code: day, type: DATA}
  - {code: bands, type: DATA}
prices:
  - {id: unit, service: unit, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: "0.0415"}
  - {id: fine, service: fine, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: "0.00037", digits: 6}
  - {id: tiers, service: tiers, currency: EUR, valid_from: 2026-01-01T00:00:00Z, graduated: [{up_to: "3", unit_price: "0"}, {up_to: "6.5", unit_price: "0.15", flat: "0.333"}, {unit_price: "0.045", flat: "1"}]}
  - {id: volume, service: volume, currency: EUR, valid_from: 2026-01-01T00:00:00Z, volume: [{up_to: "5", unit_price: "0.111"}, {unit_price: "0.077", flat: "0.1"}]}
  - {id: package, service: package, currency: EUR, valid_from: 2026-01-01T00:00:00Z, package: {size: "2.5", price: "0.2955"}}
  - {id: call, service: call, currency: EUR, valid_from: 2026-01-01T00:00:00Z, step: "0.6", per_unit: "0.05", per_record: "0.105", minimum: "0.25", maximum: "0.5"}
  - {id: month, service: month, currency: EUR, valid_from: 2026-01-01T00:00:00Z, accumulate: month, per_record: "0.015", graduated: [{up_to: "100", unit_price: "0"}, {unit_price: "0.0437", flat: "1"}]}
  - {id: day, service: day, currency: EUR, valid_from: 2026-01-01T00:00:00Z, accumulate: day, volume: [{up_to: "10", unit_price: "0.301"}, {unit_price: "0.15"}]}
  - {id: bands, service: bands, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: "0.0213", bands: [{name: peak, from: "08:00", to: "19:00", per_unit: "0.0617"}, {days: [sat, sun], from: "00:00", to: "24:00", per_unit: "0.01"}]}
account_classes:
  - {key: std, name: Standard, payment_model: prepay, financial_blocking_threshold: "1000000", subzero_period: -1, subscription_credit_limit: "0", buy_with_negative_balance: true, default: true}
customers:
  - ref: everybody
    name: Everybody
    accounts:
`

// terms are what a price says of its charges beyond the lines, as a customer
// knows them from the price list.
type terms struct {
	digits           int
	fee, least, most string
}

var priceList = map[string]terms{
	"unit": {digits: 2}, "fine": {digits: 6}, "tiers": {digits: 2}, "volume": {digits: 2}, "package": {digits: 2}, "bands": {digits: 2},
	"call": {digits: 2, least: "0.25", most: "0.5"}, "month": {digits: 2, fee: "0.015"}, "day": {digits: 2},
}

// explained is a printed record with the explanation of its charge.
type explained struct {
	Source, ID, Account, Service, Directive, Outcome string
	Reason, Charge                                   *string
	Explanation                                      struct {
		Price *struct{ ID string }
		Lines []struct {
			Quantity, Amount string
			UnitPrice        string `json:"unit_price"`
		}
		Exact, Charge *string
		Accumulated   *struct {
			Before      string
			PriceBefore string `json:"price_before"`
			PriceAfter  string `json:"price_after"`
		}
		Ceilings []struct {
			Window, Metric, Effective, Used, Requested string
			Breached                                   bool
		}
		BalanceBefore *string `json:"balance_before"`
		BalanceAfter  *string `json:"balance_after"`
	}
}

// TestEveryChargeFollowsFromItsExplanation works the charge of each record out
// again, with nothing at hand but what is printed of it and the price list.
func TestEveryChargeFollowsFromItsExplanation(t *testing.T) {
	const accounts = 40
	lines := 100_000
	if testing.Short() {
		lines = 10_000
	}
	s := newSite(t)
	s.must("apply", "-f", s.file("setup.yaml", everyModel+explainedAccounts(accounts)))
	s.file("usage.ndjson", explainedUse(lines, accounts))
	s.start("work")
	o := s.answer("ingest", "usage.ndjson", "--wait")
	if got := fmt.Sprint(o["accepted"]); got != fmt.Sprint(lines) {
		t.Fatalf("got %s records accepted, want %d: %v", got, lines, o)
	}

	seen := map[string]int{}
	balances := map[string]string{}
	wrong := 0
	s.eachLine(func(line []byte) {
		var r explained
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		r.note(seen)
		faults := r.faults()
		if before := r.Explanation.BalanceBefore; r.Outcome == "rated" && before != nil && r.Explanation.BalanceAfter != nil {
			if last, there := balances[r.Account]; there && last != *before {
				faults = append(faults, "the balance before is "+*before+", and the record before it left "+last)
			}
			balances[r.Account] = *r.Explanation.BalanceAfter
		}
		if wrong += len(faults); len(faults) > 0 && wrong <= 10 {
			t.Errorf("%s\n%s", strings.Join(faults, "\n"), line)
		}
	}, "record", "list", "--json")
	if wrong > 10 {
		t.Errorf("%d explanations do not hold", wrong)
	}
	if seen["records"] != lines {
		t.Errorf("got %d records, want %d", seen["records"], lines)
	}
	kinds := []string{"credit rated", "no_charge rated", "brought", "limit_transaction_usage", "limit_day_amount", "given back"}
	for id := range priceList {
		kinds = append(kinds, "price "+id)
	}
	for _, kind := range kinds {
		if seen[kind] == 0 {
			t.Errorf("there is no %s among the records: nothing was shown of it", kind)
		}
	}
	t.Logf("explanations looked at: %v", seen)
}

// note counts what kinds of record there were.
func (r *explained) note(seen map[string]int) {
	seen["records"]++
	e := &r.Explanation
	if e.Price != nil {
		seen["price "+e.Price.ID]++
	} else if r.Outcome == "rated" && r.Directive == "charge" {
		seen["brought"]++
	}
	if r.Reason != nil {
		seen[*r.Reason]++
	} else {
		seen[r.Directive+" "+r.Outcome]++
	}
	if e.Accumulated != nil && r.Directive == "charge" && e.Charge != nil && rat(*e.Charge).Sign() < 0 {
		seen["given back"]++ // a volume tier was crossed
	}
}

// faults says what of an explanation does not hold.
func (r *explained) faults() (wrong []string) {
	e := &r.Explanation
	if (r.Charge != nil) != (r.Outcome == "rated") {
		wrong = append(wrong, "a charge goes with the outcome rated, and with no other")
	}
	if e.Charge == nil {
		if r.Outcome == "rated" || strings.HasPrefix(deref(r.Reason), "limit_") {
			wrong = append(wrong, "no charge is explained")
		}
		return wrong
	}
	sum := new(big.Rat)
	for _, l := range e.Lines {
		amount := new(big.Rat).Mul(rat(l.Quantity), rat(l.UnitPrice))
		if amount.Cmp(rat(l.Amount)) != 0 {
			wrong = append(wrong, fmt.Sprintf("%s at %s is not %s", l.Quantity, l.UnitPrice, l.Amount))
		}
		sum.Add(sum, amount)
	}
	if e.Exact == nil || sum.Cmp(rat(*e.Exact)) != 0 {
		wrong = append(wrong, fmt.Sprintf("the lines come to %s, not to %s", sum.FloatString(12), deref(e.Exact)))
	}
	charge := r.charge(sum)
	if charge.Cmp(rat(*e.Charge)) != 0 {
		wrong = append(wrong, fmt.Sprintf("the charge comes to %s, not to %s", charge.FloatString(6), *e.Charge))
	}
	if r.Charge != nil && charge.Cmp(rat(*r.Charge)) != 0 {
		wrong = append(wrong, "what was charged is "+*r.Charge)
	}
	if before, after := e.BalanceBefore, e.BalanceAfter; before != nil && after != nil {
		if left := new(big.Rat).Sub(rat(*before), charge); left.Cmp(rat(*after)) != 0 {
			wrong = append(wrong, fmt.Sprintf("the charge leaves %s of %s, not %s", left.FloatString(6), *before, *after))
		}
	}
	return append(wrong, r.ceilingFaults()...)
}

// charge is what a record costs by its lines, which come to sum (SPEC R3.3).
func (r *explained) charge(sum *big.Rat) *big.Rat {
	e := &r.Explanation
	if e.Price == nil || r.Directive == "credit" && e.Accumulated == nil {
		return sum // it was brought along, or is a share that was rounded
	}
	price := priceList[e.Price.ID]
	if a := e.Accumulated; a != nil {
		sum = new(big.Rat).Sub(rat(a.PriceAfter), rat(a.PriceBefore))
		if price.fee != "" && r.Directive == "charge" {
			sum.Add(sum, rat(price.fee))
		}
	}
	if price.least != "" && sum.Cmp(rat(price.least)) < 0 {
		sum = rat(price.least)
	}
	if price.most != "" && sum.Cmp(rat(price.most)) > 0 {
		sum = rat(price.most)
	}
	return rounded(sum, price.digits)
}

// ceilingFaults holds each ceiling, and the reason that follows from them
// (SPEC R4.2, R4.5).
func (r *explained) ceilingFaults() (wrong []string) {
	first := ""
	for _, c := range r.Explanation.Ceilings {
		sum := new(big.Rat).Add(rat(c.Used), rat(c.Requested))
		breached := rat(c.Requested).Sign() > 0 && sum.Cmp(rat(c.Effective)) > 0
		if breached != c.Breached {
			wrong = append(wrong, fmt.Sprintf("%s and %s of %s: breached is %t", c.Used, c.Requested, c.Effective, c.Breached))
		}
		if breached && first == "" {
			first = "limit_" + c.Window + "_" + c.Metric
		}
	}
	if reason := deref(r.Reason); reason != first {
		wrong = append(wrong, fmt.Sprintf("by its ceilings the reason is %q, not %q", first, reason))
	}
	return wrong
}

// explainedAccounts is the accounts of everyModel as YAML.
func explainedAccounts(count int) string {
	var b strings.Builder
	zones := []string{"UTC", "Asia/Kolkata", "America/St_Johns"}
	for n := range count {
		fmt.Fprintf(&b, "      - {number: A%02d, currency: EUR, time_zone: %s, cycle_day: %d, opening_balance: \"%d\", "+
			"services: [unit, fine, tiers, volume, package, call, month, day, bands]", n, zones[n%len(zones)], 1+n%31, 10*n)
		if n%2 == 0 {
			b.WriteString(`, limits: {percentage_of_allowed_exceeded_usage_limit: "12.5", accumulated_maximum_usage_per_transaction: "8.5", ` +
				`accumulated_maximum_rated_amount_per_day: "1.37", usage_services_allowance: [{service: {code: fine}, maximum_usage_per_day: "40"}]}`)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// explainedUse is records of every model and directive over three months.
func explainedUse(lines, accounts int) string {
	var b strings.Builder
	g := rand.New(rand.NewPCG(4, 5))
	services := []string{"unit", "fine", "tiers", "volume", "package", "call", "month", "day", "bands"}
	for n := range lines {
		service, number, more := services[g.IntN(len(services))], g.IntN(accounts), ""
		milli := 1 + g.IntN(9_999)
		switch g.IntN(30) {
		case 0:
			more = `,"directive":"no_charge"`
		case 1:
			more = fmt.Sprintf(`,"amount":"%d.%06d"`, g.IntN(3), g.IntN(1_000_000))
		case 2:
			if n > 0 { // of a record that the oldest of its account and service may be
				more = fmt.Sprintf(`,"directive":"credit","original_id":"%s-%02d-first"`, service, number)
				milli = 1 + milli/100
			}
		}
		id := fmt.Sprint(n)
		if n < 2*len(services)*accounts {
			service, number, more = services[n%len(services)], n/len(services)%accounts, ""
			if n < len(services)*accounts {
				id, milli = fmt.Sprintf("%s-%02d-first", service, number), 8_000
			}
		}
		at := time.Date(2026, 3, 1, 0, 0, g.IntN(90*24*3600), 0, time.UTC)
		fmt.Fprintf(&b, `{"source":"f","id":%q,"account":"A%02d","service":%q,"quantity":"%d.%03d","occurred_at":%q%s}`+"\n",
			id, number, service, milli/1000, milli%1000, at.Format(time.RFC3339), more)
	}
	return b.String()
}
