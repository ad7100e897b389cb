package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"time"
)

// Patience is how long requests may take. What has not come to its end by then
// is broken off and answered 503 busy: a database that hangs must not keep those
// who ask it, nor the connections to it.
type Patience struct {
	Ordinary time.Duration // a read or a write; 0: 30 s
	Long     time.Duration // long lists as lines, simulations, set-ups, redriving; 0: 10 min
	Reading  time.Duration // how much longer a client may take to read its answer; 0: 30 s
}

const (
	ordinaryPatience = 30 * time.Second
	longPatience     = 10 * time.Minute
	readingPatience  = 30 * time.Second
)

// filled is p with what it leaves open.
func (p Patience) filled() Patience {
	if p.Ordinary == 0 {
		p.Ordinary = ordinaryPatience
	}
	if p.Long == 0 {
		p.Long = longPatience
	}
	if p.Reading == 0 {
		p.Reading = readingPatience
	}
	return p
}

// isLong tells whether a request may take long.
func (e endpoint) isLong(r *http.Request) bool {
	lines := func(f form) bool { return f.media == asNDJSON }
	return e.long || slices.ContainsFunc(e.gives, lines) && preferred(r.Header.Get("Accept"), asJSON, asNDJSON) == asNDJSON
}

// timely bounds what comes next of a request, and the sending of its answer. What
// is carried out though its client has gone (once) keeps the bound.
func (s *Server) timely(e endpoint, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		until := time.Now().Add(s.Patience.Ordinary)
		if e.isLong(r) {
			until = time.Now().Add(s.Patience.Long)
		}
		_ = http.NewResponseController(w).SetWriteDeadline(until.Add(s.Patience.Reading)) // a recorder has none
		ctx, cancel := context.WithDeadline(r.Context(), until)
		defer cancel()
		next(w, r.WithContext(ctx))
	}
}

// unboundAtEnd ends the bound on reading a request when its body has been read. It
// would go on while the answer is worked out, and what passes it then net/http takes
// for a client that has left.
func unboundAtEnd(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = unbinding{r.Body, http.NewResponseController(w)}
		next(w, r)
	}
}

type unbinding struct {
	io.ReadCloser
	control *http.ResponseController
}

func (u unbinding) Read(to []byte) (int, error) {
	n, err := u.ReadCloser.Read(to)
	if errors.Is(err, io.EOF) {
		_ = u.control.SetReadDeadline(time.Time{}) // a recorder has none
	}
	return n, err
}
