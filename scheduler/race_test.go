package scheduler

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/verify"
	"github.com/chargehand/chargehand/worker"
	"github.com/google/uuid"
)

// serial is every result that some order of the three has, of an account that
// stands at -101 with 100 tolerated: a batch that charges 20 to it, a payment of
// 50, and a sweep. What is shown is status and balance, the record's outcome, and
// the balances at which the account was held and released.
var serial = map[string]string{
	"active -71 rated":                        "the sweep comes when it is paid",
	"active -71 rated held -121 freed -71":    "batch, sweep, payment",
	"active -71 rated held -101 freed -51":    "sweep, payment, batch",
	"active -51 rejected held -101 freed -51": "sweep, batch, payment",
}

func TestSweepPaymentAndBatchEndAsInSomeOrder(t *testing.T) {
	const rounds, perRound = 40, 8
	s := newSite(t)
	s.applyFile(time.Now(), classes+`
families: [{code: F, name: F}]
types: [{code: T, name: T, family: F, unit: {code: u, name: Unit}}]
services: [{code: use, description: Use, type: T}]
prices: [{id: p, service: use, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "1"}]
customers: [{ref: c, name: C}]
`)
	accounts := make([]string, rounds*perRound)
	for i := range accounts {
		accounts[i] = fmt.Sprintf(`{number: R%04d, opening_balance: "-101", class: ever, services: [use]}`, i)
	}
	s.apply(time.Now(), accounts...)
	q := s.work()
	for round := range rounds {
		numbers := make([]string, perRound)
		for i := range numbers {
			numbers[i] = fmt.Sprintf("R%04d", round*perRound+i)
		}
		// The sweep finds the accounts of this round only: the others are not due yet.
		s.exec(`update account_states set due_at = case when account = any($1) then timestamptz '0001-01-01T00:00:00Z' end
			where version = 1`, numbers)
		var wait sync.WaitGroup
		wait.Go(func() {
			stagger(60 * time.Millisecond)
			if _, err := s.Sweep(t.Context(), Order{At: time.Now(), Actor: "scheduler"}); err != nil {
				t.Error(err)
			}
		})
		for _, number := range numbers {
			wait.Go(func() {
				stagger(60 * time.Millisecond)
				if _, err := s.store.Post(t.Context(), postgres.Posting{Account: number, Kind: billing.PaymentPosting,
					Amount: 50 * billing.MoneyUnit, Key: "k", At: time.Now(), Actor: "test"}); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Go(func() {
			stagger(5 * time.Millisecond) // the queue takes its time
			s.feed(q, numbers)
		})
		wait.Wait()
	}
	eventually(t, "all batches are done", func() bool {
		waiting, err := s.store.WaitingBatches(t.Context())
		return err == nil && waiting == 0
	})
	met := map[string]int{}
	for i := range accounts {
		result := s.result(fmt.Sprintf("R%04d", i))
		met[result]++
		if serial[result] == "" {
			t.Errorf("account R%04d: no order ends with %s", i, result)
		}
	}
	for _, result := range slices.Sorted(maps.Keys(met)) {
		t.Logf("%3d × %s: %s", met[result], result, serial[result])
	}
	if len(met) < 2 {
		t.Error("they never raced: every account ended alike")
	}
	s.wantSound()
}

// stagger lets a goroutine begin a little later than the others, or earlier.
func stagger(most time.Duration) { <-time.After(rand.N(most)) }

// work runs a worker of one shard until the test ends.
func (s *site) work() *queue.Client {
	s.t.Helper()
	stack := devstack.ForTest(s.t, devstack.Options{NoPostgres: true})
	q, err := queue.Connect(stack.RedisURL, quiet())
	if err != nil {
		s.t.Fatal(err)
	}
	config := worker.Config{Settings: worker.Settings{FutureTolerance: 5 * time.Minute}, Shards: 1, BatchesPerCommit: 8,
		CacheAccounts: 10_000, Lease: 10 * time.Second}
	w, err := worker.New(s.open(), q, config, time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
		if err := q.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return q
}

// feed hands over a batch of one record of 20 for each account, a minute ahead, so
// that it is of the time after any hold.
func (s *site) feed(q *queue.Client, accounts []string) {
	records := make([]string, len(accounts))
	for i, number := range accounts {
		records[i] = fmt.Sprintf(`{"source":"feed","id":"1","account":%q,"service":"use","quantity":"20","occurred_at":%q}`,
			number, time.Now().Add(time.Minute).Format(time.RFC3339))
	}
	array := []byte("[" + strings.Join(records, ",") + "]")
	id := uuid.Must(uuid.NewV7())
	b := postgres.StoredBatch{ID: id, Source: "test", Count: len(records), AcceptedAt: time.Now(), Records: array}
	if err := s.store.Accept(s.t.Context(), b); err != nil {
		s.t.Error(err)
	}
	if err := q.Enqueue(s.t.Context(), 0, queue.Encode(id, array), id); err != nil {
		s.t.Error(err)
	}
}

// result is what became of an account, in the words of serial.
func (s *site) result(number string) string {
	s.t.Helper()
	a := s.account(number)
	outcome := query[string](s, `select case outcome when 1 then 'rated' else 'rejected' end from records where account = $1`, number)
	words := []string{a.Status.String(), a.Balance.String(), outcome}
	for l, err := range s.store.History(s.t.Context(), number, postgres.Span{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		word := "held"
		if l.To == billing.Active {
			word = "freed"
		}
		words = append(words, word, l.Balance.String())
	}
	return strings.Join(words, " ")
}

// wantSound has SPEC §9 proved of everything.
func (s *site) wantSound() {
	s.t.Helper()
	report, err := verify.Run(s.t.Context(), s.store, verify.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, b := range report.Broken {
		s.t.Errorf("%s of account %s: %s: got %s, want %s", b.Rule, b.Account, b.What, b.Found, b.Expected)
	}
}

// patience bounds what a test waits for.
const patience = time.Minute

func eventually(t testing.TB, what string, is func() bool) {
	t.Helper()
	end := time.Now().Add(patience)
	for !is() {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", patience, what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
