package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/metrics"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// usage takes usage records over: POST /v1/usage.
type usage struct {
	*Server
	door     *feed.Door // with a bound on what the database takes
	pool     *feed.Pool
	backlog  *backlog
	places   chan struct{} // of bodies that are read
	patience time.Duration // with a body of which nothing comes
}

const (
	// usagePlaces is how many bodies are read at a time; others wait in line. Each
	// holds some hundred kilobytes, one of hostile records a dozen megabytes.
	usagePlaces = 128

	// linePatience is how long a request waits in line.
	linePatience = 30 * time.Second

	// usageSource is what batches and dead letters of this door bear as their
	// origin.
	usageSource = "api"
)

func newUsage(s *Server) *usage {
	door := *s.Door
	if door.Patience == 0 {
		door.Patience = s.Patience.Ordinary // a body may take any time, its records not
	}
	return &usage{Server: s, door: &door, pool: door.Pool(usageSource), places: make(chan struct{}, usagePlaces), patience: bodyPatience,
		backlog: &backlog{store: s.Store, most: int64(s.BacklogRecordsMax), shards: door.Shards, clock: s.Clock,
			patience: min(backlogPatience, s.Patience.Ordinary)}}
}

// take answers a request: 202 once all of its records are durable.
func (u *usage) take(w http.ResponseWriter, r *http.Request) {
	ends := u.Metrics.UsageBegins()
	in, err := u.begin(w, r)
	if err != nil {
		u.refuse(w, r, err)
		ends(metrics.Usage{Answer: answerOf(r, problemOf(err))})
		return
	}
	p := u.carry(w, r, in)
	ends(metrics.Usage{Answer: answerOf(r, p), Accepted: in.taken.Accepted, Unreadable: in.taken.Unreadable, OutOfReach: in.taken.OutOfReach})
}

// carry takes the body over and answers; p is the problem that came of it, if any.
func (u *usage) carry(w http.ResponseWriter, r *http.Request, in *intake) (p *Problem) {
	defer func() { <-u.places }()
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Time{}) // a recorder has none
	err := in.all(queue.WithTraces(r.Context(), requestOf(r.Context()).trace))
	// However long the body took, the answer has its time.
	_ = control.SetWriteDeadline(time.Now().Add(u.Patience.Reading))
	if err != nil {
		return u.breakOff(w, r, in, err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(in.taken) // the client has gone
	return nil
}

// answerOf is how a request was answered, as metrics call it.
func answerOf(r *http.Request, p *Problem) string {
	switch {
	case p == nil:
		return "accepted"
	case r.Context().Err() != nil:
		return "left"
	}
	return strings.TrimPrefix(p.Type, problemBase)
}

// begin holds a request against all that can be known before its body is read.
func (u *usage) begin(w http.ResponseWriter, r *http.Request) (*intake, error) {
	shape, err := shapeOf(w.Header(), r)
	if err != nil {
		return nil, err
	}
	if r.ContentLength > u.UsageBytesMax {
		return nil, &http.MaxBytesError{Limit: u.UsageBytesMax}
	}
	if err := u.backlog.check(r.Context()); err != nil {
		return nil, err
	}
	if err := u.queueUp(r.Context()); err != nil {
		return nil, err
	}
	in := &intake{usage: u, request: requestOf(r.Context()).id, shape: shape, taken: Taken{Batches: []uuid.UUID{}, Refused: []Refused{}}}
	in.shape.options.BytesMax = u.UsageBytesMax
	in.body = &inflow{from: http.MaxBytesReader(w, r.Body, u.UsageBytesMax), control: http.NewResponseController(w), patience: u.patience}
	if caller := access.From(r.Context()); caller.Reseller != 0 {
		in.reach = &reach{store: u.Store, patience: u.door.Patience, reseller: caller.Reseller, known: map[string]bool{}}
	}
	return in, nil
}

// queueUp waits for a place among the bodies that are read.
func (u *usage) queueUp(ctx context.Context) error {
	select {
	case u.places <- struct{}{}: // nobody waits
		return nil
	default:
	}
	late := time.NewTimer(linePatience)
	defer late.Stop()
	select {
	case u.places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait in line: %w", ctx.Err())
	case <-late.C:
		return problem("busy", "too many requests with usage records are under way; nothing was accepted").after(time.Second)
	}
}

// brokenOff is a problem that came after some of the body.
type brokenOff struct {
	*Problem
	Taken
}

// breakOff tells what went wrong, and what was accepted before.
func (u *usage) breakOff(w http.ResponseWriter, r *http.Request, in *intake, err error) *Problem {
	p := u.problemIn(in, err)
	q := requestOf(r.Context())
	if p.Status >= http.StatusInternalServerError {
		q.fault = err
	}
	if !in.body.whole() {
		u.Log.Info("a body broke off", "request", q.id, "accepted", in.taken.Accepted, "error", in.body.broken)
	}
	p.Instance = "urn:uuid:" + q.id
	p.Detail += "; " + in.taken.before()
	p.headers(w.Header())
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(brokenOff{p, in.taken}) // the client has gone
	return p
}

func (u *usage) problemIn(in *intake, err error) *Problem {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(in.body.broken, &tooLarge), errors.Is(err, feed.ErrUnpacked):
		return problem("too-large", "the body is longer than the "+strconv.FormatInt(u.UsageBytesMax, 10)+" bytes that are taken (http.usage_bytes_max), packed or not")
	case errors.Is(in.body.broken, os.ErrDeadlineExceeded):
		return problem("stalled", "nothing of the body came for "+u.patience.String())
	case in.body.broken != nil:
		return problem("bad-request", "the body broke off")
	case errors.Is(err, errShape):
		return problem("bad-request", err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		return problem("busy", "the database took too long").after(patienceBusy)
	case postgres.Away(err):
		return problem("unavailable", "the database is away").after(patienceAway)
	}
	return problemOf(err)
}

// before says what was accepted of a body that failed.
func (t *Taken) before() string {
	if t.Accepted == 0 {
		return "none of its records is known to be accepted: send all of it again"
	}
	return fmt.Sprintf("%d of its records were accepted: send all of it again, they will count as duplicates", t.Accepted)
}
