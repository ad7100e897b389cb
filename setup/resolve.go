package setup

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/rating"
)

// check finds what a file contradicts itself in: things, names and defaults that
// stand twice, prices that overlap.
func (f *File) check(faults *faultList) {
	f.read.settle(faults)
	if !faults.none() {
		return // names and prices would tell of the same things again
	}
	f.names(Catalogue{}.with(f), faults)
	f.defaultClass(f.Classes, faults)
	f.overlaps(faults)
}

func (f *File) names(all Catalogue, faults *faultList) Names {
	return namesOf(all, func(t thing, err error) { faults.add(f.Fault(t.kind, t.key, err.Error())) })
}

// defaultClass is the key of the default class, empty where there is none.
func (f *File) defaultClass(classes []billing.Class, faults *faultList) string {
	first := ""
	for _, c := range classes {
		switch {
		case !c.Default:
		case first == "":
			first = c.Key
		default:
			faults.add(f.Fault(KindClass, c.Key, fmt.Sprintf(
				"%s would be the default beside %s: only one can be, give the other default: false", thing{KindClass, c.Key}, thing{KindClass, first})))
		}
	}
	return first
}

func (f *File) overlaps(faults *faultList) {
	_, err := rating.Open(f.Prices)
	f.unbound(err, faults)
}

// BookFaults are the faults that keep the prices of f and those that are stored
// from being one book, each at a price of f: of two that overlap the later one
// may be the one that is stored.
func (f *File) BookFaults(err error) error {
	var faults faultList
	f.unbound(err, &faults)
	return faults.err("")
}

// unbound tells why prices are no book.
func (f *File) unbound(err error, faults *faultList) {
	for _, e := range apart(err) {
		var fault *rating.Fault
		if !errors.As(e, &fault) {
			faults.add(Fault{What: e.Error()})
			continue
		}
		if _, own := f.read.places[thing{KindPrice, fault.Price}]; !own && fault.Other != "" {
			faults.add(f.Fault(KindPrice, fault.Other, fault.Error()))
			continue
		}
		at := f.Fault(KindPrice, fault.Price, valued(fault))
		at.Path += strings.ReplaceAll(fault.Field, "/", ".")
		at.Pointer += fault.Field
		faults.add(at)
	}
}

// Fault is an error at the thing of f with this kind and key, for what only the
// store can refuse; what is said should tell what to do.
func (f *File) Fault(kind Kind, key, what string) Fault {
	t := thing{kind, key}
	if p, ok := f.read.places[t]; ok {
		return p.fault(what)
	}
	return Fault{Path: t.String(), What: what}
}

// PriceAccounts lists the accounts that prices name and that f does not bring
// itself, sorted.
func (f *File) PriceAccounts() []string {
	missing := map[string]bool{}
	for _, p := range f.Prices {
		if _, own := f.read.places[thing{KindAccount, p.Account}]; p.Account != "" && !own {
			missing[p.Account] = true
		}
	}
	return slices.Sorted(maps.Keys(missing))
}

// Named lists the things of a kind that f refers to and does not bring itself,
// sorted.
func (f *File) Named(kind Kind) []string {
	missing := map[string]bool{}
	for _, r := range f.read.refs {
		if _, own := f.read.places[r.thing]; r.kind == kind && !own {
			missing[r.key] = true
		}
	}
	return slices.Sorted(maps.Keys(missing))
}

// Resolve is f with every reference checked against f and what is stored,
// accounts without a class given the default one, and limits naming their
// targets by code. f itself stays as it is, so that it can be resolved again
// when what is stored has changed. The error is Faults.
func (f *File) Resolve(stored Catalogue) (*File, error) {
	var faults faultList
	all := stored.with(f)
	names := f.names(all, &faults)
	key := f.defaultClass(all.Classes, &faults)
	f.references(all, &faults)
	f.resellerTree(all.Resellers, &faults)
	f.typeKeys(all.AccountTypes, &faults)
	f.customAttributes(all.AccountTypes, &faults)

	made := *f
	made.Limits = f.settled(KindLimits, "", f.Limits, names, &faults)
	made.Customers = slices.Clone(f.Customers)
	for i := range made.Customers {
		c := &made.Customers[i]
		c.Accounts = slices.Clone(c.Accounts)
		for j := range c.Accounts {
			a := &c.Accounts[j]
			if a.Class == "" && key == "" {
				faults.add(f.Fault(KindAccount, a.Number, "no class, and there is no default class: give it one"))
			}
			if a.Class == "" {
				a.Class = key
			}
			a.Limits = f.settled(KindAccount, a.Number, a.Limits, names, &faults)
		}
	}
	if err := faults.err(""); err != nil {
		return nil, err
	}
	return &made, nil
}

// references tells which references of f lead nowhere.
func (f *File) references(all Catalogue, faults *faultList) {
	known := map[thing]bool{}
	codes := map[Kind][]string{}
	know := func(kind Kind, key string) {
		known[thing{kind, key}] = true
		codes[kind] = append(codes[kind], key)
	}
	for _, v := range all.Families {
		know(KindFamily, v.Code)
	}
	for _, v := range all.Types {
		know(KindType, v.Code)
	}
	for _, v := range all.Services {
		know(KindService, v.Code)
	}
	for _, v := range all.Classes {
		know(KindClass, v.Key)
	}
	for _, number := range all.Accounts {
		know(KindAccount, number)
	}
	for _, v := range all.Resellers {
		known[thing{KindReseller, idText(v.ID)}] = true
	}
	for _, v := range all.AccountTypes {
		known[thing{KindAccountType, idText(v.ID)}] = true
	}
	for _, id := range all.Managers {
		known[thing{KindManager, id}] = true
	}
	for _, id := range all.Users {
		known[thing{KindUser, id}] = true
	}
	for _, r := range f.read.refs {
		if _, own := f.read.places[r.thing]; !own && !known[r.thing] {
			faults.add(r.fault(fmt.Sprintf("%s is neither in the file nor stored%s", r.thing, suggest(r.key, codes[r.kind]))))
		}
	}
}

// settled is settings with the codes of their targets. Those that no text was
// read for have them already.
func (f *File) settled(kind Kind, key string, s *limits.Settings, names Names, faults *faultList) *limits.Settings {
	if s == nil {
		return nil
	}
	targets, read := f.read.targets[s]
	if !read {
		for _, e := range s.Entries {
			targets = append(targets, target{naming{e.Target.Kind, byCode, e.Target.Target}, f.read.places[thing{kind, key}]})
		}
	}
	made := *s
	made.Entries = slices.Clone(s.Entries)
	for i, scope := range faults.scopes(names, targets) {
		made.Entries[i].Target = scope
	}
	if err := made.Validate(); err != nil && faults.none() {
		faults.add(f.Fault(kind, key, err.Error()))
	}
	return &made
}
