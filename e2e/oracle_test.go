package e2e_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"
)

// oracle works out what must come of a workload, record by record, from the text
// that is sent. It is the plainest code that could do so, and none of the
// product's.
type oracle struct {
	services map[string]service
	accounts map[string]account
	linked   map[[2]string]bool
	counters map[counter]*big.Rat

	verdicts  map[identity]verdict
	contents  map[identity]content
	balances  map[string]*big.Rat
	outcomes  map[string]int // rated, rejected, duplicate, conflict, unreadable
	reasons   map[string]int
	firstSeen []identity
}

type identity struct{ account, source, id string }

// content is what a record says besides who it is.
type content struct {
	service  string
	quantity string // in one spelling
	at       time.Time
}

type verdict struct {
	outcome, reason string
	charge          *big.Rat // nil unless rated
}

// counter is what one window of one scope has taken of one metric.
type counter struct{ account, scope, target, window, starts, metric string }

func newOracle(t tariff) *oracle {
	o := &oracle{
		services: map[string]service{}, accounts: map[string]account{}, linked: map[[2]string]bool{}, counters: map[counter]*big.Rat{},
		verdicts: map[identity]verdict{}, contents: map[identity]content{}, balances: map[string]*big.Rat{},
		outcomes: map[string]int{}, reasons: map[string]int{},
	}
	for _, s := range t.Services {
		o.services[s.Code] = s
	}
	for _, a := range t.Accounts {
		o.accounts[a.Number], o.balances[a.Number] = a, rat(a.Opening)
		for _, code := range a.Services {
			o.linked[[2]string{a.Number, code}] = true
		}
	}
	return o
}

// foresee is the oracle after a whole workload, feed after feed: accounts that
// are in several have no order.
func foresee(t testing.TB, w workload) *oracle {
	t.Helper()
	o := newOracle(w.tariff)
	for _, files := range w.feeds {
		for _, text := range files {
			for line := range strings.Lines(text) {
				o.take(t, line)
			}
		}
	}
	return o
}

// take judges one line.
func (o *oracle) take(t testing.TB, line string) {
	t.Helper()
	var r struct {
		Source, ID, Account, Service string
		Quantity                     json.RawMessage
		At                           time.Time `json:"occurred_at"`
	}
	if json.Unmarshal([]byte(line), &r) != nil {
		o.outcomes["unreadable"]++
		return
	}
	q := rat(strings.Trim(string(r.Quantity), `"`))
	who, what := identity{r.Account, r.Source, r.ID}, content{r.Service, q.RatString(), r.At.UTC()}
	if first, there := o.contents[who]; there {
		if first == what {
			o.outcomes["duplicate"]++
		} else {
			o.outcomes["conflict"]++
		}
		return
	}
	v := o.judge(who.account, what, q)
	o.contents[who], o.verdicts[who] = what, v
	o.firstSeen = append(o.firstSeen, who)
	o.outcomes[v.outcome]++
	if v.reason != "" {
		o.reasons[v.reason]++
	}
}

func (o *oracle) judge(number string, what content, q *big.Rat) verdict {
	a, there := o.accounts[number]
	if !there {
		return verdict{outcome: "rejected", reason: "account_not_found"}
	}
	s, there := o.services[what.service]
	if !there {
		return verdict{outcome: "rejected", reason: "service_not_found"}
	}
	if !o.linked[[2]string{number, s.Code}] {
		return verdict{outcome: "rejected", reason: "service_not_linked"}
	}
	charge := rounded(new(big.Rat).Mul(q, rat(s.Price)), s.Digits)
	local := what.at.Add(a.Offset)
	values := map[string]*big.Rat{"usage": q, "amount": charge}
	starts := map[string]string{"day": local.Format("2006-01-02"), "month": local.Format("2006-01")}
	targets := map[string]string{"service": s.Code, "type": s.Type, "family": s.Family, "account": ""}

	for _, window := range []string{"transaction", "day", "month"} {
		for _, metric := range []string{"usage", "amount"} {
			for _, scope := range []string{"service", "type", "family", "account"} {
				for _, c := range a.Ceilings {
					if c.Window != window || c.Metric != metric || c.Scope != scope || c.Target != targets[scope] {
						continue
					}
					sum := new(big.Rat).Set(values[metric])
					if window != "transaction" {
						sum.Add(sum, o.counter(counter{number, scope, c.Target, window, starts[window], metric}))
					}
					if values[metric].Sign() > 0 && sum.Cmp(stretched(c.Maximum, a.Percent)) > 0 {
						return verdict{outcome: "rejected", reason: "limit_" + window + "_" + metric}
					}
				}
			}
		}
	}
	for scope, target := range targets {
		for window, start := range starts {
			for metric, value := range values {
				n := o.counter(counter{number, scope, target, window, start, metric})
				n.Add(n, value)
			}
		}
	}
	o.balances[number].Sub(o.balances[number], charge)
	return verdict{outcome: "rated", charge: charge}
}

func (o *oracle) counter(c counter) *big.Rat {
	if o.counters[c] == nil {
		o.counters[c] = new(big.Rat)
	}
	return o.counters[c]
}

// stretched is a ceiling with the percentage that may be used beyond it.
func stretched(maximum, percent string) *big.Rat {
	more := new(big.Rat).Add(rat("1"), new(big.Rat).Mul(rat(percent), big.NewRat(1, 100)))
	return more.Mul(more, rat(maximum))
}

// rounded is x to some digits after the point, half away from zero.
func rounded(x *big.Rat, digits int) *big.Rat {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
	y := new(big.Rat).Mul(new(big.Rat).Abs(x), new(big.Rat).SetInt(scale))
	y.Add(y, big.NewRat(1, 2))
	whole := new(big.Int).Div(y.Num(), y.Denom())
	if x.Sign() < 0 {
		whole.Neg(whole)
	}
	return new(big.Rat).SetFrac(whole, scale)
}

func TestTheOracleRoundsHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		in, want string
		digits   int
	}{{"0.5", "1", 0}, {"0.4999", "0", 0}, {"2.675", "2.68", 2}, {"2.6749", "2.67", 2}, {"-0.5", "-1", 0}, {"-2.674", "-2.67", 2}} {
		if got := rounded(rat(c.in), c.digits); got.Cmp(rat(c.want)) != 0 {
			t.Errorf("%s to %d digits: got %s, want %s", c.in, c.digits, got.FloatString(6), c.want)
		}
	}
}
