package vendor

import (
	"mime"
	"net/http"
	"strings"
)

// mediaType is that of JSON:API.
const mediaType = "application/vnd.api+json"

// checkAccept refuses a request that does not take what is answered (406). The
// header is required; a range like */* names JSON:API too. Of its parameters
// profile is allowed; there is no extension here that ext could name.
func checkAccept(head http.Header) error {
	for _, header := range head.Values("Accept") {
		for _, one := range splitQuoted(header) {
			kind, parameters, err := mime.ParseMediaType(one)
			if err != nil || isZero(parameters["q"]) {
				continue
			}
			delete(parameters, "q")
			if kind == "*/*" || kind == "application/*" || kind == mediaType && plain(parameters) {
				return nil
			}
		}
	}
	return &refusal{status: http.StatusNotAcceptable, faults: []fault{{header: "Accept", text: "answers are " + mediaType + ", without parameters: name it"}}}
}

// checkContentType refuses a body of another media type (415).
func checkContentType(head http.Header) error {
	if all := head.Values("Content-Type"); len(all) == 1 {
		kind, parameters, err := mime.ParseMediaType(all[0])
		if err == nil && kind == mediaType && plain(parameters) {
			return nil
		}
	}
	return &refusal{status: http.StatusUnsupportedMediaType, faults: []fault{{header: "Content-Type", text: "bodies are " + mediaType + ", without parameters"}}}
}

// plain tells whether a media type bears no parameter but profile, which may be
// there and means nothing here.
func plain(parameters map[string]string) bool {
	for name := range parameters {
		if name != "profile" {
			return false
		}
	}
	return true
}

// isZero tells whether a weight is 0, which is how a client says: not this.
func isZero(weight string) bool {
	return weight != "" && strings.Trim(weight, "0.") == ""
}

// splitQuoted splits a header at its commas, but for those in quotes.
func splitQuoted(header string) []string {
	quoted := false
	return strings.FieldsFunc(header, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ',' && !quoted
	})
}
