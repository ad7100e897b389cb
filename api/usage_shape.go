package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/feed"
)

// usageMedia are the media types of bodies with usage records.
var usageMedia = map[string]feed.Format{
	"application/x-ndjson":               feed.NDJSON,
	"application/ndjson":                 feed.NDJSON,
	"application/jsonl":                  feed.NDJSON,
	"application/json":                   feed.JSONArray,
	"application/cloudevents+json":       feed.CloudEvents,
	"application/cloudevents-batch+json": feed.CloudEvents,
	"text/csv":                           feed.CSV,
}

// usagePacked are the encodings of a body; which of them it has shows in its
// first bytes.
var usagePacked = []string{"", "identity", "gzip", "x-gzip", "zstd"}

// shape is how the records of a body are written.
type shape struct {
	options feed.Options
	event   map[string]string // attributes of the one event whose data the body is; nil: it is no such body
}

// shapeOf finds out by the headers of a request how its body is written. Where it
// is not taken, the answer's headers say what is.
func shapeOf(answer http.Header, r *http.Request) (s shape, err error) {
	if s.options.Set, err = setBy(r.URL); err != nil {
		return s, err
	}
	kind, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	format, known := usageMedia[kind]
	charset := strings.ToLower(parameters["charset"])
	_, binary := r.Header["Ce-Specversion"]
	switch {
	case binary && (r.Header.Get("Content-Type") == "" || kind == "application/json"):
		format, s.event = feed.CloudEvents, eventOf(r.Header)
	case err != nil || !known || charset != "" && charset != "utf-8" && charset != "us-ascii":
		taken := strings.Join(slices.Sorted(maps.Keys(usageMedia)), ", ")
		answer.Set("Accept", taken)
		return s, problem("media-type", fmt.Sprintf("Content-Type %q is not taken; send one of %s, in UTF-8, or a CloudEvent in binary mode with JSON",
			r.Header.Get("Content-Type"), taken))
	}
	s.options.Format = format
	encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding")))
	if !slices.Contains(usagePacked, encoding) || s.event != nil && encoding != "" && encoding != "identity" {
		answer.Set("Accept-Encoding", "gzip, zstd")
		return s, problem("media-type", fmt.Sprintf("Content-Encoding %q is not taken; send gzip, zstd or none, and none with a CloudEvent in binary mode", encoding))
	}
	return s, nil
}

// setBy reads the query: source is that of records which name none.
func setBy(u *url.URL) (feed.Fields, error) {
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, problem("bad-request", "the query cannot be read: "+err.Error())
	}
	for name, values := range query {
		if name != "source" || len(values) > 1 {
			what := "there is no such parameter here, only source, once"
			return nil, problem("invalid", name+": "+what, Fault{Parameter: name, Detail: what})
		}
	}
	if !query.Has("source") {
		return nil, nil
	}
	source := query.Get("source")
	draft := new(billing.Decoder).Draft()
	if err := draft.SetText(billing.SourceField, []byte(source)); err != nil {
		return nil, problem("invalid", err.Error(), Fault{Parameter: "source", Detail: err.Error()})
	}
	return feed.Fields{billing.SourceField: source}, nil
}

// eventOf are the attributes of a CloudEvent in binary mode: headers that begin
// with ce-.
func eventOf(head http.Header) map[string]string {
	attributes := map[string]string{}
	for name, values := range head {
		if name, is := strings.CutPrefix(strings.ToLower(name), "ce-"); is {
			attributes[name] = attributeOf(name, strings.Join(values, ","))
		}
	}
	if kind := head.Get("Content-Type"); kind != "" {
		attributes["datacontenttype"] = kind
	}
	return attributes
}

// noURI are the characters that no URI reference holds (RFC 3986, 2), and all
// beyond ASCII.
const noURI = " \"<>\\^`{|}"

// attributeOf is an attribute's text of its header, which is percent-encoded and
// may be quoted (CloudEvents HTTP binding, 3.1.3).
//
// Some senders, the Go SDK among them, send a source as it is in JSON: a URI,
// whose own percent signs they do not encode. Decoded it would be another source,
// and the same event in two modes two records. Such a one shows by being no URI
// any more, and is left as it stands.
func attributeOf(name, value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		value = strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(value[1 : len(value)-1])
	}
	text, err := url.PathUnescape(value)
	beyond := func(c rune) bool { return c <= ' ' || c >= 0x7f }
	if err != nil || name == "source" && (strings.ContainsAny(text, noURI) || strings.ContainsFunc(text, beyond)) {
		return value // the reader judges it
	}
	return text
}

// read reads the records of a body.
func (s *shape) read(body io.Reader) iter.Seq2[feed.Line, error] {
	if s.event == nil {
		return feed.Read(body, s.options)
	}
	return func(yield func(feed.Line, error) bool) {
		data, err := io.ReadAll(io.LimitReader(body, eventBytesMax+1))
		if err == nil && len(data) > eventBytesMax {
			err = errEventLong
		}
		if err != nil {
			yield(feed.Line{}, err)
			return
		}
		event, fault := feed.Event(s.event, data)
		if fault != nil {
			yield(feed.Line{Number: 1, Fault: fault, Raw: data[:min(len(data), rawBytesMax)]}, nil)
			return
		}
		for line, err := range feed.Read(bytes.NewReader(event), s.options) {
			if !yield(line, err) {
				return
			}
		}
	}
}

const (
	// eventBytesMax is how long the data of an event in binary mode may be: as
	// long as a line.
	eventBytesMax = 1 << 20
	// rawBytesMax is how much of it a dead letter keeps.
	rawBytesMax = 64 << 10
)

var errEventLong = errors.New("the data of an event is 1 MiB at most")
