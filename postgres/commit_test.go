package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"pgregory.net/rapid"
)

// hamlet has two accounts and a price.
const hamlet = `
types: [{code: T, name: t, unit: {code: u, name: u}}]
services: [{code: S, description: d, type: T}]
prices: [{id: p, service: S, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "1"}]
account_classes: [{key: k, name: n, payment_model: prepay, financial_blocking_threshold: "0", subzero_period: -1,
  subscription_credit_limit: "0", buy_with_negative_balance: false, default: true}]
customers: [{ref: c, accounts: [{number: A1, class: k, currency: EUR, time_zone: UTC, services: [S]},
  {number: A2, class: k, currency: EUR, time_zone: UTC, services: [S]}]}]
`

var march = at("2026-03-21T12:00:00Z")

// texts reads one column of text.
func (s *Store) texts(t testing.TB, query string) string {
	t.Helper()
	rows, err := s.pool.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return strings.Join(lines, "\n")
}

// accept takes a batch over, by a new id.
func (s *Store) accept(t testing.TB, shard int) uuid.UUID {
	t.Helper()
	id := uuid.Must(uuid.NewV7())
	if err := s.Accept(t.Context(), StoredBatch{ID: id, Shard: shard, Source: "test", Count: 1, AcceptedAt: march, Records: []byte(`[1]`)}); err != nil {
		t.Fatal(err)
	}
	return id
}

// judged is a commit of one rated record of each account, by what is true now.
func (s *Store) judged(t testing.TB, batch uuid.UUID, numbers ...string) *Commit {
	t.Helper()
	a, err := s.Read(t.Context(), Question{Accounts: numbers})
	if err != nil {
		t.Fatal(err)
	}
	c := &Commit{Now: march, Version: a.Version, Batches: []BatchResult{{ID: batch, Outcomes: Outcomes{Accepted: len(numbers), Rated: len(numbers)}}}}
	for i, number := range numbers {
		account := a.Accounts[number]
		account.Balance -= 3 * billing.MoneyUnit
		account.NegativeSince = march
		c.Moved = append(c.Moved, Moved{Account: account})
		r := &billing.UsageRecord{Source: "feed", ID: fmt.Sprint(batch, i), Account: number, Service: "S", Quantity: billing.FixedInt(3), OccurredAt: march}
		c.Judgements = append(c.Judgements, Judgement{Record: r, Batch: batch, Arrival: account.NextSeq(march.UnixMicro()),
			Outcome: billing.Rated, Charge: 3 * billing.MoneyUnit, Price: 1, Band: -1, Placement: 1, Trace: []byte{0}})
	}
	return c
}

// written is what a commit writes, in a few words.
func (s *Store) written(t testing.TB) string {
	t.Helper()
	return s.texts(t, `select concat_ws(' ', (select count(*) from records), (select string_agg(balance::text, ' ' order by account) from account_states),
		(select count(*) from batches where done_at is not null), (select count(*) from closed_counters),
		(select count(*) from dead_letters), (select count(*) from status_history), (select rated from prices))`)
}

// whatever adds one of everything else to a commit.
func (c *Commit) whatever() *Commit {
	c.Closed = map[ClosedKey]billing.Counter{{Account: "A1", CounterKey: billing.CounterKey{Kind: billing.OfAccount, Window: billing.Day, Start: 1}}: {}}
	c.DeadLetters = []DeadLetter{{ID: uuid.New(), Kind: Conflict, At: march, Batch: c.Batches[0].ID}}
	c.Changes = []StatusChange{{Account: "A1", Seq: 1, At: march, To: billing.CreditHold}}
	c.RatedBy = []int32{1}
	return c
}

func TestACommitIsWrittenWhole(t *testing.T) {
	s := newStore(t, hamlet)
	if err := s.Commit(t.Context(), s.judged(t, s.accept(t, 0), "A1", "A2").whatever()); err != nil {
		t.Fatal(err)
	}
	if got, want := s.written(t), "2 -3.000000 -3.000000 1 1 1 1 t"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	got := s.texts(t, `select concat_ws(' ', records, rated, rejected, payload is null, done_at = '2026-03-21T12:00:00Z') from batches`)
	if want := "2 2 0 t t"; got != want {
		t.Errorf("batch: got %s, want %s", got, want)
	}
	if got, want := s.texts(t, `select version::text from account_states`), "2\n2"; got != want {
		t.Errorf("versions: got %q, want %q", got, want)
	}
}

// TestNothingOfAStaleCommitIsWritten changes one thing that it was judged by.
func TestNothingOfAStaleCommitIsWritten(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(t *testing.T, s *Store, c *Commit)
		also   error
	}{
		{"an account has moved on", func(t *testing.T, s *Store, _ *Commit) {
			s.do(t, `update account_states set version = 7 where account = 'A2'`)
		}, ErrStale},
		{"an account is gone", func(_ *testing.T, _ *Store, c *Commit) { c.Moved[1].Number = "A3" }, ErrStale},
		{"the settings have", func(t *testing.T, s *Store, _ *Commit) { s.do(t, `update settings set version = version + 1`) }, ErrStale},
		{"the batch is done", func(t *testing.T, s *Store, _ *Commit) {
			s.do(t, `update batches set done_at = now(), rated = 1`)
		}, ErrDone},
		{"there is no such batch", func(_ *testing.T, _ *Store, c *Commit) { c.Batches[0].ID = uuid.New() }, ErrDone},
		{"a record is there", func(t *testing.T, s *Store, c *Commit) {
			s.do(t, `insert into records select 'A2', 'feed', '`+c.Judgements[1].Record.ID+`', 1, gen_random_uuid(), 'S', 1, now(), 0, null, null, null, 2, 1,
				null, 0, 0, 0, '', now(), null; `, `update batches set source = 'other'`)
		}, ErrStale},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newStore(t, hamlet)
			c := s.judged(t, s.accept(t, 0), "A1", "A2").whatever()
			tc.change(t, s, c)
			before := s.written(t)
			if err := s.Commit(t.Context(), c); !errors.Is(err, ErrStale) || !errors.Is(err, tc.also) {
				t.Errorf("got %v, want %v", err, tc.also)
			}
			if got := s.written(t); got != before {
				t.Errorf("got %s, want %s as before", got, before)
			}
		})
	}
}

// TestTwoCommitsOfOneBatch: the second finds it done, whichever account it moves.
func TestTwoCommitsOfOneBatch(t *testing.T) {
	s := newStore(t, hamlet)
	id := s.accept(t, 0)
	errs := make(chan error, 2)
	for _, number := range []string{"A1", "A2"} {
		c := s.judged(t, id, number)
		go func() { errs <- s.Commit(context.WithoutCancel(t.Context()), c) }()
	}
	first, second := <-errs, <-errs
	if (first == nil) == (second == nil) || !errors.Is(errors.Join(first, second), ErrDone) {
		t.Errorf("got %v and %v, want one done and one %v", first, second, ErrDone)
	}
	if got := s.texts(t, `select sum(balance)::text from account_states`); got != "-3.000000" {
		t.Errorf("balances: got %s together, want one debit of 3", got)
	}
}

// TestAChangeOfSettingsKeepsBatchesOut: a batch that was judged by the old ones
// waits for it and finds itself stale (docs/adr/0003).
func TestAChangeOfSettingsKeepsBatchesOut(t *testing.T) {
	s := newStore(t, hamlet)
	c := s.judged(t, s.accept(t, 0), "A1")
	ctx := context.WithoutCancel(t.Context())
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{`lock table settings in exclusive mode`, `update settings set version = version + 1`} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Commit(ctx, c) }()
	s.waitForLock(t)
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, ErrStale) {
		t.Errorf("got %v, want %v", err, ErrStale)
	}
}

// waitForLock waits until somebody waits for a lock.
func (s *Store) waitForLock(t testing.TB) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-look.C {
		if s.texts(t, `select count(*)::text from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`) != "0" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for a lock")
		}
	}
}

// TestADeadlockIsAStaleJudgement: who was given up judges again, at once.
func TestADeadlockIsAStaleJudgement(t *testing.T) {
	s := newStore(t, hamlet)
	c := s.judged(t, s.accept(t, 0), "A1", "A2")
	ctx := context.WithoutCancel(t.Context())
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	// It takes the second account first, and is in no hurry to give up.
	for _, statement := range []string{`set local deadlock_timeout = '1min'`, `select from account_states where account = 'A2' for update`} {
		if _, err := tx.Exec(ctx, statement); err != nil {
			t.Fatal(err)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Commit(ctx, c) }()
	s.waitForLock(t)
	if _, err := tx.Exec(ctx, `select from account_states where account = 'A1' for update`); err != nil {
		t.Errorf("the other one was given up: %v", err)
	}
	if err := <-ended; !errors.Is(err, ErrStale) || !isCode(err, "40P01") {
		t.Errorf("got %v, want a deadlock that is %v", err, ErrStale)
	}
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestRecordsAreKeptAsTheyWere copies random records, and some at the ends of
// what SPEC R2 allows, and reads what the database makes of them.
func TestRecordsAreKeptAsTheyWere(t *testing.T) {
	s := newStore(t, hamlet)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		r := billing.UsageRecord{Source: rapid.StringN(1, 20, 60).Filter(keeps).Draw(rt, "source"), ID: fmt.Sprint(n), Account: "A1",
			Service: rapid.StringN(1, 20, 60).Filter(keeps).Draw(rt, "service")}
		digits := rapid.SampledFrom([]string{"0.000000000001", "999999999999.999999999999", "10000", "0.0001", "1", "123456.789", "100000000"})
		if err := r.Quantity.UnmarshalText([]byte(digits.Draw(rt, "quantity"))); err != nil {
			rt.Fatal(err)
		}
		r.OccurredAt = time.UnixMicro(rapid.Int64Range(-62135596800_000_000, 253402300799_999_999).Draw(rt, "time")).UTC()
		amounts := rapid.OneOf(rapid.SampledFrom([]billing.Money{0, 1, -1, billing.MoneyMax, -billing.MoneyMax, billing.MoneyUnit}),
			rapid.Custom(func(t *rapid.T) billing.Money {
				return billing.Money(rapid.Int64Range(-int64(billing.MoneyMax), int64(billing.MoneyMax)).Draw(t, "units"))
			}))
		if rapid.Bool().Draw(rt, "has an amount") {
			m := amounts.Draw(rt, "amount")
			r.Amount = &m
		}
		r.Directive = rapid.SampledFrom([]billing.Directive{billing.Charge, billing.Credit, billing.NoCharge}).Draw(rt, "directive")
		if r.Directive == billing.Credit {
			r.OriginalID = rapid.StringN(1, 20, 60).Filter(keeps).Draw(rt, "original")
		}
		if rapid.Bool().Draw(rt, "has attributes") {
			r.Attributes = []byte(`{"a": [1e400, "\u0000\ud800"],  "b":{}}`)
		}
		j := Judgement{Record: &r, Batch: s.accept(t, 0), Arrival: int64(n), Outcome: billing.Rated, Charge: amounts.Draw(rt, "charge"),
			Price: 7, Band: rapid.IntRange(-1, 32767).Draw(rt, "band"), Placement: 3, Trace: []byte{1, 2, 3}}
		version, err := s.Read(t.Context(), Question{})
		if err != nil {
			rt.Fatal(err)
		}
		c := &Commit{Now: march, Version: version.Version, Batches: []BatchResult{{ID: j.Batch, Outcomes: Outcomes{Accepted: 1, Rated: 1}}}, Judgements: []Judgement{j}}
		if err := s.Commit(t.Context(), c); err != nil {
			rt.Fatal(err)
		}
		a, err := s.Read(t.Context(), Question{Identities: []billing.Identity{r.Identity()}})
		if err != nil {
			rt.Fatal(err)
		}
		want := &Known{Record: r, Outcome: billing.Rated, Charge: j.Charge, Price: 7, Band: j.Band, Placement: 3}
		if diff := cmp.Diff(want, a.Known[r.Identity()], cmp.AllowUnexported(billing.Fixed{})); diff != "" {
			rt.Fatalf("record (-sent +stored):\n%s", diff)
		}
	})
}

// keeps tells whether the database can hold a text; no other passes the door.
func keeps(text string) bool { return keepable(text) == text }

func TestWhatIsTransient(t *testing.T) {
	code := func(code string) error { return fmt.Errorf("write: %w", &pgconn.PgError{Code: code}) }
	for _, tc := range []struct {
		name string
		err  error
		want bool
	}{
		{"a lost connection", errors.New("unexpected EOF"), true},
		{"a time-out", context.DeadlineExceeded, true},
		{"a stale judgement", ErrStale, true},
		{"a deadlock", code("40P01"), true},
		{"an administrator's stop", code("57P01"), true},
		{"a full disk", code("53100"), true},
		{"a standby", code("25006"), true},
		{"a password that was changed", code("28P01"), true},
		{"a right that is missing", code("42501"), true},
		{"a table that is missing", code("42P01"), true},
		{"a plan that a migration changed", code("0A000"), true},
		{"a number out of range", code("22003"), false},
		{"bytes that are no text", code("22021"), false},
		{"a constraint", code("23514"), false},
		{"more than a row holds", code("54000"), false},
		{"what is damaged", fmt.Errorf("account A1: %w", ErrDamaged), false},
	} {
		if got := Transient(tc.err); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

func TestJudgementsAreWrittenAccountByAccount(t *testing.T) {
	var list []Judgement
	for _, account := range []string{"B", "A", "C", "B", "A", "B"} {
		list = append(list, Judgement{Record: &billing.UsageRecord{Account: account}})
	}
	if got, want := byAccount(list), []int{1, 4, 0, 3, 5, 2}; !slices.Equal(got, want) {
		t.Errorf("got the order %v, want %v", got, want)
	}
	if got := byAccount(nil); len(got) != 0 {
		t.Errorf("of nothing: got %v", got)
	}
}
