package feed_test

import (
	"strings"
	"testing"

	"github.com/chargehand/chargehand/feed"
)

func TestAFaultIsPointedAt(t *testing.T) {
	event := func(from, to string) string {
		return strings.Replace(`{"specversion":"1.0","type":"usage.recorded.v1","id":"1","source":"s","subject":"A1",`+
			`"time":"2026-03-01T10:00:00Z","data":{"service":"x","quantity":"1"}}`, from, to, 1)
	}
	for _, c := range []struct{ name, in, want string }{
		{"a field with a value", strings.Replace(good, `"quantity":"1"`, `"quantity":"one"`, 1), "/quantity"},
		{"a field of another type", strings.Replace(good, `"id":"1"`, `"id":1`, 1), "/id"},
		{"a field that is missing", strings.Replace(good, `"source":"s",`, ``, 1), "/source"},
		{"a field that is nobody's", strings.Replace(good, `{`, `{"a/b~c":1,`, 1), "/a~1b~0c"},
		{"no JSON", "hello", ""},
		{"an element", "[" + good + "," + strings.Replace(good, `"id":"1"`, `"id":""`, 1) + "]", "/1/id"},
		{"an attribute of an event", event(`"subject":"A1",`, ``), "/subject"},
		{"an attribute with a value", event(`10:00:00Z`, `10:00:00`), "/time"},
		{"the data of an event", event(`"quantity":"1"`, `"quantity":"-1"`), "/data/quantity"},
		{"data without a field", event(`"service":"x",`, ``), "/data/service"},
		{"data that is nobody's", event(`"service":"x",`, `"service":"x","colour":1,`), "/data/colour"},
		{"data that names the account", event(`"service":"x",`, `"service":"x","account":"A2",`), "/data/account"},
		{"no data", event(`{"service":"x","quantity":"1"}`, `null`), "/data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dead := 0
			for line, err := range feed.Read(strings.NewReader(c.in), feed.Options{}) {
				if err != nil {
					t.Fatal(err)
				}
				if line.Fault == nil {
					continue
				}
				dead++
				if got := line.Pointer(); got != c.want {
					t.Errorf("%v: got %q, want %q", line.Fault, got, c.want)
				}
			}
			if dead != 1 {
				t.Errorf("got %d dead letters, want 1", dead)
			}
		})
	}
}
