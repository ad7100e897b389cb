package api

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// words are ours for the faults that huma finds: which value it is, and what to
// write instead. A fault is known by how huma's text begins; %s is how it goes on.
var words = []struct{ theirs, ours string }{
	{"expected string to be RFC 3339 date-time", "not an RFC 3339 time with an offset: write it like 2026-03-01T10:00:00Z"},
	{"expected string to be RFC 4122 uuid", "not a UUID like 019a1b2c-3d4e-7f00-8a9b-0c1d2e3f4a5b"},
	{"expected string to match pattern \\S", "only blanks: write why"},
	{"expected string", "a text is wanted: write it in quotes"},
	{"expected integer", "a whole number is wanted, without quotes"},
	{"invalid integer", "a whole number is wanted"},
	{"expected boolean", "true or false is wanted, without quotes"},
	{"invalid boolean", "true or false is wanted"},
	{"expected array length >= ", "write at least %s of them, or leave it out"},
	{"expected array length <= ", "at most %s of them are taken"},
	{"expected array", "a list is wanted: write it in brackets"},
	{"expected object", "an object is wanted: write it in braces"},
	{"expected number >= ", "write at least %s"},
	{"expected number <= ", "write at most %s"},
	{"expected length >= ", "empty or too short: write at least %s character"},
	{"expected length <= ", "too long: write at most %s characters"},
	{"expected value to be one of ", "not one of %s"},
	{"invalid value: ", "%s"}, // the value's own words, which name it
	{"unexpected property", "unknown member: correct its name, or leave it out"},
	{"unknown query parameter", "unknown query parameter: correct its name, or leave it out"},
	{"required query parameter is missing", "missing: give it a value"},
	{"required header parameter is missing", "missing: give it a value"},
	{"request body is required", "the body is missing: send one as the document has it"},
}

// inWords is a fault that huma found, in our words.
func inWords(message string, value any) string {
	for _, w := range words {
		rest, is := strings.CutPrefix(message, w.theirs)
		if !is {
			continue
		}
		if !strings.Contains(w.ours, "%s") {
			return valued(value, w.ours)
		}
		if w.ours == "%s" {
			return rest
		}
		return valued(value, fmt.Sprintf(w.ours, strings.Trim(rest, `"`)))
	}
	return message
}

// valued is a fault after the value that has it, if it is short enough to be shown
// and no object, whose members have faults of their own.
func valued(value any, fault string) string {
	switch value.(type) {
	case nil, map[string]any, []any:
		return fault
	}
	text, err := json.Marshal(value)
	if err != nil || string(text) == `""` && (strings.HasPrefix(fault, "unknown") || strings.HasPrefix(fault, "missing")) {
		return fault
	}
	if len(text) > valueShown {
		text = append([]byte(strings.ToValidUTF8(string(text[:valueShown]), "")), "…"...)
	}
	return string(text) + ": " + fault
}

// valueShown is how many bytes of a value a fault shows.
const valueShown = 60

// placed turns huma's place, like body.entries[3].name or query.limit, into ours.
// What is missing stands where it should be.
func placed(e *huma.ErrorDetail) Fault {
	from, rest, _ := strings.Cut(e.Location, ".")
	if from != "body" {
		return Fault{Parameter: rest, Detail: inWords(e.Message, e.Value)}
	}
	pointer := strings.NewReplacer("~", "~0", "/", "~1", ".", "/", "[", "/", "]", "").Replace(rest)
	if rest != "" {
		pointer = "/" + pointer
	}
	if name, is := strings.CutPrefix(e.Message, "expected required property "); is {
		name = strings.TrimSuffix(name, " to be present")
		return Fault{Pointer: pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name), Detail: "missing: give it a value"}
	}
	return Fault{Pointer: pointer, Detail: inWords(e.Message, e.Value)}
}
