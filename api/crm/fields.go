package crm

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// fieldsOf are the keys that an answer's data has, in their order.
func fieldsOf[T any]() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if !f.Anonymous {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			names = append(names, name)
		}
	}
	return names
}

// splitFields reads what fields_set asks for of the keys of an answer.
func splitFields(p parameter, of []string) ([]string, error) {
	var text string
	if err := json.Unmarshal(p.value, &text); err != nil {
		return nil, refuse(invalidJSON, "%s: %v", p.name, err)
	}
	var fields []string
	for part := range strings.SplitSeq(text, ",") {
		field := strings.TrimSpace(part)
		if !slices.Contains(of, field) {
			return nil, refuse(invalidValue, "%s asks for %q, which the answer does not have: it has %s", p.name, clip(field), strings.Join(of, ", "))
		}
		fields = append(fields, field)
	}
	return fields, nil
}

// cut is an answer's data with only these of its keys; nil: all.
func cut(data any, fields []string) (json.RawMessage, error) {
	text, err := json.Marshal(data)
	if err != nil || fields == nil {
		return text, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, err
	}
	for key := range members {
		if !slices.Contains(fields, key) {
			delete(members, key)
		}
	}
	return json.Marshal(members)
}
