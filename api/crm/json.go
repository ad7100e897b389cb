package crm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// textMax bounds every text in bytes (SPEC R5.3).
const textMax = 256

// parameter is one member of a request's JSON: where it stands, and its value as
// it was written, so that no number is ever rounded.
type parameter struct {
	name  string          // the whole way to it, like usage_services_allowance[0].action
	key   string          // the last step of it
	value json.RawMessage // without space around it
}

// null tells whether the value is null, which for most is as if it was absent.
func (p parameter) null() bool { return string(p.value) == "null" }

// parse makes sure that a body is JSON of some kind.
func parse(body []byte) (json.RawMessage, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(body) == 0 {
		return nil, refuse(invalidJSON, "the body is empty: send a JSON object")
	}
	if !utf8.Valid(body) {
		return nil, refuse(invalidJSON, "the body is not UTF-8")
	}
	var whole json.RawMessage
	var syntax *json.SyntaxError
	switch err := json.Unmarshal(body, &whole); {
	case errors.As(err, &syntax):
		return nil, refuse(invalidJSON, "the body, at byte %d: %v", syntax.Offset, err)
	case err != nil:
		return nil, refuse(invalidJSON, "the body: %v", err)
	}
	return whole, nil
}

// object takes a JSON object apart. The parameters of the one in p are called
// after it; those of a body, which has no name, by their keys.
func (p parameter) object() ([]parameter, error) {
	if p.value[0] != '{' {
		if p.name == "" {
			return nil, refuse(invalidJSON, "the body is %s: send an object", described(p.value))
		}
		return nil, refuse(invalidValue, "%s is %s: give an object", p.name, described(p.value))
	}
	d := json.NewDecoder(bytes.NewReader(p.value))
	if _, err := d.Token(); err != nil {
		return nil, refuse(invalidJSON, "%v", err)
	}
	var all []parameter
	seen := map[string]bool{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, refuse(invalidJSON, "%v", err)
		}
		member := parameter{key: key.(string)} // the grammar has strings only here
		member.name = joined(p.name, member.key)
		if seen[member.key] {
			return nil, refuse(unknownParameter, "%s stands twice: keep one of them", member.name)
		}
		seen[member.key] = true
		if err := d.Decode(&member.value); err != nil {
			return nil, refuse(invalidJSON, "%s: %v", member.name, err)
		}
		all = append(all, member)
	}
	return all, nil
}

// joined is the way to a key; a key that could break a line is quoted.
func joined(name, key string) string {
	foreign := func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') && (r < '0' || r > '9') }
	if key == "" || len(key) > 80 || strings.IndexFunc(key, foreign) >= 0 {
		key = strconv.Quote(clip(key))
	}
	if name == "" {
		return key
	}
	return name + "." + key
}

// list takes a JSON list apart.
func (p parameter) list(most int) ([]parameter, error) {
	if p.value[0] != '[' {
		return nil, refuse(invalidValue, "%s is %s: give a list", p.name, described(p.value))
	}
	var values []json.RawMessage
	if err := json.Unmarshal(p.value, &values); err != nil {
		return nil, refuse(invalidJSON, "%s: %v", p.name, err)
	}
	if len(values) > most {
		return nil, refuse(tooLarge, "%s has %d elements, and at most %d are taken: split the request", p.name, len(values), most)
	}
	all := make([]parameter, len(values))
	for i, v := range values {
		all[i] = parameter{name: fmt.Sprintf("%s[%d]", p.name, i), value: v}
	}
	return all, nil
}

// text is a value that is a text and could name something.
func (p parameter) text() (string, error) {
	if p.value[0] != '"' {
		return "", refuse(invalidValue, "%s is %s: give a text in quotes", p.name, described(p.value))
	}
	var text string
	if err := json.Unmarshal(p.value, &text); err != nil {
		return "", refuse(invalidJSON, "%s: %v", p.name, err)
	}
	switch {
	case text == "":
		return "", refuse(invalidValue, "%s is empty: give at least one character, or leave it out", p.name)
	case len(text) > textMax:
		return "", refuse(invalidValue, "%s has %d bytes, and at most %d are taken: %q", p.name, len(text), textMax, clip(text))
	case strings.ContainsRune(text, 0):
		return "", refuse(invalidValue, "%s holds a NUL: %q", p.name, clip(text))
	}
	return text, nil
}

// described is a JSON value in words, for what should have been something else.
func described(value json.RawMessage) string {
	switch value[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		var text string
		_ = json.Unmarshal(value, &text) // it was parsed with the body
		return fmt.Sprintf("the text %q", clip(text))
	}
	return clip(string(value))
}

// clip cuts a text for an error, which stays one line.
func clip(text string) string {
	if len(text) <= 40 {
		return text
	}
	return strings.ToValidUTF8(text[:40], "") + "…"
}
