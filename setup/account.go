package setup

import (
	"fmt"

	"github.com/chargehand/chargehand/billing"
)

var accountKeys = []string{
	"number", "class", "currency", "time_zone", "cycle_day", "opening_balance",
	"financial_blocking_threshold", "subscription_credit_limit",
	"services", "applications", "periodic_services", "limits", "profile",
}

func (r *reader) account(s spot) Account {
	o := r.object(s, accountKeys)
	o.need("number", "currency")
	a := Account{
		Number: o.text("number"), Class: o.text("class"), Currency: o.currency("currency"),
		TimeZone: o.zone("time_zone"), CycleDay: o.whole("cycle_day", 1, 31, 1),
		OpeningBalance: number(o, "opening_balance", billing.ParseMoney),
		Threshold:      number(o, "financial_blocking_threshold", natural),
		CreditLimit:    number(o, "subscription_credit_limit", natural),
	}
	r.defines(KindAccount, a.Number, s)
	o.refers(KindClass, "class", a.Class)
	a.Services = list(o, "services", r.linkedService)
	a.Applications = list(o, "applications", r.application)
	a.PeriodicServices = list(o, "periodic_services", r.periodicService)
	twice(o, "services", a.Services, func(code string) string { return code })
	twice(o, "applications", a.Applications, func(name string) string { return name })
	twice(o, "periodic_services", a.PeriodicServices, func(p PeriodicService) string { return p.Name })
	a.Limits = o.limits(a.Number)
	if at, ok := o.at("profile"); ok {
		a.Profile = r.profile(at, a.Number)
	}
	return a
}

func (r *reader) linkedService(s spot) string {
	code := r.element(s)
	if code != "" {
		r.read.refs = append(r.read.refs, sighting{thing{KindService, code}, r.place(s)})
	}
	return code
}

var applicationKeys = []string{"name"}

func (r *reader) application(s spot) string {
	o := r.object(s, applicationKeys)
	o.need("name")
	return o.text("name")
}

// twice refuses what stands twice in the list at key.
func twice[T any](o object, key string, all []T, name func(T) string) {
	seen := make(map[string]int, len(all))
	for i, v := range all {
		n := name(v)
		first, doubled := seen[n]
		if !doubled {
			seen[n] = i
			continue
		}
		if n != "" {
			at, _ := o.at(key) // all was read from it
			at = spot{at.node.Content[i], at.path.nth(i)}
			o.fault(at, "%q stands already at [%d] of this list: keep one of them", clip(n), first)
		}
	}
}

var periodicKeys = []string{"name", "price", "period", "every", "starts_on", "anchor_day", "ends_on", "prorate"}

func (r *reader) periodicService(s spot) PeriodicService {
	before := r.faults.count()
	o := r.object(s, periodicKeys)
	o.need("name", "price", "period", "starts_on")
	p := PeriodicService{
		Name: o.text("name"), Price: o.money("price"),
		Every: o.whole("every", 1, everyMax, 1), AnchorDay: o.whole("anchor_day", 1, 31, 0),
		EndsOn: o.date("ends_on"), Prorate: o.flag("prorate"),
	}
	o.word("period", &p.Period)
	if d := o.date("starts_on"); d != nil {
		p.StartsOn = *d
	}
	if r.faults.count() == before {
		o.refused(p.Validate())
	}
	return p
}

// ParsePeriodicService reads one periodic service, YAML or JSON, as it stands in
// a set-up file. The error is Faults.
func ParsePeriodicService(name string, data []byte) (PeriodicService, error) {
	root, err := tree(name, data)
	if err != nil {
		return PeriodicService{}, err
	}
	if root == nil {
		return PeriodicService{}, Faults{{File: name, What: "empty: a periodic service was expected"}}
	}
	r := newReader(name)
	p := r.periodicService(spot{node: root})
	return p, r.faults.err(name)
}

func negative(text string) error {
	return fmt.Errorf("number %q: %w", clip(text), billing.ErrNegative)
}
