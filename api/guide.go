package api

import (
	"bytes"
	_ "embed" // the text of the guide
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/chargehand/chargehand/api/crm"
	"github.com/danielgtaylor/huma/v2"
)

//go:embed guide.md.tmpl
var guideText string

// chapter is the endpoints of a tag.
type chapter struct {
	Tag        string
	Operations []*operation
}

// operation is an endpoint as the guide shows it.
type operation struct {
	Method, Path, Title  string
	Summary, Description string
	Need                 string // scopes; empty: the description tells
	Whole                bool
	Parameters           []*huma.Param
	Members              []member // of a JSON body
	Exchanges            []shownExchange
	Refusals             string
}

// member is a member of a JSON object.
type member struct {
	Name, Description string
	Required          bool
	Schema            *huma.Schema
}

// shownExchange is an example as text.
type shownExchange struct{ Request, Language, Answer string }

// chapterOrder is how the guide is read; other tags come after these.
var chapterOrder = []string{"Usage", "Accounts", "Customers", "Limits", "Records", "Price book", "Operations"}

// Guide is the API for people who write against it: docs/api.md. What it says of
// endpoints is what /openapi.json says.
func (s *Server) Guide() ([]byte, error) {
	example := problem("invalid", "amount: \"12,5\" is no decimal number: write it like 12.5",
		Fault{Pointer: "/amount", Detail: "\"12,5\" is no decimal number: write it like 12.5"})
	example.Instance = "urn:uuid:019a1b2c-3d4e-7f00-8a9b-0c1d2e3f4a5b"
	shown, err := json.MarshalIndent(example, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the guide: %w", err)
	}
	t, err := template.New("guide").Funcs(template.FuncMap{"anchor": anchor, "bounds": bounds}).Parse(guideText)
	if err != nil {
		return nil, fmt.Errorf("read the guide's text: %w", err)
	}
	var text bytes.Buffer
	err = t.Execute(&text, map[string]any{"Chapters": s.chapters(), "Kinds": Kinds(), "Problem": string(shown), "Codes": crm.Codes()})
	if err != nil {
		return nil, fmt.Errorf("write the guide: %w", err)
	}
	return text.Bytes(), nil
}

// anchor is the name that GitHub gives a title.
func anchor(title string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || 'a' <= r && r <= 'z' || '0' <= r && r <= '9':
			return r
		}
		return -1
	}, strings.ToLower(title))
}

// chapters are the endpoints of the document.
func (s *Server) chapters() (all []*chapter) {
	paths := s.own.OpenAPI().Paths
	by := map[string]*chapter{}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			tag := op.Tags[0]
			if by[tag] == nil {
				by[tag] = &chapter{Tag: tag}
			}
			by[tag].Operations = append(by[tag].Operations, s.shownOperation(op))
		}
	}
	for _, c := range by {
		c.distinguish()
	}
	for _, tag := range append(slices.Clone(chapterOrder), slices.Sorted(maps.Keys(by))...) {
		if c := by[tag]; c != nil {
			all = append(all, c)
			delete(by, tag)
		}
	}
	return all
}

// distinguish gives endpoints that do the same by another method titles of their
// own.
func (c *chapter) distinguish() {
	seen := map[string]bool{}
	for _, o := range c.Operations {
		if seen[o.Title] {
			o.Title += ", by " + o.Method
		}
		seen[o.Title] = true
	}
}

func (s *Server) shownOperation(op *huma.Operation) *operation {
	e, own := s.gates.endpoints[op.Method+" "+op.Path]
	o := &operation{Method: op.Method, Path: op.Path, Title: op.Summary, Summary: op.Summary, Description: op.Description, Parameters: op.Parameters}
	if own {
		o.Need, o.Whole = "`"+strings.Join(e.need.Names(), "` or `")+"`", e.whole
		o.Refusals = s.refusals(e)
	}
	if op.RequestBody != nil {
		o.Members = s.members(op.RequestBody.Content[asJSON])
	}
	for _, x := range exchanges() {
		if own && x.Name == e.name {
			o.Exchanges = append(o.Exchanges, x.shown())
		}
	}
	if len(o.Exchanges) == 0 {
		o.Exchanges = documented(op)
	}
	return o
}

// members are those of a body, the required ones first.
func (s *Server) members(m *huma.MediaType) (all []member) {
	if m == nil || m.Schema == nil {
		return nil
	}
	schema := m.Schema
	if schema.Ref != "" {
		schema = s.own.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	for _, required := range []bool{true, false} {
		for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
			if slices.Contains(schema.Required, name) == required {
				p := schema.Properties[name]
				all = append(all, member{name, p.Description, required, p})
			}
		}
	}
	return all
}

// bounds is what a value may be, after what it is.
func bounds(s *huma.Schema) string {
	var told []string
	if s == nil {
		return ""
	}
	for _, word := range s.Enum {
		if word != nil {
			told = append(told, fmt.Sprintf("`%v`", word))
		}
	}
	text := strings.Join(told, ", ")
	if text != "" {
		text = " One of " + text + "."
	}
	if s.Minimum != nil && s.Maximum != nil {
		text += fmt.Sprintf(" %v to %v.", *s.Minimum, *s.Maximum)
	}
	if s.Default != nil {
		text += fmt.Sprintf(" Default: %v.", s.Default)
	}
	return text
}

// refusals are the problems that only some endpoints answer.
func (s *Server) refusals(e endpoint) string {
	links := make([]string, len(e.kinds))
	for i, name := range e.kinds {
		links[i] = fmt.Sprintf("%d [%s](#%s)", problem(name, "").Status, name, name)
	}
	return strings.Join(links, ", ")
}

// shown is the exchange as text.
func (x *exchange) shown() shownExchange {
	request := x.Call
	for _, name := range slices.Sorted(maps.Keys(x.Head)) {
		request += "\n" + name + ": " + x.Head[name]
	}
	if len(x.Body) > 0 {
		request += "\nContent-Type: " + x.Media + "\n\n" + pretty(x.Media, x.Body)
	}
	answer := ""
	if len(x.Answer) > 0 {
		answer = pretty(x.Form, x.Answer)
	}
	return shownExchange{request, languageOf(x.Form), answer}
}

// documented is the examples that an entry of the document has: of its bodies,
// and of what it answers when all is well.
func documented(op *huma.Operation) (all []shownExchange) {
	request := op.Method + " " + op.Path
	first := shownExchange{Request: request}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		code, _ := strconv.Atoi(status)
		answer := op.Responses[status]
		for _, media := range slices.Sorted(maps.Keys(answer.Content)) {
			if text := exampleText(media, answer.Content[media]); text != "" && code < http.StatusBadRequest && first.Answer == "" {
				first.Language, first.Answer = languageOf(media), text
			}
		}
	}
	if op.RequestBody == nil {
		return []shownExchange{first}
	}
	for _, media := range slices.Sorted(maps.Keys(op.RequestBody.Content)) {
		if text := exampleText(media, op.RequestBody.Content[media]); text != "" {
			first.Request = request + "\nContent-Type: " + media + "\n\n" + text
			all = append(all, first)
			first = shownExchange{Request: request} // the answer is the same
		}
	}
	return all
}

func exampleText(media string, m *huma.MediaType) string {
	value := m.Example
	for _, name := range slices.Sorted(maps.Keys(m.Examples)) {
		if value == nil {
			value = m.Examples[name].Value
		}
	}
	if value == nil {
		return ""
	}
	if text, is := value.(string); is {
		return strings.TrimRight(text, "\n")
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return "" // the document could not be answered either
	}
	return pretty(media, raw)
}

// pretty is JSON as people read it; a text as it is.
func pretty(media string, raw json.RawMessage) string {
	if raw[0] == '"' {
		return strings.TrimRight(string(textOf(raw)), "\n")
	}
	if media == asNDJSON {
		return string(raw)
	}
	var text bytes.Buffer
	if json.Indent(&text, raw, "", "  ") != nil {
		return string(raw) // it is no JSON
	}
	return text.String()
}

// languageOf is what a fence says of a media type.
func languageOf(media string) string {
	switch {
	case media == asYAML:
		return "yaml"
	case strings.Contains(media, "json"):
		return "json"
	}
	return "text"
}
