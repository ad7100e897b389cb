package vendor

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/go-cmp/cmp"
)

// rows 114–131: the documents' request.
func TestTheDocumentsCreationIsRead(t *testing.T) {
	got, err := readCreation(example("v3-creation"))
	if err != nil {
		t.Fatal(err)
	}
	want := postgres.NewVendorAccount{
		Type: 1, ClassKey: "postpaytest", Manager: 188,
		Contact: billing.Contact{FirstName: "Clotilde", LastName: "Ledner", Email: "ClotildeLedner@example.com", Country: "BY", Region: "Minsk",
			City: "Minsk", Street: "Mira", Building: "1", Office: "2", Zip: "220000", Phone: "+375290000000"},
		NewOwner:         &billing.User{FirstName: "Alba", LastName: "Stehr", Email: "AlbaStehr@example.com"},
		CustomAttributes: map[string]string{"signer_name": "Signer"},
	}
	if diff := cmp.Diff(got.NewVendorAccount, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

func TestACreationIsReadAsItStands(t *testing.T) {
	for _, c := range []struct {
		attributes string
		want       postgres.NewVendorAccount
	}{
		{`{}`, postgres.NewVendorAccount{}},
		{`{"primary_name":null,"owner_id":null,"new_owner_email":null,"manager_id":null,"custom_attributes":null}`, postgres.NewVendorAccount{}},
		{`{"owner_id":9223372036854775807,"new_owner_first_name":"","custom_attributes":{}}`,
			postgres.NewVendorAccount{Owner: 9223372036854775807, CustomAttributes: map[string]string{}}},
		{`{"custom_attributes":{"data":[]}}`, postgres.NewVendorAccount{CustomAttributes: map[string]string{}}},
		{`{"custom_attributes":{"data":[{"key":"a","value":""},{"key":"b","value":null},{"key":"","value":"\u0000"}]}}`,
			postgres.NewVendorAccount{CustomAttributes: map[string]string{"a": "", "b": "", "": "\x00"}}},
		{`{"new_owner_middle_name":"x","city":"\ud83d\ude00 Αθήνα"}`,
			postgres.NewVendorAccount{NewOwner: &billing.User{MiddleName: "x"}, Contact: billing.Contact{City: "😀 Αθήνα"}}},
	} {
		for _, data := range []string{`{"attributes":%s}`, `{"id":null,"type":null,"attributes":%s}`, `{"type":"accounts","attributes":%s,"meta":{},"relationships":{}}`} {
			got, err := readCreation([]byte(`{"data":` + fmt.Sprintf(data, c.attributes) + `,"jsonapi":{"version":"1.1"}}`))
			if err != nil {
				t.Errorf("%s: %v", c.attributes, err)
				continue
			}
			if diff := cmp.Diff(got.NewVendorAccount, c.want); diff != "" {
				t.Errorf("%s (-got +want):\n%s", c.attributes, diff)
			}
		}
	}
}

// row 135: shapes that are wrong, each where it stands.
func TestACreationThatIsWrong(t *testing.T) {
	attributes := func(text string) string { return `{"data":{"attributes":` + text + `}}` }
	const id = "give an id, a whole number above 0"
	for _, c := range []struct{ body, want string }{
		{``, `400: the body is no JSON: unexpected end of JSON input`},
		{`{`, `400: the body is no JSON: unexpected end of JSON input`},
		{`{}{}`, `400: the body is no JSON: invalid character '{' after top-level value`},
		{"{\"data\":\"\xff\"}", `400: the body is not UTF-8`},
		{`null`, `400: /data: give a resource object here`},
		{`[]`, `400: /data: give a resource object here`},
		{`{"data":[{"attributes":{}}]}`, `400: /data: give a resource object here`},
		{`{"data":{}}`, `422: /data/attributes: give the account's attributes here`},
		{`{"data":{"attributes":[]}}`, `422: /data/attributes: give the account's attributes here`},
		{`{"data":{"type":"account","attributes":{}}}`, `409: /data/type: only "accounts" are created here`},
		{`{"data":{"type":"","attributes":{}}}`, `409: /data/type: only "accounts" are created here`},
		{`{"data":{"id":"789","attributes":{}}}`, `403: /data/id: ids are given here: leave it out`},
		{`{"data":{"attributes":{"city":"a","city":"b"}}}`, `400: /data/attributes/city: "city" stands twice in one object, keep one`},
		{`{"data":{"attributes":{}},"data":{"attributes":{}}}`, `400: /data: "data" stands twice in one object, keep one`},
		{attributes(`{"a/b~":1,"a/b~":2}`), `400: /data/attributes/a~1b~0: "a/b~" stands twice in one object, keep one`},
		{attributes(`{"custom_attributes":{"data":[{},{"key":"a","key":"b"}]}}`),
			`400: /data/attributes/custom_attributes/data/1/key: "key" stands twice in one object, keep one`},
		{attributes(`{"account_type_id":"1"}`), `422: /data/attributes/account_type_id: "1": ` + id},
		{attributes(`{"account_type_id":1.0}`), `422: /data/attributes/account_type_id: 1.0: ` + id},
		{attributes(`{"account_type_id":1e0}`), `422: /data/attributes/account_type_id: 1e0: ` + id},
		{attributes(`{"account_type_id":-1}`), `422: /data/attributes/account_type_id: -1: ` + id},
		{attributes(`{"account_type_id":0}`), `422: /data/attributes/account_type_id: 0: ` + id},
		{attributes(`{"manager_id":9223372036854775808}`), `422: /data/attributes/manager_id: 9223372036854775808: ` + id},
		{attributes(`{"owner_id":true}`), `422: /data/attributes/owner_id: true: ` + id},
		{attributes(`{"city":1}`), `422: /data/attributes/city: 1: give a string`},
		{attributes(`{"city":["Minsk"]}`), `422: /data/attributes/city: a list: give a string`},
		{attributes(`{"city":{"a":"b"}}`), `422: /data/attributes/city: an object: give a string`},
		{attributes(`{"City":"Minsk"}`), `422: /data/attributes/City: an account to be has no such attribute`},
		{attributes(`{"tech_user_id":1,"bill_user_id":1}`), `422: /data/attributes/bill_user_id: an account to be has no such attribute; ` +
			`/data/attributes/tech_user_id: an account to be has no such attribute`},
		{attributes(`{"city":1,"zip":2,"owner_id":"3","x":4}`), `422: /data/attributes/city: 1: give a string; /data/attributes/zip: 2: give a string; ` +
			`/data/attributes/owner_id: "3": ` + id + `; /data/attributes/x: an account to be has no such attribute`},
		{attributes(`{"custom_attributes":[]}`), `422: /data/attributes/custom_attributes: a list: give an object with data`},
		{attributes(`{"custom_attributes":{"data":{}}}`), `422: /data/attributes/custom_attributes/data: an object: give a list of objects with key and value`},
		{attributes(`{"custom_attributes":{"data":[1,{"value":"x"},{"key":1,"value":"x"}]}}`),
			`422: /data/attributes/custom_attributes/data/0: give an object with key and value, both strings; ` +
				`/data/attributes/custom_attributes/data/1: give an object with key and value, both strings; ` +
				`/data/attributes/custom_attributes/data/2: give an object with key and value, both strings`},
		// The form of an answer, whose values would be lost.
		{attributes(`{"custom_attributes":{"signer_name":"Signer"}}`),
			`422: /data/attributes/custom_attributes/signer_name: there is no such member here: give a list, data, of objects with key and value`},
		{attributes(`{"custom_attributes":{"data":[{"key":"a","value":"b","name":"c"}]}}`),
			`422: /data/attributes/custom_attributes/data/0/name: there is no such member here: give key and value`},
		{attributes(`{"custom_attributes":{"data":[{"key":"a","value":true}]}}`), `422: /data/attributes/custom_attributes/data/0/value: true: give a string`},
		{attributes(`{"custom_attributes":{"data":[{"key":"a","value":"1"},{"key":"a","value":"2"}]}}`),
			`422: /data/attributes/custom_attributes/data/1/key: "a" has a value already at 0, give it once`},
		{attributes(`{"custom_attributes":{"data":[` + strings.Repeat(`{},`, 100) + `{}]}}`),
			`422: /data/attributes/custom_attributes/data: 101 custom attributes, at most 100 are taken`},
		{attributes(strings.Repeat("[", 9000) + strings.Repeat("]", 9000)), `400: the body is nested more than 20 deep`},
		{attributes(`{"city":"[[[[[[[[[[[[[[[[[[[[[[\"[[[[[[","x":1}`), `422: /data/attributes/x: an account to be has no such attribute`},
	} {
		_, err := readCreation([]byte(c.body))
		var r *refusal
		if !errors.As(err, &r) || r.Error() != c.want {
			t.Errorf("%.80s: got %v, want %s", c.body, err, c.want)
		}
	}
}

// A hundred thousand attributes, none of which there is: twenty are told.
func TestManyAttributesAreRefusedShortly(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"data":{"attributes":{"zip":"1"`)
	for i := range 100_000 {
		fmt.Fprintf(&b, `,"x%d":1`, i)
	}
	_, err := readCreation([]byte(b.String() + "}}}"))
	var r *refusal
	if !errors.As(err, &r) || len(r.faults) != 21 || r.faults[20].text != "and 99980 faults more: mend these first" {
		t.Errorf("got %v", err)
	}
}

// rows 126–128: what the store finds wrong is told where it stands.
func TestFaultsOfTheStoreAreToldWhereTheyStand(t *testing.T) {
	c := creation{customAt: map[string]int{"day": 3}}
	err := c.faultsOf(postgres.AttributeFaults{{Attribute: "phone", Text: "p"}, {Attribute: "custom_attributes", Key: "day", Text: "d"},
		{Attribute: "custom_attributes", Key: "must", Text: "m"}})
	const want = "422: /data/attributes/phone: p; /data/attributes/custom_attributes/data/3/value: d; /data/attributes/custom_attributes/data: m"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// FuzzReadCreation: whatever comes is read, or refused as the client's fault.
func FuzzReadCreation(f *testing.F) {
	f.Add([]byte(example("v3-creation")))
	f.Add([]byte(`{"data":{"attributes":{"custom_attributes":{"data":[{"key":"a","value":1}]}}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := readCreation(body)
		var r *refusal
		if err != nil && (!errors.As(err, &r) || r.status < 400 || r.status > 499 || len(r.faults) == 0 || len(r.faults) > faultsMax+1) {
			t.Errorf("got %v", err)
		}
	})
}

// row 111.
func TestMediaTypes(t *testing.T) {
	for _, c := range []struct {
		accept  string
		answers bool
	}{
		{"application/vnd.api+json", true},
		{"Application/VND.api+JSON", true},
		{"text/html, application/vnd.api+json;q=0.5", true},
		{`application/vnd.api+json;profile="http://example.com/a,b"`, true},
		{`application/vnd.api+json;charset=utf-8, application/vnd.api+json`, true},
		{"*/*", true},
		{"application/*;q=0.1", true},
		{"", false},
		{"application/json", false},
		{"application/vnd.api+json;charset=utf-8", false},
		{`application/vnd.api+json;ext="https://jsonapi.org/ext/atomic"`, false},
		{"application/vnd.api+json;q=0", false},
		{"*/*;q=0.000", false},
		{"text/*", false},
		{"application/vnd.api+json;;;=", false},
	} {
		head := http.Header{}
		if c.accept != "" {
			head.Set("Accept", c.accept)
		}
		if err := checkAccept(head); (err == nil) != c.answers {
			t.Errorf("Accept: %s: got %v", c.accept, err)
		}
	}
	for _, c := range []struct {
		types []string
		taken bool
	}{
		{[]string{"application/vnd.api+json"}, true},
		{[]string{`application/vnd.api+json; profile="http://example.com/x"`}, true},
		{nil, false},
		{[]string{"application/json"}, false},
		{[]string{"application/vnd.api+json; charset=utf-8"}, false},
		{[]string{`application/vnd.api+json; ext="https://jsonapi.org/ext/atomic"`}, false},
		{[]string{"*/*"}, false},
		{[]string{"application/vnd.api+json", "application/vnd.api+json"}, false},
		{[]string{"application/vnd.api+json, application/json"}, false},
	} {
		if err := checkContentType(http.Header{"Content-Type": c.types}); (err == nil) != c.taken {
			t.Errorf("Content-Type: %s: got %v", c.types, err)
		}
	}
}
