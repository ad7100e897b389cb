package api

import (
	"bytes"
	_ "embed" // the examples
	"encoding/json"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// exchange is a request of our own API and what it was answered: an example of
// an endpoint, for the document. A test makes the same requests and holds the
// answers against these, so that no example is a promise only.
type exchange struct {
	Name   string            `json:"name"` // of the endpoint
	Call   string            `json:"call"` // method and path
	Head   map[string]string `json:"head,omitempty"`
	Media  string            `json:"media,omitempty"` // of the body
	Body   json.RawMessage   `json:"body,omitempty"`  // JSON, or a string with the text
	Status int               `json:"status"`
	Form   string            `json:"form,omitempty"` // media type of the answer
	Answer json.RawMessage   `json:"answer,omitempty"`
}

//go:embed examples.json
var exchangesText []byte

// exchanges are all examples, in the order in which they happened.
func exchanges() (all []exchange) {
	if err := json.Unmarshal(exchangesText, &all); err != nil {
		panic(err) // a test writes the file
	}
	return all
}

// exemplify puts the examples into the document: of each form the first.
func (s *Server) exemplify() {
	operations := map[string]*huma.Operation{}
	for _, e := range s.gates.endpoints {
		operations[e.name] = s.operation(e)
	}
	for _, x := range exchanges() {
		op := operations[x.Name]
		if op == nil {
			continue // the test says so
		}
		if op.RequestBody != nil {
			exemplify(op.RequestBody.Content[x.Media], x.Media, x.Body)
		}
		if answer := op.Responses[strconv.Itoa(x.Status)]; answer != nil {
			exemplify(answer.Content[x.Form], x.Form, x.Answer)
		}
	}
}

// exemplify gives a form of a body its example, where it has none yet; of lines
// the first.
func exemplify(m *huma.MediaType, media string, text json.RawMessage) {
	if m == nil || m.Example != nil || m.Examples != nil || len(text) == 0 {
		return
	}
	if media == asNDJSON {
		text = textOf(text)
		text, _, _ = bytes.Cut(text, []byte("\n"))
	}
	m.Example = text
}
