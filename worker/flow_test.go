package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
)

// week is a batch of every kind of record, of two accounts and one that there is
// not: the second half comes late and credits the first.
func week() (first, second []string) {
	for i := range 40 {
		at := day(15+i%5, fmt.Sprintf("10:%02d:00", i))
		first = append(first,
			use(fmt.Sprint("u", i), "A1", "unleaded", "1.5", at),
			use(fmt.Sprint("s", i), "A2", "sms", "1", at),
			use(fmt.Sprint("m", i), "A2", "mms", "3", at),
			use(fmt.Sprint("n", i), "A1", "diesel", "0.001", at, `"directive":"no_charge"`),
			use(fmt.Sprint("x", i), "NONE", "unleaded", "1", at))
		second = append(second,
			use(fmt.Sprint("l", i), "A1", "diesel", "2", fmt.Sprintf("2025-%02d-11T10:00:00Z", 1+i%12)),
			credit(fmt.Sprint("c", i), fmt.Sprint("m", i), "A2", "mms", "1", at),
			use(fmt.Sprint("u", i), "A1", "unleaded", "1.5", at),
			use(fmt.Sprint("s", i), "A2", "sms", "2", at))
	}
	return first, second
}

func weekHouse(t *testing.T) *house {
	return newHouse(t, plain("A1", "20", `limits: {accumulated_maximum_usage_per_day: "9", percentage_of_allowed_exceeded_usage_limit: "50"}`),
		plain("A2", "5", `cycle_day: 17`))
}

// TestABatchThatComesAgainChangesNothing, and counts nothing twice (SPEC R5.12).
func TestABatchThatComesAgainChangesNothing(t *testing.T) {
	h := weekHouse(t)
	first, second := week()
	a, b := h.accept(first...), h.accept(second...)
	h.commit(h.flow(eager, 1000), a, b)
	want := h.tables()
	f := h.flow(eager, 1000)
	for range 2 {
		out := h.commit(f, a, b)
		if out.Accepted != 0 {
			t.Errorf("coming again counted %+v", out)
		}
	}
	if diff := cmp.Diff(want, h.tables()); diff != "" {
		t.Errorf("tables (-once +again):\n%s", diff)
	}
}

// TestABatchDeliveredAtOnceIsJudgedOnce lets flows race for the same batches, each
// of which has what the others make stale in its cache.
func TestABatchDeliveredAtOnceIsJudgedOnce(t *testing.T) {
	alone, raced := weekHouse(t), weekHouse(t)
	first, second := week()
	// Small batches, so that there are many rounds to race in.
	commitEach := func(h *house, flows int) {
		var batches []batch
		for records := range slices.Chunk(append(slices.Clone(first), second...), 24) {
			batches = append(batches, h.accept(records...))
		}
		var wait sync.WaitGroup
		for range flows {
			f := h.flow(eager, 1000)
			wait.Go(func() {
				for _, b := range batches {
					if _, err := f.commit(t.Context(), []batch{b}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wait.Wait()
	}
	commitEach(alone, 1)
	commitEach(raced, 3)
	if diff := cmp.Diff(alone.tables(), raced.tables()); diff != "" {
		t.Errorf("tables (-alone +raced):\n%s", diff)
	}
}

// TestTwoFlowsShareAccountsWithoutLoss is two workers on one shard: each has its
// own batches of the same accounts.
func TestTwoFlowsShareAccountsWithoutLoss(t *testing.T) {
	h := newHouse(t, plain("A1", "0"), plain("A2", "0"))
	const flows, batches = 3, 12
	var wait sync.WaitGroup
	for n := range flows {
		var mine []batch
		for i := range batches {
			mine = append(mine, h.accept(
				use(fmt.Sprintf("%d-%d-a", n, i), "A1", "sms", "3", day(20, "10:00:00")),
				use(fmt.Sprintf("%d-%d-b", n, i), "A2", "unleaded", "0.5", day(20, "10:00:00"))))
		}
		f := h.flow(eager, 1000)
		wait.Go(func() {
			for _, b := range mine {
				for _, err := f.commit(t.Context(), []batch{b}); err != nil; _, err = f.commit(t.Context(), []batch{b}) {
					if !errors.Is(err, postgres.ErrStale) { // losing twenty times in a row is allowed
						t.Error(err)
						return
					}
				}
			}
		})
	}
	wait.Wait()
	// 108 messages, the first ten free; 36 half litres at 2.
	if got, want := h.view("A1").Balance, money("-3.43"); got != want {
		t.Errorf("balance of A1: got %s, want %s: the price of the total", got, want)
	}
	if got, want := h.view("A2").Balance, money("-36"); got != want {
		t.Errorf("balance of A2: got %s, want %s", got, want)
	}
	if got := h.recount(); got != "" {
		t.Errorf("counters differ from their records:\n%s", got)
	}
}

func TestTheCacheIsOnlySpeed(t *testing.T) {
	first, second := week()
	var want map[string]string
	for _, cached := range []int{0, 1, 1000} {
		h := weekHouse(t)
		f := h.flow(eager, cached)
		for records := range slices.Chunk(append(slices.Clone(first), second...), 37) {
			h.commit(f, h.accept(records...))
		}
		got := h.tables()
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tables (-no cache +of %d accounts):\n%s", cached, diff)
		}
	}
}

func TestGroupingChangesNothing(t *testing.T) {
	first, second := week()
	s := eager
	s.HoldOnDebit = true
	var want map[string]string
	for _, together := range []int{1, 3, 100} {
		h := weekHouse(t)
		f := h.flow(s, 1000)
		var batches []batch
		for records := range slices.Chunk(append(slices.Clone(first), second...), 37) {
			batches = append(batches, h.accept(records...))
		}
		for group := range slices.Chunk(batches, together) {
			h.commit(f, group...)
		}
		got := h.tables()
		if want == nil {
			want = got
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("tables (-one by one +%d together):\n%s", together, diff)
		}
	}
}

// TestWhatChangesMeanwhileIsSeen changes something after a batch was read and
// before it is judged: the guard fails, and the second judgement sees it.
func TestWhatChangesMeanwhileIsSeen(t *testing.T) {
	const litre = "unleaded" // at 2
	for _, tc := range []struct {
		name     string
		settings func(*Settings)
		change   func(h *house)
		want     string
		balance  string
	}{
		{"nothing", nil, func(*house) {}, "20", "-20"},
		{"a payment", func(s *Settings) { s.EnforceThreshold = true }, func(h *house) { h.pay("A1", "30", "k") }, "20", "10"},
		{"a ceiling", nil, func(h *house) {
			h.change("A1", `{"accumulated_maximum_usage_per_day": "9"}`)
		}, "limit_day_usage", "0"},
		{"a hold", nil, func(h *house) { h.hold("A1", noon.Add(-48*time.Hour)) }, "account_administrative_hold", "0"},
		{"a price", nil, func(h *house) {
			h.apply(noon, `prices: [{id: u, service: unleaded, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "3"}]`)
		}, "30", "-30"},
		{"a price of the account's own", nil, func(h *house) {
			h.apply(noon, `prices: [{id: own, service: unleaded, account: A1, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "1"}]`)
		}, "10", "-10"},
		{"the threshold of a class", func(s *Settings) { s.EnforceThreshold = true }, func(h *house) {
			h.apply(noon, `account_classes: [{key: pre, name: Prepaid, payment_model: prepay, financial_blocking_threshold: "19",
				subzero_period: 3, subscription_credit_limit: "0", buy_with_negative_balance: false, default: true}]`)
		}, "insufficient_funds", "0"},
		{"a service that is unlinked", nil, func(h *house) {
			_, err := h.store.Link(h.t.Context(), postgres.LinkRequest{Account: "A1", Service: litre, Remove: true, At: noon, Actor: "test"})
			if err != nil {
				h.t.Fatal(err)
			}
		}, "service_not_linked", "0"},
	} {
		for _, cached := range []int{0, 10} {
			t.Run(fmt.Sprintf("%s, %d cached", tc.name, cached), func(t *testing.T) {
				h := newHouse(t, plain("A1", "0"), plain("A2", "0"))
				s := eager
				if tc.settings != nil {
					tc.settings(&s)
				}
				f := h.flow(s, cached)
				h.commit(f, h.accept(use("0", "A1", "sms", "1", day(20, "10:00:00")))) // so that A1 is cached
				f.clock = func() time.Time {
					f.clock = fixed(noon)
					tc.change(h)
					return noon
				}
				h.commit(f, h.accept(use("1", "A1", litre, "10", day(20, "10:00:00")), use("2", "A2", litre, "1", day(20, "10:00:00"))))
				if got := h.judged("A1", "1"); got != tc.want {
					t.Errorf("got %s, want %s", got, tc.want)
				}
				if got := h.view("A1").Balance; got != money(tc.balance) {
					t.Errorf("balance: got %s, want %s", got, tc.balance)
				}
			})
		}
	}
}

// TestLimitsOfAllAccounts bind each account by its own counters, and are changed
// for all at once (SPEC R4.8).
func TestLimitsOfAllAccounts(t *testing.T) {
	h := newHouse(t, plain("A1", "0"), plain("A2", "0"))
	s := eager
	s.LimitsForAll = true
	limit := func(ceiling string) {
		f, err := setup.Parse("setup.yaml", []byte(`limits: {accumulated_maximum_usage_per_day: "`+ceiling+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.store.Apply(t.Context(), f, postgres.ApplyOptions{At: noon, Actor: "test", TimeZone: time.UTC, LimitsForAll: true}); err != nil {
			t.Fatal(err)
		}
	}
	limit("5")
	f := h.flow(s, 10)
	when := day(20, "10:00:00")
	h.commit(f, h.accept(use("1", "A1", "unleaded", "5", when), use("2", "A1", "unleaded", "1", when), use("3", "A2", "unleaded", "5", when)))
	f.clock = func() time.Time {
		f.clock = fixed(noon)
		limit("6") // when the batch is read
		return noon
	}
	h.commit(f, h.accept(use("4", "A1", "unleaded", "1", when), use("5", "A2", "unleaded", "2", when)))
	got := strings.Join([]string{h.judged("A1", "1"), h.judged("A1", "2"), h.judged("A2", "3"), h.judged("A1", "4"), h.judged("A2", "5")}, " ")
	if want := "10 limit_day_usage 10 2 limit_day_usage"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestARejectionIsGuardedToo: an account that a batch touches with nothing but
// rejections has not moved, yet its terms were looked at.
func TestARejectionIsGuardedToo(t *testing.T) {
	h := newHouse(t, plain("A1", "0", `limits: {accumulated_maximum_usage_per_day: "0"}`))
	f := h.flow(eager, 10)
	h.commit(f, h.accept(use("1", "A1", "unleaded", "1", day(20, "10:00:00"))))
	f.clock = func() time.Time {
		f.clock = fixed(noon)
		h.change("A1", `{"accumulated_maximum_usage_per_day": null}`)
		return noon
	}
	h.commit(f, h.accept(use("2", "A1", "unleaded", "1", day(20, "10:00:00"))))
	if got := h.judged("A1", "1") + " " + h.judged("A1", "2"); got != "limit_day_usage 2" {
		t.Errorf("got %s, want the second one rated", got)
	}
}

// change sets limits of an account.
func (h *house) change(account, body string) {
	h.t.Helper()
	h.changeAt(noon, account, body)
}

func (h *house) changeAt(at time.Time, account, body string) {
	h.t.Helper()
	r := postgres.LimitsRequest{Account: account, Name: "limits", Body: []byte(body), At: at, Actor: "test"}
	if _, err := h.store.SetLimits(h.t.Context(), r); err != nil {
		h.t.Fatal(err)
	}
}

// TestACreditIsGivenOnceUnderARace lets the state of an account be read later
// than what was credited of its records: both must be of one moment.
func TestACreditIsGivenOnceUnderARace(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	one, err := postgres.Open(t.Context(), h.url, postgres.Options{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer one.Close()
	slow := &flow{store: one, clock: fixed(noon), settings: eager}
	// Its connection has its statements prepared then, which would wait for a lock
	// before they ask anything.
	h.commit(slow, h.accept(use("1", "A1", "unleaded", "10", day(20, "10:00:00"))))
	h.commit(slow, h.accept(credit("c0", "1", "A1", "unleaded", "1", day(20, "11:00:00"))))
	first := h.accept(credit("c1", "1", "A1", "unleaded", "9", day(20, "11:00:00")))
	second := h.accept(credit("c2", "1", "A1", "unleaded", "9", day(20, "11:00:00")))

	s, batches, err := h.flow(eager, 0).read(t.Context(), []batch{first})
	if err != nil {
		t.Fatal(err)
	}
	release := h.lockAccounts()
	ended := make(chan error, 1)
	go func() {
		_, err := slow.commit(context.WithoutCancel(t.Context()), []batch{second})
		ended <- err
	}()
	eventually(t, "the second flow waits for the accounts", func() bool {
		return h.locks() == "1"
	})
	if err := h.store.Commit(t.Context(), Judge(s, batches)); err != nil {
		t.Fatal(err)
	}
	release()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if got := h.judged("A1", "c1") + " " + h.judged("A1", "c2"); got != "-18 credit_exceeds_original" {
		t.Errorf("got %s, want the second credit refused", got)
	}
}

func TestARecordThatIsMetTwice(t *testing.T) {
	h := newHouse(t, plain("A1", "100"), plain("A2", "100"))
	f := h.flow(eager, 10)
	r := use("1", "A1", "unleaded", "1", day(20, "10:00:00"), `"attributes":{"a":1,"b":[true]}`)
	same := use("1", "A1", "unleaded", "1.0", "2026-03-20T12:00:00+02:00", `"attributes":{"b":[true],"a":1.0}`, `"directive":"charge"`)
	other := use("1", "A1", "unleaded", "2", day(20, "10:00:00"))
	elsewhere := use("1", "A2", "unleaded", "1", day(20, "10:00:00"))
	rejected := use("2", "A1", "absent", "1", day(20, "10:00:00"))
	unknown := use("1", "NONE", "unleaded", "1", day(20, "10:00:00"))

	out := h.commit(f, h.accept(r, same, other, elsewhere, rejected, rejected, unknown, unknown), h.accept(other, r))
	want := postgres.Outcomes{Accepted: 10, Rated: 2, Rejected: 2, Duplicate: 4, Conflict: 2,
		Reasons: map[string]int{"service_not_found": 1, "account_not_found": 1}}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("within a group (-want +got):\n%s", diff)
	}
	out = h.commit(f, h.accept(r, same, other, rejected, unknown))
	want = postgres.Outcomes{Accepted: 5, Duplicate: 4, Conflict: 1, Reasons: map[string]int{}}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("later (-want +got):\n%s", diff)
	}
	if got := h.judged("A1", "1"); got != "2" {
		t.Errorf("got %s: the first one stands, at 2", got)
	}
	if got, want := h.query(`select count(*)::text from dead_letters where kind = 2`), "3"; got != want {
		t.Errorf("got %s dead letters of conflicts, want %s", got, want)
	}
	if got := h.view("A1").Balance + h.view("A2").Balance; got != money("196") {
		t.Errorf("balances: got %s together, want 196", got)
	}
}

// TestARejectedRecordStaysRejected: what kept it from being rated may be gone;
// only a re-rate judges it again (SPEC R5.4, R5.11).
func TestARejectedRecordStaysRejected(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	f := h.flow(eager, 10)
	r := use("1", "A2", "unleaded", "1", day(20, "10:00:00"))
	h.commit(f, h.accept(r))
	h.apply(noon, "customers: [{ref: jane, accounts: [{number: A2, class: pre, currency: EUR, services: [unleaded]}]}]")
	out := h.commit(f, h.accept(r, use("2", "A2", "unleaded", "1", day(20, "10:00:00"))))
	want := postgres.Outcomes{Accepted: 2, Rated: 1, Duplicate: 1, Reasons: map[string]int{}}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

func TestOneBadRecordAmongThousands(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	var records []string
	for i := range 4000 {
		records = append(records, use(fmt.Sprint(i), "A1", "unleaded", "0.001", day(20, "10:00:00")))
	}
	records[1234] = `{"source":"feed","id":"bad"}`
	records[2345] = use("2345", "A1", "unleaded", "-1", day(20, "10:00:00"))
	records[3456] = use("3456", "A1", "absent", "1", day(20, "10:00:00"))
	out := h.commit(h.flow(eager, 10), h.accept(records...))
	want := postgres.Outcomes{Accepted: 3998, Rated: 3997, Rejected: 1, Unreadable: 2, Reasons: map[string]int{"service_not_found": 1}}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if got, want := h.query(`select string_agg(line::text, ' ' order by line) from dead_letters where kind = 1`), "1235 2346"; got != want {
		t.Errorf("unreadable lines: got %s, want %s", got, want)
	}
}

func TestBatchesOfOneAndOfTenThousand(t *testing.T) {
	h := newHouse(t, plain("A1", "10000"))
	f := h.flow(eager, 10)
	if out := h.commit(f, h.accept()); out.Accepted != 0 {
		t.Errorf("an empty batch: got %+v", out)
	}
	if out := h.commit(f, h.accept(use("one", "A1", "unleaded", "1", day(20, "10:00:00")))); out.Rated != 1 {
		t.Errorf("a batch of one: got %+v", out)
	}
	var records []string
	for i := range 10_000 {
		records = append(records, use(fmt.Sprint(i), "A1", "unleaded", "0.25", day(20, "10:00:00")))
	}
	if out := h.commit(f, h.accept(records...)); out.Rated != 10_000 {
		t.Errorf("a batch of ten thousand: got %+v", out)
	}
	if got, want := h.view("A1").Balance, money("4998"); got != want {
		t.Errorf("balance: got %s, want %s", got, want)
	}
	if got := h.query(`select count(*)::text from batches where done_at is null or payload is not null`); got != "0" {
		t.Errorf("%s batches are not done, or keep their payload", got)
	}
}
