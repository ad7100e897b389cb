package verify_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/worker"
	"github.com/jackc/pgx/v5"
)

// town has something of everything that verify looks at.
const town = `
families: [{code: FUEL, name: Fuel}]
types:
  - {code: PETROL, name: Petrol, family: FUEL, unit: {code: L, name: Litre}}
  - {code: TEXT, name: Text, unit: {code: M, name: Message}}
services:
  - {code: unleaded, description: Unleaded 95, type: PETROL}
  - {code: diesel, description: Diesel, type: PETROL}
  - {code: sms, description: Message, type: TEXT}
  - {code: toll, description: Toll, type: TEXT}
prices:
  - id: u
    service: unleaded
    currency: EUR
    valid_from: "2020-01-01T00:00:00Z"
    per_unit: "2"
    bands: [{name: night, from: "22:00", to: "06:00", per_unit: "1.005"}]
  - {id: d, service: diesel, currency: EUR, valid_from: "2020-01-01T00:00:00Z", accumulate: month,
     volume: [{up_to: "100", unit_price: "1"}, {unit_price: "0.9"}]}
  - {id: s, service: sms, currency: EUR, valid_from: "2020-01-01T00:00:00Z", accumulate: month,
     graduated: [{up_to: "2", unit_price: "0"}, {unit_price: "0.004", flat: "1"}], per_record: "0.5"}
account_classes:
  - {key: std, name: Standard, payment_model: prepay, financial_blocking_threshold: "100", subzero_period: 3,
     subscription_credit_limit: "0", buy_with_negative_balance: false, default: true}
  - {key: corp, name: Corporate, payment_model: postpay, financial_blocking_threshold: "0", subzero_period: -1,
     subscription_credit_limit: "500", buy_with_negative_balance: false}
customers:
  - ref: jane
    accounts:
      - {number: A1, currency: EUR, time_zone: Europe/Athens, cycle_day: 31, opening_balance: "500",
         services: [unleaded, diesel, sms, toll],
         limits: {percentage_of_allowed_exceeded_usage_limit: "10", accumulated_maximum_usage_per_day: "200",
           usage_services_allowance: [{service_type: {code: PETROL}, maximum_usage_per_transaction: "150"},
             {service_family: {code: FUEL}, maximum_rated_amount_per_month: "400"}]}}
      - {number: A2, class: corp, currency: EUR, time_zone: America/New_York, services: [unleaded, toll]}
      - {number: A3, currency: EUR, opening_balance: "10", services: [toll]}
      - {number: A4, currency: EUR, opening_balance: "20", services: [toll]}
      - {number: A5, currency: EUR, services: [toll]}
`

// cheaperDiesel voids the price that was wrong and sets the right one.
const cheaperDiesel = `
prices:
  - {id: d, service: diesel, currency: EUR, valid_from: "2020-01-01T00:00:00Z", valid_to: "2020-01-01T00:00:00Z", accumulate: month,
     volume: [{up_to: "100", unit_price: "1"}, {unit_price: "0.9"}]}
  - {id: d2, service: diesel, currency: EUR, valid_from: "2020-01-01T00:00:00Z", accumulate: month,
     volume: [{up_to: "100", unit_price: "0.8"}, {unit_price: "0.7"}]}
`

// fillTown lets the town live: every directive, most reasons, windows that are
// over, late records, holds and what lifts them, payments, a periodic charge,
// records that were cancelled, and some that were judged again.
func (h *house) fillTown() {
	h.t.Helper()
	h.send(
		use("u1", "A1", "unleaded", "10", "2025-01-30T10:00:00Z"),
		use("u2", "A1", "unleaded", "10", "2025-01-30T23:30:00Z"),  // the next day in Athens, by night
		use("u3", "A1", "unleaded", "166", "2025-01-30T12:00:00Z"), // past the transaction's ceiling
		use("d1", "A1", "diesel", "90", "2025-02-01T10:00:00Z"),
		use("d2", "A1", "diesel", "20", "2025-02-02T10:00:00Z"), // crosses the tier: gives back
		use("s1", "A1", "sms", "1", "2025-02-02T11:00:00Z"),
		use("s2", "A1", "sms", "3", "2025-02-02T12:00:00Z"),
		use("t1", "A1", "toll", "1", "2025-02-02T13:00:00Z", `"amount":"7.1234"`),
		use("n1", "A1", "toll", "2", "2025-02-02T14:00:00Z", `"directive":"no_charge"`),
		use("c1", "A1", "unleaded", "3.333", "2025-02-03T10:00:00Z", `"directive":"credit"`, `"original_id":"u1"`),
		use("c2", "A1", "diesel", "15", "2025-02-03T10:00:00Z", `"directive":"credit"`, `"original_id":"d2"`),
		use("c3", "A1", "toll", "0.5", "2025-02-03T10:00:00Z", `"directive":"credit"`, `"original_id":"t1"`, `"amount":"1"`),
		use("c4", "A1", "toll", "0.25", "2025-02-03T10:00:00Z", `"directive":"credit"`, `"original_id":"t1"`),
		use("c5", "A1", "toll", "9", "2025-02-03T10:00:00Z", `"directive":"credit"`, `"original_id":"t1"`), // more than there was
		use("b1", "A2", "unleaded", "100", "2025-02-03T10:00:00Z"),
		use("b2", "A2", "unleaded", "400", "2025-02-03T10:00:00Z"), // past the credit limit
		use("x1", "A9", "unleaded", "1", "2025-02-03T10:00:00Z"),   // nobody's
		use("y1", "A3", "toll", "1", "2025-02-03T10:00:00Z", `"amount":"150"`),
		use("z1", "A4", "toll", "1", "2025-02-03T10:00:00Z", `"amount":"50"`),
	)
	h.send(
		use("u1", "A1", "unleaded", "10.0", "2025-01-30T12:00:00+02:00"), // a duplicate
		use("u2", "A1", "unleaded", "11", "2025-01-30T23:30:00Z"),        // a conflict
		`{"source":"feed","id":"broken"}`,
		use("y2", "A3", "toll", "1", "2025-02-04T10:00:00Z", `"amount":"1"`),
		use("e1", "A1", "toll", "1", "2025-03-30T01:30:00Z", `"amount":"1"`), // closes what is over
		use("e2", "A1", "unleaded", "1", "2025-01-30T13:00:00Z"),             // late
	)
	h.post("A3", billing.PaymentPosting, "60", "p1")
	h.post("A1", billing.AdjustmentPosting, "-0.000001", "a1")
	h.post("A2", billing.PaymentPosting, "250", "p2")
	h.status("A4", postgres.HoldAccount)
	h.status("A4", postgres.ReleaseAccount)
	h.status("A5", postgres.DeleteAccount)
	h.change(chargePeriod)
	h.correct(true, "A1", postgres.CorrectionFilter{Record: &billing.Identity{ID: "e2"}})
	h.correct(true, "A1", postgres.CorrectionFilter{Record: &billing.Identity{ID: "t1"}}) // with two credits that stay
	h.apply(cheaperDiesel)
	h.correct(false, "A1", postgres.CorrectionFilter{Service: "diesel"}) // with its credit
}

func (h *house) post(account string, kind billing.PostingKind, amount, key string) {
	h.t.Helper()
	m, err := billing.ParseMoney(amount)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.store.Post(h.t.Context(), postgres.Posting{Account: account, Kind: kind, Amount: m, Key: key, Note: "by test",
		At: time.Now(), Actor: "test"}); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) status(account string, action postgres.StatusAction) {
	h.t.Helper()
	if _, err := h.store.SetStatus(h.t.Context(), postgres.StatusRequest{Account: account, Action: action, Note: "by test",
		At: time.Now(), Actor: "test"}); err != nil {
		h.t.Fatal(err)
	}
}

// batches puts names in place of the ids of the house's batches.
func (h *house) batches() *strings.Replacer {
	h.t.Helper()
	var names []string
	change(h.t, h.url, func(ctx context.Context, db *pgx.Conn) error {
		rows, err := db.Query(ctx, `select id::text from batches order by id`)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for i, id := range ids {
			names = append(names, id, fmt.Sprint(i+1))
		}
		return err
	})
	return strings.NewReplacer(names...)
}

// chargePeriod charges A2 five for its card once, and skips the next period.
const chargePeriod = `
	with s as (
	     update    account_states
	     set       current_debt = current_debt + 5,
	               last_seq     = last_seq + 2,
	               version      = version + 1
	     where     account = 'A2'
	     returning *),
	     e as (
	     insert into entries (account, seq, at, kind, amount, balance_after, description, periodic, actor)
	     select account, last_seq - 1, now(), 2, -5, current_debt, 'Fleet card', 'card', 'test' from s)
	insert into periodic_charges (account, name, starts, at, amount, skipped, seq)
	select account, 'card', date '2025-02-01', now(), 5, '', last_seq - 1 from s
	union all
	select account, 'card', date '2025-03-01', now(), 0, 'on hold', last_seq from s`

// change runs statements on the house's database.
func (h *house) change(statements ...string) {
	h.t.Helper()
	change(h.t, h.url, func(ctx context.Context, db *pgx.Conn) error {
		for _, s := range statements {
			if _, err := db.Exec(ctx, s); err != nil {
				return err
			}
		}
		return nil
	})
}

func change(t testing.TB, url string, do func(context.Context, *pgx.Conn) error) {
	t.Helper()
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(t.Context())
	if err := do(t.Context(), db); err != nil {
		t.Fatal(err)
	}
}

// correct cancels records of an account, or judges them again.
func (h *house) correct(cancel bool, account string, f postgres.CorrectionFilter) {
	h.t.Helper()
	f.Account = account
	if f.Record != nil {
		f.Record.Account, f.Record.Source = account, "feed"
	}
	done, err := worker.NewCorrector(h.store, settings).Run(h.t.Context(), worker.Correction{Cancel: cancel, Filter: f, Note: "a mistake",
		Actor: "test", Clock: time.Now})
	if err != nil {
		h.t.Fatal(err)
	}
	if done.Changed == 0 {
		h.t.Fatalf("correct %s: nothing has changed", account)
	}
}
