package crm

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
)

// parameters are those of a request: the members of its body and, of a GET, what
// stands in its query. There the account is named without an object around it, as
// in ?token=…&number=… alone.
func parameters(r *http.Request, body []byte) ([]parameter, error) {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead
	if !read || len(body) > 0 {
		whole, err := parse(body)
		if err != nil {
			return nil, err
		}
		all, err := parameter{value: whole}.object()
		switch {
		case err != nil:
			return nil, err
		case !read && r.URL.RawQuery != "":
			return nil, refuse(unknownParameter, "the address has a query, which is read of a GET only: put everything into the body")
		case !read:
			return all, nil
		}
		return join(all, r.URL.RawQuery)
	}
	return join(nil, r.URL.RawQuery)
}

// identifiers are the ways to name an account.
var identifiers = []string{"number", "id", "name"}

// join adds the parameters of a query to those of a body.
func join(all []parameter, query string) ([]parameter, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, refuse(unknownParameter, "the query cannot be read: %v", err)
	}
	account := map[string]string{}
	for _, key := range keysOf(values) {
		name := joined("", key)
		if len(values[key]) > 1 || slices.ContainsFunc(all, func(p parameter) bool { return p.key == key }) {
			return nil, refuse(unknownParameter, "%s stands twice: keep one of them", name)
		}
		switch text := values.Get(key); {
		case slices.Contains(identifiers, key):
			account[key] = text
		case key == identifierKey:
			value, err := parse([]byte(text))
			if err != nil {
				return nil, refuse(invalidValue, "%s is %q: give a JSON object, or one of number, id, name", name, clip(text))
			}
			all = append(all, parameter{name, key, value})
		default:
			all = append(all, parameter{name, key, quoted(text)})
		}
	}
	if len(account) == 0 {
		return all, nil
	}
	if slices.ContainsFunc(all, func(p parameter) bool { return p.key == identifierKey }) {
		return nil, refuse(invalidID, "the account is named by %s and besides: give one", identifierKey)
	}
	return append(all, parameter{identifierKey, identifierKey, quoted(account)}), nil
}

// keysOf are the keys of a query in an order that is always the same.
func keysOf(v url.Values) []string {
	keys := make([]string, 0, len(v))
	for key := range v {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// quoted is texts as JSON.
func quoted(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic("crm: texts are JSON: " + err.Error())
	}
	return text
}
