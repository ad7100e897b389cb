package postgres

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/jackc/pgx/v5"
)

// keyed is a request with a key.
func keyed(key, body string) *KeyedRequest {
	return &KeyedRequest{Token: "shop", Key: key, Hash: [32]byte{body[0]}, At: at("2026-03-10T12:00:00Z")}
}

var created = &StoredAnswer{Status: 201, Head: http.Header{"Location": {"/x"}}, Body: []byte("{}")}

// adding adds a customer, and answers so.
func (s *Store) adding(t *testing.T, ref string) func(context.Context) *StoredAnswer {
	return func(ctx context.Context) *StoredAnswer {
		if _, _, err := s.AddCustomer(ctx, CustomerRequest{Ref: ref, At: at("2026-03-10T12:00:00Z"), Actor: "test"}); err != nil {
			t.Error(err)
		}
		return created
	}
}

// never is what must not be carried out.
func never(t *testing.T) func(context.Context) *StoredAnswer {
	return func(context.Context) *StoredAnswer {
		t.Error("carried out again")
		return nil
	}
}

func TestAKeyIsCarriedOutOnce(t *testing.T) {
	s := newStore(t, village)
	var fresh atomic.Int32
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			answer, err := s.Once(t.Context(), keyed("k", "a"), func(ctx context.Context) *StoredAnswer {
				fresh.Add(1)
				return s.adding(t, "mia")(ctx)
			})
			if err != nil && !errors.Is(err, ErrInProgress) || answer != nil && answer.Status != 201 {
				t.Errorf("got %v, %v", answer, err)
			}
		})
	}
	wait.Wait()
	if fresh.Load() != 1 {
		t.Errorf("carried out %d times, want once", fresh.Load())
	}
}

func TestAnAnswerIsGivenAgain(t *testing.T) {
	s := newStore(t, village)
	if answer, err := s.Once(t.Context(), keyed("k", "a"), s.adding(t, "mia")); answer != nil || err != nil {
		t.Fatalf("got %v, %v", answer, err)
	}
	answer, err := s.Once(t.Context(), keyed("k", "a"), never(t))
	if err != nil || answer == nil || answer.Status != 201 || answer.Head.Get("Location") != "/x" || string(answer.Body) != "{}" {
		t.Errorf("got %+v, %v", answer, err)
	}
	if _, err := s.Once(t.Context(), keyed("k", "b"), never(t)); !errors.Is(err, ErrKeyReused) {
		t.Errorf("another request with the key: got %v", err)
	}
	other := keyed("k", "b")
	other.Token = "another"
	if answer, err := s.Once(t.Context(), other, s.adding(t, "max")); answer != nil || err != nil {
		t.Errorf("the key of another token: got %v, %v", answer, err)
	}
	if n, err := s.ForgetAnswers(t.Context(), other.At); n != 0 || err != nil {
		t.Errorf("forgot %d, %v of what was answered at that very moment", n, err)
	}
	if n, err := s.ForgetAnswers(t.Context(), other.At.Add(time.Microsecond)); n != 2 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
}

func TestARequestThatWasRefusedDidNothing(t *testing.T) {
	s := newStore(t, village)
	refused := func(ctx context.Context) *StoredAnswer {
		s.adding(t, "mia")(ctx)
		return nil
	}
	if answer, err := s.Once(t.Context(), keyed("k", "a"), refused); answer != nil || err != nil {
		t.Errorf("got %v, %v", answer, err)
	}
	if _, err := s.Customer(t.Context(), "mia"); !errors.Is(err, ErrNoCustomer) {
		t.Errorf("got %v, want nobody added", err)
	}
	if answer, err := s.Once(t.Context(), keyed("k", "b"), s.adding(t, "max")); answer != nil || err != nil {
		t.Errorf("the key is not free: got %v, %v", answer, err)
	}
}

// While a request is carried out nobody else sees what it did, also who reads all
// as of one moment; under its own context everything does, over one connection.
func TestARequestSeesWhatItDidAndNobodyElse(t *testing.T) {
	url := pgtest.New(t)
	s, err := Open(t.Context(), url, Options{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	outside, err := Open(t.Context(), url, Options{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	outside.apply(t, village)
	now := at("2026-03-10T12:00:00Z")
	_, err = s.Once(t.Context(), keyed("k", "a"), func(ctx context.Context) *StoredAnswer {
		number, err := s.CreateAccount(ctx, NewAccountRequest{Customer: "c", TimeZone: "UTC", At: now, Actor: "test"})
		if err != nil {
			t.Error(err)
			return nil
		}
		if v, err := s.Account(ctx, number, now); err != nil || v.Number != number {
			t.Errorf("inside: got %v, %v", v, err)
		}
		if v, err := s.Customer(ctx, "c"); err != nil || v.Accounts != 3 {
			t.Errorf("inside: got %+v, %v, want three accounts", v, err)
		}
		if r, err := s.Remaining(ctx, number, "", now, false); err != nil {
			t.Errorf("inside: got %v, %v", r, err)
		}
		if _, err := outside.Account(t.Context(), number, now); !errors.Is(err, ErrNoAccount) {
			t.Errorf("outside: got %v, want no account", err)
		}
		if _, err := outside.Once(t.Context(), keyed("k", "a"), never(t)); !errors.Is(err, ErrInProgress) {
			t.Errorf("outside: got %v", err)
		}
		if _, err := outside.Once(t.Context(), keyed("k", "b"), never(t)); !errors.Is(err, ErrInProgress) {
			t.Errorf("another request with the key: got %v", err)
		}
		return created
	})
	if err != nil {
		t.Error(err)
	}
	if v, err := outside.Customer(t.Context(), "c"); err != nil || v.Accounts != 3 {
		t.Errorf("afterwards: got %+v, %v, want three accounts", v, err)
	}
}

// What begins and commits by itself would commit half of a request.
func TestWhatMustBeAloneIsNoPartOfARequest(t *testing.T) {
	s := newStore(t, village)
	_, err := s.Once(t.Context(), keyed("k", "a"), func(ctx context.Context) *StoredAnswer {
		if _, err := s.Read(ctx, Question{}); !errors.Is(err, errInOnce) {
			t.Errorf("read: got %v", err)
		}
		if err := s.Commit(ctx, &Commit{}); !errors.Is(err, errInOnce) {
			t.Errorf("commit: got %v", err)
		}
		return s.adding(t, "mia")(ctx)
	})
	if err != nil {
		t.Error(err)
	}
}

// lockInTurn locks two accounts, the second when both of two requests have their
// first: one of them is given up by the database. It tries again when the other one
// is done, which has got its second lock by that: else it might be first at that
// lock once more.
type lockInTurn struct {
	has   sync.WaitGroup
	tries atomic.Int32
}

func (l *lockInTurn) do(ctx context.Context, s *Store, first, second string, other <-chan struct{}) error {
	tried := false
	return s.Write(ctx, time.Now(), "test", func(tx *Tx) error {
		l.tries.Add(1)
		if tried {
			<-other
			return errors.Join(tx.lock(ctx, first), tx.lock(ctx, second))
		}
		tried = true
		if err := tx.lock(ctx, first); err != nil {
			return err
		}
		l.has.Done()
		l.has.Wait()
		return tx.lock(ctx, second)
	})
}

func TestARequestThatTheDatabaseGaveUpForAnotherIsTriedAgain(t *testing.T) {
	s := newStore(t, village)
	var (
		turn lockInTurn
		wait sync.WaitGroup
	)
	turn.has.Add(2)
	done := map[string]chan struct{}{"A": make(chan struct{}), "B": make(chan struct{})}
	for _, numbers := range [][2]string{{"A", "B"}, {"B", "A"}} {
		wait.Go(func() {
			defer close(done[numbers[0]])
			_, err := s.Once(t.Context(), keyed(numbers[0], "a"), func(ctx context.Context) *StoredAnswer {
				s.adding(t, "by "+numbers[0])(ctx)
				if err := turn.do(ctx, s, numbers[0], numbers[1], done[numbers[1]]); err != nil {
					t.Error(err)
				}
				return created
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := turn.tries.Load(); got != 3 {
		t.Errorf("tried %d times, want one of the two once more", got)
	}
	for _, ref := range []string{"by A", "by B"} {
		if _, err := s.Customer(t.Context(), ref); err != nil {
			t.Errorf("what the request did before: %v", err)
		}
	}
}

// What is checked at the commit was told too late to be tried again.
func TestAnIDThatWasTakenMeanwhileIsChosenAnewInARequest(t *testing.T) {
	s := newStore(t, village)
	s.do(t, `update accounts set vendor_id = case number when 'A' then 11 else 12 end`)
	const set = `update accounts set vendor_id = @id where number = @number`
	_, err := s.Once(t.Context(), keyed("k", "a"), func(ctx context.Context) *StoredAnswer {
		id := 12
		if err := s.Write(ctx, time.Now(), "test", func(tx *Tx) error {
			_, err := tx.tx.Exec(ctx, set, pgx.NamedArgs{"id": id, "number": "A"})
			id++
			return err
		}); err != nil || id != 14 {
			t.Errorf("got %v with the next id %d, want the second one taken", err, id)
		}
		// The next one may again go through what must not stay.
		if err := s.Write(ctx, time.Now(), "test", func(tx *Tx) error {
			var b pgx.Batch
			b.Queue(set, pgx.NamedArgs{"id": 12, "number": "A"})
			b.Queue(set, pgx.NamedArgs{"id": 13, "number": "B"})
			return tx.tx.SendBatch(ctx, &b).Close()
		}); err != nil {
			t.Error(err)
		}
		return created
	})
	if err != nil {
		t.Error(err)
	}
	var ids string
	if err := s.pool.QueryRow(t.Context(), `select string_agg(number || vendor_id, ' ' order by number) from accounts`).Scan(&ids); err != nil || ids != "A12 B13" {
		t.Errorf("got %s, %v", ids, err)
	}
}

// A server that vanished does not hang up.
func TestARequestThatHangsIsEndedByTheDatabase(t *testing.T) {
	s, err := Open(t.Context(), pgtest.New(t), Options{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	bound := func(ctx context.Context) (text string) {
		if err := s.pool.QueryRow(ctx, `show idle_in_transaction_session_timeout`).Scan(&text); err != nil {
			t.Error(err)
		}
		return text
	}
	before := bound(t.Context())
	if _, err := s.Once(t.Context(), keyed("k", "a"), func(ctx context.Context) *StoredAnswer {
		if got := bound(ctx); got != "30s" {
			t.Errorf("got %s", got)
		}
		return created
	}); err != nil {
		t.Error(err)
	}
	if got := bound(t.Context()); got != before {
		t.Errorf("afterwards: got %s, want %s as before", got, before)
	}
}

// Who gets the key's lock must see what was committed while it was another's, also
// where the database would have a transaction see what stood when it began.
func TestARequestSeesWhatWasCommittedUntilItHasTheKey(t *testing.T) {
	s := newStore(t, village)
	s.do(t, `alter database `+s.pool.all.Config().ConnConfig.Database+` set default_transaction_isolation = 'repeatable read'`)
	s.pool.all.Reset()
	if _, err := s.Once(t.Context(), keyed("k", "a"), func(ctx context.Context) *StoredAnswer {
		var level string
		if err := s.pool.QueryRow(ctx, `show transaction_isolation`).Scan(&level); err != nil || level != "read committed" {
			t.Errorf("got %s, %v", level, err)
		}
		return created
	}); err != nil {
		t.Error(err)
	}
}

// Whatever breaks, the connection comes back to the pool outside a transaction.
func TestARequestThatBreaksLeavesNothing(t *testing.T) {
	s := newStore(t, village)
	for range 10 { // there are four connections
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_, _ = s.Once(t.Context(), keyed("k", "a"), func(ctx context.Context) *StoredAnswer {
				s.adding(t, "mia")(ctx)
				panic("broken")
			})
		}()
	}
	if _, err := s.Customer(t.Context(), "mia"); !errors.Is(err, ErrNoCustomer) {
		t.Errorf("got %v, want nobody added", err)
	}
	_, err := s.Once(t.Context(), keyed("k", "a"), func(ctx context.Context) *StoredAnswer {
		_, err := s.Post(ctx, Posting{Account: "A", Kind: billing.PaymentPosting, Amount: 1, Key: "p", At: time.Now(), Actor: "test"})
		if err != nil {
			t.Error(err)
		}
		// A reader whose fault nobody looked at breaks the transaction.
		_, _ = s.pool.Exec(ctx, `select 1 / 0`)
		return created
	})
	if !isCode(err, "25P02") {
		t.Errorf("got %v, want the transaction to be broken", err)
	}
	if _, err := s.Once(t.Context(), keyed("k", "a"), s.adding(t, "mia")); err != nil {
		t.Error(err)
	}
}
