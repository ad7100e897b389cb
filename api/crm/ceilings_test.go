package crm

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/verify"
	"github.com/chargehand/chargehand/worker"
	"github.com/google/uuid"
)

// summer is when the usage of the first half of 2026 arrives.
var summer = time.Date(2026, time.July, 1, 0, 0, 0, 0, time.UTC)

// patience bounds what a test waits for.
const patience = time.Minute

// use is one use of a service, and what becomes of it: rated, or the reason why
// it is rejected.
type use struct{ service, quantity, at, want string }

// judge hands each account's uses to a worker, in their order, and answers what
// became of each, by account.
func (h *house) judge(of map[string][]use) map[string][]string {
	h.t.Helper()
	stack := devstack.ForTest(h.t, devstack.Options{NoPostgres: true})
	q, err := queue.Connect(stack.RedisURL, slog.New(slog.DiscardHandler))
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = q.Close() }()
	w, err := worker.New(h.store, q, worker.Config{Settings: worker.Settings{FutureTolerance: time.Minute}, Shards: 1, BatchesPerCommit: 8,
		CacheAccounts: 1000, Lease: 10 * time.Second}, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(h.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			h.t.Error(err)
		}
	}()
	batch := h.accept(of)
	if err := q.Nudge(h.t.Context(), 0, batch); err != nil {
		h.t.Fatal(err)
	}
	h.wait(batch)
	became := map[string][]string{}
	for number, uses := range of {
		for i := range uses {
			became[number] = append(became[number], h.outcome(number, fmt.Sprint(i)))
		}
	}
	return became
}

func (h *house) accept(of map[string][]use) uuid.UUID {
	h.t.Helper()
	var records []string
	for number, uses := range of {
		for i, u := range uses {
			records = append(records, fmt.Sprintf(`{"source":"feed","id":"%d","account":%q,"service":%q,"quantity":%q,"occurred_at":%q}`,
				i, number, u.service, u.quantity, u.at))
		}
	}
	b := postgres.StoredBatch{ID: uuid.Must(uuid.NewV7()), Source: "test", Count: len(records), AcceptedAt: summer,
		Records: []byte("[" + strings.Join(records, ",") + "]")}
	if err := h.store.Accept(h.t.Context(), b); err != nil {
		h.t.Fatal(err)
	}
	return b.ID
}

func (h *house) wait(batch uuid.UUID) {
	h.t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); ; <-look.C {
		_, waiting, err := h.store.OutcomesOf(h.t.Context(), []uuid.UUID{batch})
		switch {
		case err != nil:
			h.t.Fatal(err)
		case waiting == 0:
			return
		case time.Now().After(deadline):
			h.t.Fatalf("the batch waits after %s", patience)
		}
	}
}

func (h *house) outcome(number, id string) string {
	h.t.Helper()
	found, err := h.store.Record(h.t.Context(), postgres.RecordKey{Source: "feed", ID: id, Account: number})
	if err != nil || len(found) != 1 {
		h.t.Fatalf("record %s of %s: got %d, %v", id, number, len(found), err)
	}
	if found[0].Reason != nil {
		return found[0].Reason.String()
	}
	return found[0].Outcome.String()
}

const rated = "rated"

// edges are uses of a service that pin one ceiling of 10 from both sides: in one
// window each, just below, equal and just above it; then together, up to the last
// instant of a window and from the first of the next. Days and months are those
// of Athens, over the night in which its clocks go forward.
func edges(service string, w billing.WindowKind, m billing.Metric) []use {
	below, above, least := "9.999999999999", "10.000000000001", "0.000000000001"
	if m == billing.Amount {
		below, above, least = "9.99", "10.01", "0.01" // a charge is rounded to cents
	}
	reason := billing.LimitReason(w, m).String()
	at := func(day, month string) string {
		if w == billing.Month {
			return month
		}
		return day
	}
	alone := []use{
		{service, below, at("2026-03-10T10:00:00+02:00", "2026-04-10T10:00:00+03:00"), rated},
		{service, "10", at("2026-03-11T10:00:00+02:00", "2026-05-10T10:00:00+03:00"), rated},
		{service, above, at("2026-03-12T10:00:00+02:00", "2026-06-10T10:00:00+03:00"), reason},
	}
	if w == billing.Transaction {
		return append(alone, use{service, "10", "2026-03-11T10:00:00+02:00", rated})
	}
	return append(alone,
		use{service, "6", at("2026-03-28T00:00:00+02:00", "2026-02-01T00:00:00+02:00"), rated},
		use{service, "4", at("2026-03-28T23:59:59.999999+02:00", "2026-02-28T23:59:59.999999+02:00"), rated},
		use{service, least, at("2026-03-28T23:59:59.999999+02:00", "2026-02-28T23:59:59.999999+02:00"), reason},
		use{service, "10", at("2026-03-29T00:00:00+02:00", "2026-03-01T00:00:00+02:00"), rated},
		use{service, least, at("2026-03-29T23:59:59.999999+03:00", "2026-03-31T23:59:59.999999+03:00"), reason},
		use{service, least, at("2026-03-30T00:00:00+03:00", "2026-01-31T23:59:59.999999+02:00"), rated},
	)
}

// bound is limits that were set by requests, and what they make of usage.
type bound struct {
	name     string
	requests []string
	uses     []use
}

// everyCeiling is rows 23–29 and 43–48: each of the twelve ceilings.
func everyCeiling() []bound {
	rows := map[string]string{
		"accumulated_maximum_rated_amount_per_day": "23", "accumulated_maximum_rated_amount_per_month": "24",
		"accumulated_maximum_rated_amount_per_transaction": "25", "accumulated_maximum_usage_per_day": "26",
		"accumulated_maximum_usage_per_month": "28", "accumulated_maximum_usage_per_transaction": "29",
		"maximum_rated_amount_per_transaction": "43", "maximum_rated_amount_per_day": "44", "maximum_rated_amount_per_month": "45",
		"maximum_usage_per_transaction": "46", "maximum_usage_per_day": "47", "maximum_usage_per_month": "48",
	}
	var all []bound
	for _, name := range limits.CeilingNames(true) {
		w, m, _ := limits.CeilingOf(true, name)
		all = append(all, bound{"row " + rows[name] + ": " + name, []string{fmt.Sprintf("%q:10", name)}, edges("CREED", w, m)})
	}
	for _, name := range limits.CeilingNames(false) {
		w, m, _ := limits.CeilingOf(false, name)
		uses := edges("CREED", w, m)
		uses = append(uses, use{"Exxon Petrol", "500", "2026-03-28T12:00:00+02:00", rated}) // another service is not touched
		all = append(all, bound{"row " + rows[name] + ": " + name,
			[]string{entry(`"action":"add"`, `"service":{"code":"CREED"}`, fmt.Sprintf("%q:10", name))}, uses})
	}
	return append(all, bound{"row 27: accumulated_maximum_usage_per_date", []string{`"accumulated_maximum_usage_per_date":10`},
		edges("CREED", billing.Day, billing.Usage)})
}

const monday = "2026-03-09T10:00:00+02:00"

// on is uses in the same window.
func on(uses ...string) (all []use) {
	for _, u := range uses {
		parts := strings.Split(u, " → ")
		service, quantity, _ := strings.Cut(parts[0], " × ")
		all = append(all, use{service, quantity, monday, parts[1]})
	}
	return all
}

// theRest is rows 19–22, 30, 35, 36 and 49–52.
var theRest = []bound{
	{"row 19: what has no entry is blocked", []string{`"block_services_not_included_in_usage_allowance_limits_settings":true`,
		entry(`"action":"add"`, `"service":{"code":"CREED"}`, `"maximum_usage_per_day":10`)},
		on("CREED × 10 → rated", "MATCH × 1 → service_not_included", "Exxon Unleaded × 1 → service_not_included")},
	{"row 19: an entry of the type or family includes", []string{`"block_services_not_included_in_usage_allowance_limits_settings":1`,
		entry(`"service_type":{"name":"Exxon"}`, `"maximum_usage_per_day":10`), entry(`"service_family":{"code":"CH"}`, `"maximum_usage_per_day":10`)},
		on("CREED × 1 → rated", "MATCH × 1 → rated", "Exxon Unleaded × 1 → rated")},
	{"row 20: nothing is blocked", []string{`"block_services_not_included_in_usage_allowance_limits_settings":true`,
		entry(`"action":"add"`, `"service":{"code":"CREED"}`, `"maximum_usage_per_day":10`),
		`"block_services_not_included_in_usage_allowance_limits_settings":null`}, on("MATCH × 1000 → rated", "CREED × 10 → rated")},
	{"row 21: by 30 percent", []string{`"percentage_of_allowed_exceeded_usage_limit":30,"accumulated_maximum_usage_per_transaction":10`},
		on("CREED × 13 → rated", "CREED × 13.000000000001 → limit_transaction_usage")},
	{"row 21: by 30 percent, money", []string{`"percentage_of_allowed_exceeded_usage_limit":"30","accumulated_maximum_rated_amount_per_day":"10"`},
		on("CREED × 12.99 → rated", "MATCH × 0.02 → limit_day_amount", "MATCH × 0.01 → rated")},
	{"row 22: percentage null", []string{`"percentage_of_allowed_exceeded_usage_limit":30,"accumulated_maximum_usage_per_transaction":10`,
		`"percentage_of_allowed_exceeded_usage_limit":null`}, on("CREED × 10 → rated", "CREED × 10.000000000001 → limit_transaction_usage")},
	{"row 30: services share", []string{`"accumulated_maximum_rated_amount_per_day":23`},
		on("Exxon Unleaded × 20 → rated", "CREED × 3 → rated", "MATCH × 0.01 → limit_day_amount")},
	{"row 31: both in force", []string{`"accumulated_maximum_usage_per_day":10`, `"accumulated_maximum_usage_per_transaction":6`},
		on("CREED × 7 → limit_transaction_usage", "CREED × 6 → rated", "CREED × 5 → limit_day_usage", "CREED × 4 → rated")},
	{"row 34: an update keeps the other ceiling", []string{entry(`"action":"add"`, `"service":{"code":"Exxon Unleaded"}`, `"maximum_usage_per_day":30`),
		entry(`"action":"update"`, `"service":{"alternative_code":"EU"}`, `"maximum_rated_amount_per_transaction":23`)},
		on("Exxon Unleaded × 23.01 → limit_transaction_amount", "Exxon Unleaded × 23 → rated", "Exxon Unleaded × 8 → limit_day_usage", "Exxon Unleaded × 7 → rated")},
	{"row 35: removed by service", []string{entry(`"action":"add"`, `"service":{"code":"CREED"}`, `"maximum_usage_per_day":1`),
		entry(`"action":"remove"`, `"service":{"code":"CREED"}`)}, on("CREED × 100 → rated")},
	{"row 36: removed by service type", []string{entry(`"action":"add"`, `"service_type":{"code":"V"}`, `"maximum_usage_per_day":1`),
		entry(`"action":"remove"`, `"service_type":{"name":"Usage Services"}`)}, on("CREED × 100 → rated")},
	{"row 49: a type's services share", []string{entry(`"action":"add"`, `"service_type":{"alternative_code":"E2"}`, `"maximum_usage_per_day":10`)},
		on("Exxon Unleaded × 6 → rated", "Exxon Petrol × 4 → rated", "Exxon Petrol × 0.000000000001 → limit_day_usage", "CREED × 100 → rated")},
	{"row 50: a family's types share", []string{entry(`"action":"add"`, `"service_family":{"name":"Channels"}`, `"maximum_rated_amount_per_month":10`)},
		on("CREED × 6 → rated", "MATCH × 4 → rated", "CREED × 0.01 → limit_month_amount", "Exxon Petrol × 100 → rated")},
	{"row 51: the account's is smaller", []string{`"accumulated_maximum_usage_per_day":5,` +
		entry(`"action":"add"`, `"service":{"code":"CREED"}`, `"maximum_usage_per_day":10`)}, on("CREED × 6 → limit_day_usage", "CREED × 5 → rated")},
	{"row 51: the entry's is smaller", []string{`"accumulated_maximum_usage_per_day":10,` +
		entry(`"action":"add"`, `"service":{"code":"CREED"}`, `"maximum_usage_per_day":5`)},
		on("CREED × 6 → limit_day_usage", "CREED × 5 → rated", "MATCH × 5 → rated", "MATCH × 1 → limit_day_usage")},
	{"row 52: null does not limit", []string{`"accumulated_maximum_usage_per_day":5,"accumulated_maximum_usage_per_month":10`,
		`"accumulated_maximum_usage_per_day":null`}, on("CREED × 10 → rated", "CREED × 1 → limit_month_usage")},
	{"0 allows nothing", []string{entry(`"service":{"code":"CREED"}`, `"maximum_usage_per_transaction":0`)},
		on("CREED × 0.000000000001 → limit_transaction_usage", "MATCH × 1 → rated")},
}

// Rows 19–30, 35, 36, 43–52: what is set by this door binds what is used.
func TestLimitsThatWereSetHereBindUsage(t *testing.T) {
	cases := append(everyCeiling(), theRest...)
	var accounts []string
	for i := range cases {
		accounts = append(accounts, line(fmt.Sprint("A", i), "time_zone: Europe/Athens"))
	}
	h := newHouse(t, accounts...)
	uses := map[string][]use{}
	for i, c := range cases {
		number := fmt.Sprint("A", i)
		for _, request := range c.requests {
			h.set("OK", number, request)
		}
		uses[number] = c.uses
	}
	became := h.judge(uses)
	for i, c := range cases {
		for k, u := range c.uses {
			if got := became[fmt.Sprint("A", i)][k]; got != u.want {
				t.Errorf("%s: %s × %s at %s: got %s, want %s", c.name, u.service, u.quantity, u.at, got, u.want)
			}
		}
	}
	report, err := verify.Run(t.Context(), h.store, verify.Options{})
	if err != nil || !report.Sound() {
		t.Errorf("verify: %+v, %v", report, err)
	}
}
