package crm

import (
	"strings"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
)

// targetKeys are what an entry may be about, with what each may be called by.
var targetKeys = []struct {
	key  string
	kind billing.ScopeKind
	by   []string
}{
	{"service", billing.OfService, []string{"code", "alternative_code", "id"}},
	{"service_type", billing.OfType, []string{"name", "alternative_code", "code", "id"}},
	{"service_family", billing.OfFamily, []string{"code", "name", "id"}},
}

// entries reads the list of entries; null is as absent.
func (p parameter) entries() ([]entryChange, error) {
	if p.null() {
		return nil, nil
	}
	elements, err := p.list(entriesMax)
	if err != nil {
		return nil, err
	}
	all := make([]entryChange, len(elements))
	for i, element := range elements {
		if all[i], err = element.entry(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// entry reads one entry, and holds it against what can be known without the
// limits that it changes: one target, and a ceiling where one is to be set.
func (p parameter) entry() (entryChange, error) {
	e := entryChange{name: p.name}
	members, err := p.object()
	if err != nil {
		return e, err
	}
	targets := 0
	for _, m := range members {
		of, isTarget := targetOf(m.key)
		switch {
		case m.key == actionKey:
			e.action, err = m.action()
		case isTarget && m.null(): // as answers print the two that it is not about
		case isTarget:
			targets++
			e.target.kind = targetKeys[of].kind
			e.target.named, err = m.identify(targetKeys[of].by...)
		default:
			var known bool
			if known, err = takeCeiling(&e.ceilings, false, m); err == nil && !known {
				err = m.unknown()
			}
		}
		if err != nil {
			return e, err
		}
	}
	if targets != 1 {
		return e, refuse(invalidEntry, "%s has %d targets: give exactly one of service, service_type, service_family", p.name, targets)
	}
	return e, e.check()
}

func targetOf(key string) (i int, is bool) {
	for i, t := range targetKeys {
		if t.key == key {
			return i, true
		}
	}
	return 0, false
}

// actionWords are what may be done with an entry, in the order of limits'
// actions.
var actionWords = []string{"add", "update", "remove"}

func (p parameter) action() (limits.Action, error) {
	if p.null() {
		return 0, nil
	}
	word, err := p.text()
	if err != nil {
		return 0, err
	}
	for i, w := range actionWords {
		if w == word {
			return limits.Add + limits.Action(i), nil
		}
	}
	return 0, refuse(invalidValue, "%s is %q: give one of %s, or leave it out to set the entry whatever it was",
		p.name, clip(word), strings.Join(actionWords, ", "))
}

// check counts the entry's ceilings: an update may clear some, what is added or
// set needs one that limits, and a removal takes none.
func (e *entryChange) check() error {
	named, limiting := 0, 0
	for _, window := range e.ceilings {
		for _, ceiling := range window {
			if ceiling == nil {
				continue
			}
			if named++; *ceiling != nil {
				limiting++
			}
		}
	}
	switch {
	case e.action == limits.Remove && limiting > 0:
		return refuse(invalidEntry, "%s removes its target and gives a ceiling: take the ceiling out, or update to null what is to go", e.name)
	case e.action == limits.Update && named == 0, e.action < limits.Update && limiting == 0:
		return refuse(invalidEntry, "%s has no ceiling: give at least one of %s", e.name, strings.Join(limits.CeilingNames(false), ", "))
	}
	return nil
}
