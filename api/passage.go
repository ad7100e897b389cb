package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/google/uuid"
	"github.com/klauspost/compress/gzhttp"
)

// request is what is known of a request while it is served; who learns more
// while serving it writes it down here for the log.
type request struct {
	id      string
	trace   string // traceparent, as taken over or made
	token   string // name of the token
	pattern string // the path, without the values in it
	fault   error  // what the client is not told
}

type requestKey struct{}

// requestOf is what is known of a request; a new one where nobody began.
func requestOf(ctx context.Context) *request {
	if q, ok := ctx.Value(requestKey{}).(*request); ok {
		return q
	}
	return &request{}
}

// identified gives each request an id, which the answer bears and the log.
func (s *Server) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id, err := uuid.NewV7()
		if err != nil {
			problem("internal", "no request id can be made").write(w)
			return
		}
		q := &request{id: id.String(), trace: traceOf(r.Header.Get("Traceparent"), id)}
		w.Header().Set("X-Request-Id", q.id)
		if r.ContentLength == 0 {
			// The bound on reading a request goes on while it is answered, and would
			// end a long list. Who reads a body has a bound of its own.
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // a recorder has none
		}
		ctx := access.Watch(access.WithAddress(r.Context(), r.RemoteAddr), func(c access.Caller) { q.token = c.Token })
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, requestKey{}, q)))
	})
}

// logged writes one line for each request, also of one whose answer broke off: no
// query, no body, no token.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := s.Clock()
		seen := &watched{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			q := requestOf(r.Context())
			if left(r.Context(), q.fault, seen.status) {
				seen.status, q.fault = statusLeft, nil
			}
			took := s.Clock().Sub(begun)
			if q.pattern != "" {
				s.Metrics.Request(r.Method+" "+q.pattern, seen.status, took)
			} else {
				s.Metrics.Request("", seen.status, took)
			}
			level := slog.LevelInfo
			attributes := []slog.Attr{slog.String("method", r.Method), slog.String("path", q.pattern), slog.Int("status", seen.status),
				slog.Duration("took", took), slog.String("token", q.token), slog.String("request", q.id),
				slog.String("trace", q.trace)}
			if q.fault != nil {
				level = slog.LevelError
				attributes = append(attributes, slog.Any("error", q.fault))
			}
			s.Log.LogAttrs(r.Context(), level, "request", attributes...)
		}()
		next.ServeHTTP(seen, r)
	})
}

// statusLeft is what the log calls the end of a request whose client had left, as
// nginx does. Nobody is answered so.
const statusLeft = 499

// left tells whether a request ended because its client had left: it was broken
// off with it, or what was being sent could not be. ctx is that of the connection.
func left(ctx context.Context, fault error, status int) bool {
	switch {
	case ctx.Err() == nil:
		return false
	case fault == nil: // views of other shapes keep it to themselves
		return status >= http.StatusInternalServerError
	}
	return errors.Is(fault, context.Canceled) || status < http.StatusBadRequest
}

// watched remembers the status of an answer.
type watched struct {
	http.ResponseWriter
	status int
	begun  bool
}

func (w *watched) WriteHeader(status int) {
	if !w.begun {
		w.status, w.begun = status, true
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watched) Write(b []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(b)
}

// Unwrap lets deadlines reach the connection.
func (w *watched) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// recovered makes a panic one request's failure and nobody else's.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if found := recover(); found != nil {
				if found == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
					panic(found) // an answer that broke off half-way must not look whole
				}
				s.Log.Error("a request broke", "request", requestOf(r.Context()).id, "panic", found, "stack", string(debug.Stack()))
				if seen, ok := w.(*watched); !ok || !seen.begun {
					s.refuse(w, r, errors.New("a panic"))
				}
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// secured sets what browsers are to know of every answer: it is data, it is
// nobody else's, and it is not to be kept.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Cache-Control", "no-store")
		head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		if r.TLS != nil {
			head.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// zipped packs answers for clients that take gzip.
func zipped(next http.Handler) http.Handler { return gzhttp.GzipHandler(next) }

// nowhere tells what the mux found instead of a handler: no path, no such
// method, or the same path written another way.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request, found http.Handler) {
	answer := unsent{head: http.Header{}}
	found.ServeHTTP(&answer, r)
	if allowed := answer.head.Get("Allow"); answer.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", allowed)
		s.refuse(w, r, problem("method-not-allowed", r.Method+" is not taken here: "+allowed))
		return
	}
	s.refuse(w, r, problem("not-found", "there is nothing at this path; /openapi.json lists what there is"))
}

// unsent is an answer that is looked at instead of sent.
type unsent struct {
	head   http.Header
	status int
}

func (u *unsent) Header() http.Header         { return u.head }
func (u *unsent) WriteHeader(status int)      { u.status = status }
func (u *unsent) Write(b []byte) (int, error) { return len(b), nil }
