package feed_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/feed"
)

// check reads in by format and holds what comes out against what must be true of
// any input: it ends, numbers rise, every record is a legal one, every fault is
// one line, an error comes last; and by lines nothing vanishes.
func check(t *testing.T, in []byte, o feed.Options) {
	t.Helper()
	last, ended, lines := 0, false, 0
	for line, err := range feed.Read(bytes.NewReader(in), o) {
		if ended {
			t.Fatalf("something came after the error: %+v, %v", line, err)
		}
		if err != nil {
			ended = true
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("an error of several lines: %q", err)
			}
			continue
		}
		lines++
		if line.Number < last || line.Number == 0 {
			t.Errorf("got line %d after line %d", line.Number, last)
		}
		last = line.Number
		if line.Fault != nil {
			if s := line.Fault.Error(); strings.ContainsAny(s, "\n\x00") || len(s) > 600 {
				t.Errorf("a fault is not a short line: %q", s)
			}
			continue
		}
		again, err := billing.DecodeRecord(billing.AppendRecord(nil, &line.Record))
		if err != nil || !again.Same(&line.Record) || again.Identity() != line.Record.Identity() {
			t.Errorf("got a record that does not survive: %+v, %v", line.Record, err)
		}
	}
	if o.Format != feed.NDJSON || ended || bytes.HasPrefix(in, []byte{0x1f, 0x8b}) || bytes.HasPrefix(in, []byte{0x28, 0xb5, 0x2f, 0xfd}) {
		return
	}
	want := 0
	for l := range bytes.SplitSeq(bytes.TrimPrefix(in, []byte("\ufeff")), []byte("\n")) {
		if len(bytes.Trim(l, " \t\r")) > 0 {
			want++
		}
	}
	if lines != want {
		t.Errorf("got %d lines, want %d", lines, want)
	}
}

func seed(f *testing.F, more ...string) {
	f.Helper()
	for _, name := range []string{"ndjson", "array", "array-open", "csv", "cloudevents", "cloudevent-alone", "cloudevents-batch"} {
		text, err := os.ReadFile("testdata/" + name + ".txt")
		if err != nil {
			f.Fatal(err)
		}
		_, in, _ := strings.Cut(string(text), " --\n")
		in, _, _ = strings.Cut(in, "-- want --\n")
		f.Add([]byte(in))
	}
	for _, in := range more {
		f.Add([]byte(in))
	}
}

func FuzzReadNDJSON(f *testing.F) {
	seed(f, "\ufeff"+good+"\r\n", "\x1f\x8b\x08\x00", "\x28\xb5\x2f\xfd", "\xff\xfe", "{}\n[")
	f.Fuzz(func(t *testing.T, in []byte) {
		check(t, in, feed.Options{Format: feed.NDJSON})
		check(t, in, feed.Options{})
		check(t, in, feed.Options{Format: feed.JSONArray})
	})
}

func FuzzReadCSV(f *testing.F) {
	const header = "source,id,account,service,quantity,occurred_at\n"
	seed(f, header+"s,1,A1,x,1,2026-03-01 10:00:00\n", header+"\"s\n\"\"\",1,A1,x,1,2026-03-01T10:00:00Z\n\"", "\"a\"x,\"")
	f.Fuzz(func(t *testing.T, in []byte) {
		check(t, in, feed.Options{Format: feed.CSV})
		set := feed.Fields{billing.SourceField: "s", billing.AccountField: "A1", billing.ServiceField: "x", billing.QuantityField: "1", billing.OccurredAtField: "2026-03-01T10:00:00Z"}
		check(t, append([]byte("key,at\n"), in...), feed.Options{Format: feed.CSV, Zone: time.UTC, Set: set,
			Map: feed.Fields{billing.IDField: "key", billing.OccurredAtField: "at"}})
	})
}

func FuzzReadCloudEvents(f *testing.F) {
	seed(f, `{"specversion":"1.0"}`, "{\n\n{")
	f.Fuzz(func(t *testing.T, in []byte) {
		check(t, in, feed.Options{Format: feed.CloudEvents})
	})
}
