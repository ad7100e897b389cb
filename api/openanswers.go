package api

import (
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// openAnswers lets answers have members that the document does not know yet: a
// client that was made from it must go on when one is added. Bodies of requests
// stay closed, as what is misspelt is refused. What stands in both becomes two
// schemas.
func (s *Server) openAnswers() {
	o := &opener{schemas: s.own.OpenAPI().Components.Schemas.Map(), sent: map[string]bool{}, done: map[string]bool{}}
	var operations []*huma.Operation
	for _, item := range s.own.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				operations = append(operations, op)
			}
		}
	}
	for _, op := range operations {
		if op.RequestBody != nil {
			for _, m := range op.RequestBody.Content {
				o.send(m.Schema)
			}
		}
	}
	for _, op := range operations {
		for _, answer := range op.Responses {
			for _, m := range answer.Content {
				m.Schema = o.opened(m.Schema)
			}
		}
	}
}

// opener opens the schemas of answers.
type opener struct {
	schemas map[string]*huma.Schema // components by name
	sent    map[string]bool         // those that bodies of requests have
	done    map[string]bool         // those that are open
}

const schemaPrefix = "#/components/schemas/"

// component is the name of the component that a schema stands for; empty: none.
func component(s *huma.Schema) string {
	ref := s.Ref
	if ref == "" {
		ref, _ = s.Extensions["$ref"].(string)
	}
	return strings.TrimPrefix(ref, schemaPrefix)
}

// send notes what a body has.
func (o *opener) send(s *huma.Schema) {
	if s == nil {
		return
	}
	if name := component(s); name != "" {
		if !o.sent[name] {
			o.sent[name] = true
			o.send(o.schemas[name])
		}
		return
	}
	for _, child := range children(s) {
		o.send(child)
	}
}

// opened is a schema of an answer as it is in the document. A schema is copied
// before it is changed, as more than one place may have it.
func (o *opener) opened(s *huma.Schema) *huma.Schema {
	if s == nil {
		return nil
	}
	if name := component(s); name != "" {
		named := *s
		named.Ref, named.Extensions = schemaPrefix+o.openedComponent(name), nil
		return &named
	}
	open := *s
	open.Properties = maps.Clone(s.Properties)
	for name, p := range s.Properties {
		open.Properties[name] = o.opened(p)
	}
	open.OneOf, open.AnyOf, open.AllOf = o.each(s.OneOf), o.each(s.AnyOf), o.each(s.AllOf)
	open.Items = o.opened(s.Items)
	switch others := s.AdditionalProperties.(type) {
	case bool:
		open.AdditionalProperties = nil
	case *huma.Schema:
		open.AdditionalProperties = o.opened(others)
	}
	return &open
}

func (o *opener) each(all []*huma.Schema) (opened []*huma.Schema) {
	for _, s := range all {
		opened = append(opened, o.opened(s))
	}
	return opened
}

// openedComponent is the name of a component of answers.
func (o *opener) openedComponent(name string) string {
	to := name
	if o.sent[name] {
		to += "Answer"
	}
	if !o.done[to] {
		o.done[to] = true
		o.schemas[to] = o.opened(o.schemas[name])
	}
	return to
}

// children are the schemas inside of one.
func children(s *huma.Schema) []*huma.Schema {
	all := slices.Collect(maps.Values(s.Properties))
	all = slices.Concat(all, s.OneOf, s.AnyOf, s.AllOf)
	if values, is := s.AdditionalProperties.(*huma.Schema); is {
		all = append(all, values)
	}
	return append(all, s.Items)
}
