package api

import (
	"context"
	"mime"
	"net/http"
	"strconv"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
)

func (s *Server) registerLimits() {
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/accounts/{number}/limits", name: "getLimits", tag: "Limits", need: access.Read,
		summary: "The allowance limits of an account", kinds: []string{"account-not-found"},
		description: "Those that bind it: its own, or those of all accounts where they are set once. null is no ceiling.",
		also:        map[int]string{http.StatusNotModified: "If-None-Match names the limits that are in force."},
	}, s.getLimits)
	register(s, endpoint{
		method: http.MethodPatch, path: "/v1/accounts/{number}/limits", name: "changeLimits", tag: "Limits", need: access.Manage,
		summary: "Change the allowance limits of an account",
		description: "As `chargehand limits set` does: what the body leaves out stays, null clears a ceiling, each entry says by its action whether it is added, " +
			"updated or removed. All of it is applied or nothing, at once for the next record. The answer is the limits that are then in force.",
		kinds: []string{"account-not-found", "changed-meanwhile"}, takes: []form{{asJSON, limitsChangeShape{}}},
	}, s.changeLimits)
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/accounts/{number}/limits/remaining", name: "getRemaining", tag: "Limits", need: access.Read,
		summary:     "What an account may still use",
		description: "Of every ceiling what is left in its window; with a service also what the next transaction may take of it, null where nothing limits.",
		kinds:       []string{"account-not-found"},
	}, s.getRemaining)
}

type limitsQuestion struct {
	Numbered
	IfNoneMatch string `header:"If-None-Match" maxLength:"4096" doc:"ETags of limits that the client has: where they are in force, the answer is 304." example:"\"l3\""`
}

type limitsAnswer struct {
	Status int
	ETag   string `header:"ETag" doc:"Of the limits, for If-Match and If-None-Match." example:"\"l3\""`
	Body   *limits.Settings
}

func (s *Server) getLimits(ctx context.Context, in *limitsQuestion) (*limitsAnswer, error) {
	l, version, err := s.Store.VersionedLimits(ctx, in.Number, s.LimitsForAll)
	if err != nil {
		return nil, err
	}
	answer := &limitsAnswer{Status: http.StatusOK, ETag: tagOf(limitsTags, int64(version)), Body: &l}
	if matches(in.IfNoneMatch, answer.ETag) {
		answer.Status = http.StatusNotModified
	}
	return answer, nil
}

type limitsChange struct {
	Numbered
	Keyed
	Conditional
	Dated
	ContentType string `header:"Content-Type" hidden:"true"`
	// RawBody is judged by package setup, which knows the names that are taken.
	RawBody []byte `contentType:"application/yaml"`
}

type limitsChanged struct{ Body *limits.Settings }

func (s *Server) changeLimits(ctx context.Context, in *limitsChange) (*limitsChanged, error) {
	if media, _, err := mime.ParseMediaType(in.ContentType); in.ContentType != "" && (err != nil || media != asJSON) {
		return nil, problem("media-type", "Content-Type "+strconv.Quote(in.ContentType)+": limits are taken as application/json",
			Fault{Parameter: "Content-Type", Detail: "not application/json"})
	}
	l, err := s.Store.SetLimits(ctx, postgres.LimitsRequest{Account: in.Number, Body: in.RawBody, ForAll: s.LimitsForAll,
		If: in.revisions(limitsTags), At: s.now(in.At), Actor: access.From(ctx).Actor()})
	return &limitsChanged{&l}, err
}

type remainingQuestion struct {
	Numbered
	Dated
	Service string `query:"service" maxLength:"256" doc:"Code of a service: say also what its next transaction may take." example:"Exxon Unleaded"`
}

type remainingAnswer struct{ Body *limits.Remaining }

func (s *Server) getRemaining(ctx context.Context, in *remainingQuestion) (*remainingAnswer, error) {
	r, err := s.Store.Remaining(ctx, in.Number, in.Service, s.now(in.At), s.LimitsForAll)
	return &remainingAnswer{&r}, err
}
