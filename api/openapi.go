package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/chargehand/chargehand/api/crm"
	"github.com/chargehand/chargehand/api/route"
	"github.com/chargehand/chargehand/api/vendor"
	"github.com/chargehand/chargehand/postgres"
	"github.com/danielgtaylor/huma/v2"
)

// securitySchemes are the places where a token may stand.
func securitySchemes() map[string]*huma.SecurityScheme {
	return map[string]*huma.SecurityScheme{
		string(route.Bearer):      {Type: "http", Scheme: "bearer", Description: "A token made by chargehand token create."},
		string(route.QueryToken):  {Type: "apiKey", In: "query", Name: "api_token", Description: "The same token, where ActivePlatform v1 has it."},
		string(route.HeaderToken): {Type: "apiKey", In: "header", Name: "X-Api-Token", Description: "The same token, where ActivePlatform v3 has it."},
		string(route.BodyToken):   {Type: "apiKey", In: "query", Name: "token", Description: "The same token, in the query or as token in the JSON body, where CRM.COM has it."},
	}
}

// openAPI answers the OpenAPI document of every endpoint there is.
func (s *Server) openAPI(w http.ResponseWriter, r *http.Request) {
	body, err := json.MarshalIndent(s.own.OpenAPI(), "", " ")
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/vnd.oai.openapi+json;version=3.1")
	_, _ = w.Write(body) // the client has gone
}

// OpenAPI is the document that the server answers at /openapi.json.
func (s *Server) OpenAPI() *huma.OpenAPI { return s.own.OpenAPI() }

// always are the problems that any endpoint may answer.
var always = []string{"bad-request", "token-missing", "token-unknown", "scope-missing", "too-many-requests", "headers-too-large", "internal", "busy", "unavailable"}

// problems are the answers of an endpoint that failed.
func (s *Server) problems(e endpoint) map[string]*huma.Response {
	names := append(append([]string(nil), always...), e.kinds...)
	if e.writes() {
		names = append(names, "too-large", "media-type")
	}
	if e.writes() && !e.apart {
		names = append(names, "in-progress", "key-reused")
	}
	names = append(names, "invalid", "refused")
	answers := map[string]*huma.Response{}
	schema := s.own.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, name := range names {
		p := problem(name, "")
		status := strconv.Itoa(p.Status)
		if answers[status] == nil {
			answers[status] = &huma.Response{Description: p.Title, Content: map[string]*huma.MediaType{
				p.ContentType(""): {Schema: schema, Examples: map[string]*huma.Example{}},
			}}
		} else if answers[status].Content[p.ContentType("")].Examples[name] == nil {
			answers[status].Description += "; " + p.Title
		}
		for _, k := range kinds {
			if k.Name == name {
				p.Detail = k.Meaning
			}
		}
		answers[status].Content[p.ContentType("")].Examples[name] = &huma.Example{Summary: p.Title, Value: p}
	}
	return answers
}

// shape adds the forms of an endpoint's answer to its entry in the document.
func (s *Server) shape(op *huma.Operation, e endpoint) {
	if len(e.gives) == 0 {
		return
	}
	status := http.StatusOK
	if e.status != 0 {
		status = e.status
	}
	answer := &huma.Response{Description: http.StatusText(status), Content: map[string]*huma.MediaType{}}
	for name, what := range e.heads {
		if answer.Headers == nil {
			answer.Headers = map[string]*huma.Param{}
		}
		answer.Headers[name] = &huma.Param{Schema: &huma.Schema{Type: huma.TypeString, Description: what}}
	}
	for _, f := range e.gives {
		answer.Content[f.media] = &huma.MediaType{Schema: s.schema(f.typ, e.name+"Answer")}
	}
	op.Responses[strconv.Itoa(status)] = answer
}

// shapeBody does so with the forms of its body, once huma has its own idea of
// it: what a handler reads by itself huma is not to judge.
func (s *Server) shapeBody(e endpoint) {
	if len(e.takes) == 0 {
		return
	}
	op := s.operation(e)
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
	for _, f := range e.takes {
		op.RequestBody.Content[f.media] = &huma.MediaType{Schema: s.schema(f.typ, e.name+"Request")}
	}
}

// shapeAlso adds what else an endpoint may answer when it succeeds: the same
// body, or of 304 none.
func (s *Server) shapeAlso(e endpoint) {
	op := s.operation(e)
	usual := op.Responses[strconv.Itoa(op.DefaultStatus)]
	for status, description := range e.also {
		answer := &huma.Response{Description: description, Headers: usual.Headers}
		if status != http.StatusNotModified {
			answer.Content = usual.Content
		}
		op.Responses[strconv.Itoa(status)] = answer
	}
}

// operation is an endpoint's entry in the document.
func (s *Server) operation(e endpoint) *huma.Operation {
	item := s.own.OpenAPI().Paths[e.path]
	return map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put,
		http.MethodPatch: item.Patch, http.MethodDelete: item.Delete}[e.method]
}

// mount adds an endpoint that is no part of huma: to the mux and to the
// document.
func (s *Server) mount(r route.Route) {
	handler := r.Handler.ServeHTTP
	if !r.Paced {
		handler = s.timely(endpoint{}, unboundAtEnd(handler))
	}
	s.mux.HandleFunc(r.Method+" "+r.Pattern, func(w http.ResponseWriter, q *http.Request) {
		about := requestOf(q.Context())
		about.pattern = r.ShownPath()
		ctx := postgres.WithDeed(q.Context(), postgres.Deed{RequestID: about.id, Action: r.Method + " " + r.ShownPath()})
		handler(w, q.WithContext(ctx))
	})
	op := &huma.Operation{
		OperationID: r.Name, Method: r.Method, Path: r.ShownPath(), Tags: []string{r.Tag}, Summary: r.Summary, Description: r.Description,
		Security: []map[string][]string{{string(r.Token): {}}}, Responses: map[string]*huma.Response{},
	}
	for _, p := range r.Parameters {
		op.Parameters = append(op.Parameters, &huma.Param{Name: p.Name, In: p.In, Description: p.Description, Required: p.Required,
			Schema: s.schema(p.Type, r.Name+p.Name), Example: p.Example})
	}
	for _, b := range r.Requests {
		if op.RequestBody == nil {
			op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{}}
		}
		op.RequestBody.Content[b.MediaType] = s.media(b, r.Name+"Request")
	}
	for _, a := range r.Answers {
		if _, is := a.Type.(Problem); is && a.Example == nil {
			a.Example = exampleOf(a.Status)
		}
		answer := &huma.Response{Description: a.Description}
		if a.MediaType != "" {
			answer.Content = map[string]*huma.MediaType{a.MediaType: s.media(a.Body, r.Name+strconv.Itoa(a.Status))}
		}
		op.Responses[strconv.Itoa(a.Status)] = answer
	}
	s.own.OpenAPI().AddOperation(op)
}

// exampleOf is a problem of a status.
func exampleOf(status int) *Problem {
	for _, k := range kinds {
		if k.Status == status {
			return problem(k.Name, k.Meaning)
		}
	}
	return nil
}

func (s *Server) media(b route.Body, name string) *huma.MediaType {
	return &huma.MediaType{Schema: s.schema(b.Type, name), Example: b.Example}
}

// schema describes a value's type; nil is a text.
func (s *Server) schema(v any, name string) *huma.Schema {
	if v == nil {
		return &huma.Schema{Type: "string"}
	}
	t := reflect.TypeOf(v)
	if ofView(t) {
		return viewShape(t)
	}
	return s.own.OpenAPI().Components.Schemas.Schema(t, true, name)
}

// ofView tells whether a type, or what it is a list of, is of a view.
func ofView(t reflect.Type) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return strings.HasPrefix(t.PkgPath(), reflect.TypeFor[Server]().PkgPath()+"/")
}

// views are the endpoints in the shapes of other products, and those that huma
// is not made for.
func (s *Server) views() []route.Route {
	return slices.Concat(
		[]route.Route{s.usage.route()},
		vendor.Routes(vendor.Options{Store: s.Store, Gate: s.Gate, Clock: s.Clock, Log: s.Log, TimeZone: s.TimeZone, BodyBytesMax: s.BodyBytesMax}),
		crm.Routes(crm.Options{Store: s.Store, Gate: s.Gate, Clock: s.Clock, Log: s.Log, LimitsForAll: s.LimitsForAll, BodyMax: s.BodyBytesMax}),
	)
}
