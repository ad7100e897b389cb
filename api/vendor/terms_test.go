package vendor

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/verify"
	"github.com/chargehand/chargehand/worker"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// quarter is accounts of one class, which one of them overrides, and a service
// at 1 a unit that all may use.
const quarter = `
families: [{code: F, name: F}]
types: [{code: T, name: T, family: F, unit: {code: u, name: Unit}}]
services: [{code: use, description: Use, type: T}]
prices: [{id: p, service: use, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "1"}]
account_classes:
  - {key: pre, name: Pre, payment_model: prepay, financial_blocking_threshold: %[1]q, subzero_period: %[3]d, subscription_credit_limit: %[2]q, default: true, id: 1}
  - {key: post, name: Post, payment_model: postpay, financial_blocking_threshold: "0", subzero_period: 0, subscription_credit_limit: %[2]q, id: 2}
customers:
  - ref: c
    accounts:
      - {number: SYSTEM, currency: EUR, opening_balance: "-101", services: [use], profile: {id: 1}}
      - {number: OWN, currency: EUR, opening_balance: "-101", services: [use], financial_blocking_threshold: "150", subscription_credit_limit: "7", profile: {id: 2}}
      - {number: HELD, currency: EUR, opening_balance: "10", services: [use], profile: {id: 3}}
      - {number: GONE, currency: EUR, opening_balance: "10", services: [use], profile: {id: 4}}
      - {number: LATER, class: post, currency: EUR, services: [use], profile: {id: 5}}
`

func terms(threshold, limit string, days int) string {
	return fmt.Sprintf(quarter, threshold, limit, days)
}

// shown are some fields of an account as both versions print them.
func (s *site) shown(id int, fields ...string) string {
	s.t.Helper()
	object := decoded(s.t, s.v1(fmt.Sprintf("/%d.json", id)).body).(map[string]any)
	var all []string
	for _, f := range fields {
		all = append(all, fmt.Sprint(object[f]))
	}
	return strings.Join(all, " ")
}

// rows 90, 95, 97–102, 177: the class's value is in force, and follows the class,
// unless the account has its own.
func TestTermsFollowTheClassUnlessTheAccountHasItsOwn(t *testing.T) {
	s := openSite(t, terms("200", "30", 3))
	fields := []string{"financial_blocking_threshold_use_system", "financial_blocking_threshold",
		"subscription_credit_limit_use_system", "subscription_credit_limit", "default_payment_model"}
	want := func(when, system, own, later string) {
		t.Helper()
		for id, want := range map[int]string{1: system, 2: own, 5: later} {
			if got := s.shown(id, fields...); got != want {
				t.Errorf("%s account %d has %s, want %s", when, id, got, want)
			}
		}
	}
	want("at first", "true 200.0 true 30.0 prepay", "false 150.0 false 7.0 prepay", "true 0.0 true 30.0 postpay")
	changed, _, _ := strings.Cut(terms("100.5", "31.25", 3), "customers:")
	s.apply("2021-01-01T00:00:00Z", changed)
	want("with another class", "true 100.5 true 31.25 prepay", "false 150.0 false 7.0 prepay", "true 0.0 true 31.25 postpay")
	s.apply("2021-01-02T00:00:00Z", `customers: [{ref: c, accounts: [{number: OWN, currency: EUR, opening_balance: "-101", services: [use], profile: {id: 2}}]}]`)
	want("with nothing of its own", "true 100.5 true 31.25 prepay", "true 100.5 true 31.25 prepay", "true 0.0 true 31.25 postpay")
	s.apply("2021-01-03T00:00:00Z", strings.Replace(changed, "key: pre, name: Pre", "key: pre, name: Pro", 1))
	if got := s.shown(1, "account_class", "account_class_id"); got != "Pro 1" { // row 78
		t.Errorf("the class is called %s, want Pro 1", got)
	}
}

// rows 89, 90, 92: nothing but the credit test holds for debt, by what the class
// says, and releases; a manager cannot.
func TestOnlyTheSweepHoldsForDebt(t *testing.T) {
	s := openSite(t, terms("101", "0", 3))
	s.now = at(t, "2017-01-01T00:00:00Z")
	want := func(after, system, own string) {
		t.Helper()
		if got := s.shown(1, "status") + ", " + s.shown(2, "status"); got != system+", "+own {
			t.Errorf("%s: got %s, want %s, %s", after, got, system, own)
		}
	}
	want("with a debt", "active", "active")
	s.sweep(s.now)
	want("a sweep with the debt at the threshold", "active", "active")
	changed, _, _ := strings.Cut(terms("100", "0", 3), "customers:")
	s.apply("2017-01-01T00:00:00Z", changed)
	s.sweep(s.now)
	want("a sweep with a lower threshold of the class", "credit_hold", "active")
	if _, err := s.store.SetStatus(t.Context(), postgres.StatusRequest{Account: "SYSTEM", Action: postgres.ReleaseAccount, Note: "asked", At: s.now, Actor: "test"}); err == nil {
		t.Error("a manager could release a credit hold")
	}
	s.pay("SYSTEM", "1", "k")
	want("a payment back to the threshold", "active", "active")
	s.sweep(s.now.Add(3*24*time.Hour - time.Microsecond))
	want("a sweep in the last moment of the subzero period", "active", "active")
	s.sweep(s.now.Add(3 * 24 * time.Hour))
	want("a sweep in the first moment after it", "credit_hold", "credit_hold")
}

// rows 87, 88, 91, 93, 96, 175: usage is rated on an active account and refused on
// one that a manager holds or has deleted; a deleted one keeps its balance.
func TestUsageByStatus(t *testing.T) {
	s := openSite(t, terms("200", "0", -1))
	s.now = time.Now().UTC()
	for number, action := range map[string]postgres.StatusAction{"HELD": postgres.HoldAccount, "GONE": postgres.DeleteAccount} {
		if _, err := s.store.SetStatus(t.Context(), postgres.StatusRequest{Account: number, Action: action, Note: "because", At: s.now, Actor: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	s.judge("SYSTEM", "HELD", "GONE", "LATER")
	for _, c := range []struct {
		number string
		id     int
		record string
		shown  string
	}{
		{"SYSTEM", 1, "rated", "active -103.5 0.0"},
		{"HELD", 3, "rejected account_administrative_hold", "administrative_hold 10.0 0.0"},
		{"GONE", 4, "rejected account_deleted", "deleted 10.0 0.0"},
		{"LATER", 5, "rated", "active 0.0 2.5"}, // a debt, and its balance stays
	} {
		if got := s.shown(c.id, "status", "balance", "current_debt"); got != c.shown {
			t.Errorf("account %s: got %s, want %s", c.number, got, c.shown)
		}
		found, err := s.store.Record(t.Context(), postgres.RecordKey{Source: "feed", ID: "1", Account: c.number})
		if err != nil || len(found) != 1 {
			t.Fatalf("account %s: %d records, %v", c.number, len(found), err)
		}
		got := found[0].Outcome.String()
		if found[0].Reason != nil {
			got += " " + found[0].Reason.String()
		}
		if got != c.record {
			t.Errorf("account %s: its record is %s, want %s", c.number, got, c.record)
		}
	}
	report, err := verify.Run(t.Context(), s.store, verify.Options{})
	if err != nil || len(report.Broken) > 0 {
		t.Errorf("got %v, %v", report, err)
	}
}

// A creation is noted: who did what, to which account, and when; one that was
// refused is not.
func TestACreationIsNoted(t *testing.T) {
	s := beforeClotilde(t)
	if got := s.create(1, attributes(t)); got.status != 201 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if got := s.create(1, attributes(t, `"zip":""`)); got.status != 422 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	a, err := s.store.VendorAccount(t.Context(), 789, postgres.Reach{})
	if err != nil {
		t.Fatal(err)
	}
	var lines []postgres.DeedLine
	if err := s.store.Deeds(t.Context(), postgres.DeedFilter{}, func(l *postgres.DeedLine) error {
		lines = append(lines, *l)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	want := []postgres.DeedLine{{At: s.now.UTC(), Actor: "token shop", Action: "POST /api/v3/resellers/{reseller_id}/accounts", Subject: a.Number}}
	if diff := cmp.Diff(lines, want); diff != "" {
		t.Errorf("(-got +want):\n%s", diff)
	}
}

// sweep runs the credit test on all that is due.
func (s *site) sweep(now time.Time) {
	s.t.Helper()
	due, err := s.store.CreditDue(s.t.Context(), now, postgres.DueKey{}, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	var numbers []string
	for _, k := range due {
		numbers = append(numbers, k.Account)
	}
	if err := s.store.Write(s.t.Context(), now, "scheduler", func(tx *postgres.Tx) error {
		_, err := tx.CreditTest(s.t.Context(), numbers)
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) pay(number, amount, key string) {
	s.t.Helper()
	m, err := billing.ParseMoney(amount)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.store.Post(s.t.Context(), postgres.Posting{Account: number, Kind: billing.PaymentPosting, Amount: m, Key: key, At: s.now, Actor: "test"}); err != nil {
		s.t.Fatal(err)
	}
}

// judge lets a worker judge a use of 2.5 of each account, all of a minute ahead, so
// that it is of the time after any hold. There is no queue: the worker finds what
// waits in the database.
func (s *site) judge(accounts ...string) {
	s.t.Helper()
	records := make([]json.RawMessage, len(accounts))
	for i, number := range accounts {
		records[i] = json.RawMessage(fmt.Sprintf(`{"source":"feed","id":"1","account":%q,"service":"use","quantity":"2.5","occurred_at":%q}`,
			number, s.now.Add(time.Minute).Format(time.RFC3339)))
	}
	id := uuid.Must(uuid.NewV7())
	if err := s.store.Accept(s.t.Context(), postgres.StoredBatch{ID: id, Source: "test", Count: len(records), AcceptedAt: s.now,
		Records: []byte(encoded(s.t, records))}); err != nil {
		s.t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	q, err := queue.Connect("redis://127.0.0.1:1", quiet)
	if err != nil {
		s.t.Fatal(err)
	}
	done := make(chan struct{}, 1)
	w, err := worker.New(s.store, q, worker.Config{Settings: worker.Settings{FutureTolerance: 5 * time.Minute}, Shards: 1, BatchesPerCommit: 1,
		Lease: 10 * time.Second, Observe: func(worker.Group) { done <- struct{}{} }}, time.Now, quiet)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		s.t.Error("the batch was not judged")
	}
	stop()
	if err := <-ended; err != nil {
		s.t.Error(err)
	}
	if err := q.Close(); err != nil {
		s.t.Error(err)
	}
}
