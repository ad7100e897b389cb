package verify_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/setup"
	"github.com/chargehand/chargehand/worker"
	"github.com/google/uuid"
)

// patience bounds what a test waits for.
const patience = time.Minute

// house is a database with a worker at work: verify's subject is what the
// program writes, not what a test believes that it writes.
type house struct {
	t     testing.TB
	url   string
	store *postgres.Store
	queue *queue.Client
	stop  func() // ends worker and connections; more than once is as once
}

// newHouse sets a file up in a database of the test's own.
func newHouse(t testing.TB, file string, s worker.Settings) *house {
	t.Helper()
	h := &house{t: t, url: pgtest.New(t)}
	h.store = open(t, h.url)
	h.apply(file)
	stack := devstack.ForTest(t, devstack.Options{NoPostgres: true, Env: func(string) string { return "" }})
	q, err := queue.Connect(stack.RedisURL, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h.queue = q
	w, err := worker.New(h.store, q, worker.Config{Settings: s, Shards: 1, BatchesPerCommit: 8, CacheAccounts: 100_000, Lease: 10 * time.Second},
		time.Now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := q.Close(); err != nil {
			t.Error(err)
		}
		h.store.Close()
	})
	t.Cleanup(h.stop)
	return h
}

func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	store, err := postgres.Open(t.Context(), url, postgres.Options{Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

func (h *house) apply(file string) {
	h.t.Helper()
	f, err := setup.Parse("setup.yaml", []byte(file))
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.store.Apply(h.t.Context(), f, postgres.ApplyOptions{At: time.Now(), Actor: "test", TimeZone: time.UTC}); err != nil {
		h.t.Fatal(err)
	}
}

// send accepts records as one batch and waits until they are judged.
func (h *house) send(records ...string) postgres.Outcomes {
	h.t.Helper()
	return h.wait(h.accept(records...))
}

func (h *house) accept(records ...string) uuid.UUID {
	h.t.Helper()
	id := uuid.Must(uuid.NewV7())
	err := h.store.Accept(h.t.Context(), postgres.StoredBatch{ID: id, Source: "test", Count: len(records),
		AcceptedAt: time.Now().UTC().Truncate(time.Microsecond), Records: []byte("[" + strings.Join(records, ",") + "]")})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.queue.Nudge(h.t.Context(), 0, id); err != nil {
		h.t.Fatal(err)
	}
	return id
}

func (h *house) wait(ids ...uuid.UUID) postgres.Outcomes {
	h.t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(patience); ; <-look.C {
		out, waiting, err := h.store.OutcomesOf(h.t.Context(), ids)
		if err != nil {
			h.t.Fatal(err)
		}
		if waiting == 0 {
			return out
		}
		if time.Now().After(deadline) {
			h.t.Fatalf("%d batches wait after %s", waiting, patience)
		}
	}
}

// use is a usage record: id, account, service, quantity and time, and whatever
// else it has as JSON members.
func use(id, account, service, quantity, at string, more ...string) string {
	r := fmt.Sprintf(`{"source":"feed","id":%q,"account":%q,"service":%q,"quantity":%q,"occurred_at":%q`, id, account, service, quantity, at)
	for _, m := range more {
		r += "," + m
	}
	return r + "}"
}
