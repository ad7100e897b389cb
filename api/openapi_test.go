package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/setup"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is the OpenAPI document of a site, as its clients get it.
type document struct {
	t        *testing.T
	all      map[string]any
	compiler *jsonschema.Compiler
}

func (s *site) document() *document {
	s.t.Helper()
	text, err := json.Marshal(s.server.OpenAPI())
	if err != nil {
		s.t.Fatal(err)
	}
	d := &document{t: s.t, compiler: jsonschema.NewCompiler()}
	d.all = jsonOf(s.t, text).(map[string]any)
	closed(d.all)
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("document.json", d.all); err != nil {
		s.t.Fatal(err)
	}
	return d
}

// closed closes the answers, which are open to clients: ours hold no member that
// is not described.
func closed(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, said := v["additionalProperties"]; v["properties"] != nil && !said {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			closed(inner)
		}
	case []any:
		for _, inner := range v {
			closed(inner)
		}
	}
}

// TestAnswersAreOpenAndBodiesAreClosed: a client that was made from the document
// goes on when an answer has a member more, and what it misspells is refused.
func TestAnswersAreOpenAndBodiesAreClosed(t *testing.T) {
	s := openSite(t, village, nil)
	text, err := json.Marshal(s.server.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	d := &document{t: t, all: jsonOf(t, text).(map[string]any)}
	objects := map[string]int{}
	d.operations(func(method, path string, o map[string]any) {
		if body, is := o["requestBody"].(map[string]any); is && strings.HasPrefix(path, "/v1/") && path != "/v1/usage" {
			d.objects(body["content"], map[string]bool{}, func(object map[string]any) {
				if objects["sent"]++; object["additionalProperties"] != false {
					t.Errorf("%s %s: an object of the body is open: %v", method, path, object["properties"])
				}
			})
		}
		for status, answer := range o["responses"].(map[string]any) {
			d.objects(answer.(map[string]any)["content"], map[string]bool{}, func(object map[string]any) {
				if objects["answered"]++; object["additionalProperties"] == false {
					t.Errorf("%s %s %s: an object of the answer is closed: %v", method, path, status, object["properties"])
				}
			})
		}
	})
	if objects["sent"] < 30 || objects["answered"] < 200 {
		t.Errorf("got %v, want more objects", objects)
	}
}

// objects hands over each object with members that some media types may hold.
func (d *document) objects(v any, seen map[string]bool, each func(map[string]any)) {
	switch v := v.(type) {
	case []any:
		for _, inner := range v {
			d.objects(inner, seen, each)
		}
	case map[string]any:
		if ref, is := v["$ref"].(string); is && !seen[ref] {
			seen[ref] = true
			d.objects(d.at("components", "schemas", strings.TrimPrefix(ref, schemaPrefix)), seen, each)
		}
		if v["type"] == "object" && v["properties"] != nil {
			each(v)
		}
		for name, inner := range v {
			if name != "examples" && name != "example" {
				d.objects(inner, seen, each)
			}
		}
	}
}

// jsonOf reads JSON with its numbers as they stand.
func jsonOf(t *testing.T, text []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

// at is the part of the document under some keys; nil where there is none.
func (d *document) at(keys ...string) any {
	var v any = d.all
	for _, key := range keys {
		object, _ := v.(map[string]any)
		v = object[key]
	}
	return v
}

var pointerText = strings.NewReplacer("~", "~0", "/", "~1")

// fault is what is wrong with a value by the schema under some keys.
func (d *document) fault(value any, keys ...string) error {
	d.t.Helper()
	pointer := "document.json#"
	for _, key := range keys {
		pointer += "/" + pointerText.Replace(key)
	}
	schema, err := d.compiler.Compile(pointer)
	if err != nil {
		d.t.Fatalf("%s: %v", pointer, err)
	}
	return schema.Validate(value)
}

// answers holds an answer against what the document says of it.
func (d *document) answers(method, path string, a answer) error {
	at := []string{"paths", path, strings.ToLower(method), "responses", fmt.Sprint(a.status)}
	if d.at(at...) == nil {
		return fmt.Errorf("the status %d is not documented", a.status)
	}
	media, _, _ := mime.ParseMediaType(a.head.Get("Content-Type"))
	if len(a.body) == 0 {
		return nil
	}
	if at = append(at, "content", media, "schema"); d.at(at...) == nil {
		return fmt.Errorf("the media type %q is not documented", media)
	}
	texts := [][]byte{a.body}
	switch media {
	case asNDJSON:
		texts = bytes.Split(bytes.TrimSpace(a.body), []byte("\n"))
	case asYAML:
		return nil
	}
	for _, text := range texts {
		if err := d.fault(jsonOf(d.t, text), at...); err != nil {
			return err
		}
	}
	return nil
}

// documented holds an answer of one of our own endpoints against the document.
func (s *site) documented(r *http.Request, a answer) {
	s.t.Helper()
	_, pattern := s.server.mux.Handler(r)
	e, own := s.server.gates.endpoints[pattern]
	if !own {
		return
	}
	s.telling.Lock()
	defer s.telling.Unlock()
	if s.told == nil {
		s.told = s.document()
	}
	if err := s.told.answers(e.method, e.path, a); err != nil {
		s.t.Errorf("%s %s answers what is not documented: %v\n%s", r.Method, r.URL, err, a.body)
	}
}

// operations hands over each operation of the document.
func (d *document) operations(each func(method, path string, operation map[string]any)) {
	paths := d.at("paths").(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item := paths[path].(map[string]any)
		for _, method := range []string{"get", "put", "post", "delete", "patch"} {
			if operation, is := item[method].(map[string]any); is {
				each(method, path, operation)
			}
		}
	}
}

// TestTheDocumentIsOpenAPI holds the document against the schema of OpenAPI 3.1
// that the OpenAPI Initiative publishes.
func TestTheDocumentIsOpenAPI(t *testing.T) {
	s := openSite(t, village, nil)
	got := s.do(access.Read, "GET", "/openapi.json", "")
	if media := got.head.Get("Content-Type"); media != "application/vnd.oai.openapi+json;version=3.1" {
		t.Errorf("got %s", media)
	}
	text, err := os.ReadFile("testdata/openapi-3.1.json")
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("openapi.json", jsonOf(t, text)); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(jsonOf(t, got.body)); err != nil {
		t.Errorf("%v", err)
	}
}

// TestEveryEndpointIsDocumented, so that a stranger can call it: what it is for,
// what it takes and what it answers, with an example of each that is true.
func TestEveryEndpointIsDocumented(t *testing.T) {
	d := openSite(t, village, nil).document()
	names := map[string]string{}
	d.operations(func(method, path string, o map[string]any) {
		where := strings.ToUpper(method) + " " + path
		for _, member := range []string{"operationId", "summary", "description", "tags", "security"} {
			if empty(o[member]) {
				t.Errorf("%s: no %s", where, member)
			}
		}
		name, _ := o["operationId"].(string)
		if other, twice := names[name]; twice {
			t.Errorf("%s and %s are both called %s", where, other, name)
		}
		names[name] = where
		parameters, _ := o["parameters"].([]any)
		for _, p := range parameters {
			if p := p.(map[string]any); empty(p["description"]) {
				t.Errorf("%s: parameter %v: no description", where, p["name"])
			}
		}
		at := []string{"paths", path, method}
		if body, is := o["requestBody"].(map[string]any); is {
			d.exemplary(where, body, append(at, "requestBody"))
		}
		for status, answer := range o["responses"].(map[string]any) {
			d.exemplary(where+" "+status, answer.(map[string]any), append(slices.Clone(at), "responses", status))
		}
	})
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	}
	return false
}

// exemplary holds the examples of a body against its schema.
func (d *document) exemplary(where string, body map[string]any, at []string) {
	d.t.Helper()
	content, _ := body["content"].(map[string]any)
	for media, c := range content {
		c := c.(map[string]any)
		var values []any
		if v, has := c["example"]; has {
			values = append(values, v)
		}
		examples, _ := c["examples"].(map[string]any)
		for _, e := range examples {
			values = append(values, e.(map[string]any)["value"])
		}
		if len(values) == 0 {
			d.t.Errorf("%s: no example of %s", where, media)
		}
		schema := append(slices.Clone(at), "content", media, "schema")
		for _, v := range values {
			if err := d.fault(v, schema...); err != nil && media != asNDJSON && media != asYAML {
				d.t.Errorf("%s: the example of %s: %v", where, media, err)
			}
		}
	}
}

// TestWhatIsServedIsDocumented and the other way round.
func TestWhatIsServedIsDocumented(t *testing.T) {
	s := openSite(t, village, nil)
	d := s.document()
	d.operations(func(method, path string, _ map[string]any) {
		r, err := http.NewRequestWithContext(t.Context(), strings.ToUpper(method), pathValues.Replace(path), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if _, pattern := s.server.mux.Handler(r); pattern == "" || pattern == "/" {
			t.Errorf("%s %s is documented and not served", method, path)
		}
	})
}

var pathValues = strings.NewReplacer("{", "", "}", "")

// TestTheDocumentKnowsWhatASetupMayBe: all that files may say is described.
func TestTheDocumentKnowsWhatASetupMayBe(t *testing.T) {
	d := openSite(t, village, nil).document()
	for _, name := range []string{"contract.yaml", "vendor.yaml"} {
		text, err := os.ReadFile(filepath.Join("../setup/testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		file, err := setup.Parse(name, text)
		if err != nil {
			t.Fatal(err)
		}
		written, err := file.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if err := d.fault(jsonOf(t, written), "components", "schemas", "Setup"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
