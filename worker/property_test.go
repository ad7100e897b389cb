package worker

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// TestTheFlowDoesWhatTheRulesSay is the flow against the oracle: a random town,
// random records - duplicates, conflicts, credits, late and unreadable ones -,
// random batches in random groups judged by two workers with caches of random
// sizes, and people who pay, hold, release and change limits in between.
// Whatever is compared must be the same to the last digit.
func TestTheFlowDoesWhatTheRulesSay(t *testing.T) {
	h := &house{t: t, url: pgtest.New(t)}
	h.store = open(t, h.url)
	rapid.Check(t, func(rt *rapid.T) {
		h.clear()
		play := newPlay(rt, h)
		play.t.Log(play.file)
		for range rapid.IntRange(1, 5).Draw(rt, "steps") {
			play.step()
		}
		play.compare()
	})
}

// clear empties the database.
func (h *house) clear() {
	h.t.Helper()
	h.exec(`do $$ begin execute (
		select 'truncate ' || string_agg(quote_ident(tablename), ', ')
		from   pg_tables
		where  schemaname = 'public' and tablename not like 'goose%' and tablename <> 'settings'); end $$`)
}

// play is a story that rapid makes up, told to the program and to the oracle.
type play struct {
	t       *rapid.T
	house   *house
	oracle  oracle
	file    string
	flows   []*flow
	now     time.Time
	sent    []sent  // what was sent before: to be sent again, or credited
	batches []batch // to be delivered again
	ids     []uuid.UUID
}

const playShape = `
families: [{code: F1, name: f}]
types:
  - {code: T1, name: one, family: F1, unit: {code: u, name: u}}
  - {code: T2, name: two, family: F1, unit: {code: u, name: u}}
  - {code: T3, name: three, unit: {code: u, name: u}}
services:
  - {code: s1, description: d, type: T1}
  - {code: s2, description: d, type: T1}
  - {code: s3, description: d, type: T2}
  - {code: s4, description: d, type: T3}
`

func newPlay(t *rapid.T, h *house) *play {
	p := &play{t: t, house: h, now: noon}
	p.oracle = oracle{
		services:         map[string]placement{"s1": {"T1", "F1"}, "s2": {"T1", "F1"}, "s3": {"T2", "F1"}, "s4": {"T3", ""}},
		payers:           map[string]*payer{},
		counts:           map[string]int{},
		enforceThreshold: rapid.Bool().Draw(t, "enforce threshold"),
		holdOnDebit:      rapid.Bool().Draw(t, "hold on debit"),
		lateness:         rapid.SampledFrom([]time.Duration{0, 0, 72 * time.Hour}).Draw(t, "lateness"),
	}
	p.file = playShape + p.drawTariffs() + p.drawAccounts()
	h.apply(noon.Add(-time.Hour), p.file)
	s := Settings{Lateness: p.oracle.lateness, FutureTolerance: 5 * time.Minute, EnforceThreshold: p.oracle.enforceThreshold,
		HoldOnDebit: p.oracle.holdOnDebit}
	for range 2 {
		f := h.flow(s, rapid.SampledFrom([]int{0, 1, 2, 100}).Draw(t, "cached accounts"))
		f.clock = func() time.Time { return p.now }
		p.flows = append(p.flows, f)
	}
	return p
}

func dec(text string) decimal.Decimal { return decimal.RequireFromString(text) }

// model is how a quantity turns into money: for the file, and for the oracle.
type model struct {
	text string
	cost func(q decimal.Decimal) decimal.Decimal
}

func (p *play) number(what string, of ...string) string {
	return rapid.SampledFrom(of).Draw(p.t, what)
}

func (p *play) drawModel() model {
	unit := p.number("unit price", "0", "0.004", "0.335", "1", "2.5")
	other := p.number("other unit price", "0", "0.0035", "0.5", "1.25")
	edge := p.number("edge", "1", "5", "7.5")
	flat := p.number("flat", "0", "0.125", "1")
	upTo, first, second, entry := dec(edge), dec(unit), dec(other), dec(flat)
	switch p.number("model", "per_unit", "graduated", "volume", "package") {
	case "graduated":
		return model{fmt.Sprintf("graduated: [{up_to: %q, unit_price: %q}, {unit_price: %q, flat: %q}]", edge, unit, other, flat),
			func(q decimal.Decimal) decimal.Decimal {
				if q.LessThanOrEqual(upTo) {
					return q.Mul(first)
				}
				return upTo.Mul(first).Add(q.Sub(upTo).Mul(second)).Add(entry)
			}}
	case "volume":
		return model{fmt.Sprintf("volume: [{up_to: %q, unit_price: %q}, {unit_price: %q, flat: %q}]", edge, unit, other, flat),
			func(q decimal.Decimal) decimal.Decimal {
				if q.LessThanOrEqual(upTo) {
					return q.Mul(first)
				}
				return q.Mul(second).Add(entry)
			}}
	case "package":
		return model{fmt.Sprintf("package: {size: %q, price: %q}", edge, unit),
			func(q decimal.Decimal) decimal.Decimal {
				packages, rest := q.QuoRem(upTo, 0)
				if rest.IsPositive() {
					packages = packages.Add(decimal.NewFromInt(1))
				}
				return packages.Mul(first)
			}}
	}
	return model{fmt.Sprintf("per_unit: %q", unit), func(q decimal.Decimal) decimal.Decimal { return q.Mul(first) }}
}

// drawTariffs makes prices up: of every service one for everybody, which may
// begin late, and for some one of the class or of an account besides.
func (p *play) drawTariffs() string {
	text := "prices:\n"
	for _, service := range slices.Sorted(maps.Keys(p.oracle.services)) {
		for _, scope := range []string{"", "class: pre", "account: A1"} {
			if scope != "" && !p.chance(4, "own price") {
				continue
			}
			m := p.drawModel()
			t := tariff{id: fmt.Sprintf("%s %s", service, scope), service: service, from: noon.AddDate(-1, 0, 0), digits: 2, model: m.cost}
			if p.chance(4, "begins late") {
				t.from = noon.AddDate(0, 0, -3)
			}
			more := ""
			if scope == "class: pre" {
				t.class = "pre"
			} else if scope != "" {
				t.account = "A1"
			}
			t.over = p.number("accumulate", "", "", "day", "month")
			if p.chance(3, "fee") {
				t.fee, more = dec("0.05"), more+`, per_record: "0.05"`
			}
			if p.chance(5, "digits") {
				t.digits, more = 3, more+", digits: 3"
			}
			switch {
			case t.over != "":
				more += ", accumulate: " + t.over
			case p.chance(3, "step"):
				t.step, more = dec("2"), more+`, step: "2"`
			case p.chance(3, "bounds"):
				t.least, t.most, more = dec("0.2"), dec("3"), more+`, minimum: "0.2", maximum: "3"`
			}
			if scope != "" {
				more += ", " + scope
			}
			text += fmt.Sprintf("  - {id: %q, service: %s, currency: EUR, valid_from: %s, %s%s}\n", t.id, service, t.from.Format(time.RFC3339), m.text, more)
			p.oracle.tariffs = append(p.oracle.tariffs, t)
		}
	}
	return text
}

// chance is true once in of times, or less: rapid likes small numbers.
func (p *play) chance(of int, what string) bool { return rapid.IntRange(1, of).Draw(p.t, what) == of }

// drawAccounts makes a prepaid account, one with another clock and cycle, and a
// postpaid one up.
func (p *play) drawAccounts() string {
	threshold, grace, credit := p.number("threshold", "0", "5", "1000"), rapid.IntRange(-1, 1).Draw(p.t, "grace"), p.number("credit limit", "0", "5", "1000")
	text := fmt.Sprintf(`account_classes:
  - {key: pre, name: n, payment_model: prepay, financial_blocking_threshold: %q, subzero_period: %d, subscription_credit_limit: "0",
     buy_with_negative_balance: false, default: true}
  - {key: post, name: n, payment_model: postpay, financial_blocking_threshold: "0", subzero_period: 0, subscription_credit_limit: %q,
     buy_with_negative_balance: false}
customers:
  - ref: c
    accounts:
`, threshold, grace, credit)
	for _, a := range []struct {
		number, class, zone string
		cycleDay            int
	}{{"A1", "pre", "UTC", 1}, {"A2", "pre", "Asia/Kolkata", 31}, {"A3", "post", "America/New_York", 15}} {
		zone, err := time.LoadLocation(a.zone)
		if err != nil {
			p.t.Fatal(err)
		}
		v := &payer{number: a.number, class: a.class, zone: zone, cycleDay: a.cycleDay, postpay: a.class == "post", threshold: dec(threshold),
			creditLimit: dec(credit), graceDays: grace, linked: map[string]bool{}, status: "active"}
		opening := "0"
		if !v.postpay {
			opening = p.number("opening balance", "0", "20", "1000", "-1")
		}
		v.balance = dec(opening)
		v.settle(noon.Add(-time.Hour))
		for s := range p.oracle.services {
			v.linked[s] = true
		}
		if p.chance(4, "no link to s3") {
			delete(v.linked, "s3")
		}
		text += fmt.Sprintf("      - {number: %s, class: %s, currency: EUR, time_zone: %s, cycle_day: %d, opening_balance: %q, services: [%s]%s}\n",
			a.number, a.class, a.zone, a.cycleDay, opening, strings.Join(slices.Sorted(maps.Keys(v.linked)), ", "), p.drawLimits(v))
		p.oracle.payers[a.number] = v
	}
	return text
}

var playTargets = []struct{ scope, target, text string }{
	{"account", "", ""},
	{"service", "s1", "service: {code: s1}"},
	{"service", "s4", "service: {code: s4}"},
	{"type", "T1", "service_type: {code: T1}"},
	{"family", "F1", "service_family: {code: F1}"},
}

// drawLimits makes ceilings up for some targets.
func (p *play) drawLimits(v *payer) string {
	if p.chance(3, "no limits") {
		return ""
	}
	var wide, entries []string
	for _, target := range playTargets {
		if !p.chance(2, "limit "+target.scope+" "+target.target) {
			continue
		}
		var ceilings []string
		for range rapid.IntRange(1, 2).Draw(p.t, "ceilings") {
			c := ceiling{target.scope, target.target, p.number("window", "transaction", "day", "month"), p.number("metric", "usage", "amount"), decimal.Zero}
			if slices.ContainsFunc(v.ceilings, func(o ceiling) bool { o.most = c.most; return o == c }) {
				continue
			}
			most := p.number("ceiling", "0", "2", "5", "12.5", "30")
			c.most = dec(most)
			v.ceilings = append(v.ceilings, c)
			ceilings = append(ceilings, fmt.Sprintf("%s: %q", c.key(), most))
		}
		if target.scope == "account" {
			wide = ceilings
		} else {
			entries = append(entries, "{"+strings.Join(append([]string{target.text}, ceilings...), ", ")+"}")
		}
	}
	// Within a window and metric, as SPEC R4.5 has it.
	slices.SortStableFunc(v.ceilings, func(a, b ceiling) int {
		return strings.Index("service type family account", a.scope) - strings.Index("service type family account", b.scope)
	})
	if p.chance(3, "percentage") {
		v.percentage = dec("12.5")
		wide = append(wide, `percentage_of_allowed_exceeded_usage_limit: "12.5"`)
	}
	if p.chance(5, "blocked") {
		v.blocked = true
		wide = append(wide, "block_services_not_included_in_usage_allowance_limits_settings: true")
	}
	return ", limits: {" + strings.Join(append(wide, "usage_services_allowance: ["+strings.Join(entries, ", ")+"]"), ", ") + "}"
}

func (c ceiling) key() string {
	key := "maximum_usage_per_" + c.window
	if c.metric == "amount" {
		key = "maximum_rated_amount_per_" + c.window
	}
	if c.scope == "account" {
		key = "accumulated_" + key
	}
	return key
}

// step lets time pass, lets people do something, and judges some batches.
func (p *play) step() {
	p.now = p.now.Add(time.Duration(rapid.IntRange(0, 30).Draw(p.t, "hours pass")) * time.Hour)
	p.people()
	var waiting []batch
	for range rapid.IntRange(1, 5).Draw(p.t, "batches") {
		waiting = append(waiting, p.drawBatch())
	}
	for len(waiting) > 0 {
		n := rapid.IntRange(1, len(waiting)).Draw(p.t, "together")
		group := slices.Clone(waiting[:n])
		waiting = waiting[n:]
		if len(p.batches) > 0 && p.chance(3, "delivered again") {
			group = append(group, rapid.SampledFrom(p.batches).Draw(p.t, "which"))
		}
		f := rapid.SampledFrom(p.flows).Draw(p.t, "worker")
		if _, err := f.commit(p.house.t.Context(), group); err != nil {
			p.t.Fatal(err)
		}
		p.batches = append(p.batches, group[:n]...)
	}
}

// people pay, hold, release and set a ceiling.
func (p *play) people() {
	number := p.number("who", "A1", "A2", "A3")
	v := p.oracle.payers[number]
	ctx := p.house.t.Context()
	status := func(a postgres.StatusAction) {
		_, err := p.house.store.SetStatus(ctx, postgres.StatusRequest{Account: number, Action: a, Note: "n", At: p.now, Actor: "test"})
		if err != nil && v.status != "credit_hold" { // which no hand lifts
			p.t.Fatal(err)
		}
	}
	switch p.number("does", "nothing", "pay", "hold", "release", "limit") {
	case "pay":
		amount := p.number("amount paid", "0.5", "20")
		v.pay(dec(amount), p.now)
		p.house.payAt(number, amount, p.now)
	case "hold":
		v.hold(p.now)
		status(postgres.HoldAccount)
	case "release":
		status(postgres.ReleaseAccount)
		v.release(p.now)
	case "limit":
		c := ceiling{"account", "", "day", "usage", dec(p.number("new ceiling", "3", "9", "1000"))}
		most := c.most.String()
		old := slices.IndexFunc(v.ceilings, func(o ceiling) bool { o.most = c.most; return o == c })
		if old < 0 {
			v.ceilings = append(v.ceilings, c)
			v.test(p.now) // as whoever changes an account in any way
		} else if !v.ceilings[old].most.Equal(c.most) {
			v.ceilings[old] = c
			v.test(p.now)
		}
		p.house.changeAt(p.now, number, fmt.Sprintf(`{"accumulated_maximum_usage_per_day": %q}`, most))
	}
}

func (h *house) payAt(account, amount string, at time.Time) {
	h.t.Helper()
	posting := postgres.Posting{Account: account, Kind: billing.PaymentPosting, Amount: money(amount), Key: uuid.NewString(), At: at, Actor: "test"}
	if _, err := h.store.Post(h.t.Context(), posting); err != nil {
		h.t.Fatal(err)
	}
}

// drawBatch makes a batch up and tells the oracle of it.
func (p *play) drawBatch() batch {
	var records []sent
	var lines []string
	for range rapid.IntRange(0, 15).Draw(p.t, "records") {
		if p.chance(12, "unreadable") {
			lines = append(lines, p.number("line", `{"source":"feed"}`, `[]`, `12`, `{"quantity":"x"}`))
			p.oracle.counts["unreadable"]++
			continue
		}
		r := p.drawRecord()
		records, lines = append(records, r), append(lines, r.json())
		p.sent = append(p.sent, r)
	}
	accepted := p.now.Add(-time.Duration(rapid.IntRange(0, 3).Draw(p.t, "minutes on the way")) * time.Minute)
	b := p.house.acceptAt(accepted, lines...)
	p.oracle.counts["accepted"] += len(records)
	p.oracle.batch(records, accepted, p.now)
	p.ids = append(p.ids, b.ID)
	return b
}

func (p *play) drawRecord() sent {
	if len(p.sent) > 0 && p.chance(8, "sent again") {
		r := rapid.SampledFrom(p.sent).Draw(p.t, "which")
		if p.chance(3, "changed") {
			r.quantity = r.quantity.Add(dec("1"))
		}
		return r
	}
	r := sent{
		id:       fmt.Sprint(len(p.sent)),
		account:  p.number("account", "A1", "A1", "A1", "A2", "A2", "A2", "A3", "A3", "NONE"),
		service:  p.number("service", "s1", "s1", "s1", "s2", "s3", "s4", "s4", "s4", "s5"),
		quantity: dec(p.number("quantity", "1", "0.001", "0.5", "3", "7.25")),
	}
	ago := time.Duration(rapid.IntRange(0, 50).Draw(p.t, "hours ago")) * time.Hour
	switch rapid.IntRange(0, 9).Draw(p.t, "age") {
	case 0:
		ago += time.Duration(rapid.IntRange(3, 70).Draw(p.t, "days ago")) * 24 * time.Hour
	case 1:
		ago = -time.Duration(rapid.IntRange(0, 8).Draw(p.t, "minutes ahead")) * time.Minute
	}
	r.at = p.now.Add(-ago)
	if p.chance(6, "own amount") {
		amount := dec(p.number("amount", "0", "0.5", "1.125", "4", "25"))
		r.amount = &amount
	}
	switch p.number("directive", "", "", "", "credit", "no_charge") {
	case "no_charge":
		if r.amount == nil {
			r.directive = "no_charge"
		}
	case "credit":
		p.drawCredit(&r)
	}
	return r
}

// drawCredit makes r a credit, most often of something that was rated.
func (p *play) drawCredit(r *sent) {
	of := slices.Clone(p.sent)
	for _, number := range []string{"A1", "A2", "A3"} {
		for _, l := range p.oracle.payers[number].lines {
			if l.rated() && l.of == nil {
				of = append(of, l.sent, l.sent, l.sent)
			}
		}
	}
	if len(of) == 0 {
		return
	}
	original := rapid.SampledFrom(of).Draw(p.t, "original")
	r.directive, r.original = "credit", original.id
	if !p.chance(10, "of another") {
		r.account, r.service = original.account, original.service
	}
}

func (r sent) json() string {
	var more []string
	if r.amount != nil {
		more = append(more, fmt.Sprintf(`"amount":%q`, r.amount))
	}
	if r.directive != "" {
		more = append(more, fmt.Sprintf(`"directive":%q`, r.directive))
	}
	if r.original != "" {
		more = append(more, fmt.Sprintf(`"original_id":%q`, r.original))
	}
	return use(r.id, r.account, r.service, r.quantity.String(), r.at.Format(time.RFC3339Nano), more...)
}
