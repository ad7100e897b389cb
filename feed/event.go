package feed

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Event is a CloudEvent in JSON, for Read, of one that came in another mode: its
// attributes as texts, by name, and its data as it stands. The error is a fault of
// the event: data that is no JSON, an attribute that is no text.
func Event(attributes map[string]string, data []byte) ([]byte, error) {
	members := make(map[string]any, len(attributes)+1)
	for name, text := range attributes {
		if !utf8.ValidString(text) {
			return nil, fmt.Errorf("%s %.40q: not UTF-8", name, text)
		}
		members[name] = text
	}
	delete(members, "data")
	if len(data) > 0 {
		members["data"] = json.RawMessage(data)
	}
	event, err := json.Marshal(members)
	if err != nil {
		return nil, fmt.Errorf("data %.40q: not JSON", data)
	}
	return event, nil
}
