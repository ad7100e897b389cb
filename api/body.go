package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargehand/chargehand/billing"
	"github.com/danielgtaylor/huma/v2"
)

// bodied reads the body of a request, within its bounds of bytes and time, and
// holds JSON to what no decoder does: that a member stands once, and nothing comes
// after the value. Whoever comes next may take as long as it takes.
func (s *Server) bodied(e endpoint, next http.HandlerFunc) http.HandlerFunc {
	// A set-up package setup judges, JSON or YAML, with its own words for each fault.
	judged := slices.ContainsFunc(e.takes, func(f form) bool { return f.media == asYAML })
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := s.wholeBody(w, r)
		if err == nil {
			err = s.checkMarks(body)
		}
		if err == nil && !judged {
			err = checkBody(r, body)
		}
		if err != nil {
			s.refuse(w, r, err)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next(w, r)
	}
}

func (s *Server) wholeBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(bodyPatience)) // a recorder has none
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.BodyBytesMax))
	// A deadline that passes while the answer is worked out would end the request.
	_ = c.SetReadDeadline(time.Time{})
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, err
	case err != nil:
		return nil, problem("bad-request", "the body broke off or took too long")
	}
	return body, nil
}

// bytesPerMark is how many bytes of the longest body there are for each of the
// marks that it may have. A value takes 90 to 215 bytes of memory for each mark
// that it is written with, however short it is: 4 MiB of nothing but ?, - or 0,
// became a tree of 370 to 730 MiB. With one mark in six bytes it is 150 MiB at
// most. Set-ups that are written as tightly as they can be have one in eight.
const bytesPerMark = 6

// checkMarks refuses a body of more values than are taken, before any of them is
// read. Marks in texts count as well: where a text ends a reader of both JSON and
// YAML would have to tell.
func (s *Server) checkMarks(body []byte) error {
	most := int(s.BodyBytesMax / bytesPerMark)
	if found := marks(body); found > most {
		return problem("too-large", fmt.Sprintf("the body has %d of the characters that begin or part values (, : [ { ? - # and ends of lines), "+
			"and %d are taken: send it in parts", found, most))
	}
	return nil
}

// marks counts what begins a value of JSON or YAML, or parts it from another.
func marks(body []byte) (n int) {
	for i, b := range body {
		switch b {
		case ',', ':', '[', '{', '#', '\n':
			n++
		case '-', '?':
			if i+1 == len(body) || body[i+1] == ' ' || body[i+1] == '\t' || body[i+1] == '\n' || body[i+1] == '\r' {
				n++
			}
		case '\r':
			if i+1 == len(body) || body[i+1] != '\n' {
				n++
			}
		}
	}
	return n
}

func checkBody(r *http.Request, body []byte) error {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if len(body) == 0 || media != "" && media != asJSON && !strings.HasSuffix(media, "+json") {
		return nil
	}
	return checkJSON(body)
}

// depthMax bounds how deep JSON is nested: far past all that we take.
const depthMax = 64

// checkJSON refuses what is no JSON value, and members that stand twice.
func checkJSON(body []byte) error {
	if !utf8.Valid(body) {
		return problem("bad-request", "the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	err := checkValue(d, "", 0)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = fmt.Errorf("something comes after its end, at byte %d", d.InputOffset())
		}
	}
	var found *Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &found):
		return found
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = errors.New("it ends in the middle")
	}
	return problem("bad-request", "the body is no JSON: "+err.Error())
}

func checkValue(d *json.Decoder, pointer string, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	if depth > depthMax {
		return fmt.Errorf("it is nested deeper than %d", depthMax)
	}
	switch v := token.(type) {
	case json.Delim:
		if v == '{' {
			err = checkObject(d, pointer, depth)
		} else {
			err = checkArray(d, pointer, depth)
		}
		if err == nil {
			_, err = d.Token() // its end
		}
	case string:
		if !storable(v) {
			return invalid(pointer, "%.40q: it must be UTF-8 without NUL", v)
		}
	case json.Number:
		if _, wide := strconv.ParseFloat(v.String(), 64); wide != nil {
			return invalid(pointer, "number %.40q: beyond all that is taken", v)
		}
	}
	return err
}

func checkObject(d *json.Decoder, pointer string, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, is := token.(string)
		if !is {
			return fmt.Errorf("a member has no name, at byte %d", d.InputOffset())
		}
		at := pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		if seen[key] {
			return invalid(at, "stands twice: give it once")
		}
		seen[key] = true
		if err := checkValue(d, at, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func checkArray(d *json.Decoder, pointer string, depth int) error {
	for i := 0; d.More(); i++ {
		if err := checkValue(d, pointer+"/"+strconv.Itoa(i), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// decimalText is a decimal as bodies have it: a string, or a JSON number taken
// by its exact text (SPEC R2.1).
type decimalText string

const decimalPattern = `^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`

// decimalSchema says what it may be. There is no type in it that huma would judge
// by: billing has the better words.
func decimalSchema(types ...string) *huma.Schema {
	return &huma.Schema{
		Extensions:  map[string]any{"type": types, "pattern": decimalPattern},
		Description: "A decimal, as a string or a number; its text is taken exactly.", Examples: []any{"12.50"},
	}
}

// Schema is how OpenAPI describes it.
func (decimalText) Schema(huma.Registry) *huma.Schema { return decimalSchema("string", "number") }

// UnmarshalJSON takes the text, whichever it is.
func (d *decimalText) UnmarshalJSON(text []byte) error {
	if text[0] == '"' {
		return json.Unmarshal(text, (*string)(d))
	}
	*d = decimalText(text) // what is no number is refused as one
	return nil
}

// money is the decimal as money; pointer is where it stands.
func (d decimalText) money(pointer string) (billing.Money, error) {
	m, err := billing.ParseMoney(string(d))
	if err != nil {
		return 0, invalid(pointer, "%v", likeAmount(err))
	}
	return m, nil
}

// likeAmount says with a text that is no number how one is written.
func likeAmount(err error) error {
	if errors.Is(err, billing.ErrNotNumber) {
		return fmt.Errorf("%w: write it like 12.50", err)
	}
	return err
}

// ownAmount is an account's own figure as PATCH has it: absent it stays, null is
// the class's.
type ownAmount struct {
	text    *string // as the store takes it; nil: absent
	ofClass bool    // null stood there: the text is class, which no body may say itself
}

// class is how the store is told that the class's figure is to be in force.
const class = "class"

// Schema is how OpenAPI describes it.
func (ownAmount) Schema(huma.Registry) *huma.Schema {
	s := decimalSchema("string", "number", "null")
	s.Description += " null is the class's."
	return s
}

// UnmarshalJSON takes the text.
func (o *ownAmount) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		o.text, o.ofClass = new(class), true
		return nil
	}
	var d decimalText
	err := d.UnmarshalJSON(text)
	o.text = new(string(d))
	return err
}

// check refuses what is no amount; pointer is where it stands.
func (o ownAmount) check(pointer string) error {
	if o.text == nil || o.ofClass {
		return nil
	}
	m, err := billing.ParseMoney(*o.text)
	if err == nil && m < 0 {
		err = fmt.Errorf("number %q: %w", m, billing.ErrNegative)
	}
	if err != nil {
		return invalid(pointer, "%v; null is the class's", likeAmount(err))
	}
	return nil
}
