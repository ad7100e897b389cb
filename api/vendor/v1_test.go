package vendor

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
)

// rows 71, 74–86, 92–96, 99, 102–108: the documents' account, field by field.
func TestV1TheDocumentsAccount(t *testing.T) {
	s := documents(t)
	got := s.v1("/431.json")
	wantJSON(t, got, 200, string(example("v1-account")))
	if kind := got.head.Get("Content-Type"); kind != "application/json" {
		t.Errorf("got the content type %s", kind)
	}
	if got, want := keysOf(t, got.body), keysOf(t, string(example("v1-account"))); !slices.Equal(got, want) {
		t.Errorf("fields in the order %v, want %v", got, want)
	}
}

// rows 160–162, 166, 170, 172–177: the documents' list. Two pages of three are
// before it there; here the same two are the first page.
func TestV1TheDocumentsList(t *testing.T) {
	s := documents(t)
	const request = ".json?per_page=2&page=1&sorting[field]=id&sorting[reversed]=true&filters[status]=deleted"
	got := s.v1(request)
	wantJSON(t, got, 200, string(example("v1-accounts")))
	if beyond := s.v1(strings.Replace(request, "page=1&", "page=4&", 1)); beyond.status != 200 || beyond.body != "[]\n" {
		t.Errorf("page 4: got %d %s", beyond.status, beyond.body)
	}
	var all []json.RawMessage
	if err := json.Unmarshal([]byte(got.body), &all); err != nil {
		t.Fatal(err)
	}
	if got, want := keysOf(t, string(all[0])), names(reflect.TypeFor[v1ListedAccount]()); !slices.Equal(got, want) {
		t.Errorf("fields in the order %v, want %v", got, want)
	}
}

// keysOf lists the keys of an object as they stand.
func keysOf(t *testing.T, object string) (all []string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(object))
	_, _ = d.Token()
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		all = append(all, key.(string))
	}
	return all
}

// rows 71–73.
func TestV1AnAccountIsAskedForByItsNumber(t *testing.T) {
	s := documents(t)
	for _, c := range []struct {
		path   string
		status int
		faults string
	}{
		{"/432.json", 404, ": account 432: no such account"},
		{"/0.json", 404, ": account 0: no such account"},
		{"/99999999999999999999.json", 404, ": account 99999999999999999999 does not exist"},
		{"/abc.json", 400, `: "abc": the id of account is a whole number`},
		{"/-431.json", 400, `: "-431": the id of account is a whole number`},
		{"/431.0.json", 400, `: "431.0": the id of account is a whole number`},
		{"/431%00.json", 400, `: "431\x00": the id of account is a whole number`},
		{"/431'%20or%201=1.json", 400, `: "431' or 1=1": the id of account is a whole number`},
		{"/%2e%2e%2f431.json", 400, `: "../431": the id of account is a whole number`},
		{"/431", 404, ": there is nothing at this path: an account is at its id with .json"},
		{"/431.xml", 404, ": there is nothing at this path: an account is at its id with .json"},
		{"/431.json?page=1", 400, "page: there is no such parameter here"},
	} {
		got := s.v1(c.path)
		if faults := got.faults(t); got.status != c.status || faults != c.faults {
			t.Errorf("%s: got %d %s, want %d %s", c.path, got.status, faults, c.status, c.faults)
		}
	}
}

// rows 73, 110, 113: nothing is answered without a token, wherever it belongs,
// and none is repeated.
func TestNothingIsAnsweredWithoutAToken(t *testing.T) {
	s := documents(t)
	feeder, lower := s.token("feeder", access.Feed, 0), s.token("lower", access.Read|access.Manage, 2)
	both := []string{"Accept", mediaType, "Content-Type", mediaType, "X-Api-Token"}
	for _, c := range []struct {
		what, method, target string
		head                 []string
		status               int
		faults               string
	}{
		{"v1 without", "GET", "/api/vendor/v1/accounts.json", nil, 401, ": no token was given: give one, once, as api_token in the query"},
		{"v1 in a header", "GET", "/api/vendor/v1/accounts.json", []string{"X-Api-Token", s.read}, 401, ": no token was given: give one, once, as api_token in the query"},
		{"v1 twice", "GET", "/api/vendor/v1/accounts.json?api_token=" + s.read + "&api_token=" + s.read, nil, 401, ": no token was given: give one, once, as api_token in the query"},
		{"v1 unknown", "GET", "/api/vendor/v1/accounts/431.json?api_token=vY5fwetestK3gJXZH5uHCw", nil, 401, ": " + access.ErrUnknownToken.Error()},
		{"v1 that may feed only", "GET", "/api/vendor/v1/accounts/431.json?api_token=" + feeder, nil, 403, ": the token has not the scope read: use one made with --scope read"},
		{"v1 that may manage only", "GET", "/api/vendor/v1/accounts/431.json?api_token=" + s.manage, nil, 403, ": the token has not the scope read: use one made with --scope read"},
		{"v1 of a reseller above which it is", "GET", "/api/vendor/v1/accounts/431.json?api_token=" + lower, nil, 404, ": account 431: no such account"},
		{"v3 without", "GET", "/api/v3/resellers/1/accounts", both[:4], 401, ": no token was given: give one, once, as header X-Api-Token"},
		{"v3 in the query", "GET", "/api/v3/resellers/1/accounts?api_token=" + s.read, both[:4], 401, ": no token was given: give one, once, as header X-Api-Token"},
		{"v3 unknown", "GET", "/api/v3/resellers/1/accounts", append(both[:5:5], "vY5fwetestK3gJXZH5uHCw"), 401, ": " + access.ErrUnknownToken.Error()},
		{"v3 that may manage only", "GET", "/api/v3/resellers/1/accounts", append(both[:5:5], s.manage), 403, ": the token has not the scope read: use one made with --scope read"},
		{"v3 that may read only", "POST", "/api/v3/resellers/1/accounts", append(both[:5:5], s.read), 403, ": the token has not the scope manage: use one made with --scope manage"},
		{"v3 of a reseller above", "GET", "/api/v3/resellers/1/accounts", append(both[:5:5], lower), 404, ": reseller 1: no such reseller"},
		{"v3 creation for a reseller above", "POST", "/api/v3/resellers/1/accounts", append(both[:5:5], lower), 404, ": reseller 1: no such reseller"},
	} {
		got := s.do(c.method, c.target, "", c.head...)
		if faults := got.faults(t); got.status != c.status || faults != c.faults {
			t.Errorf("%s: got %d %s, want %d %s", c.what, got.status, faults, c.status, c.faults)
		}
		if challenge := got.head.Get("WWW-Authenticate"); (challenge != "") != (c.status == 401) {
			t.Errorf("%s: got WWW-Authenticate %q", c.what, challenge)
		}
		for _, token := range []string{s.read, s.manage, feeder, lower, "vY5fwetestK3gJXZH5uHCw"} {
			if strings.Contains(got.body+s.log.String(), token) {
				t.Errorf("%s: the token stands in %s or the log", c.what, got.body)
			}
		}
	}
	if got := s.do("GET", "/api/vendor/v1/accounts.json?api_token="+lower, ""); got.ids(t) != "" {
		t.Errorf("the lower reseller sees %s", got.ids(t))
	}
}

// rows 163–172, 178, 179: what a list is asked for, over accounts of the documents.
func TestV1ListsAreFilteredSortedAndPaged(t *testing.T) {
	s := documents(t)
	for _, c := range []struct{ query, want string }{
		{"", "300 431 486 789"},
		{"?page=1&per_page=2", "300 431"},
		{"?page=2&per_page=2", "486 789"},
		{"?page=3&per_page=2", ""},
		{"?page=1000000000&per_page=1000", ""},
		{"?page=99999999999999999999", ""}, // row 163: beyond the end, however far
		{"?sorting[reversed]=true", "789 486 431 300"},
		{"?sorting[field]=id&sorting[reversed]=false", "300 431 486 789"},
		{"?sorting[field]=balance", "300 789 486 431"},
		{"?sorting[field]=created_at", "300 431 486 789"},
		{"?sorting[field]=updated_at", "300 431 486 789"},
		{"?sorting[field]=name", "789 431 486 300"},
		{"?sorting[field]=status", "789 431 300 486"},
		{"?sorting[field]=status&sorting[reversed]=true", "300 486 431 789"},
		{"?sorting[field]=new_owner_email&sorting[reversed]=true", "300 431 486 789"}, // all are equal
		{"?filters[status]=active", "789"},
		{"?filters[status]=credit_hold", "431"},
		{"?filters[status]=credit hold", "431"}, // as the documents' list of statuses writes it
		{"?filters[status]=administrative_hold", ""},
		{"?filters[status]=administrative hold", ""},
		{"?filters[email]=test@example.com", "431 486"},
		{"?filters[email]=TEST@example.com", "431 486"},
		{"?filters[email]=%25", ""},
		{"?filters[email]=' or 1=1 --", ""},
		{"?filters[created_at]=2019-01-15", "431"},
		{"?filters[created_at]=2019-01-14", ""},
		{"?filters[updated_at]=2019-05-12", "431"}, // in UTC it was the day before
		{"?filters[updated_at]=2019-05-11", ""},
		{"?filters[created_at]=2019-01-15T14:58:22.830%2B03:00", "431"}, // as it is printed
		{"?filters[created_at]=2019-01-15T11:58:22.83Z", "431"},
		{"?filters[created_at]=2019-01-15T14:58:22", "431"},
		{"?filters[created_at]=2019-01-15T14:58:22.831", ""},
		{"?filters[created_at]=2019-01-15T14:58:21", ""},
		{"?filters[updated_at]=2019-05-12T01:22:52.853%2B03:00", "431"},
		{"?filters[created_at]=0001-01-01", ""},
		{"?filters[created_at]=9999-12-31", ""},
		{"?filters[status]=deleted&filters[email]=test@example.com&filters[created_at]=2019-12-04&filters[updated_at]=2019-08-19", "486"},
		{"?filters[status]=deleted&filters[email]=test@example.com&filters[created_at]=2019-12-05", ""},
		{"?filters[email]=test@example.com&sorting[reversed]=true&per_page=1&page=2", "431"},
	} {
		if got := s.v1(".json" + strings.ReplaceAll(c.query, " ", "%20")).ids(t); got != c.want {
			t.Errorf("%s: got %s, want %s", c.query, got, c.want)
		}
	}
}

// row 165: any field of the answer, and none besides.
func TestV1ListsAreSortedByEveryFieldOfTheAnswer(t *testing.T) {
	s := documents(t)
	for _, field := range names(reflect.TypeFor[v1ListedAccount]()) {
		if !postgres.VendorSorts(field) {
			t.Errorf("%s: the store cannot sort by it", field)
		}
		for _, reversed := range []string{"", "&sorting[reversed]=true"} {
			if got := s.v1(".json?sorting[field]=" + field + reversed); got.status != 200 || len(strings.Fields(got.ids(t))) != 4 {
				t.Errorf("%s%s: got %d %s", field, reversed, got.status, got.body)
			}
		}
	}
}
