package setup

import (
	"slices"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/shopspring/decimal"
)

// The keys of limits beside those of their ceilings (CONTRACT §2).
const (
	blockKey      = "block_services_not_included_in_usage_allowance_limits_settings"
	percentageKey = "percentage_of_allowed_exceeded_usage_limit"
	entriesKey    = "usage_services_allowance"
	actionKey     = "action"
)

// targetKeys are what an entry may be about, with what each may be called by; in
// the order of billing's scopes.
var targetKeys = []struct {
	key string
	of  billing.ScopeKind
	by  []string
}{
	{"service", billing.OfService, []string{byCode, byAlternative}},
	{"service_type", billing.OfType, []string{byCode, byAlternative, byName}},
	{"service_family", billing.OfFamily, []string{byCode, byName}},
}

var (
	limitsKeys     = append([]string{blockKey, percentageKey, entriesKey}, limits.CeilingNames(true)...)
	entryKeys      = append([]string{"service", "service_type", "service_family"}, limits.CeilingNames(false)...)
	entryPatchKeys = append([]string{actionKey}, entryKeys...)
)

// limits reads the limits object that o may have, of an account or, for "", of
// all accounts.
func (o object) limits(account string) *limits.Settings {
	s, ok := o.at("limits")
	if !ok {
		return nil
	}
	l := o.object(s, limitsKeys)
	settings := &limits.Settings{
		BlockNotIncluded: l.flag(blockKey),
		Percentage:       value(number(l, percentageKey, billing.ParsePercentage)),
		Account:          standing(l.ceilings(true)),
	}
	var targets []target
	settings.Entries = filled(list(l, entriesKey, func(s spot) limits.Entry {
		e := o.object(s, entryKeys)
		t := e.target()
		targets = append(targets, t)
		c := standing(e.ceilings(false))
		if (c == limits.Ceilings{}) && e.faultless {
			e.fault(e.spot, "an entry without a ceiling: give it one, or leave the entry out")
		}
		return limits.Entry{Target: billing.Scope{Kind: t.of, Target: t.text}, Ceilings: c}
	}))
	o.read.targets[settings] = targets
	o.defines(KindLimits, account, s)
	return settings
}

// target is what an entry is about, as the file calls it.
func (o object) target() target {
	var found []target
	for _, k := range targetKeys {
		s, ok := o.at(k.key)
		if !ok {
			continue
		}
		t := o.object(s, k.by)
		named := target{naming: naming{of: k.of}, place: o.place(s)}
		given := 0
		for _, by := range k.by {
			if t.has(by) {
				named.by, named.text = by, t.text(by)
				given++
			}
		}
		if given != 1 && t.faultless {
			o.fault(s, "%d names: give one, a %s", given, alternatives(k.by))
		}
		found = append(found, named)
	}
	if len(found) == 1 {
		return found[0]
	}
	if o.faultless {
		o.fault(o.spot, "%d targets: give one, a service, service_type or service_family", len(found))
	}
	return target{place: o.place(o.spot)}
}

// ceilings reads the six maxima of o: absent is nil, null points to nil.
func (o object) ceilings(account bool) (c limits.CeilingPatch) {
	for _, key := range limits.CeilingNames(account) {
		s, ok := o.at(key)
		if !ok {
			continue
		}
		w, m, _ := limits.CeilingOf(account, key) // key is one of its names
		parse := billing.ParseCeiling
		if m == billing.Amount {
			parse = amount
		}
		if d := number(o, key, parse); d != nil || isNull(s.node) {
			c[w][m] = &d
		}
	}
	return c
}

// amount reads a ceiling of money.
func amount(text string) (decimal.Decimal, error) {
	m, err := natural(text)
	return m.Decimal(), err
}

// standing is ceilings that a file gives, where null is as absent.
func standing(p limits.CeilingPatch) (c limits.Ceilings) {
	for w := range p {
		for m, named := range p[w] {
			if named != nil {
				c[w][m] = *named
			}
		}
	}
	return c
}

var actionWords = []string{"add", "update", "remove"}

// ParsePatch reads the body of `limits set`, YAML or JSON: a limits object whose
// entries each say their action. What is absent stays, what is null is cleared.
// Targets come back by code. The error is Faults.
func ParsePatch(name string, data []byte, names Names) (limits.Patch, error) {
	root, err := tree(name, data)
	if err != nil || root == nil {
		return limits.Patch{}, err
	}
	r := newReader(name)
	o := r.object(spot{node: root}, limitsKeys)
	p := limits.Patch{Account: o.ceilings(true)}
	if _, ok := o.at(blockKey); ok {
		block := o.flag(blockKey)
		p.BlockNotIncluded = &block
	}
	if _, ok := o.at(percentageKey); ok {
		percentage := value(number(o, percentageKey, billing.ParsePercentage))
		p.Percentage = &percentage
	}
	var targets []target
	p.Entries = filled(list(o, entriesKey, func(s spot) limits.EntryPatch {
		e := r.object(s, entryPatchKeys)
		e.need(actionKey)
		patch := limits.EntryPatch{Action: e.action(), Ceilings: e.ceilings(false)}
		targets = append(targets, e.target())
		return patch
	}))
	if r.faults.none() {
		for i, scope := range r.faults.scopes(names, targets) {
			p.Entries[i].Target = scope
		}
	}
	return p, r.faults.err(name)
}

func (o object) action() limits.Action {
	s, ok := o.scalar(actionKey, "a word", "!!str")
	if !ok {
		return 0
	}
	i := slices.Index(actionWords, s.node.Value)
	if i < 0 {
		o.fault(s, "%q: not one of %s%s", clip(s.node.Value), alternatives(actionWords), suggest(s.node.Value, slices.Clone(actionWords)))
	}
	return limits.Add + limits.Action(i)
}

// scopes are targets by their codes; one that names nothing, or what another
// names too, is a fault.
func (l *faultList) scopes(names Names, targets []target) []billing.Scope {
	all := make([]billing.Scope, len(targets))
	first := make(map[billing.Scope]place, len(targets))
	for i, t := range targets {
		code, err := names.resolve(t.naming)
		if err != nil {
			l.add(t.fault(err.Error()))
			continue
		}
		all[i] = billing.Scope{Kind: t.of, Target: code}
		if other, doubled := first[all[i]]; doubled {
			l.add(t.fault(thing{scopeKinds[t.of], code}.String() + " has an entry already at " + other.String() + ": make one of the two"))
			continue
		}
		first[all[i]] = t.place
	}
	return all
}
