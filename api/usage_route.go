package api

import (
	"encoding/json"
	"net/http"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/route"
)

// usageRecord is a usage record as OpenAPI describes it; what reads one is
// billing's Decoder.
type usageRecord struct {
	Source     string         `json:"source" maxLength:"256" doc:"The meter or system that measured. Where it is left out, the parameter source." example:"pump-7"`
	ID         string         `json:"id" maxLength:"256" doc:"The record's name within its source." example:"r1"`
	Account    string         `json:"account" maxLength:"256" doc:"Account number." example:"ACR0000001526"`
	Service    string         `json:"service" maxLength:"256" doc:"Service code." example:"Exxon Unleaded"`
	Quantity   decimalText    `json:"quantity" doc:"How much: above zero." example:"12.5"`
	OccurredAt string         `json:"occurred_at" format:"date-time" doc:"When it was used, with an offset." example:"2026-03-01T10:00:00+02:00"`
	Amount     decimalText    `json:"amount,omitempty" doc:"The charge, of a record that brings its own; what a credit gives back." example:"1.50"`
	Directive  string         `json:"directive,omitempty" enum:"charge,credit,no_charge" doc:"What to do with it; charge where it is left out." example:"charge"`
	OriginalID string         `json:"original_id,omitempty" maxLength:"256" doc:"Of a credit, the id of the record that it gives back." example:"r0"`
	Attributes map[string]any `json:"attributes,omitempty" doc:"Kept and shown; 8 KiB at most."`
}

// usageEvent is a usage record as a CloudEvent.
type usageEvent struct {
	SpecVersion string         `json:"specversion" enum:"1.0" example:"1.0"`
	Type        string         `json:"type" enum:"usage.recorded.v1" example:"usage.recorded.v1"`
	Source      string         `json:"source" doc:"The record's source." example:"pump-7"`
	ID          string         `json:"id" doc:"The record's id." example:"r1"`
	Subject     string         `json:"subject" doc:"Account number." example:"ACR0000001526"`
	Time        string         `json:"time" format:"date-time" doc:"When it was used." example:"2026-03-01T10:00:00+02:00"`
	Data        usageEventData `json:"data"`
}

// usageEventData is what of a record is in an event's data.
type usageEventData struct {
	Service    string         `json:"service" doc:"Service code." example:"Exxon Unleaded"`
	Quantity   decimalText    `json:"quantity" doc:"How much: above zero." example:"12.5"`
	Amount     decimalText    `json:"amount,omitempty" example:"1.50"`
	Directive  string         `json:"directive,omitempty" enum:"charge,credit,no_charge" example:"charge"`
	OriginalID string         `json:"original_id,omitempty" example:"r0"`
	Attributes map[string]any `json:"attributes,omitempty"`
}

const (
	recordExample = `{"source":"pump-7","id":"r1","account":"ACR0000001526","service":"Exxon Unleaded","quantity":"12.5","occurred_at":"2026-03-01T10:00:00+02:00"}`
	eventExample  = `{"specversion":"1.0","type":"usage.recorded.v1","source":"pump-7","id":"r1","subject":"ACR0000001526",` +
		`"time":"2026-03-01T10:00:00+02:00","data":{"service":"Exxon Unleaded","quantity":"12.5"}}`
	csvExample   = "source,id,account,service,quantity,occurred_at\npump-7,r1,ACR0000001526,Exxon Unleaded,12.5,2026-03-01T10:00:00+02:00\n"
	takenExample = `{"accepted":1,"unreadable":1,"out_of_reach":0,"batches":["019d3c5e-8a70-7d15-9c0e-1f6f4f0b2a11"],` +
		`"refused":[{"line":2,"fault":"quantity: missing","pointer":"/quantity"}],"unlisted":0}`
)

const usageDescription = `Takes usage records over. 202 means that all records counted as accepted are in the database: from then on no crash
loses one or charges it twice. What becomes of them is said when they are judged.

A record is the same record for ever if account, source and id are: after a time-out, a broken connection or any doubt send all of
it again; what is there already counts as a duplicate. For the same reason this endpoint needs no Idempotency-Key.

Lines that are no records are kept as dead letters and listed in the answer; the others go on. Behind 10,000 of them nothing more of
the body is read, and the answer is 400. A body may be of any length up to
http.usage_bytes_max, packed or not, and is read as it comes. Records of one account are judged in the order of the body.

A CloudEvent in binary mode has its attributes in headers (ce-specversion, ce-type, ce-source, ce-id, ce-subject, ce-time) and its
data as an application/json body.`

// route describes the endpoint.
func (u *usage) route() route.Route {
	raw := func(text string) json.RawMessage { return json.RawMessage(text) }
	refused := func(kind, description string) route.Answer {
		p := problem(kind, description)
		return route.Answer{Status: p.Status, Description: description, Body: route.Body{MediaType: p.ContentType(""), Type: Problem{}, Example: *p}}
	}
	return route.Route{
		Method: http.MethodPost, Pattern: "/v1/usage", Name: "send-usage", Tag: "Usage", Token: route.Bearer, Paced: true,
		Summary: "Send usage records", Description: usageDescription,
		Parameters: []route.Parameter{
			{Name: "source", In: "query", Description: "Source of records that name none.", Type: "", Example: "pump-7"},
			{Name: "Content-Encoding", In: "header", Description: "gzip or zstd, of a packed body.", Type: "", Example: "gzip"},
			{Name: "traceparent", In: "header", Description: "W3C Trace Context: it is in the log of the request, in the queue's task and in the log of the worker that judges.",
				Type: "", Example: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
		},
		Requests: []route.Body{
			{MediaType: "application/x-ndjson", Example: recordExample + "\n"},
			{MediaType: "application/json", Type: []usageRecord{}, Example: raw("[" + recordExample + "]")},
			{MediaType: "application/cloudevents+json", Type: usageEvent{}, Example: raw(eventExample)},
			{MediaType: "application/cloudevents-batch+json", Type: []usageEvent{}, Example: raw("[" + eventExample + "]")},
			{MediaType: "text/csv", Example: csvExample},
		},
		Answers: []route.Answer{
			{Status: http.StatusAccepted, Description: "What was accepted is durable.",
				Body: route.Body{MediaType: "application/json", Type: Taken{}, Example: raw(takenExample)}},
			refused("bad-request", "The body cannot be read on: an array that is not closed, a broken header of CSV, a packed body that is cut short. What was read before is accepted, and counted."),
			refused("token-unknown", "No token, or none that is known."),
			refused("scope-missing", "The token has not the scope feed."),
			refused("stalled", "Nothing more of the body came."),
			refused("too-large", "The body is longer than http.usage_bytes_max, packed or not. What was read before is accepted, and counted."),
			refused("media-type", "Another Content-Type or Content-Encoding than are taken; the answer names those."),
			refused("invalid", "A parameter is not what it must be."),
			refused("backlog", "Too many records wait to be judged, or the token has used up its rate: send again when Retry-After has passed."),
			refused("unavailable", "The database is away, or too many bodies are being read: send again when Retry-After has passed."),
		},
		Handler: u.bearer(access.Feed, u.take),
	}
}
