package setup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"
	"go.yaml.in/yaml/v3"
)

// YAML is f as a set-up file: keys in the order of CONTRACT §2, numbers in
// quotes, what is absent or a default left out. Lists keep their order.
func (f *File) YAML() ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(f.node()); err != nil {
		return nil, fmt.Errorf("write a set-up file: %w", err)
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("write a set-up file: %w", err)
	}
	return b.Bytes(), nil
}

// JSON is f as a set-up file in JSON; the same keys in the same order.
func (f *File) JSON() ([]byte, error) {
	var b bytes.Buffer
	if err := writeJSON(&b, f.node()); err != nil {
		return nil, fmt.Errorf("write a set-up file: %w", err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, b.Bytes(), "", "  "); err != nil {
		return nil, fmt.Errorf("write a set-up file: %w", err)
	}
	pretty.WriteByte('\n')
	return pretty.Bytes(), nil
}

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

// textNode is a text, in quotes unless it is of plain letters: YAML gives many
// signs a meaning, and some texts look like numbers or times.
func textNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) >= 0 || strings.TrimSpace(text) != text {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func plain(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(" _-./+", r)
}

// writeJSON writes a tree that File.node made.
func writeJSON(b *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		for i, c := range n.Content {
			if i > 0 {
				b.WriteByte(",:"[i%2])
			}
			if err := writeJSON(b, c); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, c := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := writeJSON(b, c); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	default:
		if n.Tag == "!!int" || n.Tag == "!!bool" {
			b.WriteString(n.Value)
			return nil
		}
		text, err := json.Marshal(n.Value)
		if err != nil {
			return err
		}
		b.Write(text)
	}
	return nil
}
