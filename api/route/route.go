// Package route describes one endpoint: where it is, what it takes and answers,
// and who carries it out.
//
// The server mounts a Route and makes its entry in the OpenAPI document from the
// same value, so that no endpoint is served without being documented. A Route
// holds Go types and examples; how they become schemas is the server's to know.
package route

import "net/http"

// Place is where a request bears its token.
type Place string

// The places. Each is that of the documents which the endpoint follows.
const (
	Bearer      Place = "bearer"    // Authorization: Bearer …
	QueryToken  Place = "api_token" // ?api_token=…
	HeaderToken Place = "X-Api-Token"
	BodyToken   Place = "token" // member of the JSON body, or ?token=…
)

// Route is one endpoint.
type Route struct {
	Method string
	// Pattern is the path as net/http matches it, Path as people read it where
	// that is another: /accounts/{file} and /accounts/{account_id}.json.
	Pattern, Path string
	Name          string // operationId
	Tag           string // the chapter that it stands in
	Summary       string // one line
	Description   string
	Token         Place
	Paced         bool // bounds its time by itself, as its body may take any
	Parameters    []Parameter
	Requests      []Body // by media type; none: the request has no body
	Answers       []Answer
	Handler       http.Handler
}

// Parameter is one value of the path, the query or a header.
type Parameter struct {
	Name, In    string // In is path, query or header
	Description string
	Required    bool
	Type        any // a value of its Go type, for its schema
	Example     any
}

// Body is what a request may bring.
type Body struct {
	MediaType string
	Type      any // a value of its Go type, for its schema; nil: any text
	Example   any // a value of this type, or JSON as json.RawMessage
}

// Answer is what may come back.
type Answer struct {
	Status      int
	Description string
	Body        // MediaType empty: the answer has no body
}

// ShownPath is the path as people read it.
func (r Route) ShownPath() string {
	if r.Path != "" {
		return r.Path
	}
	return r.Pattern
}
