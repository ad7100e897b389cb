package feed_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/feed"
)

// endless yields head once, then body n times with its number for %d, then tail.
type endless struct {
	head, body, tail string
	n, at            int
	buf, rest        []byte
}

func (e *endless) Read(to []byte) (int, error) {
	for len(e.rest) == 0 {
		switch {
		case e.at == 0:
			e.buf = append(e.buf[:0], e.head...)
		case e.at <= e.n:
			before, after, _ := strings.Cut(e.body, "%d")
			e.buf = append(strconv.AppendInt(append(e.buf[:0], before...), int64(e.at), 10), after...)
		case e.at == e.n+1:
			e.buf = append(e.buf[:0], e.tail...)
		default:
			return 0, io.EOF
		}
		e.rest = e.buf
		e.at++
	}
	n := copy(to, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func heapBytes() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryStaysFlat reads streams of tens of megabytes that are good, bad and
// broken throughout, and holds what is in use on the way against one bound.
func TestMemoryStaysFlat(t *testing.T) {
	const heapMax = 8 << 20
	record := `{"source":"s","id":"%d","account":"A1","service":"x","quantity":"1","occurred_at":"2026-03-01T10:00:00Z"}`
	header := "source,id,account,service,quantity,occurred_at\n"
	wide := strings.Repeat("x", 100_000)
	for _, c := range []struct {
		name  string
		in    endless
		opts  feed.Options
		lines int
	}{
		{"lines", endless{body: record + "\n", n: 200_000}, feed.Options{}, 200_000},
		{"elements", endless{head: "[{}", body: "," + record, tail: "]", n: 200_000}, feed.Options{}, 200_001},
		{"rows", endless{head: header, body: "s,%d,A1,x,1,2026-03-01T10:00:00Z\n", n: 200_000}, feed.Options{}, 200_000},
		{"one line", endless{body: "%d" + wide, n: 300}, feed.Options{}, 1},
		{"one element", endless{head: "[", body: "%d" + wide, tail: "]", n: 300}, feed.Options{}, 1},
		{"one event", endless{head: "{\n", body: "%d" + wide + "\n", n: 300}, feed.Options{Format: feed.CloudEvents}, 1},
		{"wide lines nobody can read", endless{body: "%d" + wide + "\n", n: 300}, feed.Options{}, 300},
		{"a quote that is never closed", endless{head: header + "\"", body: "%d" + wide + "\n", n: 300}, feed.Options{}, 300},
		{"rows of quotes that are never closed", endless{head: header, body: "%d,\"" + wide + "\n", n: 300}, feed.Options{}, 150},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, lines, worst := heapBytes(), 0, uint64(0)
			for line, err := range feed.Read(&c.in, c.opts) {
				if err != nil {
					t.Fatal(err)
				}
				if lines++; lines%20_000 == 1 || len(line.Raw) > 1000 && lines%50 == 1 {
					worst = max(worst, heapBytes())
				}
			}
			if lines != c.lines {
				t.Errorf("got %d lines, want %d", lines, c.lines)
			}
			if worst > before+heapMax {
				t.Errorf("got %d bytes in use, %d before, want at most %d more", worst, before, heapMax)
			}
		})
	}
}

func TestALongLineIsNotHeld(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, err := range feed.Read(&endless{body: "%d" + strings.Repeat("x", 1<<20), n: 50}, feed.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	// The stream takes some megabytes itself; the line is gathered to one, which
	// grows by copying.
	if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 {
		t.Errorf("got %d bytes allocated for a line of 50 MiB, want at most 16 MiB", got)
	}
}

func BenchmarkRead(b *testing.B) {
	record := `{"source":"pump-7","id":"%d","account":"ACR0000001526","service":"Exxon Unleaded","quantity":"12.5","occurred_at":"2026-03-01T10:00:00+02:00"}`
	event := `{"specversion":"1.0","type":"usage.recorded.v1","id":"%d","source":"pump-7","subject":"ACR0000001526","time":"2026-03-01T10:00:00Z","data":{"service":"Exxon Unleaded","quantity":"12.5"}}`
	for _, c := range []struct {
		name string
		in   endless
	}{
		{"ndjson", endless{body: record + "\n", n: 10_000}},
		{"array", endless{head: "[" + strings.Replace(record, "%d", "0", 1), body: "," + record, tail: "]", n: 9_999}},
		{"csv", endless{head: "source,id,account,service,quantity,occurred_at\n",
			body: "pump-7,%d,ACR0000001526,Exxon Unleaded,12.5,2026-03-01T10:00:00+02:00\n", n: 10_000}},
		{"cloudevents", endless{body: event + "\n", n: 10_000}},
	} {
		b.Run(c.name, func(b *testing.B) {
			all, err := io.ReadAll(&c.in)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(all)))
			for b.Loop() {
				for line, err := range feed.Read(bytes.NewReader(all), feed.Options{}) {
					if err != nil || line.Fault != nil {
						b.Fatal(err, line.Fault)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10_000, "ns/record")
		})
	}
}

func TestWhatComesOutOfACompressedStreamIsBounded(t *testing.T) {
	line := good + "\n"
	whole := strings.Repeat(line, 1000)
	for name, how := range map[string]func(io.Writer) io.WriteCloser{"gzip": gzipped, "zstd": zstandard} {
		var packed bytes.Buffer
		z := how(&packed)
		if _, err := io.WriteString(z, whole); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			bytesMax int64
			want     int
			fails    bool
		}{{0, 1000, false}, {int64(len(whole)), 1000, false}, {int64(len(whole)) - 1, 999, true}, {1, 0, true}} {
			read := 0
			var last error
			for l, err := range feed.Read(bytes.NewReader(packed.Bytes()), feed.Options{BytesMax: c.bytesMax}) {
				if last = err; err == nil && l.Fault == nil {
					read++
				}
			}
			if read != c.want || errors.Is(last, feed.ErrUnpacked) != c.fails {
				t.Errorf("%s, at most %d bytes: got %d records and %v", name, c.bytesMax, read, last)
			}
		}
	}
}
