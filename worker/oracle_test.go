package worker

import (
	"fmt"
	"time"

	"github.com/shopspring/decimal"
)

// oracle is SPEC §3 to §6 written down in the plainest way: it keeps every record
// and adds up what it wants to know from all of them, each time anew. It knows no
// counter, no cache, no transaction and none of the product's code.
type oracle struct {
	lateness         time.Duration
	enforceThreshold bool
	holdOnDebit      bool
	services         map[string]placement
	tariffs          []tariff
	payers           map[string]*payer
	counts           map[string]int // of outcomes and reasons
}

type placement struct{ kind, family string }

// tariff is a price. Over nothing, "day" or "month" it accumulates.
type tariff struct {
	id, service, class, account string
	from                        time.Time
	over                        string
	digits                      int32
	model                       func(quantity decimal.Decimal) decimal.Decimal
	step, fee, least, most      decimal.Decimal // zero: none
}

// payer is an account.
type payer struct {
	number, class                   string
	zone                            *time.Location
	cycleDay                        int
	postpay                         bool
	threshold, creditLimit, balance decimal.Decimal // postpaid: balance is minus the debt
	graceDays                       int             // -1: for ever
	linked                          map[string]bool
	blocked                         bool // services without an entry
	percentage                      decimal.Decimal
	ceilings                        []ceiling

	negativeSince time.Time
	status        string
	heldSince     time.Time
	history       []string
	lines         []*line // in order of arrival
}

type ceiling struct {
	scope, target, window, metric string
	most                          decimal.Decimal
}

// sent is a record as a feed sends it.
type sent struct {
	id, account, service, directive, original string
	quantity                                  decimal.Decimal
	amount                                    *decimal.Decimal
	at                                        time.Time
}

// line is a record with what became of it.
type line struct {
	sent
	reason   string // empty: rated
	charge   decimal.Decimal
	tariff   *tariff
	of       *line // a credit's original
	countsAt time.Time
}

func (l *line) rated() bool { return l.reason == "" }

// units are what l counts: a credit's are taken off.
func (l *line) units() decimal.Decimal {
	if l.of != nil {
		return l.quantity.Neg()
	}
	return l.quantity
}

// batch judges a batch that was accepted at one time and is judged at another.
func (o *oracle) batch(records []sent, accepted, now time.Time) {
	debited := map[*payer]bool{}
	moved := map[*payer]bool{}
	for _, r := range records {
		p := o.payers[r.account]
		if p == nil {
			p = &payer{number: r.account, status: "absent"} // keeps identities only
			o.payers[r.account] = p
		}
		if first := p.line(r.id); first != nil {
			if first.same(r) {
				o.counts["duplicate"]++
			} else {
				o.counts["conflict"]++
			}
			continue
		}
		l := &line{sent: r, countsAt: r.at}
		l.reason = o.judge(p, l, accepted)
		p.lines = append(p.lines, l)
		if !l.rated() {
			l.charge = decimal.Zero
			o.counts["rejected"]++
			o.counts[l.reason]++
			continue
		}
		o.counts["rated"]++
		p.balance = p.balance.Sub(l.charge)
		moved[p] = true
		debited[p] = debited[p] || l.charge.IsPositive()
	}
	for p := range moved {
		p.settle(now)
		if o.holdOnDebit && debited[p] && p.status == "active" && p.debtReason(now) != "" {
			p.become("credit_hold", now)
		}
	}
}

func (p *payer) line(id string) *line {
	for _, l := range p.lines {
		if l.id == id {
			return l
		}
	}
	return nil
}

func (r sent) same(o sent) bool {
	sameAmount := r.amount == o.amount || r.amount != nil && o.amount != nil && r.amount.Equal(*o.amount)
	return r.service == o.service && r.directive == o.directive && r.original == o.original && r.quantity.Equal(o.quantity) &&
		r.at.Equal(o.at) && sameAmount
}

// judge is SPEC R5.1: the first check that fails gives the reason.
func (o *oracle) judge(p *payer, l *line, accepted time.Time) string {
	place, known := o.services[l.service]
	switch {
	case p.status == "absent":
		return "account_not_found"
	case p.status == "deleted":
		return "account_deleted"
	case p.status == "administrative_hold" && !l.at.Before(p.heldSince):
		return "account_administrative_hold"
	case p.status == "credit_hold" && !l.at.Before(p.heldSince) && l.directive != "credit":
		return "account_credit_hold"
	case !known:
		return "service_not_found"
	case !p.linked[l.service]:
		return "service_not_linked"
	case l.at.After(accepted.Add(5 * time.Minute)):
		return "in_future"
	case o.lateness > 0 && l.at.Before(accepted.Add(-o.lateness)):
		return "too_late"
	case l.directive == "credit":
		return o.credit(p, l)
	}
	if reason := o.price(p, l); reason != "" {
		return reason
	}
	if reason := o.limits(p, l, place); reason != "" || l.directive == "no_charge" || !l.charge.IsPositive() {
		return reason
	}
	after := p.balance.Sub(l.charge)
	switch {
	case p.postpay && p.creditLimit.IsPositive() && after.LessThan(p.creditLimit.Neg()):
		return "subscription_credit_limit"
	case !p.postpay && o.enforceThreshold && after.LessThan(p.threshold.Neg()):
		return "insufficient_funds"
	}
	return ""
}

// price is SPEC §3.
func (o *oracle) price(p *payer, l *line) string {
	if l.directive == "no_charge" {
		return ""
	}
	if l.amount != nil {
		l.charge = *l.amount
		return ""
	}
	for i := range o.tariffs { // the account's own before its class's before the rest
		t := &o.tariffs[i]
		applies := t.service == l.service && !l.at.Before(t.from) && (t.account == "" || t.account == p.number) && (t.class == "" || t.class == p.class)
		if applies && (l.tariff == nil || t.rank() > l.tariff.rank() || t.rank() == l.tariff.rank() && t.from.After(l.tariff.from)) {
			l.tariff = t
		}
	}
	if l.tariff == nil {
		return "no_price"
	}
	l.charge = l.tariff.charge(o.before(p, l), l.quantity)
	return ""
}

func (t *tariff) rank() int {
	switch {
	case t.account != "":
		return 2
	case t.class != "":
		return 1
	}
	return 0
}

// before is what p used of the line's service in the window over which its tariff
// counts.
func (o *oracle) before(p *payer, l *line) decimal.Decimal {
	units, _ := p.counted(l.tariff.over, l.countsAt, func(x *line) bool { return x.service == l.service })
	return units
}

// charge is SPEC R3.3.
func (t *tariff) charge(before, quantity decimal.Decimal) decimal.Decimal {
	if t.over != "" {
		rounded := func(q decimal.Decimal) decimal.Decimal { return t.model(q).Round(t.digits) }
		return rounded(before.Add(quantity)).Sub(rounded(before)).Add(t.fee).Round(t.digits)
	}
	if t.step.IsPositive() {
		steps, rest := quantity.QuoRem(t.step, 0)
		if rest.IsPositive() {
			steps = steps.Add(decimal.NewFromInt(1))
		}
		quantity = steps.Mul(t.step)
	}
	exact := decimal.Max(t.model(quantity).Add(t.fee), t.least)
	if t.most.IsPositive() {
		exact = decimal.Min(exact, t.most)
	}
	return exact.Round(t.digits)
}

// limits is SPEC §4.
func (o *oracle) limits(p *payer, l *line, place placement) string {
	covers := func(c ceiling, service string) bool {
		s := o.services[service]
		return c.scope == "account" || c.scope == "service" && c.target == service || c.scope == "type" && c.target == s.kind ||
			c.scope == "family" && c.target == s.family
	}
	if p.blocked {
		included := false
		for _, c := range p.ceilings {
			included = included || c.scope != "account" && covers(c, l.service)
		}
		if !included {
			return "service_not_included"
		}
	}
	for _, window := range []string{"transaction", "day", "month"} {
		for _, metric := range []string{"usage", "amount"} {
			for _, c := range p.ceilings {
				if c.window != window || c.metric != metric || !covers(c, l.service) {
					continue
				}
				units, money := p.counted(window, l.at, func(x *line) bool { return covers(c, x.service) })
				used, value := units, l.quantity
				if metric == "amount" {
					used, value = money, l.charge
				}
				hundred := decimal.NewFromInt(100)
				if value.IsPositive() && used.Add(value).Mul(hundred).GreaterThan(c.most.Mul(hundred.Add(p.percentage))) {
					return fmt.Sprintf("limit_%s_%s", window, metric)
				}
			}
		}
	}
	return ""
}

// credit is SPEC R5.9.
func (o *oracle) credit(p *payer, l *line) string {
	of := p.line(l.original)
	if of == nil || !of.rated() || of.directive == "credit" || of.service != l.service {
		return "original_not_found"
	}
	rest, restMoney := of.quantity, of.charge
	for _, x := range p.lines {
		if x.rated() && x.of == of {
			rest, restMoney = rest.Sub(x.quantity), restMoney.Add(x.charge)
		}
	}
	if l.quantity.GreaterThan(rest) || l.amount != nil && l.amount.GreaterThan(restMoney) {
		return "credit_exceeds_original"
	}
	l.of, l.countsAt, l.tariff = of, of.at, of.tariff
	switch t := of.tariff; {
	case l.amount != nil:
		l.tariff = nil
		l.charge = l.amount.Neg()
	case t != nil && t.over != "":
		now := o.before(p, l)
		l.charge = t.model(now.Sub(l.quantity)).Round(t.digits).Sub(t.model(now).Round(t.digits))
	default:
		digits := max(2, -of.charge.Exponent())
		if t != nil {
			digits = t.digits
		}
		l.charge = restMoney.Mul(l.quantity).DivRound(rest, digits).Neg()
	}
	return ""
}

// counted adds up what p used in the window of a time: of a transaction, which
// has only just begun, nothing.
func (p *payer) counted(window string, at time.Time, which func(*line) bool) (units, money decimal.Decimal) {
	for _, l := range p.lines {
		if window != "transaction" && l.rated() && which(l) && p.window(window, l.countsAt) == p.window(window, at) {
			units, money = units.Add(l.units()), money.Add(l.charge)
		}
	}
	return units, money
}

// window names the day or the month of a time by the date on which it starts. The
// zones of this test change their clocks at no midnight.
func (p *payer) window(kind string, at time.Time) string {
	year, month, day := at.In(p.zone).Date()
	if kind == "month" {
		if day < p.begin(year, month) {
			month--
		}
		first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC)
		year, month, day = first.Year(), first.Month(), p.begin(first.Year(), first.Month())
	}
	return fmt.Sprintf("%04d-%02d-%02d", year, month, day)
}

// begin is the day of a month on which p's month begins.
func (p *payer) begin(year int, month time.Month) int {
	return min(p.cycleDay, time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day())
}

// settle notes since when the balance is below zero (SPEC R6.2).
func (p *payer) settle(now time.Time) {
	switch {
	case p.postpay || !p.balance.IsNegative():
		p.negativeSince = time.Time{}
	case p.negativeSince.IsZero():
		p.negativeSince = now
	}
}

// debtReason is why p may not be active (SPEC R6.2, R6.3).
func (p *payer) debtReason(now time.Time) string {
	switch {
	case p.postpay:
		return ""
	case p.balance.LessThan(p.threshold.Neg()):
		return "threshold"
	case p.balance.IsNegative() && p.graceDays >= 0 && !now.Before(p.negativeSince.AddDate(0, 0, p.graceDays)):
		return "subzero"
	}
	return ""
}

// become takes p to another status (SPEC R5.5, R6.1).
func (p *payer) become(status string, now time.Time) {
	p.history = append(p.history, p.status+" "+status)
	switch {
	case status == "active":
		p.heldSince = time.Time{}
	case p.status == "active":
		p.heldSince = now
	}
	p.status = status
}

// test is the credit test for release and for hold (SPEC R6.4).
func (p *payer) test(now time.Time) {
	switch because := p.debtReason(now); {
	case p.status == "active" && because != "":
		p.become("credit_hold", now)
	case p.status == "credit_hold" && because == "" && !p.postpay:
		p.become("active", now)
	}
}

// pay, hold and release are what people do between batches.
func (p *payer) pay(amount decimal.Decimal, now time.Time) {
	p.balance = p.balance.Add(amount)
	p.settle(now)
	p.test(now)
}

func (p *payer) hold(now time.Time) {
	if p.status == "active" || p.status == "credit_hold" {
		p.become("administrative_hold", now)
	}
}

func (p *payer) release(now time.Time) {
	if p.status != "administrative_hold" {
		return
	}
	to := "active"
	if p.debtReason(now) != "" {
		to = "credit_hold"
	}
	p.become(to, now)
}
