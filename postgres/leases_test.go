package postgres

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// lease asks for shards, of six, for a minute.
func (s *Store) lease(t testing.TB, holder uuid.UUID) Leases {
	t.Helper()
	held, err := s.LeaseShards(t.Context(), LeaseRequest{Holder: holder, Shards: 6, Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return Leases{Shards: slices.Sorted(slices.Values(held.Shards)), Surplus: held.Surplus} // none is nil
}

// later lets so much time pass for the leases.
func (s *Store) later(t *testing.T, interval string) {
	t.Helper()
	s.do(t, `update shard_leases set expires_at = expires_at - interval '`+interval+`'`, `update workers set seen_at = seen_at - interval '`+interval+`'`)
}

func TestAWorkerHoldsItsShare(t *testing.T) {
	s := newStore(t, hamlet)
	one, two, three := uuid.New(), uuid.New(), uuid.New()
	want := func(what string, got, want Leases) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	want("alone", s.lease(t, one), Leases{Shards: []int{0, 1, 2, 3, 4, 5}})
	want("the second finds none free", s.lease(t, two), Leases{})
	for range 2 { // until they are freed
		want("the first has too many", s.lease(t, one), Leases{Shards: []int{3, 4, 5}, Surplus: []int{0, 1, 2}})
	}
	want("they are not free yet", s.lease(t, two), Leases{})
	if err := s.FreeShards(t.Context(), two, []int{0, 1, 2}); err != nil {
		t.Fatal(err)
	}
	want("nobody frees what another one holds", s.lease(t, two), Leases{})
	if err := s.FreeShards(t.Context(), one, []int{0, 1, 2}); err != nil {
		t.Fatal(err)
	}
	want("the second takes what is free", s.lease(t, two), Leases{Shards: []int{0, 1, 2}})
	want("the first stays with its own", s.lease(t, one), Leases{Shards: []int{3, 4, 5}})
	s.lease(t, three)
	want("of three the first has one too many", s.lease(t, one), Leases{Shards: []int{4, 5}, Surplus: []int{3}})
}

func TestWhoIsSilentLosesItsShards(t *testing.T) {
	s := newStore(t, hamlet)
	dead, heir := uuid.New(), uuid.New()
	s.lease(t, dead)
	s.later(t, "59 seconds")
	if held := s.lease(t, heir); len(held.Shards) != 0 {
		t.Errorf("before its time: got %v, want none", held.Shards)
	}
	s.later(t, "1 second")
	if held := s.lease(t, heir); len(held.Shards) != 6 {
		t.Errorf("after it: got %v, want all", held.Shards)
	}
	if got, want := s.texts(t, `select string_agg(fence::text, ' ') from shard_leases`), "2 2 2 2 2 2"; got != want {
		t.Errorf("fences: got %s, want %s", got, want)
	}
	// It was asleep only. It comes back and holds nothing.
	if held := s.lease(t, dead); len(held.Shards) != 0 {
		t.Errorf("back again: got %v, want none", held.Shards)
	}
}

// TestALeaseThatRanOutIsRenewed where nobody else has taken it: the database was
// away for a while.
func TestALeaseThatRanOutIsRenewed(t *testing.T) {
	s := newStore(t, hamlet)
	one := uuid.New()
	s.lease(t, one)
	s.later(t, "10 minutes")
	if held := s.lease(t, one); len(held.Shards) != 6 {
		t.Errorf("got %v, want all", held.Shards)
	}
	if got := s.texts(t, `select string_agg(fence::text, ' ') from shard_leases`); got != "1 1 1 1 1 1" {
		t.Errorf("fences: got %s, want that they never changed hands", got)
	}
}

func TestWhoLeavesFreesItsShards(t *testing.T) {
	s := newStore(t, hamlet)
	one, two := uuid.New(), uuid.New()
	s.lease(t, one)
	if err := s.LeaveShards(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if held := s.lease(t, two); len(held.Shards) != 6 {
		t.Errorf("got %v, want all", held.Shards)
	}
}

// TestWorkersThatComeAtOnceShareAlike: whatever they take from one another, each
// shard has one holder, and in a few rounds each has its share.
func TestWorkersThatComeAtOnceShareAlike(t *testing.T) {
	s := newStore(t, hamlet)
	workers := []uuid.UUID{uuid.New(), uuid.New(), uuid.New(), uuid.New()}
	for range 4 {
		var wait sync.WaitGroup
		for _, w := range workers {
			wait.Go(func() {
				held, err := s.LeaseShards(t.Context(), LeaseRequest{Holder: w, Shards: 8, Lease: time.Minute})
				if err == nil {
					err = s.FreeShards(t.Context(), w, held.Surplus)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	}
	got := s.texts(t, `select string_agg(n::text, ' ') from (select count(*) as n from shard_leases where expires_at > now() group by holder) as t`)
	if want := "2 2 2 2"; got != want {
		t.Errorf("shards by holder: got %s, want %s", got, want)
	}
}
