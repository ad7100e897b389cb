package api

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// endpoint is an endpoint of our own API.
type endpoint struct {
	method, path string
	name         string // operationId
	tag          string
	summary      string
	description  string
	need         access.Scope
	// whole says that it is of the whole installation: a reseller's token is refused.
	whole  bool
	status int            // of success; 0: 200
	also   map[int]string // what else may be answered, with the same body
	kinds  []string       // of problems, besides those that every endpoint has
	// apart says that it is no part of the transaction that carries a request out
	// once for its key (once), and why is said where it is set.
	apart bool
	// asks says that nothing changes though the method is POST.
	asks bool
	// long says that it may take as long as all there is takes; answers as lines
	// may in any case.
	long bool
	// takes and gives are the forms of body and answer that the Go types of the
	// handler do not tell of.
	takes, gives []form
	heads        map[string]string // headers of the answer, with what they say
}

// form is a form in which a body comes or an answer goes.
type form struct {
	media string
	typ   any // a value of its Go type, for its schema; nil: text
}

// writes tells whether the endpoint changes something.
func (e endpoint) writes() bool { return e.method != http.MethodGet && !e.asks }

// strictNames makes huma take the names of members as they are written: amount
// is not Amount. It is a setting of the whole library.
var strictNames = sync.OnceFunc(func() { huma.ValidateStrictCasing = true }) //nolint:reassign // it is there for that

// newOwn is the part of the API that is made from Go types.
func (s *Server) newOwn() huma.API {
	strictNames()
	config := huma.DefaultConfig("Chargehand", s.Version)
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", "" // served with a token, by us
	config.CreateHooks = nil                                             // no $schema in answers
	config.RejectUnknownQueryParameters = true
	config.Transformers = []huma.Transformer{explained}
	config.Info.Description = "Usage rating, allowance limits and credit control. Money and quantities are decimal strings, times RFC 3339."
	config.Components.SecuritySchemes = securitySchemes()
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	aliases(config.Components.Schemas)
	s.gates = gates{Server: s, endpoints: map[string]endpoint{}}
	return huma.NewAPI(config, humago.NewAdapter(s.gates, ""))
}

// explained makes problems of the faults that huma finds by itself.
func explained(ctx huma.Context, _ string, v any) (any, error) {
	p, is := v.(*Problem)
	if fault, theirs := v.(*huma.ErrorModel); theirs {
		p, is = fromHuma(fault), true
	}
	if !is {
		return v, nil
	}
	q := requestOf(ctx.Context())
	p.Instance = "urn:uuid:" + q.id
	_, w := humago.Unwrap(ctx)
	p.headers(w.Header())
	return p, nil
}

// register adds an endpoint. What do answers goes out as it is; its errors as
// problems.
func register[I, O any](s *Server, e endpoint, do func(context.Context, *I) (*O, error)) {
	s.gates.endpoints[e.method+" "+e.path] = e
	op := huma.Operation{
		OperationID: e.name, Method: e.method, Path: e.path, Tags: []string{e.tag}, Summary: e.summary, Description: e.description,
		DefaultStatus: e.status, Security: []map[string][]string{{"bearer": {}}}, MaxBodyBytes: s.BodyBytesMax,
		// bodied has read it.
		BodyReadTimeout: -1, Responses: s.problems(e),
	}
	s.shape(&op, e)
	huma.Register(s.own, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := do(ctx, in)
		if err == nil {
			return out, nil
		}
		p := problemOf(err)
		if p.Status >= http.StatusInternalServerError {
			requestOf(ctx).fault = err
		}
		return nil, p
	})
	s.shapeBody(e)
	s.shapeAlso(e)
}

// gates is the mux as huma sees it: whatever is registered is put behind what
// its endpoint asks of a token.
type gates struct {
	*Server
	endpoints map[string]endpoint // by method and path
}

// HandleFunc adds a handler, behind its gate.
func (g gates) HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request)) {
	e := g.endpoints[pattern]
	next := http.HandlerFunc(handler)
	if e.writes() {
		next = g.once(e, next)
	}
	next = g.timely(e, next)
	if e.method != http.MethodGet {
		next = g.bodied(e, next)
	}
	g.mux.HandleFunc(pattern, g.bearer(e.need, g.within(e, next)))
}

// ServeHTTP is the mux's.
func (g gates) ServeHTTP(w http.ResponseWriter, r *http.Request) { g.mux.ServeHTTP(w, r) }

// bearer lets those through whose Authorization header bears a token with a
// scope; 0 is any token.
func (s *Server) bearer(need access.Scope, next http.HandlerFunc) http.HandlerFunc {
	return s.admitting(func(ctx context.Context, token string) (access.Caller, error) { return s.Gate.Admit(ctx, token, need) }, next)
}

// admitting lets those through whom admit admits.
func (s *Server) admitting(admit func(context.Context, string) (access.Caller, error), next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		requestOf(r.Context()).pattern = shown(r.Pattern)
		caller, err := admit(r.Context(), bearerToken(r))
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		s.fit(next)(w, r.WithContext(access.With(r.Context(), caller)))
	}
}

// shown is the path of a mux's pattern.
func shown(pattern string) string {
	_, path, _ := strings.Cut(pattern, " ")
	return path
}

// bearerToken is the token that the header has. One that stands twice is none: a
// proxy may have judged the other.
func bearerToken(r *http.Request) string {
	if len(r.Header.Values("Authorization")) > 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// within holds a request against the reach of its token, and notes what it is
// about for the audit log.
func (s *Server) within(e endpoint, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		caller, number := access.From(ctx), r.PathValue("number")
		if e.whole && caller.Reseller != 0 {
			s.refuse(w, r, problem("scope-missing", "this is of the whole installation, and the token is a reseller's"))
			return
		}
		if number != "" {
			if err := s.Gate.Sees(ctx, caller, number); err != nil {
				s.refuse(w, r, err)
				return
			}
		}
		if e.writes() {
			ctx = postgres.WithDeed(ctx, postgres.Deed{RequestID: requestOf(ctx).id, Action: e.method + " " + e.path, Subject: number, Actor: caller.Actor()})
		}
		next(w, r.WithContext(ctx))
	}
}

// refuse answers with the problem that an error is.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	p := problemOf(err)
	q := requestOf(r.Context())
	if p.Status >= http.StatusInternalServerError {
		q.fault = err
	}
	p.Instance = "urn:uuid:" + q.id
	p.write(w)
}

// moneyText is how OpenAPI describes money in answers.
type moneyText string

// Schema is how OpenAPI describes it.
func (moneyText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Format: "decimal", Description: "An amount of money: at most 12 digits before the point and 6 after it.", Examples: []any{"12.50"}}
}

// aliases are types of other rooms as OpenAPI describes them.
func aliases(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[billing.Money](), reflect.TypeFor[moneyText]())
	for is, shown := range shapes {
		r.RegisterTypeAlias(is, shown)
	}
}
