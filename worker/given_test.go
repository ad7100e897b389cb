package worker

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// noon is the now of tests: a Saturday, past the ides of March.
var noon = time.Date(2026, time.March, 21, 12, 0, 0, 0, time.UTC)

// fixed is a clock that stands still.
func fixed(t time.Time) Clock { return func() time.Time { return t } }

// eager are settings as they come: nothing is too late.
var eager = Settings{FutureTolerance: 5 * time.Minute}

// town is a price book of every kind that matters to the flow, and two classes;
// accounts follow it, one a line, as the set-up file has them.
const town = `
families: [{code: FUEL, name: Fuel}]
types:
  - {code: PETROL, name: Petrol, family: FUEL, unit: {code: L, name: Litre}}
  - {code: GAS, name: Gas, family: FUEL, unit: {code: kg, name: Kilogram}}
  - {code: MESSAGE, name: Message, unit: {code: m, name: Message}}
services:
  - {code: unleaded, description: Unleaded 95, type: PETROL}
  - {code: diesel, description: Diesel, type: PETROL}
  - {code: lpg, description: Liquid gas, type: GAS}
  - {code: sms, description: Text message, type: MESSAGE}
  - {code: mms, description: Picture message, type: MESSAGE}
prices:
  - {id: u, service: unleaded, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "2"}
  - {id: d, service: diesel, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "1.335"}
  - {id: s, service: sms, currency: EUR, valid_from: 2020-01-01T00:00:00Z, accumulate: month,
     graduated: [{up_to: "10", unit_price: "0"}, {unit_price: "0.035"}]}
  - {id: m, service: mms, currency: EUR, valid_from: 2020-01-01T00:00:00Z, accumulate: day,
     volume: [{up_to: "10", unit_price: "1"}, {unit_price: "0.5"}]}
account_classes:
  - {key: pre, name: Prepaid, payment_model: prepay, financial_blocking_threshold: "100", subzero_period: 3,
     subscription_credit_limit: "0", buy_with_negative_balance: false, default: true}
  - {key: post, name: Postpaid, payment_model: postpay, financial_blocking_threshold: "100", subzero_period: 3,
     subscription_credit_limit: "50", buy_with_negative_balance: false}
customers:
  - ref: jane
    accounts:
`

// plain is a prepaid account in UTC that may use everything.
func plain(number, opening string, more ...string) string {
	return fmt.Sprintf("{number: %s, class: pre, currency: EUR, time_zone: UTC, opening_balance: %q, "+
		"services: [unleaded, diesel, lpg, sms, mms]%s}", number, opening, strings.Join(append([]string{""}, more...), ", "))
}

// house is a database with a set-up in it.
type house struct {
	t       testing.TB
	url     string
	store   *postgres.Store
	partMax int // records that a correction holds at a time; 0: those of a month
}

// newHouse sets up town with accounts, as of the day before noon.
func newHouse(t testing.TB, accounts ...string) *house {
	t.Helper()
	h := &house{t: t, url: pgtest.New(t)}
	h.store = open(t, h.url)
	h.apply(noon.Add(-24*time.Hour), town+"      - "+strings.Join(accounts, "\n      - "))
	return h
}

func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	store, err := postgres.Open(t.Context(), url, postgres.Options{Connections: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

func (h *house) apply(at time.Time, file string) {
	h.t.Helper()
	f, err := setup.Parse("setup.yaml", []byte(file))
	if err != nil {
		h.t.Fatal(err)
	}
	o := postgres.ApplyOptions{At: at, Actor: "test", TimeZone: time.UTC}
	if _, err := h.store.Apply(h.t.Context(), f, o); err != nil {
		h.t.Fatal(err)
	}
}

// flow is what a shard's owner has: a cache of that many accounts, and a clock
// that stands at noon.
func (h *house) flow(s Settings, cached int) *flow {
	return &flow{store: h.store, clock: fixed(noon), settings: s, cache: cache{most: cached}}
}

// use is a usage record as a feed sends it: id, account, service, quantity, time
// of use, and whatever else it has as members of JSON.
func use(id, account, service, quantity, at string, more ...string) string {
	r := fmt.Sprintf(`{"source":"feed","id":%q,"account":%q,"service":%q,"quantity":%q,"occurred_at":%q`, id, account, service, quantity, at)
	return r + strings.Join(append([]string{""}, more...), ",") + "}"
}

// credit is a credit of a record.
func credit(id, original, account, service, quantity, at string, more ...string) string {
	return use(id, account, service, quantity, at, append(more, `"directive":"credit"`, fmt.Sprintf(`"original_id":%q`, original))...)
}

func array(records []string) []byte { return []byte("[" + strings.Join(records, ",") + "]") }

// accept takes records over as a batch, at noon, and answers it as a worker has
// it in hand.
func (h *house) accept(records ...string) batch {
	h.t.Helper()
	return h.acceptAt(noon, records...)
}

func (h *house) acceptAt(at time.Time, records ...string) batch {
	h.t.Helper()
	b := read(h.t, uuid.Must(uuid.NewV7()), records...)
	b.AcceptedAt = at
	if err := h.store.Accept(h.t.Context(), postgres.StoredBatch{ID: b.ID, Source: "test", Count: len(b.Records),
		AcceptedAt: at, Records: array(records)}); err != nil {
		h.t.Fatal(err)
	}
	return b
}

// read decodes records as a batch.
func read(t testing.TB, id uuid.UUID, records ...string) batch {
	t.Helper()
	b, err := decode(new(billing.Decoder), id, array(records), noon)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// commit judges batches in one transaction.
func (h *house) commit(f *flow, batches ...batch) postgres.Outcomes {
	h.t.Helper()
	out, err := f.commit(h.t.Context(), batches)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// pay posts a payment at noon.
func (h *house) pay(account, amount, key string) {
	h.t.Helper()
	m, err := billing.ParseMoney(amount)
	if err != nil {
		h.t.Fatal(err)
	}
	p := postgres.Posting{Account: account, Kind: billing.PaymentPosting, Amount: m, Key: key, At: noon, Actor: "test"}
	if _, err := h.store.Post(h.t.Context(), p); err != nil {
		h.t.Fatal(err)
	}
}

// hold sets the administrative hold at a time.
func (h *house) hold(account string, at time.Time) {
	h.t.Helper()
	r := postgres.StatusRequest{Account: account, Action: postgres.HoldAccount, Note: "n", At: at, Actor: "test"}
	if _, err := h.store.SetStatus(h.t.Context(), r); err != nil {
		h.t.Fatal(err)
	}
}

// view is an account as people see it, at noon.
func (h *house) view(number string) *postgres.AccountView {
	h.t.Helper()
	a, err := h.store.Account(h.t.Context(), number, noon)
	if err != nil {
		h.t.Fatal(err)
	}
	return a
}

// judged is what became of a record, in a word: its charge, or why it was
// rejected.
func (h *house) judged(account, id string) string {
	h.t.Helper()
	found, err := h.store.Record(h.t.Context(), postgres.RecordKey{Source: "feed", ID: id, Account: account})
	if err != nil {
		h.t.Fatal(err)
	}
	if len(found) == 0 {
		return "absent"
	}
	if r := found[0]; r.Reason != nil {
		return r.Reason.String()
	}
	return found[0].Charge.String()
}

// connect is a connection of the test's own.
func (h *house) connect() *pgx.Conn {
	h.t.Helper()
	conn, err := pgx.Connect(h.t.Context(), h.url)
	if err != nil {
		h.t.Fatal(err)
	}
	return conn
}

func (h *house) close(conn *pgx.Conn) {
	if err := conn.Close(context.WithoutCancel(h.t.Context())); err != nil {
		h.t.Error(err)
	}
}

// query answers rows as text, one a line.
func (h *house) query(sql string) string {
	h.t.Helper()
	conn := h.connect()
	defer h.close(conn)
	rows, err := conn.Query(h.t.Context(), sql)
	if err != nil {
		h.t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		h.t.Fatalf("%s: %v", sql, err)
	}
	return strings.Join(lines, "\n")
}

// exec changes the database behind everybody's back.
func (h *house) exec(sql string) {
	h.t.Helper()
	conn := h.connect()
	defer h.close(conn)
	if _, err := conn.Exec(h.t.Context(), sql); err != nil {
		h.t.Fatalf("%s: %v", sql, err)
	}
}

// locks counts those who wait for a lock.
func (h *house) locks() string {
	h.t.Helper()
	return h.query(`select count(*)::text from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`)
}

// lockAccounts lets nobody read accounts that are not cached, until released.
func (h *house) lockAccounts() (release func()) {
	h.t.Helper()
	conn := h.connect()
	for _, sql := range []string{`begin`, `lock table accounts in access exclusive mode`} {
		if _, err := conn.Exec(h.t.Context(), sql); err != nil {
			h.t.Fatal(err)
		}
	}
	return func() { h.close(conn) }
}

// whole are the tables that batches write, but for what a test cannot know
// beforehand: ids of batches, and versions, which count transactions.
var whole = []struct{ name, query string }{
	{"records", `select to_jsonb(r) - '{batch,arrival}'::text[] ||
		jsonb_build_object('place', case when a.number is not null then row_number() over (partition by account order by arrival) end)
		from records r left join accounts a on a.number = r.account order by account, source, r.id`},
	{"accounts", `select to_jsonb(s) - '{version,counters,last_seq}'::text[] from account_states s order by account`},
	{"counters", `select to_jsonb(c) from counters c where quantity <> 0 or amount <> 0
		order by account, scope, "window", starts, target`},
	{"history", `select to_jsonb(h) - '{seq}'::text[] from status_history h order by account, seq`},
	{"batches", `select to_jsonb(b) - '{id,checksum}'::text[] from batches b order by id`},
	{"dead letters", `select to_jsonb(d) - '{id,batch}'::text[] from dead_letters d order by batch, line, kind`},
	{"prices", `select id || ' ' || rated from prices order by id`},
}

// tables is all that was written, as text.
func (h *house) tables() map[string]string {
	h.t.Helper()
	all := map[string]string{}
	for _, t := range whole {
		all[t.name] = h.query("select v::text from (" + t.query + ") as t (v)")
	}
	return all
}

// recount holds every counter against the sum of its records (SPEC R9.2), by
// UTC's days and months.
func (h *house) recount() (differences string) {
	h.t.Helper()
	return h.query(`
	with counted as (
	       select r.account, p.service, p.type, p.family, coalesce(o.occurred_at, r.occurred_at) at time zone 'UTC' as at,
	              case when r.directive = 1 then -r.quantity else r.quantity end as quantity, r.charge as amount
	       from   records r
	       join   placements p on p.id = r.placement
	       left join records o on r.directive = 1 and o.account = r.account and o.source = r.source and o.id = r.original_id
	       where  r.outcome = 1),
	scoped as (
	       select account, 0 as scope, service as target, at, quantity, amount from counted
	       union all select account, 1, type, at, quantity, amount from counted
	       union all select account, 2, family, at, quantity, amount from counted where family <> ''
	       union all select account, 3, null, at, quantity, amount from counted),
	expected as (
	       select account, scope, 1 as "window", at::date as starts, target, sum(quantity) as q, sum(amount) as a
	       from scoped group by 1, 2, 3, 4, 5
	       union all
	       select account, scope, 2, date_trunc('month', at)::date, target, sum(quantity), sum(amount)
	       from scoped group by 1, 2, 3, 4, 5)
	select coalesce(to_jsonb(e)::text, 'nothing') || ' is ' || coalesce(to_jsonb(c)::text, 'nothing')
	from   expected e
	full join counters c
	on     c.account = e.account and c.scope = e.scope and c."window" = e."window" and c.starts = e.starts
	and    c.target is not distinct from e.target
	where  coalesce(e.q, 0) <> coalesce(c.quantity, 0) or coalesce(e.a, 0) <> coalesce(c.amount, 0)`)
}

// day is a time of day in March 2026, as RFC 3339.
func day(n int, clock string) string { return fmt.Sprintf("2026-03-%02dT%sZ", n, clock) }

// tester logs to the test.
type tester struct{ t testing.TB }

// Write logs a line.
func (w tester) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func logTo(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(tester{t}, &slog.HandlerOptions{Level: slog.LevelInfo}))
}

// eventually waits until ok, for at most half a minute.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(30 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited 30 s in vain until %s", what)
		}
	}
}

// money reads an amount that the test wrote.
func money(text string) billing.Money {
	m, err := billing.ParseMoney(text)
	if err != nil {
		panic(err) // a literal of the test
	}
	return m
}
