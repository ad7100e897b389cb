package vendor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	queue.LogConnections(slog.New(slog.DiscardHandler)) // no test has a queue
	code := pgtest.Main(m, func(ctx context.Context, url string) error {
		_, err := postgres.Migrate(ctx, url)
		return err
	})
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// site is the endpoints over a database of the test's own.
type site struct {
	t     *testing.T
	url   string
	store *postgres.Store
	mux   *http.ServeMux
	log   bytes.Buffer
	now   time.Time
	zone  *time.Location

	read, manage string // tokens of the whole installation
}

// openSite serves what a set-up file says, on a platform in Minsk.
func openSite(t *testing.T, file string) *site {
	t.Helper()
	s := &site{t: t, url: pgtest.New(t), mux: http.NewServeMux(), now: at(t, "2021-02-11T10:18:19.148+03:00"), zone: zone(t, "Europe/Minsk")}
	store, err := postgres.Open(t.Context(), s.url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	s.store = store
	s.apply("2017-01-01T00:00:00Z", file)
	clock := func() time.Time { return s.now }
	for _, r := range Routes(Options{Store: store, Gate: access.NewGate(store, access.Options{Clock: clock}), Clock: clock,
		Log: slog.New(slog.NewTextHandler(&s.log, nil)), TimeZone: s.zone}) {
		s.mux.Handle(r.Method+" "+r.Pattern, r.Handler)
	}
	s.read, s.manage = s.token("reader", access.Read, 0), s.token("shop", access.Manage, 0)
	return s
}

// documents is a site with what the documents show: accounts 431, 486, 300, 789
// with their statuses and times. That of 431, in credit and yet in credit hold, is
// one that no rule leads to (see section B.4 of what was read out of them).
func documents(t *testing.T) *site {
	t.Helper()
	s := openSite(t, documentsFile(t))
	for _, number := range []string{"ACR0000000486", "ACR0000000300"} {
		if _, err := s.store.SetStatus(t.Context(), postgres.StatusRequest{Account: number, Action: postgres.DeleteAccount, Note: "left", At: s.now, Actor: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	s.exec(`update account_states set status = 2, status_reason = 1, inactive_since = now(), current_debt = 24 where account = 'ACR0000000431'`)
	for _, of := range []struct{ table, id, created, updated string }{
		{"accounts", "vendor_id = 431", "2019-01-15T14:58:22.830+03:00", "2019-05-12T01:22:52.853+03:00"},
		{"accounts", "vendor_id = 486", "2019-12-04T13:55:12.585+03:00", "2019-08-19T15:09:25.104+03:00"},
		{"accounts", "vendor_id = 300", "2018-08-18T14:51:48.394+03:00", "2019-02-01T16:51:38.008+03:00"},
		{"accounts", "vendor_id = 789", "2021-02-11T10:18:19.148+03:00", "2021-02-11T10:18:19.180+03:00"},
		{"managers", "id = 188", "2017-10-12T15:27:56.354+03:00", "2020-08-07T05:32:53.522+03:00"},
		{"users", "id = 987", "2021-02-11T10:18:19.128+03:00", "2021-02-11T10:18:19.128+03:00"},
		{"account_types", "id = 1", "2016-08-25T09:26:12.658+03:00", "2019-10-02T03:30:11.716+03:00"},
		{"classes", "id = 2121", "2019-12-20T08:52:04.909+03:00", "2019-12-20T08:59:36.544+03:00"},
	} {
		s.exec(fmt.Sprintf(`update %s set created_at = '%s', updated_at = '%s' where %s`, of.table, of.created, of.updated, of.id))
	}
	return s
}

func documentsFile(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../setup/testdata/vendor.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// apply makes a file true, as of one instant.
func (s *site) apply(when, file string) {
	s.t.Helper()
	f, err := setup.Parse("setup.yaml", []byte(file))
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.store.Apply(s.t.Context(), f, postgres.ApplyOptions{At: at(s.t, when), Actor: "test", TimeZone: s.zone}); err != nil {
		s.t.Fatal(err)
	}
}

// exec runs a statement: for what nobody can do through the store.
func (s *site) exec(statement string) { s.query(statement) }

// query runs a statement whose rows are texts, if it has any.
func (s *site) query(statement string) (texts []string) {
	s.t.Helper()
	c, err := pgx.Connect(s.t.Context(), s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = c.Close(s.t.Context()) }()
	rows, err := c.Query(s.t.Context(), statement)
	if err != nil {
		s.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			s.t.Fatal(err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		s.t.Fatal(err)
	}
	return texts
}

// token makes a token.
func (s *site) token(name string, scopes access.Scope, reseller int64) string {
	s.t.Helper()
	made, err := access.Make()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.store.CreateToken(s.t.Context(), &postgres.Token{ID: made.ID, Name: name, Hash: made.Hash, Scopes: int16(scopes),
		Reseller: reseller, CreatedAt: s.now, CreatedBy: "test"}); err != nil {
		s.t.Fatal(err)
	}
	return made.Text
}

// answered is what came back.
type answered struct {
	status int
	head   http.Header
	body   string
}

// do serves a request; head is name, value, ….
func (s *site) do(method, target, body string, head ...string) answered {
	s.t.Helper()
	r := httptest.NewRequestWithContext(s.t.Context(), method, target, strings.NewReader(body))
	for i := 0; i < len(head); i += 2 {
		r.Header.Add(head[i], head[i+1])
	}
	w := httptest.NewRecorder()
	s.mux.ServeHTTP(w, r)
	return answered{w.Code, w.Header(), w.Body.String()}
}

// v1 reads with the token where version 1 has it.
func (s *site) v1(target string) answered {
	s.t.Helper()
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	return s.do("GET", "/api/vendor/v1/accounts"+target+separator+"api_token="+s.read, "")
}

// v3 reads as version 3 asks for it.
func (s *site) v3(target string) answered {
	s.t.Helper()
	return s.do("GET", "/api/v3/resellers/"+target, "", "X-Api-Token", s.read, "Accept", mediaType)
}

// create creates as version 3 asks for it.
func (s *site) create(reseller int, body string) answered {
	s.t.Helper()
	return s.do("POST", fmt.Sprintf("/api/v3/resellers/%d/accounts", reseller), body,
		"X-Api-Token", s.manage, "Accept", mediaType, "Content-Type", mediaType)
}

// decoded is a JSON text with its numbers as they are written.
func decoded(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// wantJSON compares field by field, 100.0 being another text than 100.
func wantJSON(t *testing.T, got answered, status int, want string) {
	t.Helper()
	if got.status != status {
		t.Errorf("got %d, want %d: %s", got.status, status, got.body)
		return
	}
	if diff := cmp.Diff(decoded(t, got.body), decoded(t, want)); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// ids are those of the accounts in an answer of either version.
func (a answered) ids(t *testing.T) string {
	t.Helper()
	if a.status != http.StatusOK {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	v := decoded(t, a.body)
	if document, is := v.(map[string]any); is {
		v = document["data"]
	}
	var all []string
	for _, one := range v.([]any) {
		all = append(all, fmt.Sprint(one.(map[string]any)["id"]))
	}
	return strings.Join(all, " ")
}

// faults are those of a refusal of version 1: parameter and message, a line each.
func (a answered) faults(t *testing.T) string {
	t.Helper()
	var told struct {
		Errors []struct {
			Parameter, Message, Detail, Status, Title string
			Source                                    struct{ Parameter, Pointer, Header string }
		}
	}
	if err := json.Unmarshal([]byte(a.body), &told); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	var all []string
	for _, f := range told.Errors {
		all = append(all, f.Parameter+f.Source.Parameter+f.Source.Pointer+f.Source.Header+": "+f.Message+f.Detail)
	}
	return strings.Join(all, "\n")
}

func at(t *testing.T, text string) time.Time {
	t.Helper()
	when, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := billing.LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// encoded is a value as JSON.
func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
