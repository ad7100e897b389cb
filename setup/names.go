package setup

import (
	"errors"
	"fmt"

	"github.com/chargehand/chargehand/billing"
)

// Catalogue is what is stored already and a file may refer to.
type Catalogue struct {
	Families []billing.Family
	Types    []billing.ServiceType
	Services []billing.Service
	Classes  []billing.Class
	// Accounts holds numbers of stored accounts: at least those that are stored
	// of the file's PriceAccounts.
	Accounts []string

	Resellers    []billing.Reseller
	AccountTypes []billing.AccountType
	// Managers and Users hold ids, as texts: at least those that are stored of
	// what the file has Named.
	Managers, Users []string
}

// with is c after f: what f brings stands in place of what has the same code.
func (c Catalogue) with(f *File) Catalogue {
	c.Families = replaced(c.Families, f.Families, func(f billing.Family) string { return f.Code })
	c.Types = replaced(c.Types, f.Types, func(t billing.ServiceType) string { return t.Code })
	c.Services = replaced(c.Services, f.Services, func(s billing.Service) string { return s.Code })
	c.Classes = replaced(c.Classes, f.Classes, func(k billing.Class) string { return k.Key })
	c.Resellers = replaced(c.Resellers, f.Resellers, func(r billing.Reseller) int64 { return r.ID })
	c.AccountTypes = replaced(c.AccountTypes, f.AccountTypes, func(t billing.AccountType) int64 { return t.ID })
	return c
}

// replaced is what stays of old, then all of fresh.
func replaced[T any, K comparable](old, fresh []T, key func(T) K) []T {
	gone := make(map[K]bool, len(fresh))
	for _, v := range fresh {
		gone[key(v)] = true
	}
	all := make([]T, 0, len(old)+len(fresh))
	for _, v := range old {
		if !gone[key(v)] {
			all = append(all, v)
		}
	}
	return append(all, fresh...)
}

// Names finds services, types and families by what limits may call them
// (CONTRACT §2).
type Names struct {
	codes   map[naming]string
	bearers map[bearer]string // codes, by what they are called in any way
}

// naming is one way to call a service, type or family: by its code, alternative
// code or name.
type naming struct {
	of       billing.ScopeKind
	by, text string
}

// bearer is whoever is called text.
type bearer struct {
	of   billing.ScopeKind
	text string
}

// The ways to call something, as limits write them.
const (
	byCode        = "code"
	byAlternative = "alternative_code"
	byName        = "name"
)

// NewNames are the names in a catalogue, or what makes them ambiguous.
func NewNames(c Catalogue) (Names, error) {
	var faults []error
	n := namesOf(c, func(_ thing, err error) { faults = append(faults, err) })
	return n, errors.Join(faults...)
}

// namesOf hands what bears a name of another to refuse; the other keeps it.
func namesOf(c Catalogue, refuse func(thing, error)) Names {
	n := Names{codes: map[naming]string{}, bearers: map[bearer]string{}}
	name := func(t thing, of billing.ScopeKind, called map[string]string) {
		if err := n.add(t, of, called); err != nil {
			refuse(t, err)
		}
	}
	for _, f := range c.Families {
		name(thing{KindFamily, f.Code}, billing.OfFamily, map[string]string{byCode: f.Code, byName: f.Name})
	}
	for _, t := range c.Types {
		name(thing{KindType, t.Code}, billing.OfType, map[string]string{byCode: t.Code, byAlternative: t.Code, byName: t.Name})
	}
	for _, s := range c.Services {
		name(thing{KindService, s.Code}, billing.OfService, map[string]string{byCode: s.Code, byAlternative: s.AlternativeCode})
	}
	return n
}

func (n Names) add(t thing, of billing.ScopeKind, called map[string]string) error {
	for _, by := range []string{byCode, byAlternative, byName} {
		text := called[by]
		if text == "" {
			continue
		}
		if other, taken := n.bearers[bearer{of, text}]; taken && other != t.key {
			return fmt.Errorf("%s has the %s %q, which %s bears too: give it another", t, by, clip(text), thing{t.kind, other})
		}
		n.bearers[bearer{of, text}] = t.key
		n.codes[naming{of, by, text}] = t.key
	}
	return nil
}

// Service is the code of the service with this code or alternative code: one of
// the two is given, the other empty.
func (n Names) Service(code, alternative string) (string, error) {
	return n.find(billing.OfService, code, alternative, "")
}

// Type is the code of the type with this code, alternative code (which is the
// same) or name: one of the three is given, the others empty.
func (n Names) Type(code, alternative, name string) (string, error) {
	return n.find(billing.OfType, code, alternative, name)
}

// Family is the code of the family with this code or name: one of the two is
// given, the other empty.
func (n Names) Family(code, name string) (string, error) {
	return n.find(billing.OfFamily, code, "", name)
}

func (n Names) find(of billing.ScopeKind, code, alternative, name string) (string, error) {
	for _, by := range []naming{{of, byCode, code}, {of, byAlternative, alternative}, {of, byName, name}} {
		if by.text != "" {
			return n.resolve(by)
		}
	}
	return "", fmt.Errorf("%s without a name: give one", scopeKinds[of])
}

var scopeKinds = map[billing.ScopeKind]Kind{
	billing.OfService: KindService, billing.OfType: KindType, billing.OfFamily: KindFamily,
}

func (n Names) resolve(by naming) (string, error) {
	if code, ok := n.codes[by]; ok {
		return code, nil
	}
	var choices []string
	for other := range n.codes {
		if other.of == by.of && other.by == by.by {
			choices = append(choices, other.text)
		}
	}
	return "", fmt.Errorf("no %s has the %s %q%s", scopeKinds[by.of], by.by, clip(by.text), suggest(by.text, choices))
}
