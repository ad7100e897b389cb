package api

import (
	"encoding/json"
	"iter"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/negotiation"
)

// The media types of answers that have several forms. NDJSON is a line of JSON
// each: for lists that are too long for one answer.
const (
	asJSON   = "application/json"
	asNDJSON = "application/x-ndjson"
	asYAML   = "application/yaml"
)

// preferred is the one of some media types that an Accept header likes best: the
// first, where it says nothing.
func preferred(accept string, offered ...string) string {
	if best := negotiation.SelectQValue(accept, offered); best != "" {
		return best
	}
	return offered[0]
}

// lines answers a row a line, as long as there are rows. Where there is a fault
// before the first it is the answer; after it the connection breaks off, so that
// nobody takes the part for the whole.
func lines[T any](rows iter.Seq2[T, error], end func()) (*huma.StreamResponse, error) {
	next, stop := iter.Pull2(rows)
	row, err, more := next()
	if err != nil {
		stop()
		end()
		return nil, err
	}
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		defer end()
		defer stop()
		ctx.SetHeader("Content-Type", asNDJSON)
		ctx.SetStatus(http.StatusOK)
		e := encoder(ctx)
		for ; more; row, err, more = next() {
			if err == nil {
				err = e.Encode(row)
			}
			if err != nil {
				requestOf(ctx.Context()).fault = err
				panic(http.ErrAbortHandler)
			}
		}
	}}, nil
}

// whole answers a value as JSON, with headers by name and value, those that are
// not empty.
func whole(v any, head ...string) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		for i := 0; i < len(head); i += 2 {
			if head[i+1] != "" {
				ctx.SetHeader(head[i], head[i+1])
			}
		}
		ctx.SetHeader("Content-Type", asJSON)
		ctx.SetStatus(http.StatusOK)
		_ = encoder(ctx).Encode(v) // the client has gone
	}}
}

func encoder(ctx huma.Context) *json.Encoder {
	e := json.NewEncoder(ctx.BodyWriter())
	e.SetEscapeHTML(false)
	return e
}
