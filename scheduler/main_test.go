package scheduler

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) {
	if do, is := victim(); is {
		if err := do(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(0)
	}
	os.Exit(pgtest.Main(m, func(ctx context.Context, url string) error {
		_, err := postgres.Migrate(ctx, url)
		return err
	}))
}

// site is a database of the test's own, with a store and a runner on it.
type site struct {
	t     testing.TB
	url   string
	store *postgres.Store
	Runner
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{t: t, url: pgtest.New(t)}
	s.store = s.open()
	s.Runner = Runner{Store: s.store, Clock: time.Now, Log: quiet()}
	return s
}

// open is one more way to the database, as another process has it.
func (s *site) open() *postgres.Store {
	s.t.Helper()
	store, err := postgres.Open(s.t.Context(), s.url, postgres.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(store.Close)
	return store
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// classes are the account classes of the tests: 100 may be owed, for three days,
// not at all, or for ever; and a postpay one.
const classes = `
account_classes:
  - {key: three, name: Three, payment_model: prepay, financial_blocking_threshold: "100", subzero_period: 3,
     subscription_credit_limit: "0", buy_with_negative_balance: false, default: true}
  - {key: none, name: None, payment_model: prepay, financial_blocking_threshold: "100", subzero_period: 0,
     subscription_credit_limit: "0", buy_with_negative_balance: true, default: false}
  - {key: ever, name: Ever, payment_model: prepay, financial_blocking_threshold: "100", subzero_period: -1,
     subscription_credit_limit: "0", buy_with_negative_balance: false, default: false}
  - {key: later, name: Later, payment_model: postpay, financial_blocking_threshold: "0", subzero_period: 0,
     subscription_credit_limit: "0", buy_with_negative_balance: false, default: false}
`

// apply loads a set-up at a time; it is one customer's accounts, a line each, like
// "{number: A, opening_balance: "5"}".
func (s *site) apply(at time.Time, accounts ...string) {
	s.t.Helper()
	text := classes + "customers:\n  - ref: c\n    name: C\n    accounts:\n"
	for _, a := range accounts {
		text += "      - {currency: EUR, " + a[1:] + "\n"
	}
	s.applyFile(at, text)
}

func (s *site) applyFile(at time.Time, text string) {
	s.t.Helper()
	f, err := setup.Parse("setup.yaml", []byte(text))
	if err != nil {
		s.t.Fatal(err)
	}
	o := postgres.ApplyOptions{At: at, Actor: "test", TimeZone: time.UTC}
	if _, err := s.store.Apply(s.t.Context(), f, o); err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) account(number string) *postgres.AccountView {
	s.t.Helper()
	a, err := s.store.Account(s.t.Context(), number, time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// wantAccount holds status and balance of an account, like "active 5".
func (s *site) wantAccount(number, want string) {
	s.t.Helper()
	a := s.account(number)
	got := fmt.Sprintf("%s %s", a.Status, a.Balance)
	if a.StatusReason != nil {
		got = fmt.Sprintf("%s (%s) %s", a.Status, a.StatusReason, a.Balance)
	}
	if got != want {
		s.t.Errorf("account %s: got %s, want %s", number, got, want)
	}
}

func (s *site) sweepAt(text string) postgres.Swept {
	s.t.Helper()
	swept, err := s.Sweep(s.t.Context(), Order{At: at(s.t, text), Actor: "test"})
	if err != nil {
		s.t.Fatal(err)
	}
	return swept
}

func (s *site) chargeAt(text string) Charged {
	s.t.Helper()
	charged, err := s.Charge(s.t.Context(), Order{At: at(s.t, text), Actor: "test"}, 31)
	if err != nil {
		s.t.Fatal(err)
	}
	return charged
}

func (s *site) pay(number, amount, key, when string) {
	s.t.Helper()
	m, err := billing.ParseMoney(amount)
	if err != nil {
		s.t.Fatal(err)
	}
	if _, err := s.store.Post(s.t.Context(), postgres.Posting{Account: number, Kind: billing.PaymentPosting, Amount: m, Key: key,
		At: at(s.t, when), Actor: "test"}); err != nil {
		s.t.Fatal(err)
	}
}

// statement is an account's lines as text, without their times: amount, figure
// afterwards, description.
func (s *site) statement(number string) (lines []string) {
	s.t.Helper()
	for l, err := range s.store.Statement(s.t.Context(), number, postgres.Span{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		lines = append(lines, fmt.Sprintf("%s %s %s %s", l.Kind, l.Amount, l.BalanceAfter, l.Description))
	}
	return lines
}

// query reads one value of the database.
func query[T any](s *site, sql string, args ...any) (v T) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(s.t.Context()))
	if err := conn.QueryRow(s.t.Context(), sql, args...).Scan(&v); err != nil {
		s.t.Fatal(err)
	}
	return v
}

// exec changes the database behind the store's back.
func (s *site) exec(sql string, args ...any) {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(s.t.Context()))
	if _, err := conn.Exec(s.t.Context(), sql, args...); err != nil {
		s.t.Fatal(err)
	}
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	when, err := billing.ParseTime(text)
	if err != nil {
		t.Fatal(err)
	}
	return when
}
