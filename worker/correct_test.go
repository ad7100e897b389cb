package worker

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/verify"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawn is a story that rapid made up: an account's prices, limits and records.
// Each gets accounts of its own in one database, so that a story costs
// milliseconds.
type drawn struct {
	prices  []string // without id and account, one for each service of town
	right   []string // the ones that they should have been
	limits  string
	records []string // with %s for the account
	sizes   []int    // of batches
}

var modelsOfPrices = []string{
	`per_unit: "0.335"`,
	`per_unit: "1.5", per_record: "0.25"`,
	`per_unit: "0.004", accumulate: day`,
	`accumulate: month, graduated: [{up_to: "20", unit_price: "0"}, {unit_price: "0.0335", flat: "1"}]`,
	`accumulate: day, volume: [{up_to: "10", unit_price: "1"}, {unit_price: "0.5"}]`,
	`accumulate: month, package: {size: "7", price: "0.99"}`,
	`package: {size: "5", price: "2"}, maximum: "3"`,
	`per_unit: "1", bands: [{name: peak, from: "08:00", to: "19:00", per_unit: "2"}]`,
}

var limitsDrawn = []string{
	"",
	`, limits: {accumulated_maximum_usage_per_day: "30"}`,
	`, limits: {accumulated_maximum_rated_amount_per_month: "25", percentage_of_allowed_exceeded_usage_limit: "10"}`,
	`, limits: {accumulated_maximum_rated_amount_per_day: "8", usage_services_allowance: [
	   {service: {code: sms}, maximum_usage_per_month: "40"}, {service_family: {code: FUEL}, maximum_usage_per_day: "12"}]}`,
}

var servicesDrawn = []string{"unleaded", "diesel", "lpg", "sms", "mms"}

// draw makes a story up; where early says so, credits may come before what they
// are of.
func draw(t *rapid.T, early bool) drawn {
	d := drawn{limits: rapid.SampledFrom(limitsDrawn).Draw(t, "limits")}
	for _, s := range servicesDrawn {
		d.prices = append(d.prices, rapid.SampledFrom(modelsOfPrices).Draw(t, "price of "+s))
		d.right = append(d.right, rapid.SampledFrom(modelsOfPrices).Draw(t, "right price of "+s))
	}
	n := rapid.IntRange(1, 40).Draw(t, "records")
	services := rapid.SliceOfN(rapid.SampledFrom(servicesDrawn), n, n).Draw(t, "services")
	for i, service := range services {
		at := noon.Add(-time.Duration(rapid.IntRange(1, 24*35).Draw(t, "hours ago")) * time.Hour).Format(time.RFC3339)
		quantity := fmt.Sprint(rapid.IntRange(1, 9).Draw(t, "quantity"))
		id := fmt.Sprint(i)
		switch kind := rapid.IntRange(0, 9).Draw(t, "kind"); {
		case kind < 2 && i > 0, kind == 2 && early:
			last := i - 1
			if kind == 2 {
				last = n - 1
			}
			o := rapid.IntRange(0, last).Draw(t, "original")
			services[i] = services[o]
			d.records = append(d.records, credit(id, fmt.Sprint(o), "%s", services[o], "1", at))
		case kind == 3:
			d.records = append(d.records, use(id, "%s", service, quantity, at, `"directive":"no_charge"`))
		case kind == 4:
			d.records = append(d.records, use(id, "%s", service, quantity, at, `"amount":"1.25"`))
		default:
			d.records = append(d.records, use(id, "%s", service, quantity, at))
		}
	}
	for n > 0 {
		size := rapid.IntRange(1, n).Draw(t, "batch")
		d.sizes, n = append(d.sizes, size), n-size
	}
	return d
}

// storiesChecked is how many stories a property is held against where the command
// line does not say: each is dozens of transactions.
const storiesChecked = "30"

// checkStories is rapid.Check with fewer checks.
func checkStories(t *testing.T, property func(*rapid.T)) {
	t.Helper()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set(storiesChecked); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Value.Set(f.DefValue) }() // it was its value
	}
	rapid.Check(t, property)
}

// begin sets an account of the story up, with prices of its own, and lets it use.
func (d *drawn) begin(h *house, number string, prices []string) {
	h.t.Helper()
	h.apply(noon.Add(-time.Hour), "customers:\n  - ref: jane\n    accounts:\n      - "+plain(number, "100")[:len(plain(number, "100"))-1]+d.limits+"}\n"+
		d.book(number, "a", prices, "2020-01-01T00:00:00Z", ""))
	f, at := h.flow(eager, 0), 0
	for _, size := range d.sizes {
		var records []string
		for _, r := range d.records[at : at+size] {
			records = append(records, fmt.Sprintf(r, number))
		}
		h.commit(f, h.accept(records...))
		at += size
	}
}

// book is the set-up of an account's own prices.
func (d *drawn) book(number, id string, prices []string, from, to string) string {
	b := "prices:\n"
	for i, p := range prices {
		b += fmt.Sprintf("  - {id: %s-%s-%d, service: %s, currency: EUR, account: %s, valid_from: %s, %s%s}\n", number, id, i, servicesDrawn[i], number, from, p, to)
	}
	return b
}

func (h *house) correct(c Correction) *Corrections {
	h.t.Helper()
	return h.correctBy(eager, c)
}

func (h *house) correctBy(s Settings, c Correction) *Corrections {
	h.t.Helper()
	c.Clock, c.Actor = fixed(noon), "test"
	if c.Note == "" {
		c.Note = "because"
	}
	corrector := NewCorrector(h.store, s)
	corrector.partMax = h.partMax
	done, err := corrector.Run(h.t.Context(), c)
	if err != nil {
		h.t.Fatal(err)
	}
	return done
}

// sound lets verify prove everything.
func (h *house) sound(account string) {
	h.t.Helper()
	r, err := verify.Run(h.t.Context(), h.store, verify.Options{Account: account})
	if err != nil {
		h.t.Fatal(err)
	}
	if !r.Sound() {
		h.t.Fatalf("verify: %+v", r.Broken)
	}
}

// standing is what an account looks like from outside, whatever its number and
// whenever it was judged.
func (h *house) standing(number string) string {
	h.t.Helper()
	q := func(query string) string {
		return strings.ReplaceAll(h.query(strings.ReplaceAll(query, "$1", "'"+number+"'")), number, "A")
	}
	return q(`select concat_ws(' ', r.id, r.outcome, r.reason, r.charge, left(p.body->>'accumulate', 9), r.band) from records r
		left join prices p on p.ref = r.price where r.account = $1 order by r.id`) + "\n" +
		q(`select concat_ws(' ', scope, "window", starts, target, quantity::float, amount::float) from counters
			where account = $1 and (quantity <> 0 or amount <> 0) order by 1`) + "\n" +
		q(`select concat_ws(' ', balance, status) from account_states where account = $1`)
}

// lines is all that an account was ever written: to see that nothing is.
func (h *house) lines(number string) string {
	h.t.Helper()
	q := func(query string) string { return h.query(strings.ReplaceAll(query, "$1", "'"+number+"'")) }
	return q(`select to_jsonb(r)::text from records r where account = $1 order by source, id`) + "\n" +
		q(`select to_jsonb(s)::text from account_states s where account = $1`) + "\n" +
		q(`select to_jsonb(j)::text from judgements j where account = $1 order by id, seq`) + "\n" +
		q(`select to_jsonb(e)::text from entries e where account = $1 order by seq`) + "\n" +
		q(`select to_jsonb(c)::text from closed_counters c where account = $1 order by "window", starts, scope, target`)
}

// anyFilter draws what a correction of an account may be about.
func anyFilter(t *rapid.T, number string) postgres.CorrectionFilter {
	f := postgres.CorrectionFilter{Account: number}
	if rapid.Bool().Draw(t, "of a service") {
		f.Service = rapid.SampledFrom(servicesDrawn).Draw(t, "filtered service")
	}
	if rapid.Bool().Draw(t, "from") {
		f.From = noon.Add(-time.Duration(rapid.IntRange(0, 24*35).Draw(t, "from hours")) * time.Hour)
	}
	if rapid.Bool().Draw(t, "to") {
		f.To = noon.Add(-time.Duration(rapid.IntRange(0, 24*35).Draw(t, "to hours")) * time.Hour)
	}
	return f
}

// TestNothingChangedNothingMoves: a re-rate of whatever filter (SPEC R8.2).
func TestNothingChangedNothingMoves(t *testing.T) {
	h, n := newHouse(t, plain("X", "0")), 0
	checkStories(t, func(rt *rapid.T) {
		d := draw(rt, false)
		n++
		h.partMax = rapid.SampledFrom([]int{1, partMax}).Draw(rt, "records at a time") // month by month, or whole
		number := fmt.Sprintf("N%d", n)
		d.begin(h, number, d.prices)
		f := anyFilter(rt, number)
		f.Rejected = rapid.Bool().Draw(rt, "rejected too")
		before := h.lines(number)
		done := h.correct(Correction{Filter: f})
		if diff := cmp.Diff(h.lines(number), before); diff != "" {
			rt.Fatalf("a re-rate of %+v with nothing changed wrote (-now +before):\n%s\n%+v", f, diff, done)
		}
	})
}

func TestTheRightPriceAtLastIsAsFromTheStart(t *testing.T) {
	h, n := newHouse(t, plain("X", "0")), 0
	checkStories(t, func(rt *rapid.T) {
		d := draw(rt, false)
		n++
		h.partMax = rapid.SampledFrom([]int{1, partMax}).Draw(rt, "records at a time") // month by month, or whole
		wrong, right := fmt.Sprintf("W%d", n), fmt.Sprintf("R%d", n)
		d.begin(h, wrong, d.prices)
		d.begin(h, right, d.right)
		h.apply(noon, d.book(wrong, "a", d.prices, "2020-01-01T00:00:00Z", ", valid_to: 2020-01-01T00:00:00Z")+
			strings.TrimPrefix(d.book(wrong, "b", d.right, "2020-01-01T00:00:00Z", ""), "prices:\n"))
		c := Correction{Filter: postgres.CorrectionFilter{Account: wrong, Rejected: true}, DryRun: true}
		before := h.lines(wrong)
		dry := h.correct(c)
		if diff := cmp.Diff(h.lines(wrong), before); diff != "" {
			rt.Fatalf("a dry run wrote (-now +before):\n%s", diff)
		}
		c.DryRun = false
		done := h.correct(c)
		if diff := cmp.Diff(done, dry); diff != "" {
			rt.Fatalf("the dry run said otherwise (-run +dry run):\n%s", diff)
		}
		if diff := cmp.Diff(h.standing(wrong), h.standing(right)); diff != "" {
			rt.Fatalf("not as if the price had been right (-re-rated +from the start):\n%s", diff)
		}
		h.sound(wrong)
		again := h.lines(wrong)
		h.correct(c)
		if diff := cmp.Diff(h.lines(wrong), again); diff != "" {
			rt.Fatalf("the same run again wrote (-now +before):\n%s", diff)
		}
	})
}

// TestWhateverIsCorrectedVerifyHolds, cancelled or rated again (SPEC R8.1).
func TestWhateverIsCorrectedVerifyHolds(t *testing.T) {
	h, n := newHouse(t, plain("X", "0")), 0
	checkStories(t, func(rt *rapid.T) {
		d := draw(rt, true)
		n++
		h.partMax = rapid.SampledFrom([]int{1, partMax}).Draw(rt, "records at a time")
		number := fmt.Sprintf("V%d", n)
		d.begin(h, number, d.prices)
		book := "a"
		for step := range rapid.IntRange(1, 4).Draw(rt, "steps") {
			c := Correction{Filter: anyFilter(rt, number), Cancel: rapid.Bool().Draw(rt, "cancel")}
			if rapid.IntRange(0, 2).Draw(rt, "by name") == 0 {
				c.Filter = postgres.CorrectionFilter{Record: &billing.Identity{Account: number, Source: "feed",
					ID: fmt.Sprint(rapid.IntRange(0, len(d.records)-1).Draw(rt, "record"))}}
			} else if !c.Cancel {
				c.Filter.Rejected = rapid.Bool().Draw(rt, "rejected too")
			}
			if rapid.IntRange(0, 3).Draw(rt, "a new price") == 0 {
				h.apply(noon, d.book(number, book, d.prices, "2020-01-01T00:00:00Z", ", valid_to: 2020-01-01T00:00:00Z"))
				book, d.prices, d.right = fmt.Sprintf("b%d", step), d.right, d.prices
				h.apply(noon, d.book(number, book, d.prices, "2020-01-01T00:00:00Z", ""))
			}
			c.Clock, c.Actor, c.Note = fixed(noon), "test", "because"
			corrector := NewCorrector(h.store, eager)
			corrector.partMax = h.partMax
			_, err := corrector.Run(h.t.Context(), c)
			if err != nil && !postgres.IsRefusal(err) {
				rt.Fatal(err)
			}
			h.sound(number)
		}
		h.correct(Correction{Filter: postgres.CorrectionFilter{Account: number, Rejected: true}})
		h.sound(number)
		before := h.lines(number)
		f := anyFilter(rt, number)
		h.correct(Correction{Filter: f})
		if diff := cmp.Diff(h.lines(number), before); diff != "" {
			rt.Fatalf("after a re-rate of all, one of %+v wrote (-now +before):\n%s", f, diff)
		}
	})
}
