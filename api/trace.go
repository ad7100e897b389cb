package api

import (
	"regexp"
	"strings"

	"github.com/google/uuid"
)

// traceShape is a traceparent of W3C Trace Context, version 00.
var traceShape = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// traceOf takes a client's traceparent over, or makes one from the request's id
// where it sent none that is valid.
func traceOf(sent string, id uuid.UUID) string {
	if traceShape.MatchString(sent) && !strings.HasPrefix(sent[3:], strings.Repeat("0", 32)) && sent[36:52] != strings.Repeat("0", 16) {
		return sent
	}
	hex := strings.ReplaceAll(id.String(), "-", "")
	return "00-" + hex + "-" + hex[16:] + "-01"
}
