package vendor

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/once"
	"github.com/google/go-cmp/cmp"
)

// beforeClotilde is what the documents' creation needs, and the ids that it found
// used.
func beforeClotilde(t *testing.T) *site {
	t.Helper()
	file := documentsFile(t)
	file, _, _ = strings.Cut(file, "  - ref: user-987\n")
	before, owner, found := strings.Cut(file, "  - {id: 987")
	_, after, ended := strings.Cut(owner, "account_types:")
	if !found || !ended {
		t.Fatal("the set-up has no user 987 to leave out")
	}
	s := openSite(t, before+"account_types:"+after)
	s.query(`select setval('account_ids', 788)::text`)
	s.query(`select setval('user_ids', 986)::text`)
	return s
}

// rows 109–111, 114–125, 127, 132, 136–157, 159: the documents' creation, field by
// field; what was there already has been changed before.
func TestV3TheDocumentsCreation(t *testing.T) {
	s := beforeClotilde(t)
	for _, of := range []string{
		`update managers set created_at = '2017-10-12T15:27:56.354+03:00', updated_at = '2020-08-07T05:32:53.522+03:00' where id = 188`,
		`update account_types set created_at = '2016-08-25T09:26:12.658+03:00', updated_at = '2019-10-02T03:30:11.716+03:00' where id = 1`,
		`update classes set created_at = '2019-12-20T08:52:04.909+03:00', updated_at = '2019-12-20T08:59:36.544+03:00' where id = 2121`,
	} {
		s.exec(of)
	}
	got := s.create(1, string(example("v3-creation")))
	// row 158: there a few milliseconds lie between the owner, the account and its
	// last change; here all is one instant.
	want := string(example("v3-account"))
	for _, other := range []string{"2021-02-11T10:18:19.128+03:00", "2021-02-11T10:18:19.180+03:00"} {
		want = strings.ReplaceAll(want, other, "2021-02-11T10:18:19.148+03:00")
	}
	wantJSON(t, got, 201, want)
	if where := got.head.Get("Location"); where != "/api/v3/resellers/1/accounts/789" || got.head.Get("Content-Type") != mediaType {
		t.Errorf("got Location %q, Content-Type %q", where, got.head.Get("Content-Type"))
	}
	if read := s.v3("1/accounts/789"); read.status != 200 || read.body != got.body {
		t.Errorf("read again: got %d %s, want %s", read.status, read.body, got.body)
	}
	if list := s.v3("1/accounts?filter[email]=clotildeledner@example.com"); list.ids(t) != "789" {
		t.Errorf("listed: %s", list.body)
	}
	fields := decoded(t, s.v1("/789.json").body).(map[string]any)
	for _, absent := range []string{"financial_blocking_threshold_use_system", "subscription_credit_limit_use_system"} {
		if fields[absent] != true || strings.Contains(got.body, absent) {
			t.Errorf("%s: v1 has %v, want true; v3 has none of it", absent, fields[absent])
		}
	}
}

// rows 71, 136–159 for an account that is there, and where it is not.
func TestV3TheDocumentsAccount(t *testing.T) {
	s := documents(t)
	wantJSON(t, s.v3("1/accounts/789"), 200, string(example("v3-account")))
	included := s.v3("1/accounts/789?include=subscriptions")
	if document := decoded(t, included.body).(map[string]any); included.status != 200 || fmt.Sprint(document["included"]) != "[]" {
		t.Errorf("got %d %s", included.status, included.body)
	}
	for _, c := range []struct {
		target string
		status int
		faults string
	}{
		{"1/accounts/790", 404, ": account 790: no such account"},
		{"2/accounts/789", 404, ": account 789: no such account"},
		{"3/accounts/789", 404, ": reseller 3: no such reseller"},
		{"0/accounts", 404, ": reseller 0: no such reseller"},
		{"99999999999999999999/accounts", 404, ": reseller 99999999999999999999 does not exist"},
		{"one/accounts", 400, `: "one": the id of reseller is a whole number`},
		{"1/accounts/x", 400, `: "x": the id of account is a whole number`},
		{"1/accounts/789?include=owner", 400, `include: "owner": only subscriptions can be included`},
		{"1/accounts/789?page[size]=1", 400, `page[size]: there is no such parameter here`},
		{"1/accounts?page[size]=0&sort=id", 400, "sort: there is no such parameter here\n" + `page[size]: "0": give a whole number from 1 to 1000`},
	} {
		got := s.v3(c.target)
		if faults := got.faults(t); got.status != c.status || faults != c.faults || got.head.Get("Content-Type") != mediaType {
			t.Errorf("%s: got %d %s, want %d %s", c.target, got.status, faults, c.status, c.faults)
		}
	}
}

// row 112: its own or downstream, and no other.
func TestV3AResellerIsReachedByTheTokensAboveIt(t *testing.T) {
	s := documents(t)
	s.apply("2020-01-01T00:00:00Z", `resellers: [{id: 3, name: Lida, parent: 2, countries: [BY], currency: BYN}, {id: 4, name: Elsewhere}]`)
	for _, c := range []struct {
		token    int64
		reached  string
		unknown  string
		accounts string
	}{
		{0, "1 2 3 4", "5", "300 431 486 789"},
		{1, "1 2 3", "4 5", "300 431 486 789"},
		{2, "2 3", "1 4 5", ""},
		{3, "3", "1 2 4 5", ""},
		{4, "4", "1 2 3 5", ""},
	} {
		token := s.token(fmt.Sprint("of ", c.token), access.Read|access.Manage, c.token)
		head := []string{"X-Api-Token", token, "Accept", mediaType, "Content-Type", mediaType}
		for i, list := range []string{c.reached, c.unknown} {
			for _, reseller := range strings.Fields(list) {
				path := "/api/v3/resellers/" + reseller + "/accounts"
				read, made := s.do("GET", path, "", head...), s.do("POST", path, `{"data":{"attributes":{}}}`, head...)
				if want := [][2]int{{200, 422}, {404, 404}}[i]; read.status != want[0] || made.status != want[1] {
					t.Errorf("reseller %s, with a token of %d: read %d, created %d, want %v", reseller, c.token, read.status, made.status, want)
				}
			}
		}
		if got := s.do("GET", "/api/vendor/v1/accounts.json?api_token="+token, "").ids(t); got != c.accounts {
			t.Errorf("with a token of %d, version 1 lists %s, want %s", c.token, got, c.accounts)
		}
	}
}

// rows 119, 122, 133: whose people may be named. One out of reach is as one that
// is not there, named by an account or not.
func TestV3AResellerNamesItsOwnPeople(t *testing.T) {
	s := beforeClotilde(t)
	s.apply("2020-01-01T00:00:00Z", `
resellers: [{id: 5, name: Elsewhere, currency: EUR}]
managers: [{id: 6, reseller: 2, name: Below, email: b@x, role: sales}, {id: 7, reseller: 5, name: Theirs, email: t@x, role: sales}]
account_types: [{id: 6, key: all, name_pattern: x, attributes: [{key: signer_name}]}]
account_classes: [{key: all, payment_model: postpay, subscription_credit_limit: 1}]
users: [{id: 101, email: free@example.com}, {id: 102, email: ours@example.com, reseller: 1}, {id: 103, email: below@example.com, reseller: 2},
  {id: 104, email: theirs@example.com, reseller: 5}]`)
	for _, reseller := range []int64{1, 2, 5} {
		s.manage = s.token(fmt.Sprint("of ", reseller), access.Read|access.Manage, reseller)
		for owner, may := range map[int][]int64{23: {1}, 101: nil, 102: {1}, 103: {1, 2}, 104: {5}, 105: nil} {
			got := s.create(int(reseller), attributes(t, fmt.Sprintf(`"owner_id":%d`, owner), `"account_type_id":6`, `"account_class_key":"all"`, `"manager_id":null`,
				`"new_owner_first_name":null`, `"new_owner_middle_name":null`, `"new_owner_last_name":null`, `"new_owner_email":null`))
			status, faults := 422, fmt.Sprintf("/data/attributes/owner_id: %d: there is no user with this id", owner)
			if slices.Contains(may, reseller) {
				status, faults = 201, ""
			}
			if told := got.faults(t); got.status != status || told != faults {
				t.Errorf("owner %d with a token of %d: got %d %q, want %d %q", owner, reseller, got.status, told, status, faults)
			}
		}
		for manager, may := range map[int][]int64{188: {1}, 6: {1, 2}, 7: {5}, 8: nil} {
			got := s.create(int(reseller), attributes(t, fmt.Sprintf(`"manager_id":%d`, manager), `"account_type_id":6`, `"account_class_key":"all"`))
			status, faults := 422, "/data/attributes/manager_id: Manager to attach must be a 'sales person' and be in 'active' status"
			if slices.Contains(may, reseller) {
				status, faults = 201, ""
			}
			if told := got.faults(t); got.status != status || told != faults {
				t.Errorf("manager %d with a token of %d: got %d %q, want %d %q", manager, reseller, got.status, told, status, faults)
			}
		}
	}
	owners := s.query(`select reseller || ' ' || count(*) from users where email = 'AlbaStehr@example.com' group by reseller order by reseller`)
	if got := strings.Join(owners, ", "); got != "1 2, 2 1, 5 1" {
		t.Errorf("new owners by reseller: got %s, want those of the accounts' resellers: 1 2, 2 1, 5 1", got)
	}
}

// B.8: list v3.
func TestV3ListsAreFilteredAndPaged(t *testing.T) {
	s := documents(t)
	for _, c := range []struct{ query, want string }{
		{"", "300 431 486 789"},
		{"?page[size]=3", "300 431 486"},
		{"?page[size]=3&page[number]=2", "789"},
		{"?page[size]=3&page[number]=3", ""},
		{"?filter[email]=test@example.com", "431 486"},
		{"?filter[email]=example@gmail.com,clotildeledner@example.com,x@y", "300 789"},
		{"?filter[user_email]=albastehr@example.com", "789"},
		{"?filter[user_email]=test@example.com&filter[email]=test@example.com", "431 486"},
		{"?filter[user_email]=test@example.com&filter[email]=example@gmail.com", ""},
		{"?filter[created_at][gt]=2019-12-04", "486 789"},
		{"?filter[created_at][gt]=2019-12-05", "789"},
		{"?filter[created_at][gt]=2019-12-04T13:55:12&filter[created_at][lt]=2019-12-04T13:55:13", "486"},
		{"?filter[created_at][gt]=2019-12-04T10:55:12Z&filter[created_at][lt]=2019-12-04T10:55:13Z", "486"},
		{"?filter[created_at][gt]=2019-12-04T13:55:12Z", "789"},
		{"?filter[created_at][gt]=2019-12-04T13:55:12.585%2B03:00", "789"}, // strictly
		{"?filter[created_at][lt]=2019-12-04T13:55:12.585%2B03:00", "300 431"},
		{"?filter[updated_at][lt]=2019-05-12", "300"},
		{"?filter[updated_at][lt]=2019-05-13", "300 431"},
		{"?filter[updated_at][gt]=2019-05-12&filter[updated_at][lt]=2019-05-11", ""},
		{"?include=subscriptions&page[size]=1", "300"},
	} {
		if got := s.v3("1/accounts" + c.query).ids(t); got != c.want {
			t.Errorf("%s: got %s, want %s", c.query, got, c.want)
		}
	}
	if got := s.v3("2/accounts").ids(t); got != "" {
		t.Errorf("reseller 2 has %s, want none", got)
	}
	const path = "/api/v3/resellers/1/accounts"
	page := func(n int) string {
		return fmt.Sprintf("%s?include=subscriptions&page%%5Bnumber%%5D=%d&page%%5Bsize%%5D=1", path, n)
	}
	got := decoded(t, s.v3("1/accounts?page[size]=1&page[number]=2&include=subscriptions").body).(map[string]any)
	want := map[string]any{"self": page(2), "first": page(1), "prev": page(1), "next": page(3), "last": page(4)}
	if diff := cmp.Diff(got["links"], any(want)); diff != "" || fmt.Sprint(got["meta"], got["included"]) != "map[pages:4 total:4] []" {
		t.Errorf("got %v and %v, links (-got +want):\n%s", got["meta"], got["included"], diff)
	}
	if next := s.do("GET", page(3), "", "X-Api-Token", s.read, "Accept", mediaType); next.ids(t) != "486" {
		t.Errorf("the next page has %s", next.body)
	}
}

// row 111: what is required of headers is asked for after the token, and before all
// else.
func TestV3AsksForJSONAPI(t *testing.T) {
	s := documents(t)
	for _, c := range []struct {
		method, accept, kind string
		status               int
		faults               string
	}{
		{"GET", "", "", 406, "Accept: answers are application/vnd.api+json, without parameters: name it"},
		{"GET", "application/json", "", 406, "Accept: answers are application/vnd.api+json, without parameters: name it"},
		{"POST", mediaType, "", 415, "Content-Type: bodies are application/vnd.api+json, without parameters"},
		{"POST", mediaType, "application/json", 415, "Content-Type: bodies are application/vnd.api+json, without parameters"},
		{"POST", "application/json", mediaType, 406, "Accept: answers are application/vnd.api+json, without parameters: name it"},
	} {
		head := []string{"X-Api-Token", s.read}
		if c.method == "POST" {
			head[1] = s.manage
		}
		if c.accept != "" {
			head = append(head, "Accept", c.accept)
		}
		if c.kind != "" {
			head = append(head, "Content-Type", c.kind)
		}
		got := s.do(c.method, "/api/v3/resellers/77/accounts", "{", head...)
		if faults := got.faults(t); got.status != c.status || faults != c.faults {
			t.Errorf("%+v: got %d %s", c, got.status, faults)
		}
	}
}

// attributes is the documents' creation with some attributes changed: each is
// "name": value; null takes it away.
func attributes(t *testing.T, changes ...string) string {
	t.Helper()
	body := decoded(t, string(example("v3-creation"))).(map[string]any)
	all := body["data"].(map[string]any)["attributes"].(map[string]any)
	for name, value := range decoded(t, "{"+strings.Join(changes, ",")+"}").(map[string]any) {
		all[name] = value
	}
	return encoded(t, body)
}

// rows 115–135: what a new account needs, each fault in its place with its text.
func TestV3WhatANewAccountNeeds(t *testing.T) {
	s := beforeClotilde(t)
	s.apply("2020-01-01T00:00:00Z", `
managers: [{id: 5, reseller: 1, name: Clerk, email: c@x, role: accountant}, {id: 6, reseller: 1, name: Left, email: l@x, role: sales, status: dismissed}]
account_types: [{id: 9, key: strict, name_pattern: x, attributes: [{key: must, required: true}, {key: check, kind: checkbox},
  {key: day, kind: date}, {key: pick, kind: list, elements: [{key: post}]}]}]`)
	const (
		at       = "/data/attributes/"
		missing  = ": missing: give it a value"
		noSeller = at + "manager_id: Manager to attach must be a 'sales person' and be in 'active' status"
	)
	for _, c := range []struct {
		what     string
		reseller int
		body     string
		faults   string // empty: it is created
	}{
		{"rows 115, 117, 120, 123, 124, 125: nothing", 1, `{"data":{"attributes":{}}}`, strings.Join([]string{
			at + "account_type_id" + missing, at + "first_name" + missing, at + "last_name" + missing, at + "email" + missing, at + "country" + missing,
			at + "region" + missing, at + "city" + missing, at + "street" + missing, at + "zip" + missing, at + "phone" + missing,
			at + "new_owner_first_name" + missing, at + "new_owner_last_name" + missing, at + "new_owner_email" + missing, at + "account_class_key" + missing}, "\n")},
		{"rows 117, 120, 125: blanks only", 1, attributes(t, `"first_name":" "`, `"city":"\t"`, `"new_owner_last_name":"\u00a0"`, `"middle_name":" "`),
			at + "first_name" + missing + "\n" + at + "city" + missing + "\n" + at + "new_owner_last_name" + missing},
		{"rows 116, 118, 121, 125: without what is optional", 1, attributes(t, `"primary_name":null`, `"middle_name":null`, `"new_owner_middle_name":null`,
			`"building":null`, `"office":null`, `"manager_id":null`, `"custom_attributes":null`), ""},
		{"row 116: a company", 1, attributes(t, `"primary_name":"ACME"`), ""},
		{"row 119: an owner that exists", 1, attributes(t, `"owner_id":23`, `"new_owner_first_name":null`, `"new_owner_middle_name":null`, `"new_owner_last_name":null`, `"new_owner_email":null`), ""},
		{"row 119: one that does not", 1, attributes(t, `"owner_id":24`, `"new_owner_first_name":null`, `"new_owner_middle_name":null`, `"new_owner_last_name":null`, `"new_owner_email":null`),
			at + "owner_id: 24: there is no user with this id"},
		{"row 120: both", 1, attributes(t, `"owner_id":23`), at + "owner_id: 23: a new owner is given as well, give one of the two"},
		{"row 120: a part of a new owner", 1, attributes(t, `"new_owner_email":null`), at + "new_owner_email" + missing},
		{"rows 122, 133: a clerk", 1, attributes(t, `"manager_id":5`), noSeller},
		{"rows 122, 133: who has left", 1, attributes(t, `"manager_id":6`), noSeller},
		{"rows 122, 133: nobody", 1, attributes(t, `"manager_id":7`), noSeller},
		{"row 123: no such class", 1, attributes(t, `"account_class_key":"gold"`), at + `account_class_key: "gold": there is no account class with this key`},
		{"row 124: no alpha-2", 1, attributes(t, `"country":"BLR"`), at + `country: "BLR": not a country code of ISO 3166-1 alpha-2 like BY`},
		{"rows 124, 134: a country that the reseller leaves out", 2, attributes(t, `"country":"GR"`), at + "country: Available options: BY, RU"},
		{"rows 124, 134: one that it has", 2, attributes(t), ""},
		{"row 126: 00", 1, attributes(t, `"phone":"00375290000000"`), ""},
		{"row 126: neither", 1, attributes(t, `"phone":"290000000"`), at + `phone: "290000000": not a phone number: write + or 00, the country's code and digits, like +375290000000`},
		{"rows 127, 128: by kind", 1, attributes(t, `"account_type_id":9`, `"custom_attributes":{"data":[{"key":"day","value":"2026-01-31"},{"key":"check","value":"yes"},{"key":"pick","value":"courier"},{"key":"more","value":"x"}]}`),
			at + `custom_attributes/data/1/value: "yes": give 1 for true or 0 for false` + "\n" +
				at + `custom_attributes/data/0/value: "2026-01-31": not a date like 31.01.2026` + "\n" +
				at + `custom_attributes/data/3/value: "more": account type "strict" has no attribute of this key` + "\n" +
				at + `custom_attributes/data/2/value: "courier": not the key of an element: give one of post` + "\n" +
				at + `custom_attributes/data: "must" is missing: account type "strict" requires it`},
		{"rows 127, 128: legal", 1, attributes(t, `"account_type_id":9`, `"custom_attributes":{"data":[{"key":"day","value":"31.01.2026"},{"key":"check","value":"0"},{"key":"pick","value":"post"},{"key":"must","value":"x"}]}`), ""},
		{"rows 133–135: several at once", 2, attributes(t, `"manager_id":7`, `"country":"GR"`, `"email":"x"`, `"zip":""`),
			at + `email: "x": not an e-mail address like jane@example.com` + "\n" + at + "country: Available options: BY, RU\n" + at + "zip" + missing + "\n" + noSeller},
		{"a NUL", 1, attributes(t, `"city":"a\u0000b"`), at + "city: it must be UTF-8 without NUL"},
		{"SQL is a name like others", 1, attributes(t, `"first_name":"'; drop table accounts; --"`), ""},
	} {
		got := s.create(c.reseller, c.body)
		want := 201
		if c.faults != "" {
			want = 422
		}
		if faults := got.faults(t); got.status != want || faults != c.faults || got.head.Get("Content-Type") != mediaType {
			t.Errorf("%s: got %d %s, want %d %s", c.what, got.status, faults, want, c.faults)
		}
	}
}

// row 133: the whole of an error.
func TestV3AnErrorAsJSONAPIHasIt(t *testing.T) {
	s := beforeClotilde(t)
	wantJSON(t, s.create(1, attributes(t, `"manager_id":7`)), 422, `{"errors":[{"status":"422","title":"Unprocessable Entity",
		"detail":"Manager to attach must be a 'sales person' and be in 'active' status","source":{"pointer":"/data/attributes/manager_id"}}]}`)
	wantJSON(t, s.v3("1/accounts?sort=id"), 400, `{"errors":[{"status":"400","title":"Bad Request","detail":"there is no such parameter here","source":{"parameter":"sort"}}]}`)
	wantJSON(t, s.v3("7/accounts"), 404, `{"errors":[{"status":"404","title":"Not Found","detail":"reseller 7: no such reseller"}]}`)
}

// Bodies that are too long, broken or of another shape do no harm.
func TestV3HostileBodies(t *testing.T) {
	s := beforeClotilde(t)
	for _, c := range []struct {
		what, body string
		status     int
	}{
		{"nothing", "", 400},
		{"half of it", string(example("v3-creation"))[:200], 400},
		{"too long", `{"data":"` + strings.Repeat("x", 1<<20) + `"}`, 413},
		{"too deep", strings.Repeat("[", 100_000), 400},
		{"another type", `{"data":{"type":"users","attributes":{}}}`, 409},
		{"an id of its own", `{"data":{"type":"accounts","id":"1","attributes":{}}}`, 403},
		{"a key twice", strings.Replace(string(example("v3-creation")), `"city": "Minsk"`, `"city": "Minsk", "city": "Brest"`, 1), 400},
		{"names for numbers", attributes(t, `"account_type_id":"1"`, `"manager_id":{}`), 422},
		{"far too many attributes", `{"data":{"attributes":{` + strings.Repeat(`"x":1,`, 100_000) + `"x":1}}}`, 400},
	} {
		if got := s.create(1, c.body); got.status != c.status || len(got.body) > 5000 || got.faults(t) == "" {
			t.Errorf("%s: got %d %.200s, want %d", c.what, got.status, got.body, c.status)
		}
	}
	if got := s.v3("1/accounts").ids(t); got != "300 431 486" {
		t.Errorf("afterwards there are %s", got)
	}
	if s.log.Len() > 0 {
		t.Errorf("the log has faults of the server: %s", s.log.String())
	}
}

// TestV3AKeyMakesOneAccount: the documents know of none, and who sends one is
// answered the same again.
func TestV3AKeyMakesOneAccount(t *testing.T) {
	s := beforeClotilde(t)
	create := func(body, key string) answered {
		return s.do("POST", "/api/v3/resellers/1/accounts", body,
			"X-Api-Token", s.manage, "Accept", mediaType, "Content-Type", mediaType, once.Header, key)
	}
	body := string(example("v3-creation"))
	if got := create(attributes(t, `"manager_id": 999`), "k"); got.status != 422 {
		t.Errorf("refused: got %d %s", got.status, got.body)
	}
	first := create(body, "k") // what was refused left it
	if first.status != 201 || first.head.Get(once.Replayed) != "" {
		t.Fatalf("got %d %v %s", first.status, first.head, first.body)
	}
	again := create(body, "k")
	if again.status != 201 || again.body != first.body || again.head.Get("Location") != first.head.Get("Location") ||
		again.head.Get(once.Replayed) != "true" || again.head.Get("Content-Type") != mediaType {
		t.Errorf("again: got %d %v %s", again.status, again.head, again.body)
	}
	if got := s.query(`select count(*)::text from accounts where vendor_id >= 789`)[0]; got != "1" {
		t.Errorf("got %s accounts, want 1", got)
	}
	other := create(attributes(t, `"name": "Other"`), "k")
	if other.status != 422 || other.faults(t) != `Idempotency-Key: key "k": the key was used for another request: take a new one` {
		t.Errorf("another request: got %d %s", other.status, other.body)
	}
	if got := create(body, strings.Repeat("k", 257)); got.status != 400 || !strings.Contains(got.body, "257 bytes") {
		t.Errorf("too long: got %d %s", got.status, got.body)
	}
}

// A client that stops sending is told so, with a key as without: its key is not
// asked for, and the database is not to blame.
func TestABodyThatEndsTooEarlyIsTheClients(t *testing.T) {
	s := documents(t)
	for _, key := range []string{"", "k"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v3/resellers/1/accounts",
			io.MultiReader(strings.NewReader(`{"data":`), iotest.ErrReader(io.ErrUnexpectedEOF)))
		r.Header = http.Header{"X-Api-Token": {s.manage}, "Accept": {mediaType}, "Content-Type": {mediaType}, "Idempotency-Key": {key}}
		w := httptest.NewRecorder()
		s.mux.ServeHTTP(w, r)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "the body ended before it was whole") || s.log.Len() > 0 {
			t.Errorf("with key %q: got %d %s, and the log %s", key, w.Code, w.Body, s.log.String())
		}
	}
}
