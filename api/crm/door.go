package crm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/once"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
)

// Options are what the view works with.
type Options struct {
	Store        *postgres.Store
	Gate         *access.Gate
	LimitsForAll bool             // limits.scope: all_accounts
	Clock        func() time.Time // asked once a request (SPEC R2.7)
	Log          *slog.Logger
	BodyMax      int64 // of a request, in bytes; 0: a mebibyte
}

const bodyMax = 1 << 20

// Envelope is every answer: data, and how the request ended.
type Envelope struct {
	Data   json.RawMessage `json:"data"` // null where it was refused
	Status Status          `json:"status"`
}

// Status says how a request ended. Code is one of Codes, the message what that
// means, the description which parameter and value it was.
type Status struct {
	Code        string `json:"code"`
	Description string `json:"description"`
	Message     string `json:"message"`
}

// view is the methods over a store.
type view struct{ Options }

// method carries a request out: its parameters become the answer's data.
type method func(ctx context.Context, by access.Caller, all []parameter) (json.RawMessage, error)

// door lets a request in: it reads the parameters, admits the token among them,
// and writes the envelope.
func (v *view) door(need access.Scope, do method) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		admitted, all, err := v.enter(w, r, need)
		if err != nil {
			v.end(r.Context(), w, nil, err)
			return
		}
		carryOut := func(w http.ResponseWriter, r *http.Request) {
			data, err := do(r.Context(), access.From(r.Context()), all)
			v.end(r.Context(), w, data, err)
		}
		if need != access.Manage {
			carryOut(w, admitted)
			return
		}
		if err := (once.Door{Store: v.Store, Clock: v.Clock}).Do(w, admitted, carryOut); err != nil {
			v.end(r.Context(), w, nil, err)
		}
	})
}

// end writes the envelope.
func (v *view) end(ctx context.Context, w http.ResponseWriter, data json.RawMessage, err error) {
	answer := Envelope{Data: data, Status: Status{Code: succeeded.Name}}
	status := succeeded.HTTP
	if err != nil {
		told := v.told(ctx, err)
		answer = Envelope{Status: Status{told.code.Name, told.text, told.code.Meaning}}
		status = told.code.HTTP
		if told.after > 0 {
			w.Header().Set("Retry-After", strconv.FormatInt(int64((told.after+time.Second-1)/time.Second), 10))
		}
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `ApiToken realm="chargehand"`)
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // whoever asked has gone
}

// enter admits a request: it answers it with the caller in its context and its
// body to be read again, and its parameters.
func (v *view) enter(w http.ResponseWriter, r *http.Request, need access.Scope) (*http.Request, []parameter, error) {
	most := v.BodyMax
	if most <= 0 {
		most = bodyMax
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &tooBig):
		return nil, nil, refuse(tooLarge, "the body has more than %d bytes: split the request", tooBig.Limit)
	case err != nil:
		return nil, nil, refuse(invalidJSON, "the body ends too early: %v", err)
	}
	all, err := parameters(r, body)
	if err != nil {
		return nil, nil, err
	}
	secret, err := token(all)
	if err != nil {
		return nil, nil, err
	}
	by, err := v.Gate.Admit(r.Context(), secret, need)
	if err != nil {
		return nil, nil, err
	}
	r = r.WithContext(access.With(r.Context(), by))
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, all, nil
}

// token is the one parameter that is read before anything is said of the others.
func token(all []parameter) (string, error) {
	for _, p := range all {
		if p.key == tokenKey && !p.null() {
			return p.text()
		}
	}
	return "", nil
}

// told is an error as it is told to who asked. What is our fault is logged and
// not told.
func (v *view) told(ctx context.Context, err error) *refusal {
	var (
		mine    *refusal
		scope   *access.Forbidden
		often   *access.TooMany
		invalid *limits.Fault
	)
	switch {
	case errors.As(err, &mine):
		return mine
	case errors.Is(err, access.ErrNoToken):
		return &refusal{code: invalidToken, text: "token is missing: put it into the request"}
	case errors.Is(err, access.ErrUnknownToken):
		return &refusal{code: invalidToken, text: err.Error()}
	case errors.As(err, &scope):
		return &refusal{code: forbidden, text: err.Error()}
	case errors.As(err, &often):
		return &refusal{code: tooManyRequests, text: err.Error(), after: max(often.After, time.Second)}
	case errors.Is(err, once.ErrNoKey), errors.Is(err, postgres.ErrKeyReused):
		return &refusal{code: keyReused, text: fmt.Sprintf("%s: %v: take a new one", once.Header, err)}
	case errors.Is(err, postgres.ErrInProgress):
		return &refusal{code: inProgress, text: fmt.Sprintf("%s: %v", once.Header, err), after: time.Second}
	case errors.Is(err, postgres.ErrLimitsGlobal):
		return &refusal{code: limitsGlobal, text: "limits are set for all accounts at once, in the set-up file: no account has its own"}
	case errors.Is(err, limits.ErrNoCeiling):
		return &refusal{code: invalidEntry, text: fmt.Sprintf("%v: nothing would limit it any more, remove the entry", err)}
	case errors.As(err, &invalid):
		return &refusal{code: invalidEntry, text: err.Error()}
	case postgres.IsRefusal(err):
		return &refusal{code: invalidValue, text: err.Error()}
	case !errors.Is(ctx.Err(), context.Canceled): // that a client left is no fault; that its time is over is one
		deed, _ := postgres.DeedOf(ctx)
		v.Log.ErrorContext(ctx, "a request failed", "view", "crm", "request", deed.RequestID, "error", err)
	}
	if postgres.Transient(err) {
		return &refusal{code: unavailable, text: "nothing was changed, or all of it: ask again and see", after: time.Second}
	}
	return &refusal{code: internal, text: "tell the operator when this was"}
}
