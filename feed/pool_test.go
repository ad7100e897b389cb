package feed

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// send takes records over by a stream of the pool.
func (p *Pool) send(t *testing.T, list []billing.UsageRecord) ([]uuid.UUID, error) {
	s := p.Stream(t.Context())
	for i := range list {
		if err := s.Add(&list[i]); err != nil {
			t.Error(err)
		}
	}
	return s.Close()
}

// of names the records of one sender.
func of(sender int, list []billing.UsageRecord) []billing.UsageRecord {
	for i := range list {
		list[i].Source = fmt.Sprint(sender)
	}
	return list
}

// sendersIn reads what is stored of each sender: the ids of an account's records
// in the order in which a worker will judge them.
func sendersIn(t *testing.T, d *Door, ids []uuid.UUID) map[string][]string {
	t.Helper()
	batches, err := d.Store.Batches(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, b := range batches {
		list, err := new(billing.Decoder).DecodeArray(nil, b.Records, func(int, []byte, error) { t.Error("unreadable") })
		if err != nil || len(list) != b.Count || len(list) > d.BatchRecords {
			t.Errorf("batch %s: %d records, counted %d, at most %d: %v", b.ID, len(list), b.Count, d.BatchRecords, err)
		}
		for i := range list {
			key := list[i].Source + "/" + list[i].Account
			found[key] = append(found[key], list[i].ID)
			if queue.Shard(list[i].Account, d.Shards) != b.Shard {
				t.Errorf("account %s is in a batch of shard %d", list[i].Account, b.Shard)
			}
		}
	}
	return found
}

func TestManySendersShareATransaction(t *testing.T) {
	d, _ := openDoor(t, 50)
	p := d.Pool("api")
	const senders, each = 300, 25
	// While somebody hands over, all others gather.
	p.turn <- struct{}{}
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		all  []uuid.UUID
	)
	for sender := range senders {
		wait.Go(func() {
			list := of(sender, records(t, each))
			ids, err := p.send(t, list)
			if err != nil {
				t.Error(err)
			}
			found := sendersIn(t, d, ids)
			for account := range 10 {
				var want []string
				for i := account; i < each; i += 10 {
					want = append(want, list[i].ID)
				}
				if got := found[fmt.Sprintf("%d/A%d", sender, account)]; !slices.Equal(got, want) {
					t.Errorf("sender %d, account A%d: got %q in the batches that were answered, want %q", sender, account, got, want)
				}
			}
			mu.Lock()
			all = append(all, ids...)
			mu.Unlock()
		})
	}
	<-p.turn
	wait.Wait()
	slices.SortFunc(all, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	all = slices.Compact(all)
	if len(all) >= senders {
		t.Errorf("got %d batches for %d senders of %d records, want shared ones", len(all), senders, each)
	}
	waiting, err := d.Store.WaitingBatches(t.Context())
	if err != nil || waiting != len(all) {
		t.Errorf("got %d batches (%v), %d were answered", waiting, err, len(all))
	}
}

func TestALargeStreamOfAPoolGoesByItself(t *testing.T) {
	d, _ := openDoor(t, 10)
	ids, err := d.Pool("api").send(t, records(t, 2005))
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, stored(t, d, ids), 2005)
}

func TestAPoolThatCannotStoreTellsEverySender(t *testing.T) {
	d, _ := openDoor(t, 1000)
	d.Store.Close()
	p := d.Pool("api")
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if ids, err := p.send(t, records(t, 3)); err == nil || len(ids) > 0 {
				t.Errorf("got %d batches and %v, want an error: nothing was accepted", len(ids), err)
			}
		})
	}
	wait.Wait()
}

func TestNothingSentIsNothingStored(t *testing.T) {
	d, _ := openDoor(t, 10)
	if ids, err := d.Pool("api").send(t, nil); err != nil || len(ids) > 0 {
		t.Errorf("got %d batches, %v", len(ids), err)
	}
}

func TestAnAbandonedStreamKeepsOnlyWhatWasHandedOver(t *testing.T) {
	d, _ := openDoor(t, 10)
	for _, s := range []*Stream{d.Stream(t.Context(), "file"), d.Pool("api").Stream(t.Context())} {
		for _, r := range records(t, 425) {
			if err := s.Add(&r); err != nil {
				t.Fatal(err)
			}
		}
		ids, err := s.Abandon()
		if err != nil {
			t.Fatal(err)
		}
		// Ten accounts lie on four shards: groups of eight batches of ten are full.
		got := 0
		for _, list := range stored(t, d, ids) {
			got += len(list)
		}
		if got == 0 || got > 420 || got%80 != 0 {
			t.Errorf("got %d records accepted, want those of full groups", got)
		}
	}
}

func TestLargeRecordsMakeSmallBatches(t *testing.T) {
	d, _ := openDoor(t, 10_000)
	list := records(t, 2000)
	note := []byte(`{"note":"` + fmt.Sprintf("%08000d", 1) + `"}`)
	for i := range list {
		list[i].Attributes = note
	}
	s := d.Stream(t.Context(), "file")
	for i := range list {
		if err := s.Add(&list[i]); err != nil {
			t.Fatal(err)
		}
		if s.bytes > streamBytesMax {
			t.Fatalf("the stream holds %d bytes", s.bytes)
		}
	}
	ids, err := s.Close()
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, stored(t, d, ids), len(list))
	batches, err := d.Store.Batches(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches {
		if len(b.Records) > batchBytesMax+10_000 {
			t.Errorf("a batch of %d bytes", len(b.Records))
		}
	}
}

func TestBatchesBearTheTracesOfTheirSenders(t *testing.T) {
	d, _ := openDoor(t, 1000)
	p := d.Pool("api")
	p.turn <- struct{}{}
	var streams []*Stream
	for n := range 3 {
		ctx := queue.WithTraces(t.Context(), fmt.Sprintf("00-%032x-%016x-01", n+1, 1))
		s := p.Stream(ctx)
		for _, r := range records(t, 1) { // all of one account
			if err := s.Add(&r); err != nil {
				t.Fatal(err)
			}
		}
		streams = append(streams, s)
	}
	r, _ := p.gather(streams[0].open)
	p.gather(streams[1].open)
	p.gather(streams[2].open)
	if len(r.batches) != 1 || len(r.batches[0].traces) != 3 || r.batches[0].count != 3 {
		t.Errorf("got %+v, want one batch of three records and three traces", r.batches)
	}
	<-p.turn
}
