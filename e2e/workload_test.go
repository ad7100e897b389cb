package e2e_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// workload is a seeded run: a set-up and files of usage records. Nothing in it
// says what must come of it: that is the oracle's, which reads the same text.
type workload struct {
	tariff tariff
	// feeds are files that may be sent at the same time: those of one feed are
	// sent one after the other. An account whose order matters is in one feed.
	feeds [][]string
	lines int
}

// tariff is a set-up file of the plain kind: a price per unit for each service,
// prepaid accounts, ceilings.
type tariff struct {
	Services []service
	Accounts []account
}

type service struct {
	Code, Type, Family, Price string
	Digits                    int
}

type account struct {
	Number   string
	Zone     string
	Offset   time.Duration // of the zone from UTC, all year
	Opening  string
	Services []string
	Percent  string
	Ceilings []ceiling
}

// ceiling is one maximum; Target is empty for the account's own.
type ceiling struct{ Scope, Target, Window, Metric, Maximum string }

// fileLines is how many lines a file has, about.
const fileLines = 10_000

// accountLines is how many lines there are for one account, about.
const accountLines = 200

const feedCount = 2

// generator writes a workload.
type generator struct {
	*rand.Rand
	tariff tariff
	sent   [][]sent // by feed: records that may be sent again
}

// sent is a record that was written, with what it says.
type sent struct {
	source, id, account, service string
	milli                        int // quantity in thousandths
	at                           time.Time
}

// generate makes the run of a seed. Of its lines one in ten is a record again,
// often in another source's file, batch or spelling; some are conflicts, some
// unreadable, some about accounts or services that are not there.
func generate(seed uint64, total int) workload {
	g := generator{Rand: rand.New(rand.NewPCG(seed, 0)), tariff: newTariff(seed, 2+total/accountLines), sent: make([][]sent, feedCount)}
	w := workload{tariff: g.tariff, feeds: make([][]string, feedCount), lines: total}
	files := 1 + total/feedCount/fileLines
	for n := range files {
		for feed := range feedCount {
			var b strings.Builder
			for line := range total / feedCount / files {
				b.WriteString(g.line(feed, n*total+line))
				b.WriteByte('\n')
			}
			w.feeds[feed] = append(w.feeds[feed], b.String())
		}
	}
	return w
}

// line is the next line of a feed.
func (g *generator) line(feed, number int) string {
	old := g.sent[feed]
	switch dice := g.IntN(1000); {
	case dice < 100 && len(old) > 0:
		return g.spell(g.again(feed))
	case dice < 105 && len(old) > 0:
		r := old[g.IntN(len(old))]
		r.milli++ // the same identity with other content
		return g.spell(r)
	case dice < 108:
		return `{"source":"feed-0","id":"broken-` + fmt.Sprint(number) + `","account":`
	}
	r := sent{
		source: fmt.Sprintf("feed-%d", g.IntN(3)), id: fmt.Sprintf("%d-%d", feed, number), account: g.account(feed),
		service: g.tariff.Services[g.IntN(len(g.tariff.Services))].Code, milli: 1 + g.IntN(9_999),
		at: time.Date(2026, 3, 1, 0, 0, g.IntN(40*24*3600), 0, time.UTC),
	}
	switch g.IntN(200) {
	case 0:
		r.account = "NOBODY"
	case 1:
		r.service = "nothing"
	}
	if g.IntN(20) == 0 && len(old) > 0 {
		r = old[g.IntN(len(old))]
		r.source += "-twin" // the same id from another source is another record
	}
	g.sent[feed] = append(g.sent[feed], r)
	return g.spell(r)
}

// again picks a record to send once more: mostly of the own feed, near or far
// back; of any feed where the order does not matter.
func (g *generator) again(feed int) sent {
	if other := g.sent[g.IntN(feedCount)]; len(other) > 0 && g.IntN(3) == 0 {
		if r := other[g.IntN(len(other))]; !ordered(r.account) {
			return r
		}
	}
	own := g.sent[feed]
	if g.IntN(2) == 0 {
		return own[max(0, len(own)-1-g.IntN(50))]
	}
	return own[g.IntN(len(own))]
}

// ordered says whether the order of an account's records matters: those with
// ceilings are fed by one feed only.
func ordered(account string) bool { return account[0] == 'L' }

// account picks one of the feed's own, or one without ceilings.
func (g *generator) account(feed int) string {
	for {
		n := g.IntN(len(g.tariff.Accounts))
		if a := g.tariff.Accounts[n]; !ordered(a.Number) || n/2%feedCount == feed {
			return a.Number
		}
	}
}

// spell writes a record down, each time a little differently.
func (g *generator) spell(r sent) string {
	quantity := fmt.Sprintf("%d.%03d", r.milli/1000, r.milli%1000)
	if g.IntN(2) == 0 {
		quantity = `"` + quantity + `"`
	}
	at := r.at.In(time.FixedZone("", 1800*(g.IntN(9)-4))).Format(time.RFC3339)
	keys := []string{
		fmt.Sprintf(`"source":%q`, r.source), fmt.Sprintf(`"id":%q`, r.id), fmt.Sprintf(`"account":%q`, r.account),
		fmt.Sprintf(`"service":%q`, r.service), `"quantity":` + quantity, fmt.Sprintf(`"occurred_at":%q`, at),
	}
	g.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return "{" + strings.Join(keys, ",") + "}"
}

// newTariff makes services of two families and accounts, every other one with
// ceilings that some of its records breach.
func newTariff(seed uint64, accounts int) (t tariff) {
	g := rand.New(rand.NewPCG(seed, 1))
	types := []string{"voice", "text", "data"}
	families := map[string]string{"voice": "phone", "text": "phone", "data": "net"}
	for n := range 6 {
		kind := types[n%len(types)]
		t.Services = append(t.Services, service{Code: fmt.Sprintf("%s-%d", kind, n), Type: kind, Family: families[kind],
			Price: fmt.Sprintf("0.%04d", 1+g.IntN(9_999)), Digits: g.IntN(5)})
	}
	zones := []struct {
		name   string
		offset time.Duration
	}{{"UTC", 0}, {"Asia/Kolkata", 330 * time.Minute}, {"America/Bogota", -5 * time.Hour}}
	for n := range accounts {
		zone := zones[g.IntN(len(zones))]
		a := account{Number: fmt.Sprintf("A%04d", n), Zone: zone.name, Offset: zone.offset, Opening: fmt.Sprint(g.IntN(100) - 20), Percent: "0"}
		for _, s := range t.Services {
			if g.IntN(12) > 0 { // else a record of it is rejected
				a.Services = append(a.Services, s.Code)
			}
		}
		if n%2 == 0 {
			a.Number = fmt.Sprintf("L%04d", n)
			a.limit(g, t.Services)
		}
		t.Accounts = append(t.Accounts, a)
	}
	return t
}

func (a *account) limit(g *rand.Rand, services []service) {
	a.Percent = []string{"0", "12.5", "30"}[g.IntN(3)]
	s := services[g.IntN(len(services))]
	for _, c := range []ceiling{
		{"account", "", "transaction", "usage", fmt.Sprintf("%d.5", 7+g.IntN(3))},
		{"account", "", "day", "usage", fmt.Sprint(20 + g.IntN(30))},
		{"account", "", "month", "amount", fmt.Sprint(150 + g.IntN(300))},
		{"service", s.Code, "day", "amount", fmt.Sprintf("%d.25", 1+g.IntN(5))},
		{"type", services[g.IntN(len(services))].Type, "month", "usage", fmt.Sprint(100 + g.IntN(200))},
		{"family", services[g.IntN(len(services))].Family, "day", "usage", fmt.Sprint(15 + g.IntN(20))},
	} {
		if g.IntN(3) > 0 {
			a.Ceilings = append(a.Ceilings, c)
		}
	}
}

// setup is the tariff as a set-up file.
func (t tariff) setup() string {
	type object = map[string]any
	var families, types, services, prices, accounts []object
	seen := map[string]bool{}
	for _, s := range t.Services {
		if !seen[s.Family] {
			families = append(families, object{"code": s.Family, "name": "Family " + s.Family})
		}
		if !seen[s.Type] {
			types = append(types, object{"code": s.Type, "name": "Type " + s.Type, "family": s.Family, "unit": object{"code": "U", "name": "Unit"}})
		}
		seen[s.Family], seen[s.Type] = true, true
		services = append(services, object{"code": s.Code, "description": s.Code, "type": s.Type})
		prices = append(prices, object{"id": "p-" + s.Code, "service": s.Code, "currency": "EUR", "valid_from": "2026-01-01T00:00:00Z",
			"per_unit": s.Price, "digits": s.Digits})
	}
	for _, a := range t.Accounts {
		accounts = append(accounts, object{"number": a.Number, "class": "std", "currency": "EUR", "time_zone": a.Zone,
			"opening_balance": a.Opening, "services": a.Services, "limits": a.limits()})
	}
	text, err := json.Marshal(object{
		"families": families, "types": types, "services": services, "prices": prices,
		"account_classes": []object{{"key": "std", "name": "Standard", "payment_model": "prepay", "financial_blocking_threshold": "1000000",
			"subzero_period": -1, "subscription_credit_limit": "0", "buy_with_negative_balance": true, "default": true}},
		"customers": []object{{"ref": "everybody", "name": "Everybody", "accounts": accounts}},
	})
	if err != nil {
		panic(err) // texts and numbers only
	}
	return string(text)
}

// limits is an account's ceilings as the set-up file has them.
func (a account) limits() map[string]any {
	o := map[string]any{"percentage_of_allowed_exceeded_usage_limit": a.Percent}
	var entries []any
	metric := map[string]string{"usage": "usage", "amount": "rated_amount"}
	target := map[string]func(string) map[string]any{
		"service": func(c string) map[string]any { return map[string]any{"service": map[string]any{"code": c}} },
		"type":    func(c string) map[string]any { return map[string]any{"service_type": map[string]any{"code": c}} },
		"family":  func(c string) map[string]any { return map[string]any{"service_family": map[string]any{"code": c}} },
	}
	for _, c := range a.Ceilings {
		key := "maximum_" + metric[c.Metric] + "_per_" + c.Window
		if c.Scope == "account" {
			o["accumulated_"+key] = c.Maximum
			continue
		}
		e := target[c.Scope](c.Target)
		e[key] = c.Maximum
		entries = append(entries, e)
	}
	if len(entries) > 0 {
		o["usage_services_allowance"] = entries
	}
	return o
}
