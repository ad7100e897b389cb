package crm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/shopspring/decimal"
)

// patch is the change in terms of limits: targets by their codes, and what sets
// an entry as the addition or the update that it comes to.
func (c *change) patch(in setup.Catalogue, stored limits.Settings) (limits.Patch, error) {
	by, err := open(in)
	if err != nil {
		return limits.Patch{}, err
	}
	p := limits.Patch{BlockNotIncluded: c.block, Percentage: c.percentage, Account: c.account}
	first := make(map[billing.Scope]string, len(c.entries))
	for i := range c.entries {
		e := &c.entries[i]
		scope, err := by.find(e.target)
		if err != nil {
			return limits.Patch{}, err
		}
		if other, doubled := first[scope]; doubled {
			return limits.Patch{}, refuse(invalidEntry, "%s is about the same %s as %s: make one of the two", e.name, targetKeys[scope.Kind].key, other)
		}
		first[scope] = e.name
		has := slices.ContainsFunc(stored.Entries, func(s limits.Entry) bool { return s.Target == scope })
		made, err := e.patch(scope, has)
		if err != nil {
			return limits.Patch{}, err
		}
		p.Entries = append(p.Entries, made)
	}
	return p, nil
}

// patch is what the entry comes to for a target that has one already, or not.
func (e *entryChange) patch(scope billing.Scope, has bool) (limits.EntryPatch, error) {
	p := limits.EntryPatch{Action: e.action, Target: scope, Ceilings: e.ceilings}
	about := fmt.Sprintf("%s: %s %q", e.name, targetKeys[scope.Kind].key, scope.Target)
	switch {
	case e.action == limits.Add && has:
		return p, refuse(entryExists, "%s has an entry already: update it", about)
	case e.action == limits.Update && !has:
		return p, refuse(entryNotFound, "%s has no entry: add it", about)
	case e.action == limits.Remove && !has:
		return p, refuse(entryNotFound, "%s has no entry, so that there is nothing to remove", about)
	case e.action == 0 && has:
		p.Action, p.Ceilings = limits.Update, whole(e.ceilings)
	case e.action == 0:
		p.Action = limits.Add
	}
	return p, nil
}

// whole is ceilings of which those that are not given are cleared.
func whole(c limits.CeilingPatch) limits.CeilingPatch {
	for w := range c {
		for m := range c[w] {
			if c[w][m] == nil {
				var none *decimal.Decimal
				c[w][m] = &none
			}
		}
	}
	return c
}

// names finds services, types and families by what they may be called here.
type names struct {
	setup.Names
	in  setup.Catalogue
	ids map[billing.ScopeKind]map[string]string // codes by id; made for a kind when it is asked about
}

func open(in setup.Catalogue) (*names, error) {
	called, err := setup.NewNames(in)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", err)
	}
	return &names{called, in, map[billing.ScopeKind]map[string]string{}}, nil
}

// find is the scope of a target.
func (n *names) find(t target) (billing.Scope, error) {
	code, err := n.code(t)
	if err != nil {
		return billing.Scope{}, refuse(unknownTarget, "%s: %v", t.name, err)
	}
	return billing.Scope{Kind: t.kind, Target: code}, nil
}

func (n *names) code(t target) (string, error) {
	by := map[string]string{t.by: t.text}
	switch {
	case t.by == "id":
		if code, ok := n.byID(t.kind)[strings.ToUpper(t.text)]; ok {
			return code, nil
		}
		return "", fmt.Errorf("no %s has the id %q", targetKeys[t.kind].key, clip(t.text))
	case t.kind == billing.OfService:
		return n.Service(by["code"], by["alternative_code"])
	case t.kind == billing.OfType:
		return n.Type(by["code"], by["alternative_code"], by["name"])
	case t.kind == billing.OfFamily:
		return n.Family(by["code"], by["name"])
	}
	return "", errors.New("nothing is named")
}

func (n *names) byID(kind billing.ScopeKind) map[string]string {
	if n.ids[kind] != nil {
		return n.ids[kind]
	}
	ids := map[string]string{}
	switch kind {
	case billing.OfFamily:
		for _, f := range n.in.Families {
			ids[idOf(familyID, f.Code)] = f.Code
		}
	case billing.OfType:
		for _, t := range n.in.Types {
			ids[idOf(typeID, t.Code)] = t.Code
		}
	case billing.OfService:
		for _, s := range n.in.Services {
			ids[idOf(serviceID, s.Code)] = s.Code
		}
	}
	n.ids[kind] = ids
	return ids
}
