package queue

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

// The headers of a task that say which requests its records came with: the first
// one's traceparent, as W3C Trace Context writes it, and those of the others,
// with commas between.
const (
	traceHeader  = "traceparent"
	tracesHeader = "traceparents"
)

// TracesMax is how many traces a task carries at most: a batch may be made of
// the records of many requests, and a header is no log.
const TracesMax = 8

// traceShape is a traceparent of version 00.
var traceShape = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// IsTrace tells whether text is a traceparent of W3C Trace Context, version 00:
// lower case, and neither of its ids all zeros.
func IsTrace(text string) bool {
	return traceShape.MatchString(text) && text[3:35] != strings.Repeat("0", 32) && text[36:52] != strings.Repeat("0", 16)
}

type tracesKey struct{}

// WithTraces says which requests are the cause of what is enqueued under the
// context, by their traceparents. What is none is left out.
func WithTraces(ctx context.Context, traces ...string) context.Context {
	return context.WithValue(ctx, tracesKey{}, Traces(nil, traces...))
}

// TracesOf is what WithTraces said.
func TracesOf(ctx context.Context) []string {
	traces, _ := ctx.Value(tracesKey{}).([]string)
	return traces
}

// Traces adds traces to a list, each once, up to TracesMax.
func Traces(list []string, more ...string) []string {
	for _, t := range more {
		if len(list) < TracesMax && IsTrace(t) && !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	return list
}

// traceHeaders are the headers of a task; nil where nothing is known.
func traceHeaders(traces []string) map[string]string {
	switch len(traces) {
	case 0:
		return nil
	case 1:
		return map[string]string{traceHeader: traces[0]}
	}
	return map[string]string{traceHeader: traces[0], tracesHeader: strings.Join(traces[1:], ",")}
}

// tracesIn reads the headers of a task. Anybody may have written them: what is no
// trace goes no further.
func tracesIn(headers map[string]string) []string {
	traces := Traces(nil, headers[traceHeader])
	for t := range strings.SplitSeq(headers[tracesHeader], ",") {
		traces = Traces(traces, t)
	}
	return traces
}
