package setup

import (
	"fmt"
	"slices"

	"github.com/chargehand/chargehand/limits"
)

// thing is what a fault or a reference can be about.
type thing struct {
	kind Kind
	key  string
}

func (t thing) String() string {
	if t.key == "" {
		return string(t.kind) // the limits of all accounts
	}
	return fmt.Sprintf("%s %q", t.kind, clip(t.key))
}

// place is where something stands in a file.
type place struct {
	file string
	line int
	path *path
}

func (p place) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

func (p place) fault(what string) Fault {
	return Fault{File: p.file, Line: p.line, Path: p.path.String(), Pointer: p.path.pointer(), What: what}
}

// sighting is a thing that stands, or is referred to, at a place.
type sighting struct {
	thing
	place
}

// readings is what a File keeps of the texts that it was read from.
type readings struct {
	things  []sighting // defined by the file, in its order
	refs    []sighting // named by the file, wherever they are defined
	targets map[*limits.Settings][]target
	places  map[thing]place
}

// target is how an entry of limits names what it is about.
type target struct {
	naming
	place
}

// with is r and what was read for o.
func (r readings) with(o readings) readings {
	sum := readings{things: slices.Concat(r.things, o.things), refs: slices.Concat(r.refs, o.refs)}
	sum.targets = make(map[*limits.Settings][]target, len(r.targets)+len(o.targets))
	for _, from := range []readings{r, o} {
		for s, t := range from.targets {
			sum.targets[s] = t
		}
	}
	return sum
}

// settle notes where each thing stands, and refuses to have it twice.
func (r *readings) settle(faults *faultList) {
	r.places = make(map[thing]place, len(r.things))
	for _, s := range r.things {
		first, doubled := r.places[s.thing]
		if doubled && s.kind == KindLimits && s.key != "" {
			continue // its account stands twice, which is told
		}
		if doubled {
			faults.add(s.fault(fmt.Sprintf("%s stands already at %s: keep one of them", s.thing, first)))
			continue
		}
		r.places[s.thing] = s.place
	}
}
