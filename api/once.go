package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"

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

// once carries a change out once for each Idempotency-Key.
//
// What was changed is answered again to whoever sends the same request with the
// same key. A key belongs to what was done: a request that was refused did
// nothing, and leaves its key for the next try. Where nobody knows whether
// something was done, because the server fell over, the next request of the kind
// takes it over, with the choices that were made before.
//
// The key of a payment or an adjustment is that of its posting, which holds for
// ever (SPEC R6.7), and does not come by here.
func (s *Server) once(e endpoint, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get(keyHeader)
		if key == "" || e.posts {
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
		claim := &postgres.Claim{Token: access.From(r.Context()).Token, Key: key, Hash: hashOf(r, body), At: s.Clock()}
		if err := s.carryOut(w, r, e, claim, next); err != nil {
			s.refuse(w, r, err)
		}
	}
}

// hashOf is what a request asks for.
func hashOf(r *http.Request, body []byte) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s", r.Method, r.URL.RequestURI(), body))
}

// carryOut claims the key, and then has the request carried out, or answers what
// it was answered before.
func (s *Server) carryOut(w http.ResponseWriter, r *http.Request, e endpoint, claim *postgres.Claim, next http.HandlerFunc) (err error) {
	if e.reserves {
		if claim.Reserved, err = s.Store.FreeNumber(r.Context()); err != nil {
			return err
		}
	}
	before, err := s.Store.Claim(r.Context(), claim)
	switch {
	case errors.Is(err, postgres.ErrKeyReused):
		return problem("key-reused", keyHeader+": "+err.Error()+": take a new one", Fault{Parameter: keyHeader, Detail: "used for another request"})
	case errors.Is(err, postgres.ErrInProgress):
		return problem("in-progress", keyHeader+": "+err.Error()+": try again in a moment").after(patienceBusy)
	case err != nil:
		return err
	case before != nil:
		before.Head.Set("Idempotency-Replayed", "true")
		(&kept{head: before.Head, status: before.Status, body: *bytes.NewBuffer(before.Body)}).send(w)
		return nil
	}
	// From here on it is carried out whether or not the client waits for it: what
	// is broken off half-way nobody could tell from what was done.
	ctx := context.WithoutCancel(r.Context())
	requestOf(ctx).reserved = claim.Reserved
	answer := &kept{ResponseWriter: w, head: http.Header{}, status: http.StatusOK}
	settled := false
	defer func() {
		if !settled { // a panic
			_ = s.Store.Abandon(ctx, claim) // it is abandoned in any case, only later
		}
	}()
	next(answer, r.WithContext(ctx))
	settled = true
	s.settle(ctx, claim, answer)
	answer.send(w)
	return nil
}

// settle keeps the answer of what was done, and frees the key of what was not.
// Where the store cannot, the change was made all the same: the log is told.
func (s *Server) settle(ctx context.Context, claim *postgres.Claim, answer *kept) {
	var err error
	switch {
	case answer.status < http.StatusBadRequest:
		err = s.Store.Answer(ctx, claim, &postgres.StoredAnswer{Status: answer.status, Head: answer.head, Body: answer.body.Bytes()})
	case answer.status < http.StatusInternalServerError:
		err = s.Store.GiveUp(ctx, claim)
	default:
		err = s.Store.Abandon(ctx, claim)
	}
	if err != nil {
		s.Log.Warn("an Idempotency-Key stays in progress until it is taken for abandoned", "request", requestOf(ctx).id, "error", err)
	}
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
