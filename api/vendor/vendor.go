package vendor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/once"
	"github.com/chargehand/chargehand/api/route"
	"github.com/chargehand/chargehand/postgres"
)

// Options are what the endpoints are made of.
type Options struct {
	Store        *postgres.Store
	Gate         *access.Gate
	Clock        func() time.Time
	Log          *slog.Logger
	TimeZone     *time.Location // of the platform: billing.time_zone
	BodyBytesMax int64          // of a request; 0: one mebibyte
}

// view is the endpoints.
type view struct{ Options }

// Routes are the endpoints of both versions.
func Routes(o Options) []route.Route {
	if o.BodyBytesMax == 0 {
		o.BodyBytesMax = 1 << 20
	}
	v := &view{o}
	return slices.Concat(v.v1Routes(), v.v3Routes())
}

// reach is whose accounts a token sees.
func reach(c access.Caller) postgres.Reach { return postgres.Reach{Reseller: c.Reseller} }

// idOf reads an id of the path. Numbers that no id can be are ids of nothing.
func idOf(text, what string) (int64, error) {
	id, err := strconv.ParseUint(text, 10, 63)
	if errors.Is(err, strconv.ErrRange) {
		return 0, refuse(http.StatusNotFound, "%s %s does not exist", what, clip(text))
	}
	if err != nil {
		return 0, refuse(http.StatusBadRequest, "%q: the id of %s is a whole number", clip(text), what)
	}
	return int64(id), nil //nolint:gosec // 63 bits were read
}

// patience is how long a client is asked to wait for a database that is away.
const patience = 5 * time.Second

// refusalOf is an error as a client is told it. What is no fault of the request
// comes out without its text. token says where the token stands.
func refusalOf(err error, token string) *refusal {
	var (
		own       *refusal
		forbidden *access.Forbidden
		tooMany   *access.TooMany
		tooLarge  *http.MaxBytesError
		refused   *postgres.Refusal
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, access.ErrNoToken):
		return refuse(http.StatusUnauthorized, "no token was given: give one, once, as %s", token)
	case errors.Is(err, access.ErrUnknownToken):
		return refuse(http.StatusUnauthorized, "%v", err)
	case errors.As(err, &forbidden):
		return refuse(http.StatusForbidden, "%v", forbidden)
	case errors.As(err, &tooMany):
		r := refuse(http.StatusTooManyRequests, "%v", tooMany)
		r.after = tooMany.After
		return r
	case errors.As(err, &tooLarge):
		return refuse(http.StatusRequestEntityTooLarge, "the body is longer than the %d bytes that are taken", tooLarge.Limit)
	case errors.Is(err, once.ErrNoKey):
		return refuseKey(http.StatusBadRequest, "%v", err)
	case errors.Is(err, postgres.ErrKeyReused):
		return refuseKey(http.StatusUnprocessableEntity, "%v: take a new one", err)
	case errors.Is(err, postgres.ErrInProgress):
		r := refuseKey(http.StatusConflict, "%v: try again in a moment", err)
		r.after = time.Second
		return r
	case errors.Is(err, postgres.ErrNoAccount), errors.Is(err, postgres.ErrNoReseller):
		return refuse(http.StatusNotFound, "%v", err)
	case errors.As(err, &refused):
		return refuse(http.StatusUnprocessableEntity, "%v", refused)
	case errors.Is(err, postgres.ErrStale):
		r := refuse(http.StatusServiceUnavailable, "others changed the same all the while: nothing was done, try again")
		r.after = time.Second
		return r
	case postgres.Away(err), errors.Is(err, context.DeadlineExceeded):
		r := refuse(http.StatusServiceUnavailable, "the database is away or takes too long; what was to be done was not, or all of it: look, and try again")
		r.after = patience
		return r
	}
	return refuse(http.StatusInternalServerError, "something went wrong here; the log has it")
}

// told notes what a client is not told of a failure. That a client left is none;
// that the time of its request is over is one.
func (v *view) told(ctx context.Context, r *refusal, err error) {
	if r.status >= http.StatusInternalServerError && !errors.Is(ctx.Err(), context.Canceled) {
		v.Log.ErrorContext(ctx, "a request of a vendor's API failed", "request", requestID(ctx), "status", r.status, "error", err)
	}
}

// requestID is the id of a request, where whoever serves it has said so.
func requestID(ctx context.Context) string {
	d, _ := postgres.DeedOf(ctx)
	return d.RequestID
}

// answer writes an answer: a value as JSON, with texts as they are.
func answer(w http.ResponseWriter, status int, kind string, body any) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		panic(err) // every body is a struct of this package
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client has gone
}

// headers sets those that belong to some refusals; scheme names what a token is
// asked for by.
func (r *refusal) headers(w http.ResponseWriter, scheme string) {
	if r.after > 0 {
		seconds := (r.after + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if r.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", scheme+` realm="chargehand"`)
	}
}
