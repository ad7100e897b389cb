package setup

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader walks a tree and gathers what it finds and what is wrong.
type reader struct {
	file   string
	faults faultList
	read   readings
	zones  map[string]bool // names that were looked up already
}

// path is the way from the root to a node; nil is the root.
type path struct {
	up    *path
	key   string // of an object
	index int    // of a list; -1 of an object
}

func (p *path) of(key string) *path { return &path{up: p, key: key, index: -1} }
func (p *path) nth(i int) *path     { return &path{up: p, index: i} }

// String is the path like customers[0].ref.
func (p *path) String() string {
	switch {
	case p == nil:
		return ""
	case p.index >= 0:
		return p.up.String() + "[" + strconv.Itoa(p.index) + "]"
	case p.up == nil:
		return shown(p.key)
	}
	return p.up.String() + "." + shown(p.key)
}

// shown is a key as a path has it: in quotes where it is none of ours and could
// be taken for more than one, or break the line.
func shown(key string) string {
	foreign := func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }
	if key == "" || len(key) > keyMax || strings.IndexFunc(key, foreign) >= 0 {
		return strconv.Quote(clip(key))
	}
	return key
}

// keyMax is longer than any key of ours.
const keyMax = 80

// pointer is the path as a JSON pointer (RFC 6901).
func (p *path) pointer() string {
	switch {
	case p == nil:
		return ""
	case p.index >= 0:
		return p.up.pointer() + "/" + strconv.Itoa(p.index)
	}
	return p.up.pointer() + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(p.key)
}

// spot is a node and the way to it.
type spot struct {
	node *yaml.Node
	path *path
}

func (r *reader) place(s spot) place { return place{r.file, s.node.Line, s.path} }

func (r *reader) fault(s spot, format string, args ...any) {
	r.faults.add(r.place(s).fault(fmt.Sprintf(format, args...)))
}

// object is a mapping whose keys are known to be among those it may have.
type object struct {
	*reader
	spot
	faultless bool     // none of its keys is a fault
	meant     []string // keys that unknown ones were probably meant to be
}

// object takes s as a mapping with some of the keys; what else it has is a fault.
func (r *reader) object(s spot, keys []string) object {
	o, before := object{reader: r, spot: s}, r.faults.count()
	if s.node.Kind != yaml.MappingNode {
		r.fault(s, "%s, not an object: write key: value pairs", described(s.node))
		o.node = &yaml.Node{Kind: yaml.MappingNode, Line: s.node.Line}
		o.meant = keys // none of them is missing: the whole object is
		return o
	}
	seen := make(map[string]int, len(keys))
	for i := 0; i < len(s.node.Content) && !r.faults.full(); i += 2 {
		k := s.node.Content[i]
		at := spot{k, s.path.of(k.Value)}
		line, doubled := seen[k.Value]
		switch {
		case k.Kind != yaml.ScalarNode:
			r.fault(spot{k, s.path}, "%s as a key: write one of %s", described(k), strings.Join(keys, ", "))
			continue
		case doubled:
			r.fault(at, "key stands already at line %d: keep one of them", line)
		case !slices.Contains(keys, k.Value):
			r.fault(at, "unknown key%s", suggest(k.Value, keys))
			o.meant = append(o.meant, nearest(k.Value, keys))
		}
		seen[k.Value] = k.Line
	}
	o.faultless = r.faults.count() == before
	return o
}

// at is the value of a key; a value that is null is as absent, a list or object
// that is null is for the caller to refuse.
func (o object) at(key string) (spot, bool) {
	for i := 0; i+1 < len(o.node.Content); i += 2 {
		if k := o.node.Content[i]; k.Kind == yaml.ScalarNode && k.Value == key {
			return spot{o.node.Content[i+1], o.path.of(key)}, true
		}
	}
	return spot{}, false
}

func (o object) has(key string) bool {
	s, ok := o.at(key)
	return ok && !isNull(s.node)
}

// need tells which of the keys o lacks, but not twice what a misspelt one was
// meant to be.
func (o object) need(keys ...string) {
	for _, k := range keys {
		if !o.has(k) && !slices.Contains(o.meant, k) {
			o.fault(spot{o.node, o.path.of(k)}, "missing: give it a value")
		}
	}
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// list reads each element of the list at key; nil is a list that is not there.
func list[T any](o object, key string, read func(spot) T) []T {
	s, ok := o.at(key)
	if !ok {
		return nil
	}
	if s.node.Kind != yaml.SequenceNode {
		o.fault(s, "%s, not a list: write [] for none, or leave the key out", described(s.node))
		return nil
	}
	// What is read of a node may be larger than it: no room is made for what the
	// faults keep from being read.
	all := make([]T, 0, min(len(s.node.Content), faultsCounted))
	for i, n := range s.node.Content {
		if o.faults.full() {
			break
		}
		all = append(all, read(spot{n, s.path.nth(i)}))
	}
	return all
}

// described is a node in words, for what should have been something else.
func described(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "an object"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.Tag {
	case "!!null":
		return "nothing"
	case "!!str":
		return fmt.Sprintf("the text %q", clip(n.Value))
	case "!!bool":
		return "the word " + clip(n.Value)
	case "!!timestamp":
		return "the time " + clip(n.Value)
	default:
		return "the number " + clip(n.Value)
	}
}
