// Package once carries a request out once for its Idempotency-Key.
//
// It owns the way from the header to the transaction in which request and answer
// stand or fall together (ADR 12), and the answer that is given again. It knows no
// shape: how a key is refused is told by whoever serves the request.
//
// What is always true: an answer is sent only when it is committed with what it
// tells of.
package once

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/route"
	"github.com/chargehand/chargehand/postgres"
)

const (
	// Header bears the key. A key is a token's: two tokens share none.
	Header = "Idempotency-Key"
	// Replayed is true in an answer that is given again.
	Replayed = "Idempotency-Replayed"

	// keyBytesMax bounds keys, as the store bounds those of postings.
	keyBytesMax = 256
	// patience bounds a request with a key that has no bound of its own.
	patience = 10 * time.Minute
)

// Parameter describes the header.
func Parameter() route.Parameter {
	return route.Parameter{Name: Header, In: "header", Type: "", Example: "7f3c2a1e",
		Description: "Makes it happen once: the same request with the same key is answered what the first one was, with Idempotency-Replayed: true."}
}

// ErrNoKey means that what stands in the header can be no key.
var ErrNoKey = errors.New("the key is not one")

// Door is where requests with keys are taken in.
type Door struct {
	Store *postgres.Store
	Clock func() time.Time
}

// Do answers an admitted request by next, whose body may be read whole: where it
// bears a key, once for it. A key belongs to what was done: a request that next
// refused did nothing, and leaves its key for the next try.
//
// Where it returns an error nothing was done and nothing was written: ErrNoKey,
// postgres.ErrKeyReused, postgres.ErrInProgress, or what hinders body or store.
func (d Door) Do(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) error {
	given := r.Header.Values(Header)
	if len(given) == 0 {
		next(w, r)
		return nil
	}
	key := given[0]
	switch {
	case len(given) > 1:
		return fmt.Errorf("%w: %d are given, one is needed", ErrNoKey, len(given))
	case key == "":
		return fmt.Errorf("%w: it is empty, give one or leave the header out", ErrNoKey)
	case len(key) > keyBytesMax:
		return fmt.Errorf("%w: it has %d bytes, and may have %d", ErrNoKey, len(key), keyBytesMax)
	case !utf8.ValidString(key) || strings.ContainsRune(key, 0):
		return fmt.Errorf("%w: %+q is no text in UTF-8", ErrNoKey, key)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	ctx, cancel := toItsEnd(r.Context())
	defer cancel()
	q := &postgres.KeyedRequest{Token: access.From(ctx).Token, Key: key, Hash: hashOf(r, body), At: d.Clock()}
	answer := &kept{ResponseWriter: w, head: http.Header{}, status: http.StatusOK}
	before, err := d.Store.Once(ctx, q, func(ctx context.Context) *postgres.StoredAnswer {
		next(answer, r.WithContext(ctx))
		return answer.toKeep()
	})
	if err != nil {
		return err
	}
	if before != nil {
		before.Head.Set(Replayed, "true")
		answer = &kept{head: before.Head, status: before.Status, body: *bytes.NewBuffer(before.Body)}
	}
	answer.send(w)
	return nil
}

// hashOf is what a request asks for.
func hashOf(r *http.Request, body []byte) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s", r.Method, r.URL.RequestURI(), body))
}

// toItsEnd is the context of a request that is carried out whether or not its
// client waits for it, but no longer than it may take.
func toItsEnd(ctx context.Context) (context.Context, context.CancelFunc) {
	whole := context.WithoutCancel(ctx)
	if until, has := ctx.Deadline(); has {
		return context.WithDeadline(whole, until)
	}
	return context.WithTimeout(whole, patience)
}
