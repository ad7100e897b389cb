package setup

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// sizeMax bounds a file in bytes: half a million accounts or more. Its tree takes
// up to thirty times that, so a larger one would be a surprise for the machine;
// `apply` takes several files.
const sizeMax = 128 << 20

// tree reads data as one YAML or JSON document; nil is an empty one. JSON goes
// its own way because YAML, which nearly contains it, refuses its tabs and its
// surrogate pairs. Neither way turns a number into a float: scalars keep their text.
func tree(file string, data []byte) (*yaml.Node, error) {
	if len(data) > sizeMax {
		return nil, Faults{{File: file, What: fmt.Sprintf("%d bytes, at most %d are taken: split the file and apply the parts together", len(data), sizeMax)}}
	}
	if !utf8.Valid(data) {
		return nil, Faults{{File: file, What: "not UTF-8: save the file in that encoding"}}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if json.Valid(data) {
		return jsonTree(data), nil
	}
	return yamlTree(file, data)
}

// yamlTree reads one YAML document, and refuses what would make a value come
// from elsewhere than where it is read: aliases (a few lines of them can stand
// for billions), merges and tags.
func yamlTree(file string, data []byte) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	switch err := d.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, Faults{yamlFault(file, err)}
	}
	var next yaml.Node
	switch err := d.Decode(&next); {
	case err == nil:
		return nil, Faults{{File: file, Line: next.Line, What: "a second document begins: one file holds one, take it to a file of its own"}}
	case !errors.Is(err, io.EOF):
		return nil, Faults{yamlFault(file, err)}
	}
	root := document.Content[0]
	if faults := foreign(file, root, nil); faults != nil {
		return nil, faults
	}
	if root.Tag == "!!null" && root.Kind == yaml.ScalarNode {
		return nil, nil
	}
	return root, nil
}

// foreign lists what stands for something else than its own text.
func foreign(file string, n *yaml.Node, faults Faults) Faults {
	what := ""
	switch {
	case n.Kind == yaml.AliasNode:
		what = fmt.Sprintf("alias *%s: not taken, write the value out", clip(n.Value))
	case n.Anchor != "":
		what = fmt.Sprintf("anchor &%s: not taken, leave it out", clip(n.Anchor))
	case n.Style&yaml.TaggedStyle != 0:
		what = fmt.Sprintf("tag %s: not taken, leave it out", clip(n.Tag))
	}
	if what != "" && len(faults) < faultsMax {
		faults = append(faults, Fault{File: file, Line: n.Line, What: what})
	}
	for _, c := range n.Content {
		faults = foreign(file, c, faults)
	}
	return faults
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// yamlFault takes the line out of a YAML error's text, which is where it is.
func yamlFault(file string, err error) Fault {
	text := err.Error()
	found := yamlLine.FindStringSubmatch(text)
	f := Fault{File: file, What: "not YAML or JSON: " + text}
	if found != nil {
		f.What = "not YAML or JSON: " + strings.TrimPrefix(text, found[0])
		f.Line, _ = strconv.Atoi(found[1])
	}
	return f
}

// jsonTree is valid JSON as the tree that YAML would give; nil for null.
func jsonTree(data []byte) *yaml.Node {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	j := jsonReader{data: data, tokens: d, line: 1}
	n := j.value()
	if n.Tag == "!!null" {
		return nil
	}
	return n
}

// jsonReader makes a tree of the tokens of a text that is known to be valid.
type jsonReader struct {
	data   []byte
	tokens *json.Decoder
	offset int64 // lines are counted up to here
	line   int
}

// value reads one value; nil is the end of the list or object around it.
func (j *jsonReader) value() *yaml.Node {
	token, err := j.tokens.Token()
	if err != nil {
		panic("setup: json.Valid took what Token refuses: " + err.Error())
	}
	end := j.tokens.InputOffset()
	j.line += bytes.Count(j.data[j.offset:end], []byte{'\n'})
	j.offset = end
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: j.line}
	switch t := token.(type) {
	case json.Delim:
		return j.composite(n, t)
	case string:
		n.Tag, n.Value, n.Style = "!!str", t, yaml.DoubleQuotedStyle
	case json.Number:
		n.Tag, n.Value = "!!float", t.String()
		if !strings.ContainsAny(n.Value, ".eE") {
			n.Tag = "!!int"
		}
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(t)
	default:
		n.Tag, n.Value = "!!null", "null"
	}
	return n
}

func (j *jsonReader) composite(n *yaml.Node, open json.Delim) *yaml.Node {
	switch open {
	case '{':
		n.Kind, n.Tag = yaml.MappingNode, "!!map"
	case '[':
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
	default:
		return nil
	}
	for c := j.value(); c != nil; c = j.value() {
		n.Content = append(n.Content, c)
	}
	return n
}
