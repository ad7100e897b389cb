package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
)

// paying pays accounts, one after the other without a pause, until what it
// answers is called.
func (s *Store) paying(t *testing.T, payers int, numbers ...string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for payer := range payers {
		wait.Go(func() {
			for k := 0; ctx.Err() == nil; k++ {
				_, err := s.Post(ctx, Posting{Kind: billing.PaymentPosting, Account: numbers[(k*payers+payer)%len(numbers)], Amount: 1,
					Key: fmt.Sprintf("%d-%d", payer, k), At: time.Now(), Actor: "test"})
				if err != nil && ctx.Err() == nil && !errors.Is(err, ErrStale) {
					t.Error(err)
				}
			}
		})
	}
	return func() {
		cancel()
		wait.Wait()
	}
}

// with is the store with a number of connections, of which that many overtake
// one another.
func (s *Store) with(t *testing.T, connections int32) *Store {
	t.Helper()
	many, err := Open(t.Context(), s.pool.all.Config().ConnString(), Options{Connections: connections})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(many.Close)
	return many
}

func (s *Store) apply(t *testing.T, file string) {
	t.Helper()
	f, err := setup.Parse("setup.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Apply(t.Context(), f, ApplyOptions{At: time.Now(), Actor: "test", TimeZone: time.UTC}); err != nil {
		t.Fatal(err)
	}
}

// A class of many accounts was tested under versions alone: a payment to any of
// them made all of it stale, and under some hundred a second apply gave up.
func TestAClassIsChangedWhileItsAccountsArePaid(t *testing.T) {
	s := newStore(t, village)
	var file strings.Builder
	file.WriteString("customers:\n  - ref: many\n    accounts:\n")
	numbers := make([]string, 1500)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("N%04d", i)
		fmt.Fprintf(&file, "      - {number: %s, currency: EUR, opening_balance: \"-60\"}\n", numbers[i])
	}
	s.apply(t, file.String())
	defer s.paying(t, 3, numbers...)()
	for _, threshold := range []string{"50", "100"} {
		s.apply(t, fmt.Sprintf(`account_classes: [{key: std, name: Standard, payment_model: prepay, financial_blocking_threshold: %q,
			subzero_period: -1, subscription_credit_limit: "0", buy_with_negative_balance: false}]`, threshold))
	}
	var active int
	if err := s.pool.QueryRow(t.Context(), `select count(*) from account_states where account like 'N%' and status = 0`).Scan(&active); err != nil {
		t.Fatal(err)
	}
	if active != len(numbers) {
		t.Errorf("got %d accounts that are active again, want %d", active, len(numbers))
	}
}

// Whoever moved an account meanwhile made all of a recount stale: on a busy
// account with a history a time zone could not be set.
func TestATimeZoneIsSetWhileTheAccountIsPaid(t *testing.T) {
	s := newStore(t, village)
	s.keep(t, stored{account: "A", source: "f", id: "0", service: "s", at: "2025-06-01T10:00:00Z", quantity: 1, outcome: billing.Rated, charge: "0"})
	s.do(t, `insert into records (account, source, id, arrival, batch, service, quantity, occurred_at, directive, outcome, reason, charge,
			price, band, placement, trace, rated_at)
		select account, source, n, n, batch, service, quantity, occurred_at, directive, outcome, reason, charge, price, band, placement, trace, rated_at
		from records, generate_series(1, 20000) n`)
	defer s.paying(t, 3, "A")()
	zone := "Pacific/Apia"
	if _, err := s.SetAccount(t.Context(), AccountChange{Account: "A", TimeZone: &zone, At: time.Now(), Actor: "test"}); err != nil {
		t.Error(err)
	}
}

// Of two hundred that paid one account at once a third gave up: each try was
// overtaken by another one's.
func TestOneAccountIsPaidByManyAtOnce(t *testing.T) {
	s := newStore(t, village).with(t, 16)
	const payments = 200
	errs := make([]error, payments)
	var wait sync.WaitGroup
	for k := range errs {
		wait.Go(func() {
			_, errs[k] = s.Post(t.Context(), Posting{Kind: billing.PaymentPosting, Account: "A", Amount: 1, Key: fmt.Sprint(k), At: time.Now(), Actor: "test"})
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	var postings int
	if err := s.pool.QueryRow(t.Context(), `select count(*) from entries where account = 'A'`).Scan(&postings); err != nil {
		t.Fatal(err)
	}
	if postings != payments {
		t.Errorf("got %d postings, want %d", postings, payments)
	}
}

func TestAnAccountIsHeldWhileItIsPaid(t *testing.T) {
	s := newStore(t, village).with(t, 16)
	defer s.paying(t, 12, "A")()
	actions := []StatusAction{HoldAccount, ReleaseAccount}
	for k := range 40 {
		if _, err := s.SetStatus(t.Context(), StatusRequest{Account: "A", Action: actions[k%2], Note: "test", At: time.Now(), Actor: "test"}); err != nil {
			t.Error(err)
		}
	}
}

// Of two that added an account of one number at once, one was told what the
// database calls it.
func TestAnAccountThatIsAddedTwiceAtOnceIsThereOnce(t *testing.T) {
	s := newStore(t, village)
	for i := range 20 {
		number := fmt.Sprint("twice ", i)
		var wait sync.WaitGroup
		errs := make([]error, 3)
		for k := range errs {
			wait.Go(func() {
				_, errs[k] = s.CreateAccount(t.Context(), NewAccountRequest{Customer: "c", Number: number, TimeZone: "UTC", At: time.Now(), Actor: "test"})
			})
		}
		wait.Wait()
		added := 0
		for _, err := range errs {
			switch {
			case err == nil:
				added++
			case !IsRefusal(err):
				t.Errorf("got %v, want a refusal", err)
			}
		}
		if added != 1 {
			t.Errorf("added %d times, want once", added)
		}
	}
}

// Two commands that each changed something else of an account both wrote all of
// its row: one of the changes was lost, and with it what had followed from it.
func TestTwoChangesOfAnAccountAtOnceBothHold(t *testing.T) {
	s := newStore(t, village)
	for i := range 50 {
		amount, day := fmt.Sprint(i+1), i%28+2
		var wait sync.WaitGroup
		for _, c := range []AccountChange{{Threshold: &amount}, {CycleDay: &day}, {CreditLimit: &amount}} {
			wait.Go(func() {
				c.Account, c.At, c.Actor = "A", time.Now(), "test"
				if _, err := s.SetAccount(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		var got string
		if err := s.pool.QueryRow(t.Context(), `select concat_ws(' ', trim_scale(threshold), cycle_day, trim_scale(credit_limit))
			from accounts where number = 'A'`).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%s %d %s", amount, day, amount); got != want {
			t.Fatalf("round %d: got threshold, cycle day and credit limit %s, want %s", i, got, want)
		}
	}
}

// A sweep notes in an account's row that its status changed. Who had read the row
// before to change the account's terms was thrown back by that, and an apply of
// many accounts with it.
func TestTermsAreChangedWhileASweepHolds(t *testing.T) {
	s := newStore(t, village)
	s.do(t, `update account_states set balance = -500, negative_since = now(), due_at = '0001-01-01'::timestamptz where account = 'A'`)
	tries := 0
	err := s.Write(t.Context(), time.Now(), "test", func(tx *Tx) error {
		tries++
		snap, err := tx.Snapshot(t.Context())
		if err != nil {
			return err
		}
		rows, err := tx.accountRows(t.Context(), []string{"A"})
		if err != nil {
			return err
		}
		if err := s.Write(t.Context(), time.Now(), "", func(sweep *Tx) error {
			_, err := sweep.CreditTest(t.Context(), []string{"A"})
			return err
		}); err != nil {
			return err
		}
		now := *rows["A"]
		now.Applications = []string{"App"}
		_, err = tx.changeAccount(t.Context(), snap, "A", rows["A"], &now, nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := s.Account(t.Context(), "A", march); err != nil || tries != 1 || a.Status != billing.CreditHold || len(a.Applications) != 1 {
		t.Errorf("after %d tries got %+v, %v, want an account on hold with an application, at the first", tries, a, err)
	}
}
