package feed_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/feed"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// transcript is what reading yields, a line for each: a record as canonical
// JSON, a dead letter with its fault, the error that ended it.
func transcript(r io.Reader, o feed.Options) string {
	var b strings.Builder
	for line, err := range feed.Read(r, o) {
		switch {
		case err != nil:
			fmt.Fprintf(&b, "error: %s\n", err)
		case line.Fault != nil:
			fmt.Fprintf(&b, "%d dead: %s\n", line.Number, line.Fault)
		default:
			fmt.Fprintf(&b, "%d %s\n", line.Number, billing.AppendRecord(nil, &line.Record))
		}
	}
	return b.String()
}

// TestReadAsInTestdata reads files of three parts: what they show, "-- NAME --"
// and what stands in the file of that name, "-- want --" and its transcript.
func TestReadAsInTestdata(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %v, %v, want files", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head, want, _ := strings.Cut(string(text), "-- want --\n")
			_, head, _ = strings.Cut(head, "-- ")
			name, in, _ := strings.Cut(head, " --\n")
			got := transcript(strings.NewReader(in), feed.Options{Name: name})
			if diff := cmp.Diff(strings.ReplaceAll(got, name+": ", ""), want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
		})
	}
}

const good = `{"source":"s","id":"1","account":"A1","service":"x","quantity":"1","occurred_at":"2026-03-01T10:00:00Z"}`

func TestReadTakesMarksAndLineEnds(t *testing.T) {
	header, cells := "source,id,account,service,quantity,occurred_at", "s,1,A1,x,1,2026-03-01T10:00:00Z"
	for _, c := range []struct{ name, in, want string }{
		{"nothing at all", "", ""},
		{"only blanks", " \n\r\n\t", ""},
		{"only a mark", "\ufeff", ""},
		{"no line feed at the end", good, "1 " + good + "\n"},
		{"a mark and CRLF", "\ufeff" + good + "\r\n\r\n" + good + "\r\n", "1 " + good + "\n3 " + good + "\n"},
		{"a mark before CSV", "\ufeff" + header + "\r\n" + cells + "\r\n", "2 " + good + "\n"},
		{"a header and no more", header, ""},
		{"a header in quotes", `"source","id","account","service","quantity","occurred_at"` + "\n" + cells, "2 " + good + "\n"},
		{"an empty array", " [ \n ] ", ""},
		{"an array and a line feed", "[" + good + "]\n", "1 " + good + "\n"},
		{"an array, then a record", "[]\n" + good, "1 dead: not JSON: byte 1 ('['): no object begins here\n2 " + good + "\n"},
		{"text behind an array", "[" + good + "\n]\n" + good, "1 " + good + "\nerror: read usage records: line 3: text after the array\n"},
		{"a comma too many", "[" + good + ",]", "1 " + good + "\n1 dead: record 2 of the array: not JSON: it ends at byte 0: no object begins here\n"},
		{"a mark of UTF-16", "\xff\xfe{\x00", "error: read usage records: the file is UTF-16: convert it to UTF-8\n"},
		{"UTF-16 without a mark", "{\x00\"\x00s\x00", "error: read usage records: the file is UTF-16: convert it to UTF-8\n"},
		{"UTF-16 the other way round", "\x00{\x00\"\x00s", "error: read usage records: the file is UTF-16: convert it to UTF-8\n"},
		{"a NUL alone", "\x00\n" + good, "1 dead: not JSON: byte 1 ('\\x00'): no object begins here\n2 " + good + "\n"},
		{"a zip", "PK\x03\x04\x14\x00", "error: read usage records: the file is a zip archive: unpack it first\n"},
		{"bzip2", "BZh91AY&SY", "error: read usage records: the file is packed by bzip2: unpack it first, or pack it by gzip or zstd\n"},
		{"xz", "\xfd7zXZ\x00", "error: read usage records: the file is packed by xz: unpack it first, or pack it by gzip or zstd\n"},
		{"broken UTF-8", strings.Replace(good, "A1", "A\xff", 1), "1 dead: account: \"A\\xff\": not UTF-8\n"},
		{"broken UTF-8 in CSV", header + "\n" + strings.Replace(cells, "A1", "A\xff", 1), "2 dead: account \"A\\xff\": not UTF-8\n"},
		{"a NUL in CSV", header + "\n" + strings.Replace(cells, "A1", "A\x00", 1), "2 dead: account \"A\\x00\": has a NUL\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(c.in), iotest.OneByteReader(strings.NewReader(c.in)), iotest.DataErrReader(strings.NewReader(c.in))} {
				if diff := cmp.Diff(transcript(r, feed.Options{}), c.want); diff != "" {
					t.Errorf("got -, want +:\n%s", diff)
				}
			}
		})
	}
}

func TestALineOfTenMegabytesIsOneDeadLetter(t *testing.T) {
	long := `{"id":"` + strings.Repeat("x", 10<<20) + `"}`
	for _, c := range []struct {
		name, in string
		format   feed.Format
		lines    int
	}{
		{"a line", good + "\n" + long + "\n" + good, feed.NDJSON, 3},
		{"an element", "[" + good + "\n," + long + ",\n" + good + "]", feed.JSONArray, 3},
		{"a cell", "source,id,account,service,quantity,occurred_at\ns,1,A1,x,1,2026-03-01T10:00:00Z\n" + strings.Repeat("x", 10<<20) +
			"\ns,1,A1,x,1,2026-03-01T10:00:00Z", feed.CSV, 3},
		{"an event alone", "{\n" + long[1:], feed.CloudEvents, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var faults, lines int
			for line, err := range feed.Read(strings.NewReader(c.in), feed.Options{Format: c.format}) {
				if err != nil {
					t.Fatal(err)
				}
				lines++
				if line.Fault == nil {
					continue
				}
				faults++
				if !strings.Contains(line.Fault.Error(), "too long: at most 1048576 bytes") || len(line.Raw) != 64<<10 {
					t.Errorf("got fault %v with %d bytes, want too long with 65536", line.Fault, len(line.Raw))
				}
			}
			if lines != c.lines || faults != 1 {
				t.Errorf("got %d lines, %d dead, want %d, 1", lines, faults, c.lines)
			}
		})
	}
}

func TestALineOfOneMegabyteIsStillRead(t *testing.T) {
	const most = 1 << 20
	padded := "{" + strings.Repeat(" ", most-len(good)) + good[1:]
	want := "1 " + good + "\n"
	if got := transcript(strings.NewReader(padded+"\n"), feed.Options{}); got != want {
		t.Errorf("got %.200s, want %s", got, want)
	}
	want = "1 dead: too long: at most 1048576 bytes\n"
	if got := transcript(strings.NewReader(" "+padded), feed.Options{}); got != want {
		t.Errorf("a byte more: got %.200s, want %s", got, want)
	}
}

func TestDeadLettersKeepTheirText(t *testing.T) {
	const csv = "source,id,account,service,quantity,occurred_at\ns,1,\"A\n1\",x,0,2026-03-01T10:00:00Z\ns,2"
	var got []string
	for line, err := range feed.Read(strings.NewReader(csv), feed.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(line.Raw))
	}
	if diff := cmp.Diff(got, []string{"s,1,\"A\n1\",x,0,2026-03-01T10:00:00Z", "s,2"}); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func TestReadStopsWhenNobodyListens(t *testing.T) {
	for _, err := range feed.Read(strings.NewReader(good+"\n"+good), feed.Options{}) {
		if err != nil {
			t.Error(err)
		}
		break // a second yield would panic
	}
}

func pack(t *testing.T, text string, how func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	w := how(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func gzipped(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }

func zstandard(w io.Writer) io.WriteCloser {
	z, err := zstd.NewWriter(w)
	if err != nil {
		panic(err) // no option was given that could be wrong
	}
	return z
}

func TestReadUnpacksByTheFirstBytes(t *testing.T) {
	for name, how := range map[string]func(io.Writer) io.WriteCloser{"gzip": gzipped, "zstd": zstandard} {
		t.Run(name, func(t *testing.T) {
			packed := pack(t, "\ufeff"+good+"\n"+good, how)
			two := "1 " + good + "\n2 " + good + "\n"
			if got := transcript(bytes.NewReader(packed), feed.Options{Name: "usage.txt"}); got != two {
				t.Errorf("got %s, want %s", got, two)
			}
			many := pack(t, strings.Repeat(good+"\n", 10_000), how)
			for _, cut := range []int{4, 8, len(many) / 2, len(many) - 1} {
				got := transcript(bytes.NewReader(many[:cut]), feed.Options{})
				last := got[strings.LastIndex("\n"+strings.TrimSuffix(got, "\n"), "\n"):]
				if !strings.HasPrefix(last, "error: read usage records: ") || strings.Count(got, "\n") > 10_001 || strings.Contains(got, "dead") {
					t.Errorf("cut at %d: got %d lines, the last %s, want an error", cut, strings.Count(got, "\n"), last)
				}
			}
		})
	}
}

func TestACutGzipKeepsWhatCameBefore(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprintf(z, "%s\n%s\n", good, good)
	if err := z.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "1 " + good + "\n2 " + good + "\nerror: read usage records: u.gz: line 3: the compressed file is cut short: unexpected EOF\n"
	if got := transcript(&b, feed.Options{Name: "u.gz"}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestReadTellsWhereItCouldNotGoOn(t *testing.T) {
	r := io.MultiReader(strings.NewReader(good+"\n"+good[:20]), iotest.ErrReader(errors.New("the disk is gone")))
	want := "1 " + good + "\nerror: read usage records: line 2: the disk is gone\n"
	if got := transcript(r, feed.Options{}); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSetFillsWhatLinesLeaveOut(t *testing.T) {
	in := `{"source":"own","id":"1","service":"x","quantity":"1","occurred_at":"2026-03-01T10:00:00Z"}` + "\n" +
		`{"source":null,"id":"2","account":"A2","service":"x","quantity":"1","occurred_at":"2026-03-01T10:00:00Z"}`
	set := feed.Fields{billing.SourceField: "set", billing.AccountField: "A1"}
	want := `1 {"source":"own","id":"1","account":"A1","service":"x","quantity":"1","occurred_at":"2026-03-01T10:00:00Z"}` + "\n" +
		`2 {"source":"set","id":"2","account":"A2","service":"x","quantity":"1","occurred_at":"2026-03-01T10:00:00Z"}` + "\n"
	if diff := cmp.Diff(transcript(strings.NewReader(in), feed.Options{Set: set}), want); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
	event := `{"specversion":"1.0","type":"usage.recorded.v1","id":"1","source":"own","time":"2026-03-01T10:00:00Z","data":{"service":"x","quantity":1}}`
	want, _, _ = strings.Cut(want, "\n")
	if diff := cmp.Diff(transcript(strings.NewReader(event), feed.Options{Set: set}), want+"\n"); diff != "" {
		t.Errorf("an event: got -, want +:\n%s", diff)
	}
	want = "error: read usage records: set quantity: number \"-1\": not above zero\n"
	if got := transcript(strings.NewReader(in), feed.Options{Set: feed.Fields{billing.QuantityField: "-1"}}); got != want {
		t.Errorf("a wrong constant: got %s, want %s", got, want)
	}
}
