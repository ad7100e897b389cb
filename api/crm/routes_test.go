package crm

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/route"
)

func TestEveryCodeIsOneOfItsOwnAndDocumented(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Codes() {
		if names[c.Name] || c.HTTP == 0 || c != succeeded && c.Meaning == "" {
			t.Errorf("%+v: it stands twice, or says too little", c)
		}
		names[c.Name] = true
	}
	routes := Routes(Options{})
	for _, c := range Codes()[1:] {
		if !strings.Contains(describedBy(routes[0], c.HTTP), c.Name+": "+c.Meaning) {
			t.Errorf("%s is not documented with status %d", c.Name, c.HTTP)
		}
	}
	if got := describedBy(routes[1], http.StatusConflict) + describedBy(routes[2], http.StatusUnprocessableEntity); got != "" {
		t.Errorf("a method that changes nothing documents %s", got)
	}
}

func describedBy(r route.Route, status int) (text string) {
	for _, a := range r.Answers {
		if a.Status == status {
			text += a.Description
		}
	}
	return text
}

// What is documented as a request is what is read as one, key by key.
func TestTheDocumentedRequestIsTheOneThatIsRead(t *testing.T) {
	values := map[string]string{
		identifierKey: `{"number":"1"}`, entriesKey: "[]", fieldsKey: `"name"`, blockKey: "true", creditKey: "false", tokenKey: `"x"`, actionKey: `"update"`,
		"service": `{"code":"1"}`, "service_type": `{"code":"1"}`, "service_family": `{"code":"1"}`,
	}
	read := func(of any, read func([]parameter) error, more ...string) {
		for i := range reflect.TypeOf(of).NumField() {
			key, _, _ := strings.Cut(reflect.TypeOf(of).Field(i).Tag.Get("json"), ",")
			value := values[key]
			if value == "" {
				value = "1"
			}
			all := []parameter{{key, key, json.RawMessage(value)}}
			for _, m := range more {
				if m != key && !(strings.HasPrefix(m, "service") && strings.HasPrefix(key, "service")) {
					all = append(all, parameter{m, m, json.RawMessage(values[m])})
				}
			}
			if err := read(all); err != nil {
				t.Errorf("%T: %s: %v", of, key, err)
			}
		}
	}
	read(LimitsRequest{}, func(all []parameter) error { _, _, err := decodeChange(all); return err }, identifierKey)
	read(RemainingRequest{}, func(all []parameter) error {
		_, err := decodeAsked(all, []string{"name"}, func(parameter) (bool, error) { return false, nil })
		return err
	}, identifierKey)
	read(EntryRequest{}, func(all []parameter) error {
		members := map[string]json.RawMessage{"maximum_usage_per_day": json.RawMessage("1")}
		for _, p := range all {
			members[p.key] = p.value
		}
		text, err := json.Marshal(members)
		if err == nil {
			_, err = parameter{name: "entry", value: text}.entry()
		}
		return err
	}, "service", actionKey)
	for i, of := range []any{ServiceRef{}, TypeRef{}, FamilyRef{}} {
		var keys []string
		for k := range reflect.TypeOf(of).NumField() {
			key, _, _ := strings.Cut(reflect.TypeOf(of).Field(k).Tag.Get("json"), ",")
			keys = append(keys, key)
		}
		if got, want := strings.Join(keys, " "), strings.Join(targetKeys[i].by, " "); got != want {
			t.Errorf("%T: got %s, want %s", of, got, want)
		}
	}
}

func TestRoutesCanBeMountedAndTheirExamplesAreJSON(t *testing.T) {
	mux := http.NewServeMux()
	names := map[string]bool{}
	for _, r := range Routes(Options{}) {
		mux.Handle(r.Method+" "+r.Pattern, r.Handler)
		if names[r.Name] || r.Summary == "" || r.Token != route.BodyToken {
			t.Errorf("%s: another has its name, or something is missing", r.Name)
		}
		names[r.Name] = true
		for _, b := range r.Requests {
			valid(t, b)
		}
		for _, a := range r.Answers {
			valid(t, a.Body)
		}
	}
}

// valid holds an example against its type: no key of it is unknown there.
func valid(t *testing.T, b route.Body) {
	t.Helper()
	example, is := b.Example.(json.RawMessage)
	if !is {
		return // none, or a value of its type
	}
	into := reflect.New(reflect.TypeOf(b.Type)).Interface()
	d := json.NewDecoder(bytes.NewReader(example))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Errorf("%T: %v", b.Type, err)
	}
}
