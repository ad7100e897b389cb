package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
)

// keyHeader makes a request happen once.
const keyHeader = "Idempotency-Key"

// keyBytesMax bounds keys, as the store bounds those of postings.
const keyBytesMax = 256

// Keyed is the header of a change that may be sent again.
type Keyed struct {
	Key string `header:"Idempotency-Key" maxLength:"256" doc:"Makes it happen once: the same request with the same key is answered what the first one was, with Idempotency-Replayed: true." example:"7f3c2a1e"`
}

// once carries a change out once for each Idempotency-Key: in one transaction with
// its answer (ADR 12), which whoever sends the same request with the same key is
// given again. A key belongs to what was done: a request that was refused did
// nothing, and leaves its key for the next try.
//
// What is apart from it has a reason, which stands where it is registered.
func (s *Server) once(e endpoint, next http.HandlerFunc) http.HandlerFunc {
	if e.apart {
		return next
	}
	return func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get(keyHeader)
		if key == "" {
			next(w, r)
			return
		}
		if len(key) > keyBytesMax {
			s.refuse(w, r, problem("invalid", fmt.Sprintf("%s: %d bytes, at most %d are taken", keyHeader, len(key), keyBytesMax),
				Fault{Parameter: keyHeader, Detail: "too long"}))
			return
		}
		body, err := io.ReadAll(r.Body) // it is in memory
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		q := &postgres.KeyedRequest{Token: access.From(r.Context()).Token, Key: key, Hash: hashOf(r, body), At: s.Clock()}
		if err := s.carryOut(w, r, q, next); err != nil {
			s.refuse(w, r, err)
		}
	}
}

// hashOf is what a request asks for.
func hashOf(r *http.Request, body []byte) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s", r.Method, r.URL.RequestURI(), body))
}

// carryOut has a request carried out, and answers once that is committed, or
// answers what it was answered before.
func (s *Server) carryOut(w http.ResponseWriter, r *http.Request, q *postgres.KeyedRequest, next http.HandlerFunc) error {
	ctx, cancel := toItsEnd(r.Context())
	defer cancel()
	answer := &kept{ResponseWriter: w, head: http.Header{}, status: http.StatusOK}
	before, err := s.Store.Once(ctx, q, func(ctx context.Context) *postgres.StoredAnswer {
		next(answer, r.WithContext(ctx))
		return answer.toKeep()
	})
	switch {
	case errors.Is(err, postgres.ErrKeyReused):
		return problem("key-reused", keyHeader+": "+err.Error()+": take a new one", Fault{Parameter: keyHeader, Detail: "used for another request"})
	case errors.Is(err, postgres.ErrInProgress):
		return problem("in-progress", keyHeader+": "+err.Error()+": try again in a moment").after(patienceBusy)
	case err != nil:
		return err
	case before != nil:
		before.Head.Set("Idempotency-Replayed", "true")
		answer = &kept{head: before.Head, status: before.Status, body: *bytes.NewBuffer(before.Body)}
	}
	answer.send(w)
	return nil
}

// keyedPatience bounds a request with a key that has no bound of its own.
const keyedPatience = 10 * time.Minute

// toItsEnd is the context of a request that is carried out whether or not its
// client waits for it, but no longer than it may take.
func toItsEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	whole := context.WithoutCancel(ctx)
	if until, has := ctx.Deadline(); has {
		return context.WithDeadline(whole, until)
	}
	return context.WithTimeout(whole, keyedPatience)
}

// kept is an answer that is held back until it is stored.
type kept struct {
	http.ResponseWriter
	head   http.Header
	status int
	begun  bool
	body   bytes.Buffer
}

func (k *kept) Header() http.Header { return k.head }

func (k *kept) WriteHeader(status int) {
	if !k.begun {
		k.status, k.begun = status, true
	}
}

func (k *kept) Write(b []byte) (int, error) {
	k.begun = true
	return k.body.Write(b)
}

// toKeep is the answer of what was done; nil where nothing was.
func (k *kept) toKeep() *postgres.StoredAnswer {
	if k.status >= http.StatusBadRequest {
		return nil
	}
	return &postgres.StoredAnswer{Status: k.status, Head: k.head, Body: k.body.Bytes()}
}

// Unwrap lets deadlines reach the connection.
func (k *kept) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// send answers with it.
func (k *kept) send(w http.ResponseWriter) {
	head := w.Header()
	for name, values := range k.head {
		head[name] = values
	}
	w.WriteHeader(k.status)
	_, _ = w.Write(k.body.Bytes()) // the client has gone
}
