package feed_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/feed"
)

func TestAnEventInPiecesIsReadAsOne(t *testing.T) {
	attributes := func(change ...string) map[string]string {
		a := map[string]string{"specversion": "1.0", "type": "usage.recorded.v1", "id": "1", "source": "s", "subject": "A1",
			"time": "2026-03-01T10:00:00Z", "datacontenttype": "application/json", "data": "no attribute", "other": "let be"}
		a[change[0]] = change[1]
		return a
	}
	const data = `{"service":"x","quantity":"1"}`
	for _, c := range []struct {
		name       string
		attributes map[string]string
		data, want string
	}{
		{"whole", attributes("more", "x"), data, "1 " + good},
		{"a text that needs escaping", attributes("id", `1" ,"source":"t`), data, "1 " + strings.Replace(good, `"id":"1"`, `"id":"1\" ,\"source\":\"t"`, 1)},
		{"data over lines", attributes("more", "x"), strings.ReplaceAll(data, ",", ",\n"), "1 " + good},
		{"no data", attributes("more", "x"), "", "1 dead: data: missing"},
		{"another type", attributes("type", "x"), data, `1 dead: type "\"x\"": not "usage.recorded.v1"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			event, err := feed.Event(c.attributes, []byte(c.data))
			if err != nil {
				t.Fatal(err)
			}
			if got := transcript(bytes.NewReader(event), feed.Options{Format: feed.CloudEvents}); got != c.want+"\n" {
				t.Errorf("got %swant %s", got, c.want)
			}
		})
	}
}

func TestDataCannotAddToItsEvent(t *testing.T) {
	if event, err := feed.Event(map[string]string{"id": "1"}, []byte(`{"service":"x"},"source":"mine"`)); err == nil {
		t.Errorf("got %s, want a fault", event)
	}
	if event, err := feed.Event(map[string]string{"id": "1\xff"}, []byte(`{}`)); err == nil {
		t.Errorf("got %s, want a fault: the id is no text", event)
	}
}
