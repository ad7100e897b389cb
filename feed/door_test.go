package feed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// openDoor is a door over servers of the test's own.
func openDoor(t *testing.T, batchRecords int) (*Door, *devstack.Stack) {
	t.Helper()
	stack := devstack.ForTest(t, devstack.Options{NoPostgres: true, Env: os.Getenv})
	store, err := postgres.Open(t.Context(), pgtest.New(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	q, err := queue.Connect(stack.RedisURL, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Door{Store: store, Queue: q, Shards: 4, BatchRecords: batchRecords, Clock: time.Now,
		Log: slog.New(slog.DiscardHandler)}, stack
}

// records are n uses of ten accounts, in turn.
func records(t *testing.T, n int) []billing.UsageRecord {
	t.Helper()
	list := make([]billing.UsageRecord, n)
	for i := range list {
		list[i] = billing.UsageRecord{Source: "test", ID: fmt.Sprint(i), Account: fmt.Sprintf("A%d", i%10), Service: "s",
			Quantity: billing.FixedInt(1), OccurredAt: time.Date(2026, 3, 10, 10, 0, 0, 0, time.UTC)}
	}
	return list
}

// stored reads what the database keeps of batches: the ids of the records of
// each account, in the order in which a worker will judge them.
func stored(t *testing.T, d *Door, ids []uuid.UUID) map[string][]string {
	t.Helper()
	batches, err := d.Store.Batches(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	byAccount := map[string][]string{}
	for _, b := range batches {
		list, err := new(billing.Decoder).DecodeArray(nil, b.Records, func(_ int, text []byte, fault error) {
			t.Errorf("stored record %s: %v", text, fault)
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != b.Count {
			t.Errorf("batch %s: got %d records, counted %d", b.ID, len(list), b.Count)
		}
		for i := range list {
			if shard := queue.Shard(list[i].Account, d.Shards); shard != b.Shard {
				t.Errorf("account %s of shard %d is in a batch of shard %d", list[i].Account, shard, b.Shard)
			}
			byAccount[list[i].Account] = append(byAccount[list[i].Account], list[i].ID)
		}
	}
	return byAccount
}

// inOrder checks that every record of n is there once, and each account's in the
// order of sending.
func inOrder(t *testing.T, got map[string][]string, n int) {
	t.Helper()
	want := map[string][]string{}
	for i := range n {
		account := fmt.Sprintf("A%d", i%10)
		want[account] = append(want[account], fmt.Sprint(i))
	}
	for account, ids := range want {
		if !slices.Equal(got[account], ids) {
			t.Errorf("account %s: got %d records, want %d in the order of sending", account, len(got[account]), len(ids))
		}
	}
}

func TestAcceptedRecordsAreStoredByShardInOrder(t *testing.T) {
	d, _ := openDoor(t, 7)
	ids, err := d.Accept(t.Context(), "test", records(t, 1000))
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, stored(t, d, ids), 1000)
	pending := 0
	stats, err := d.Queue.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stats {
		pending += s.Pending
	}
	if pending != len(ids) {
		t.Errorf("got %d tasks, want one for each of %d batches", pending, len(ids))
	}
}

func TestAStreamHandsOverEverythingInOrder(t *testing.T) {
	d, _ := openDoor(t, 10)
	s := d.Stream(t.Context(), "file")
	for _, r := range records(t, 2005) {
		if err := s.Add(&r); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, stored(t, d, ids), 2005)
}

func TestAStreamThatLingersHandsOverWhatHasCome(t *testing.T) {
	d, _ := openDoor(t, 1000)
	s := d.Stream(t.Context(), "pipe")
	s.Linger(time.Millisecond)
	all := records(t, 2005)
	for n, r := range all {
		if err := s.Add(&r); err != nil {
			t.Fatal(err)
		}
		for accepted := n != 2; !accepted; { // after three records, and with no fourth
			waiting, err := d.Store.WaitingBatches(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			accepted = waiting > 0
		}
	}
	ids, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, stored(t, d, ids), len(all))
}

func TestAcceptedWhileTheQueueIsAway(t *testing.T) {
	d, stack := openDoor(t, 100)
	if stack.RedisInMemory {
		t.Skip("no redis-server found: the queue is in memory and cannot be killed")
	}
	if err := stack.KillRedis(); err != nil {
		t.Fatal(err)
	}
	ids, err := d.Accept(t.Context(), "test", records(t, 50))
	if err != nil {
		t.Fatalf("the database has the records, and the door says: %v", err)
	}
	inOrder(t, stored(t, d, ids), 50)
	waiting, err := d.Store.WaitingBatches(t.Context())
	if err != nil || waiting != len(ids) {
		t.Errorf("got %d waiting batches (%v), want %d", waiting, err, len(ids))
	}
}

func TestAStreamThatCannotStoreSaysSo(t *testing.T) {
	d, _ := openDoor(t, 1)
	d.Store.Close()
	s := d.Stream(t.Context(), "file")
	var added error
	for _, r := range records(t, 10_000) {
		if added = s.Add(&r); added != nil {
			break
		}
	}
	if ids, err := s.Close(); err == nil || len(ids) > 0 {
		t.Errorf("got %d batches and %v, want an error: nothing was accepted", len(ids), err)
	}
	if !errors.Is(added, errStreamFailed) {
		t.Errorf("got %v from Add, want it to stop early", added)
	}
}

func TestRefusedLinesAreDeadLetters(t *testing.T) {
	d, _ := openDoor(t, 1)
	lines := []Line{{Number: 3, Fault: errors.New("no quantity"), Raw: []byte("{\x00\xff")}}
	if err := d.Refuse(t.Context(), "pump", "day.ndjson", lines); err != nil {
		t.Fatal(err)
	}
	n := 0
	err := d.Store.DeadLetters(t.Context(), postgres.DeadLetterFilter{}, func(l *postgres.DeadLetter) error {
		n++
		if l.File != "day.ndjson" || l.Line != 3 || l.Fault != "no quantity" || string(l.Payload) != "{\x00\xff" || l.Source != "pump" {
			t.Errorf("got %+v", l)
		}
		return nil
	})
	if err != nil || n != 1 {
		t.Errorf("got %d dead letters (%v), want 1", n, err)
	}
}

// drained takes all tasks of all shards and answers the records of each account
// in the order of batch ids.
func drained(t *testing.T, url string, shards, n int) map[string][]string {
	t.Helper()
	q, err := queue.Connect(url, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	type parcelOf struct {
		id   uuid.UUID
		list []billing.UsageRecord
	}
	var (
		mu   sync.Mutex
		all  []parcelOf
		left = n
	)
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	var wait sync.WaitGroup
	for shard := range shards {
		wait.Go(func() {
			if err := q.Consume(ctx, shard, 4, func(_ context.Context, task queue.Task) error {
				p, err := queue.Decode(task.Payload)
				if err != nil {
					return err
				}
				list, err := new(billing.Decoder).DecodeArray(nil, p.Records, func(int, []byte, error) {})
				mu.Lock()
				defer mu.Unlock()
				all = append(all, parcelOf{p.Batch, list})
				if left -= len(list); left <= 0 {
					stop()
				}
				return err
			}); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	slices.SortFunc(all, func(a, b parcelOf) int { return slices.Compare(a.id[:], b.id[:]) })
	byAccount := map[string][]string{}
	for _, p := range all {
		for i := range p.list {
			byAccount[p.list[i].Account] = append(byAccount[p.list[i].Account], p.list[i].ID)
		}
	}
	return byAccount
}

func TestAClientSendsEveryRecordOnceInOrder(t *testing.T) {
	stack := devstack.ForTest(t, devstack.Options{NoPostgres: true, Env: os.Getenv})
	c, err := Connect(t.Context(), stack.RedisURL, ClientOptions{Shards: 4, BatchRecords: 20, BatchWait: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	// One sender for each account keeps the account's order.
	byAccount := map[string][]billing.UsageRecord{}
	for _, r := range records(t, 600) {
		byAccount[r.Account] = append(byAccount[r.Account], r)
	}
	var wait sync.WaitGroup
	for _, list := range byAccount {
		wait.Go(func() {
			for i := range list {
				if err := c.Send(t.Context(), &list[i]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	inOrder(t, drained(t, stack.RedisURL, 4, 600), 600)
	if err := c.Send(t.Context(), &byAccount["A0"][0]); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: got %v, want ErrClosed", err)
	}
}

func TestAClientRefusesWhatTheDoorWould(t *testing.T) {
	stack := devstack.ForTest(t, devstack.Options{NoPostgres: true, Env: os.Getenv})
	c, err := Connect(t.Context(), stack.RedisURL, ClientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := records(t, 1)[0]
	r.Quantity = billing.Fixed{}
	if err := c.Send(t.Context(), &r); err == nil {
		t.Error("a quantity of 0 was sent")
	}
}
