package feed

import (
	"bufio"
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/chargehand/chargehand/billing"
)

// Format is what a stream of usage records is written in.
type Format uint8

// The formats. JSONArray is what NDJSON without its line breaks is, or one record
// alone; it needs telling only where Detect is not asked.
const (
	Detect Format = iota
	NDJSON
	CSV
	CloudEvents // lines, an array or one alone
	JSONArray
)

var formatNames = []string{"", "ndjson", "csv", "cloudevents", "json"}

// String is the format's word.
func (f Format) String() string { return formatNames[f] }

// MarshalText writes the format's word.
func (f Format) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads a format's word; an empty one is Detect.
func (f *Format) UnmarshalText(text []byte) error {
	i := slices.Index(formatNames, string(text))
	if i < 0 {
		return fmt.Errorf("format %.40q: not one of %s", text, strings.Join(formatNames[1:], ", "))
	}
	*f = Format(i)
	return nil
}

// layout is how the records of a JSON format lie in the stream.
type layout uint8

const (
	inLines layout = iota
	inArray
	asDocument
)

// detect finds out what in holds, by what Options say, by the name's extension,
// and by the first bytes, of which it takes none.
func (o *Options) detect(in *bufio.Reader) (Format, layout) {
	format := o.Format
	if format == Detect {
		format = byExtension(o.Name)
	}
	head := peekLines(in, 1)
	if format == Detect {
		format = o.byFirstLine(head)
	}
	switch {
	case format == JSONArray:
		return whole(head)
	case format == CSV, o.Format == NDJSON:
		return format, inLines
	case format == NDJSON && isEvent(head):
		format = CloudEvents
	}
	return format, layoutOf(peekLines(in, 2), format)
}

// whole is what one JSON value holds: records in an array, or one alone.
func whole(head []byte) (Format, layout) {
	format, layout := JSONArray, inArray
	if isEvent(head) {
		format = CloudEvents
	}
	if bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n"), []byte("{")) {
		layout = asDocument
	}
	return format, layout
}

// byExtension knows CSV and lines of JSON by their name; whether the records in
// a .json file stand in lines or in an array shows only inside.
func byExtension(name string) Format {
	name = strings.ToLower(path.Base(strings.ReplaceAll(name, `\`, "/")))
	for _, packed := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, packed)
	}
	switch path.Ext(name) {
	case ".csv":
		return CSV
	case ".ndjson", ".jsonl", ".json":
		return NDJSON
	}
	return Detect
}

// byFirstLine takes JSON for JSON, a line with a record's field among its cells,
// or any other where columns are mapped, for a header, and all else for a line
// of NDJSON that nobody can read.
func (o *Options) byFirstLine(head []byte) Format {
	line := bytes.TrimLeft(head, " \t\r\n")
	if len(line) == 0 || line[0] == '{' || line[0] == '[' {
		return NDJSON
	}
	if len(o.Map) > 0 {
		return CSV
	}
	line, _, _ = bytes.Cut(line, []byte("\n"))
	for cell := range bytes.SplitSeq(line, []byte(",")) {
		if slices.Contains(billing.RecordFields(), string(bytes.Trim(cell, "\" \r"))) {
			return CSV
		}
	}
	return NDJSON
}

// peekLines looks at the first lines that are not blank, as far as they fit the
// buffer, and reads no further than it must: in may be a terminal.
func peekLines(in *bufio.Reader, lines int) []byte {
	for want := 1; ; want = in.Buffered() + 1 {
		_, err := in.Peek(want)
		head, _ := in.Peek(in.Buffered())
		if err != nil || len(head) == bufferBytes || fullLines(head) >= lines {
			return head // an error comes again when the reading gets there
		}
	}
}

func fullLines(head []byte) (n int) {
	for {
		line, rest, found := bytes.Cut(head, []byte("\n"))
		if !found {
			return n
		}
		if !blank(line) {
			n++
		}
		head = rest
	}
}

// layoutOf tells lines from an array or a single event that spans lines. A first
// line that closes all its brackets, with more behind it, is a line.
func layoutOf(head []byte, format Format) layout {
	head = bytes.TrimLeft(head, " \t\r\n")
	first, rest, _ := bytes.Cut(head, []byte("\n"))
	rest = bytes.TrimLeft(rest, " \t\r\n")
	array := bytes.HasPrefix(head, []byte("["))
	switch {
	case array && !(closed(first) && len(rest) > 0):
		return inArray
	case array, format != CloudEvents, closed(first), bytes.HasPrefix(rest, []byte("{")):
		return inLines
	}
	return asDocument
}

// isEvent tells whether the first object of head has a key that only a
// CloudEvent has.
func isEvent(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n[")
	depth := 0
	for i := 0; i < len(head); i++ {
		switch head[i] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return false
			}
		case '"':
			end := i + 1
			for end < len(head) && head[end] != '"' {
				if head[end] == '\\' {
					end++
				}
				end++
			}
			if depth == 1 && end < len(head) && string(head[i+1:end]) == "specversion" &&
				bytes.HasPrefix(bytes.TrimLeft(head[end+1:], " \t\r\n"), []byte(":")) {
				return true
			}
			i = end
		}
	}
	return false
}
