package setup

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// YAML is f as a set-up file: keys in the order of CONTRACT §2, numbers in
// quotes, what is absent or a default left out. Lists keep their order.
func (f *File) YAML() ([]byte, error) {
	var w writer
	root := f.node()
	if len(root.Content) == 0 {
		inline(root)
	}
	w.block(root, "")
	return w.result()
}

// JSON is f as a set-up file in JSON; the same keys in the same order.
func (f *File) JSON() ([]byte, error) {
	w := writer{json: true}
	w.flow(f.node())
	text, err := w.result()
	if err != nil {
		return nil, err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, text, "", "  "); err != nil {
		return nil, fmt.Errorf("write a set-up file: %w", err)
	}
	pretty.WriteByte('\n')
	return pretty.Bytes(), nil
}

// writer writes a tree as text. yaml's own encoder keeps every event of a
// document in memory: it took 2.9 GB for 100,000 accounts, and this takes what
// the text takes. What is in quotes is in quotes as JSON and YAML both read it.
type writer struct {
	text bytes.Buffer
	json bool // all on one line and every text in quotes
	err  error
}

func (w *writer) result() ([]byte, error) {
	if w.err != nil {
		return nil, fmt.Errorf("write a set-up file: %w", w.err)
	}
	return w.text.Bytes(), nil
}

// block writes n from here to the end of a line; what needs more lines has them
// at indent.
func (w *writer) block(n *yaml.Node, indent string) {
	if n.Kind != yaml.MappingNode || n.Style&yaml.FlowStyle != 0 {
		w.flow(n)
		w.text.WriteByte('\n')
		return
	}
	for i := 0; i < len(n.Content); i += 2 {
		if i > 0 {
			w.text.WriteString(indent)
		}
		w.scalar(n.Content[i])
		w.text.WriteByte(':')
		w.member(n.Content[i+1], indent)
	}
}

// member writes the value behind a key of a block that stands at indent.
func (w *writer) member(n *yaml.Node, indent string) {
	switch {
	case n.Kind == yaml.ScalarNode || n.Style&yaml.FlowStyle != 0:
		w.text.WriteByte(' ')
		w.block(n, "")
	case n.Kind == yaml.MappingNode:
		w.text.WriteString("\n" + indent + "  ")
		w.block(n, indent+"  ")
	default:
		w.text.WriteByte('\n')
		for _, c := range n.Content {
			w.text.WriteString(indent + "  - ")
			w.block(c, indent+"    ")
		}
	}
}

// flow writes n on one line: JSON, or YAML that looks much like it.
func (w *writer) flow(n *yaml.Node) {
	brackets, separators := "[]", []string{", "}
	switch n.Kind {
	case yaml.ScalarNode:
		w.scalar(n)
		return
	case yaml.MappingNode:
		brackets, separators = "{}", []string{", ", ": "}
	}
	w.text.WriteByte(brackets[0])
	for i, c := range n.Content {
		if i > 0 {
			w.text.WriteString(separators[i%len(separators)])
		}
		w.flow(c)
	}
	w.text.WriteByte(brackets[1])
}

func (w *writer) scalar(n *yaml.Node) {
	if !utf8.ValidString(n.Value) && w.err == nil {
		w.err = fmt.Errorf("%q: not UTF-8", n.Value)
	}
	number := n.Tag == "!!int" || n.Tag == "!!bool"
	date := n.Tag == "!!timestamp" && !w.json
	word := n.Tag == "!!str" && n.Style == 0 && !w.json && plain(n.Value)
	if number || date || word {
		w.text.WriteString(n.Value)
		return
	}
	w.quoted(n.Value)
}

// plainText is what YAML reads as a text without quotes, whatever its version:
// it has no sign with a meaning, and no number or time begins with a letter.
var plainText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*$`)

// meaningful are the texts that some version of YAML takes for something else.
var meaningful = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n"}

func plain(text string) bool {
	return plainText.MatchString(text) && !slices.Contains(meaningful, strings.ToLower(text))
}

// quoted writes a text in quotes, with escapes that JSON and YAML share for what
// either of them refuses or would take for the end of a line.
func (w *writer) quoted(text string) {
	w.text.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			w.text.WriteByte('\\')
			w.text.WriteRune(r)
		case r < ' ' || 0x7f <= r && r <= 0x9f || r == '\u2028' || r == '\u2029' || r == '\ufeff' || r == '\ufffe' || r == '\uffff':
			fmt.Fprintf(&w.text, `\u%04x`, r)
		default:
			w.text.WriteRune(r)
		}
	}
	w.text.WriteByte('"')
}
