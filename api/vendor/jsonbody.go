package vendor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// parseJSON reads a body as it stands: objects are map[string]any, numbers keep
// their digits. A key that stands twice is refused, as readers differ about
// which of the two counts. What is no JSON is a refusal with status 400.
func parseJSON(body []byte) (any, error) {
	if !utf8.Valid(body) {
		return nil, refuse(http.StatusBadRequest, "the body is not UTF-8")
	}
	var whole json.RawMessage
	if err := json.Unmarshal(body, &whole); err != nil {
		return nil, refuse(http.StatusBadRequest, "the body is no JSON: %v", err)
	}
	if depthOf(body) > depthMax {
		return nil, refuse(http.StatusBadRequest, "the body is nested more than %d deep", depthMax)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	r := bodyReader{decoder: d}
	v := r.value("")
	return v, r.err(http.StatusBadRequest)
}

// depthMax bounds how deep a body is nested: four times what a creation is.
const depthMax = 20

// depthOf is how deep a JSON text is nested.
func depthOf(body []byte) (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '"':
			quoted = !quoted
		case quoted && c == '\\':
			i++
		case !quoted && (c == '{' || c == '['):
			depth++
			deepest = max(deepest, depth)
		case !quoted && (c == '}' || c == ']'):
			depth--
		}
	}
	return deepest
}

// bodyReader makes values of a text that is known to be JSON, so that the
// decoder cannot fail.
type bodyReader struct {
	decoder *json.Decoder
	faultList
}

func (r *bodyReader) value(at string) any {
	token, _ := r.decoder.Token()
	switch token {
	case json.Delim('{'):
		object := map[string]any{}
		for r.decoder.More() {
			name, _ := r.decoder.Token()
			key, _ := name.(string)
			below := at + "/" + escape(key)
			if _, doubled := object[key]; doubled {
				r.add(fault{pointer: below, text: fmt.Sprintf("%q stands twice in one object, keep one", clip(key))})
			}
			object[key] = r.value(below)
		}
		_, _ = r.decoder.Token() // the end of it
		return object
	case json.Delim('['):
		list := []any{}
		for r.decoder.More() {
			list = append(list, r.value(at+"/"+strconv.Itoa(len(list))))
		}
		_, _ = r.decoder.Token()
		return list
	}
	return token
}

// escape writes a key as a part of a JSON pointer, no longer than a message has
// room for.
func escape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(clip(key))
}
