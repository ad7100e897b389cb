package feed_test

import (
	"strings"
	"testing"

	"github.com/chargehand/chargehand/feed"
)

func TestTheFormatIsFoundOut(t *testing.T) {
	const (
		csv   = "source,id,account,service,quantity,occurred_at\ns,1,A1,x,1,2026-03-01T10:00:00Z\n"
		event = `{"data":{"service":"x","quantity":1},"specversion":"1.0","type":"usage.recorded.v1","id":"1","source":"s","subject":"A1","time":"2026-03-01T10:00:00Z"}`
		decoy = `{"attributes":{"specversion":"1.0"},` + `"source":"s","id":"1","account":"A1","service":"x","quantity":"1","occurred_at":"2026-03-01T10:00:00Z"}`
		kept  = `{"source":"s","id":"1","account":"A1","service":"x","quantity":"1","occurred_at":"2026-03-01T10:00:00Z","attributes":{"specversion":"1.0"}}`
	)
	pretty := strings.NewReplacer(",", ",\n ", "{", "{\n").Replace(event)
	for _, c := range []struct{ name, file, in, want string }{
		{"a record", "", good, "1 " + good},
		{"an array", "u.json", "\n[" + good + "]", "2 " + good},
		{"a header", "", csv, "2 " + good},
		{"a header by its name", "DIR.D/U.CSV.gz", csv, "2 " + good},
		{"an event", "", event, "1 " + good},
		{"an event by its first bytes, whatever the name", "u.ndjson", event, "1 " + good},
		{"an event that spans lines", "", pretty, "1 " + good},
		{"events in an array", "u.json", "[" + pretty + "\n,\n" + event + "]", "1 " + good + "\n12 " + good},
		{"a record with an event's key in its attributes", "", decoy, "1 " + kept},
		{"a bad line before a record", "", "hello, world\n" + good, "1 dead: not JSON: byte 1 ('h'): no object begins here\n2 " + good},
		{"an event cut short before a whole one", "", `{"specversion":"1.0"` + "\n" + event, "1 dead: not JSON: it ends at byte 20: a comma or a closing bracket is missing\n2 " + good},
		{"a list before a record", "u.ndjson", "[1]\n" + good, "1 dead: not JSON: byte 1 ('['): no object begins here\n2 " + good},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := transcript(strings.NewReader(c.in), feed.Options{Name: c.file})
			if got != c.want+"\n" {
				t.Errorf("got %swant %s", got, c.want)
			}
		})
	}
}

func TestAFormatThatIsToldIsNotDoubted(t *testing.T) {
	want := "1 dead: not JSON: byte 1 ('['): no object begins here\n"
	if got := transcript(strings.NewReader("["+good+"]"), feed.Options{Format: feed.NDJSON}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want = "error: read usage records: line 1: no array begins here\n"
	if got := transcript(strings.NewReader("hello"), feed.Options{Format: feed.JSONArray}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	want = "1 " + good + "\n"
	alone := strings.ReplaceAll(good, ",", ",\n")
	if got := transcript(strings.NewReader(alone), feed.Options{Format: feed.JSONArray}); got != want {
		t.Errorf("one alone, over several lines: got %s, want %s", got, want)
	}
	want = "1 dead: specversion: missing\n"
	if got := transcript(strings.NewReader(good), feed.Options{Format: feed.CloudEvents}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestFormatsHaveWords(t *testing.T) {
	var f feed.Format
	if err := f.UnmarshalText([]byte("cloudevents")); err != nil || f != feed.CloudEvents || f.String() != "cloudevents" {
		t.Errorf("got %v, %v, want cloudevents", f, err)
	}
	if err := f.UnmarshalText([]byte("xml")); err == nil || err.Error() != `format "xml": not one of ndjson, csv, cloudevents, json` {
		t.Errorf("got %v, want an error that names the formats", err)
	}
}
