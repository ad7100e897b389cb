package api

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// viewShape describes a type of a view as encoding/json writes it: what may be
// null, what may be absent, structs that are embedded. The registry of huma, made
// for requests that it reads itself, knows none of the three; so these schemas
// stand where they are used, and their types need no names of their own.
func viewShape(t reflect.Type) *huma.Schema {
	switch {
	case t.Kind() == reflect.Pointer:
		return nullable(viewShape(t.Elem()))
	case t == reflect.TypeFor[json.RawMessage](), t.Kind() == reflect.Interface:
		return &huma.Schema{}
	case t == reflect.TypeFor[json.Number]():
		// A request may write it with quotes or without.
		return &huma.Schema{AnyOf: []*huma.Schema{{Type: "number"}, {Type: "string"}}}
	case t.Implements(reflect.TypeFor[json.Marshaler]()): // a view's decimal that is printed as a number
		return &huma.Schema{Type: "number"}
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return &huma.Schema{Type: "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return &huma.Schema{Type: "boolean"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &huma.Schema{Type: "integer"}
	case reflect.Slice:
		return &huma.Schema{Type: "array", Items: viewShape(t.Elem())}
	case reflect.Map:
		return &huma.Schema{Type: "object", AdditionalProperties: viewShape(t.Elem())}
	case reflect.Struct:
		return viewObject(t)
	}
	return &huma.Schema{Type: "string"}
}

// nullable is what a schema says, or null.
func nullable(s *huma.Schema) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{s, {Type: "null"}}}
}

func viewObject(t reflect.Type) *huma.Schema {
	object := &huma.Schema{Type: "object", Properties: map[string]*huma.Schema{}, AdditionalProperties: false}
	for _, f := range reflect.VisibleFields(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" || !f.IsExported() || name == "-" {
			continue // of an embedded struct the fields come by themselves
		}
		if name == "" {
			name = f.Name
		}
		s := viewShape(f.Type)
		if f.Tag.Get("cut") != "" { // a request may ask for some of its members only
			s.AnyOf[0].Required = nil
		}
		s.Description = f.Tag.Get("doc")
		for _, word := range strings.Split(f.Tag.Get("enum"), ",") {
			if word != "" {
				s.Enum = append(s.Enum, word)
			}
		}
		object.Properties[name] = s
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			object.Required = append(object.Required, name)
		}
	}
	return object
}
