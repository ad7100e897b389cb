package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strings"

	"github.com/chargehand/chargehand/billing"
)

// EventType is the type of the CloudEvents that are usage records.
const EventType = "usage.recorded.v1"

// Faults of a CloudEvent.
var (
	errAbsent   = errors.New("missing")
	errBase64   = errors.New("data_base64: binary data is no usage record")
	errNotJSON  = errors.New("not a JSON media type")
	errDataKind = errors.New("data: not an object")
)

// envelope is what of a CloudEvent is not the record itself.
type envelope struct {
	draft billing.Draft
	data  []byte
	typed bool // type was there
	known bool // specversion was there
}

// event reads a record from a CloudEvent 1.0 in JSON: id, source, subject and
// time are those of the envelope, the rest is in data, which may not name them
// again. Extension attributes are let be (CONTRACT §3).
func (d *decoder) event(text []byte) (billing.UsageRecord, error) {
	e := envelope{draft: d.records.Draft()}
	if err := d.records.WalkObject(text, e.attribute); err != nil {
		return billing.UsageRecord{}, err
	}
	for _, s := range d.set {
		if s.field == billing.AccountField || s.field == billing.SourceField || s.field == billing.OccurredAtField {
			if err := e.draft.Default(s.field, s.text); err != nil {
				return billing.UsageRecord{}, err
			}
		}
	}
	if err := e.complete(); err != nil {
		return billing.UsageRecord{}, err
	}
	if err := e.draft.SetObject(e.data); err != nil {
		return billing.UsageRecord{}, fmt.Errorf("data: %w", err)
	}
	r, err := d.finish(&e.draft)
	return r, within("data", err) // the envelope is complete
}

// attribute takes one member of the event. Null is as absent.
func (e *envelope) attribute(key, value []byte) error {
	if string(value) == "null" {
		return nil
	}
	switch string(key) {
	case "id":
		return e.draft.SetJSON(billing.IDField, value)
	case "source":
		return e.draft.SetJSON(billing.SourceField, value)
	case "subject":
		return within("subject", e.draft.SetJSON(billing.AccountField, value))
	case "time":
		return within("time", e.draft.SetJSON(billing.OccurredAtField, value))
	case "specversion":
		e.known = true
		return mustBe("specversion", value, "1.0")
	case "type":
		e.typed = true
		return mustBe("type", value, EventType)
	case "datacontenttype":
		return mustBeJSON(value)
	case "data_base64":
		return errBase64
	case "data":
		if e.data = value; value[0] != '{' {
			return errDataKind
		}
	}
	return nil
}

// complete finds what the event lacks. It comes before data is read, so that
// data cannot stand in for the envelope.
func (e *envelope) complete() error {
	for _, a := range []struct {
		name  string
		there bool
	}{
		{"specversion", e.known}, {"type", e.typed},
		{"id", e.draft.Has(billing.IDField)}, {"source", e.draft.Has(billing.SourceField)},
		{"subject", e.draft.Has(billing.AccountField)}, {"time", e.draft.Has(billing.OccurredAtField)},
		{"data", e.data != nil},
	} {
		if !a.there {
			return fmt.Errorf("%s: %w", a.name, errAbsent)
		}
	}
	return nil
}

func within(name string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func mustBe(name string, value []byte, want string) error {
	if got := unquoted(value); got != want {
		return fmt.Errorf("%s %.40q: not %q", name, value, want)
	}
	return nil
}

func mustBeJSON(value []byte) error {
	text := unquoted(value)
	if text == "application/json" {
		return nil
	}
	text, _, err := mime.ParseMediaType(text)
	if err != nil || text != "application/json" && !strings.HasSuffix(text, "+json") {
		return fmt.Errorf("datacontenttype %.40q: %w", value, errNotJSON)
	}
	return nil
}

// unquoted is the text of a JSON string, "" for any other value.
func unquoted(value []byte) string {
	if value[0] == '"' && bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1])
	}
	var text string
	if json.Unmarshal(value, &text) != nil {
		return ""
	}
	return text
}
