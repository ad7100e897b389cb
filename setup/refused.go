package setup

import (
	"errors"
	"strconv"
	"strings"

	"github.com/chargehand/chargehand/rating"
	"go.yaml.in/yaml/v3"
)

// refused tells the faults that a room found in what was read from o, each where
// it stands.
func (o object) refused(err error) {
	for _, e := range apart(err) {
		var price *rating.Fault
		if errors.As(e, &price) {
			o.fault(o.below(price.Field), "%s", valued(price))
			continue
		}
		key, rest, _ := strings.Cut(e.Error(), ": ") // PeriodicService.Validate begins with the key
		if s, ok := o.at(key); ok {
			o.fault(s, "%s", rest)
		} else {
			o.fault(o.spot, "%v", e)
		}
	}
}

// valued is a price's fault without the place, which is told by line and path.
func valued(f *rating.Fault) string {
	if f.Value == "" {
		return f.Err.Error()
	}
	return f.Value + ": " + f.Err.Error()
}

// below is the spot that a JSON pointer leads to from o; what it names and o
// lacks stands where it is missing.
func (o object) below(pointer string) spot {
	s := o.spot
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		next := s.node
		if i, err := strconv.Atoi(step); err == nil {
			if s.node.Kind == yaml.SequenceNode && i < len(s.node.Content) {
				next = s.node.Content[i]
			}
			s = spot{next, s.path.nth(i)}
			continue
		}
		if v, ok := (object{reader: o.reader, spot: s}).at(step); ok {
			next = v.node
		}
		s = spot{next, s.path.of(step)}
	}
	return s
}
