package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
	"github.com/danielgtaylor/huma/v2"
)

// Problem is what a request that failed is told (RFC 9457).
type Problem struct {
	Type     string  `json:"type" doc:"URI of the kind of problem; it stays the same." example:"https://github.com/chargehand/chargehand/blob/main/docs/api.md#account-not-found"`
	Title    string  `json:"title" doc:"The kind of problem in words." example:"Account not found"`
	Status   int     `json:"status" doc:"Status of the answer." example:"404"`
	Detail   string  `json:"detail" doc:"What went wrong, with which value, and what to do." example:"account ACR0000001526: no such account"`
	Instance string  `json:"instance,omitempty" doc:"The request, as the log knows it." example:"urn:uuid:019a1b2c-3d4e-7f00-8a9b-0c1d2e3f4a5b"`
	Errors   []Fault `json:"errors,omitempty" doc:"Each fault of the request, where there are several or one has a place."`

	retryAfter time.Duration
}

// Fault is one thing that is wrong with a request, and where.
type Fault struct {
	Pointer   string `json:"pointer,omitempty" doc:"JSON pointer to the value in the body." example:"/amount"`
	Parameter string `json:"parameter,omitempty" doc:"Name of the value in the path, query or headers." example:"limit"`
	Detail    string `json:"detail" doc:"What is wrong, which value, what to do." example:"\"12,5\" is no decimal number: write it like 12.5"`
}

// Error is the problem in one line.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the status of the answer.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of problems.
func (*Problem) ContentType(string) string { return "application/problem+json" }

// Kind is a kind of problem. Its name is the end of the type URI.
type Kind struct {
	Name, Title string
	Status      int
	Meaning     string // what it tells, and what to do
}

// Kinds of problems, in the order of their status.
var kinds = []Kind{
	{"bad-request", "Bad request", http.StatusBadRequest, "The request is no HTTP or JSON that can be read."},
	{"token-missing", "Token missing", http.StatusUnauthorized, "No token was given. Every endpoint but /livez and /readyz needs one."},
	{"token-unknown", "Token unknown", http.StatusUnauthorized, "The token is unknown, was revoked or has expired."},
	{"scope-missing", "Scope missing", http.StatusForbidden, "The token lacks a scope, or is a reseller's and the endpoint is the whole installation's."},
	{"not-found", "Not found", http.StatusNotFound, "There is nothing at this path, or none of this name."},
	{"account-not-found", "Account not found", http.StatusNotFound, "No account has this number, or the token does not reach it."},
	{"method-not-allowed", "Method not allowed", http.StatusMethodNotAllowed, "The path exists, and does not take this method."},
	{"not-acceptable", "Not acceptable", http.StatusNotAcceptable, "The answer exists in none of the forms that Accept names."},
	{"stalled", "Body stalled", http.StatusRequestTimeout, "Nothing more of the body came: send it again."},
	{"in-progress", "Request in progress", http.StatusConflict, "Another request with this Idempotency-Key is being carried out: try again in a moment."},
	{"ambiguous", "Ambiguous", http.StatusConflict, "What the path names there is more than once; detail says how to name one."},
	{"changed-meanwhile", "Changed meanwhile", http.StatusPreconditionFailed, "What If-Match names has changed since: read it again."},
	{"too-large", "Too large", http.StatusRequestEntityTooLarge, "The body is longer than the server takes."},
	{"media-type", "Media type not taken", http.StatusUnsupportedMediaType, "The endpoint takes bodies of other media types."},
	{"invalid", "Invalid request", http.StatusUnprocessableEntity, "A value of the request is not what it must be; errors names each."},
	{"refused", "Refused", http.StatusUnprocessableEntity, "A rule forbids it; detail says which value and what to do."},
	{"key-reused", "Idempotency-Key reused", http.StatusUnprocessableEntity, "The Idempotency-Key was used for another request: take a new one."},
	{"too-many-requests", "Too many requests", http.StatusTooManyRequests, "The token has used up its rate, or too many requests of the address bore no good token: wait as long as Retry-After says."},
	{"backlog", "Backlog", http.StatusTooManyRequests, "Too many records wait to be judged: send again when Retry-After has passed."},
	{"headers-too-large", "Headers too large", http.StatusRequestHeaderFieldsTooLarge, "Path, query and headers have more than 64 KiB together."},
	{"internal", "Internal error", http.StatusInternalServerError, "A fault of the server. It is in its log under the instance."},
	{"busy", "Busy", http.StatusServiceUnavailable, "As many requests of this kind run as may at once, or this one took longer than it may, as the database is busy or hangs. Try again when Retry-After has passed, with the same Idempotency-Key."},
	{"unavailable", "Unavailable", http.StatusServiceUnavailable, "The database is away, or went away: nothing was done, or all of it. Try again when Retry-After has passed, with the same Idempotency-Key."},
}

// Kinds are all kinds of problems there are.
func Kinds() []Kind { return append([]Kind(nil), kinds...) }

// problemBase is where a kind of problem is explained.
const problemBase = "https://github.com/chargehand/chargehand/blob/main/docs/api.md#"

// problem is one of a kind.
func problem(kind, detail string, faults ...Fault) *Problem {
	for _, k := range kinds {
		if k.Name == kind {
			return &Problem{Type: problemBase + k.Name, Title: k.Title, Status: k.Status, Detail: detail, Errors: faults}
		}
	}
	panic("no kind of problem is called " + kind) // all callers name one of the table
}

// after says when to try again.
func (p *Problem) after(wait time.Duration) *Problem {
	p.retryAfter = max(wait, time.Second)
	return p
}

// patienceAway is how long a client is asked to wait for a database that is away.
const patienceAway = 5 * time.Second

// problemOf is an error as the client is told it. What is no fault of the
// request comes out as internal or unavailable, without its text.
func problemOf(err error) *Problem {
	var (
		own       *Problem
		faults    setup.Faults
		refusal   *postgres.Refusal
		forbidden *access.Forbidden
		tooMany   *access.TooMany
		tooLarge  *http.MaxBytesError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, access.ErrNoToken):
		return problem("token-missing", "give a token: Authorization: Bearer …, made by chargehand token create")
	case errors.Is(err, access.ErrUnknownToken):
		return problem("token-unknown", err.Error())
	case errors.As(err, &forbidden):
		return problem("scope-missing", forbidden.Error())
	case errors.As(err, &tooMany):
		return problem("too-many-requests", tooMany.Error()).after(tooMany.After)
	case errors.As(err, &tooLarge):
		return problem("too-large", "the body is longer than the "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes that are taken")
	case errors.As(err, &faults):
		return problem("invalid", faults[0].Error(), faultsOf(faults)...)
	case errors.Is(err, postgres.ErrNoAccount):
		return problem("account-not-found", err.Error())
	case errors.Is(err, postgres.ErrNoCustomer):
		return problem("not-found", err.Error())
	case errors.Is(err, postgres.ErrChanged):
		return problem("changed-meanwhile", err.Error())
	case errors.Is(err, postgres.ErrNotCursor):
		return problem("invalid", "cursor: "+err.Error(), Fault{Parameter: "cursor", Detail: err.Error()})
	case errors.As(err, &refusal):
		return problem("refused", refusal.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return problem("busy", "it was not done in the time that it may take, or all of it was: look, or try again with the same Idempotency-Key").after(patienceBusy)
	case errors.Is(err, postgres.ErrStale):
		return problem("busy", "others changed the same all the while: nothing was done, try again").after(patienceBusy)
	case postgres.Away(err):
		return problem("unavailable", "the database is away: nothing was done, or all of it; look, or try again with the same Idempotency-Key").after(patienceAway)
	}
	return problem("internal", "something went wrong here; the log has it under the request's id")
}

func faultsOf(faults setup.Faults) []Fault {
	all := make([]Fault, len(faults))
	for i, f := range faults {
		all[i] = Fault{Pointer: f.Pointer, Detail: f.What}
	}
	return all
}

// fromHuma is a fault that huma found in a request, as our clients are told it.
func fromHuma(e *huma.ErrorModel) *Problem {
	kind := map[int]string{
		http.StatusBadRequest: "bad-request", http.StatusUnprocessableEntity: "invalid", http.StatusNotAcceptable: "not-acceptable",
		http.StatusRequestEntityTooLarge: "too-large", http.StatusUnsupportedMediaType: "media-type", http.StatusRequestTimeout: "bad-request",
	}[e.Status]
	if kind == "" {
		kind = "internal"
	}
	p := problem(kind, inWords(e.Detail, nil))
	for _, detail := range e.Errors {
		f := placed(detail)
		p.Errors = append(p.Errors, f)
	}
	if len(p.Errors) > 0 {
		p.Detail = p.Errors[0].told()
	}
	return p
}

// where is the place of a fault in words.
func (f Fault) where() string {
	if f.Parameter != "" {
		return f.Parameter
	}
	return strings.TrimPrefix(f.Pointer, "/")
}

// told is the fault with its place.
func (f Fault) told() string { return strings.TrimPrefix(f.where()+": "+f.Detail, ": ") }

// write answers a request with a problem.
func (p *Problem) write(w http.ResponseWriter) {
	head := w.Header()
	head.Set("Content-Type", p.ContentType(""))
	p.headers(head)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client has gone
}

// headers are those that belong to some problems.
func (p *Problem) headers(head http.Header) {
	if p.retryAfter > 0 {
		seconds := (p.retryAfter + time.Second - 1) / time.Second
		head.Set("Retry-After", strconv.Itoa(int(seconds)))
	}
	if p.Status == http.StatusUnauthorized {
		head.Set("WWW-Authenticate", `Bearer realm="chargehand"`)
	}
}
