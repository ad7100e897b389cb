package setup

import (
	"fmt"
	"strconv"
	"time"

	"github.com/shopspring/decimal"
	"go.yaml.in/yaml/v3"
)

// mapping builds an object whose keys keep the order in which they were put.
type mapping struct{ *yaml.Node }

func newMapping() mapping { return mapping{&yaml.Node{Kind: yaml.MappingNode}} }

func (m mapping) put(key string, value *yaml.Node) {
	m.Content = append(m.Content, textNode(key), value)
}

// text puts a text that is not empty.
func (m mapping) text(key, text string) {
	if text != "" {
		m.put(key, textNode(text))
	}
}

// number puts the exact digits of a number, in quotes so that no reader makes a
// float of them.
func (m mapping) number(key string, n fmt.Stringer) {
	m.put(key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: n.String(), Style: yaml.DoubleQuotedStyle})
}

func (m mapping) decimal(key string, d *decimal.Decimal) {
	if d != nil {
		m.number(key, d)
	}
}

func (m mapping) whole(key string, n int) {
	m.put(key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(n)})
}

func (m mapping) flag(key string, v bool) {
	m.put(key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)})
}

// date puts a date or time, which YAML has without quotes.
func (m mapping) date(key, text string) {
	m.put(key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: text})
}

func (m mapping) time(key string, t time.Time) { m.date(key, t.UTC().Format(time.RFC3339Nano)) }

// putList puts a list, unless it is empty.
func putList[T any](m mapping, key string, all []T, node func(T) *yaml.Node) {
	if len(all) > 0 {
		m.put(key, sequenceNode(all, node))
	}
}

func sequenceNode[T any](all []T, node func(T) *yaml.Node) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode}
	for _, v := range all {
		n.Content = append(n.Content, node(v))
	}
	if len(all) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

// inline makes n one line.
func inline(n *yaml.Node) *yaml.Node {
	n.Style |= yaml.FlowStyle
	return n
}

// textNode is a text, in quotes where it needs them.
func textNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}
