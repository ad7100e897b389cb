package crm

import (
	"slices"
	"strings"
)

// named is one thing as a request calls it: by its number, id, name or code.
type named struct {
	name     string // of the parameter that says it
	by, text string
}

// identify reads an object in which exactly one of keys names something. Null is
// as absent, since that is how answers are printed.
func (p parameter) identify(keys ...string) (named, error) {
	members, err := p.object()
	if err != nil {
		return named{}, err
	}
	var found []named
	for _, m := range members {
		if !slices.Contains(keys, m.key) {
			return named{}, refuse(unknownParameter, "%s: %s is named by one of %s%s", m.name, p.name, strings.Join(keys, ", "), m.hint())
		}
		if m.null() {
			continue
		}
		text, err := m.text()
		if err != nil {
			return named{}, err
		}
		found = append(found, named{m.name, m.key, text})
	}
	if len(found) != 1 {
		return named{}, refuse(invalidID, "%s has %d of %s: give exactly one", p.name, len(found), strings.Join(keys, ", "))
	}
	return found[0], nil
}

// hint says why CRM.COM's other identifiers are not taken.
func (p parameter) hint() string {
	if p.key == "access_token_identifier" || p.key == "customer_identification_medium_identifier" {
		return "; access tokens and identification media are not kept here"
	}
	return ""
}
