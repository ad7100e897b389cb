package postgres

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func batchOf(shard int, records string) StoredBatch {
	return StoredBatch{ID: uuid.Must(uuid.NewV7()), Shard: shard, Source: "test", Count: 1, AcceptedAt: march, Records: []byte(records)}
}

func TestBatchesAreAcceptedTogether(t *testing.T) {
	s := newStore(t, hamlet)
	first, second := batchOf(0, `[1]`), batchOf(0, `[2]`)
	if err := s.Accept(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := s.Accept(t.Context(), first, second, second); err != nil {
		t.Errorf("coming again with a new one: %v", err)
	}
	other, third := first, batchOf(0, `[3]`)
	other.Records = []byte(`[4]`)
	if err := s.Accept(t.Context(), third, other); !errors.Is(err, ErrBatchReused) {
		t.Errorf("other records by an id that was used: got %v, want %v", err, ErrBatchReused)
	}
	sums, err := s.Checksums(t.Context(), []uuid.UUID{first.ID, second.ID, third.ID})
	if err != nil {
		t.Fatal(err)
	}
	want := map[uuid.UUID]int64{first.ID: Checksum(first.Records), second.ID: Checksum(second.Records)}
	if diff := cmp.Diff(want, sums); diff != "" {
		t.Errorf("what is there (-want +got):\n%s", diff)
	}
}

func TestABatchIsAcceptedOnceByMany(t *testing.T) {
	s := newStore(t, hamlet)
	b, other := batchOf(0, `[1]`), batchOf(0, `[2]`)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			batches := []StoredBatch{b, other}
			if i%2 == 0 {
				slices.Reverse(batches)
			}
			if err := s.Accept(t.Context(), batches...); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := s.texts(t, `select count(*)::text from batches`); got != "2" {
		t.Errorf("got %s batches, want 2", got)
	}
}

func TestWhatWaitsIsListedInItsOrder(t *testing.T) {
	s := newStore(t, hamlet)
	var ids []uuid.UUID
	for i := range 6 {
		shard := 0
		if i == 2 {
			shard = 1
		}
		ids = append(ids, s.accept(t, shard))
	}
	s.do(t, `update batches set done_at = now(), rated = 1 where id = '`+ids[1].String()+`'`)
	if err := s.FailBatch(t.Context(), ids[3], DeadLetter{ID: uuid.New(), Kind: BadBatch, At: march}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		upTo uuid.UUID
		most int
		want []uuid.UUID
	}{
		{"up to the last", ids[5], 10, []uuid.UUID{ids[0], ids[4], ids[5]}},
		{"up to one before it", ids[4], 10, []uuid.UUID{ids[0], ids[4]}},
		{"the oldest two of all", uuid.Max, 2, []uuid.UUID{ids[0], ids[4]}},
		{"up to one that is done", ids[1], 10, []uuid.UUID{ids[0]}},
	} {
		heads, err := s.Waiting(t.Context(), 0, tc.upTo, tc.most)
		if err != nil {
			t.Fatal(err)
		}
		var got []uuid.UUID
		for _, h := range heads {
			got = append(got, h.ID)
			if !h.AcceptedAt.Equal(march) {
				t.Errorf("%s: accepted at %v, want %v", tc.name, h.AcceptedAt, march)
			}
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestABatchIsReadAsItWasAccepted(t *testing.T) {
	s := newStore(t, hamlet)
	large := batchOf(3, "["+string(bytes.Repeat([]byte(`{"source":"\u0000"},`), 100_000))+"]")
	empty, done := batchOf(3, `[]`), batchOf(3, `[1]`)
	if err := s.Accept(t.Context(), large, empty, done); err != nil {
		t.Fatal(err)
	}
	s.do(t, `update batches set done_at = now(), rated = 1 where id = '`+done.ID.String()+`'`)
	got, err := s.Batches(t.Context(), []uuid.UUID{done.ID, empty.ID, large.ID, uuid.New()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		got[i].AcceptedAt = got[i].AcceptedAt.UTC()
	}
	if !cmp.Equal([]StoredBatch{large, empty}, got) {
		t.Errorf("got %d batches, want the two that are not done, as they were", len(got))
	}
}

// TestABatchIsSetAsideUntilSomebodyRevivesIt and its letter is open as long as it is.
func TestABatchIsSetAsideUntilSomebodyRevivesIt(t *testing.T) {
	s := newStore(t, hamlet)
	id := s.accept(t, 0)
	waiting := func() int {
		heads, err := s.Waiting(t.Context(), 0, uuid.Max, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(heads)
	}
	open := `select concat_ws(' ', fault, octet_length(payload)) from dead_letters where settled_at is null and batch = '` + id.String() + `'`
	letter := DeadLetter{ID: uuid.New(), Kind: BadBatch, At: march}
	for _, fault := range []string{"once", "again"} {
		letter.Fault = fault
		if err := s.FailBatch(t.Context(), id, letter); err != nil {
			t.Fatal(err)
		}
		if got := s.texts(t, open); got != fault+" 0" || waiting() != 0 {
			t.Errorf("set aside: letter %q, %d batches wait", got, waiting())
		}
		if _, err := s.Redriven(t.Context(), []uuid.UUID{letter.ID}, march); err != nil {
			t.Fatal(err)
		}
		if err := s.Revive(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if got := s.texts(t, open); got != "" || waiting() != 1 {
			t.Errorf("revived: letter %q, %d batches wait", got, waiting())
		}
	}
	s.do(t, `update batches set done_at = now(), rated = 1`)
	if err := s.FailBatch(t.Context(), id, letter); err != nil {
		t.Fatal(err)
	}
	if got := s.texts(t, open); got != "" {
		t.Errorf("a batch that was done meanwhile: letter %q", got)
	}
}

// TestOutcomesOfAddsUp what is done, and counts what is not.
func TestOutcomesOfAddsUp(t *testing.T) {
	s := newStore(t, hamlet)
	ids := []uuid.UUID{s.accept(t, 0), s.accept(t, 0), s.accept(t, 0)}
	for i, id := range ids[:2] {
		s.do(t, fmt.Sprintf(`update batches set done_at = now(), records = 10, rated = 1, rejected = 2, duplicate = 3, conflict = 4, unreadable = 5,
			reasons = '{"no_price": 1, "too_late": %d}' where id = '%s'`, i, id))
	}
	got, waiting, err := s.OutcomesOf(t.Context(), append(ids, uuid.New()))
	if err != nil {
		t.Fatal(err)
	}
	want := Outcomes{Accepted: 21, Rated: 2, Rejected: 4, Duplicate: 6, Conflict: 8, Unreadable: 10, Reasons: map[string]int{"no_price": 2, "too_late": 1}}
	if diff := cmp.Diff(want, got); diff != "" || waiting != 1 {
		t.Errorf("%d wait, want 1; outcomes (-want +got):\n%s", waiting, diff)
	}
	for _, want := range []int{0, 1} {
		if aside, err := s.SetAside(t.Context(), ids); err != nil || aside != want {
			t.Errorf("got %d set aside and %v, want %d", aside, err, want)
		}
		if err := s.FailBatch(t.Context(), ids[2], DeadLetter{ID: uuid.New(), Kind: BadBatch, At: march}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestADeadLetterKeepsWhatItComplainsOf: bytes that no text of the database may
// have.
func TestADeadLetterKeepsWhatItComplainsOf(t *testing.T) {
	s := newStore(t, hamlet)
	l := DeadLetter{ID: uuid.New(), Kind: Unreadable, At: march, Source: "a\x00b", File: "\xff.csv", Line: 7, Fault: "is \xc3\x28 \x00", Payload: []byte("\xff\x00")}
	if err := s.SaveDeadLetter(t.Context(), l, l); err != nil {
		t.Fatal(err)
	}
	var got []DeadLetter
	if err := s.DeadLetters(t.Context(), DeadLetterFilter{}, func(d *DeadLetter) error {
		got = append(got, *d)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	l.Source, l.File, l.Fault = "a\uFFFDb", "\uFFFD.csv", "is \uFFFD( \uFFFD"
	for i := range got {
		got[i].At = got[i].At.UTC()
	}
	if diff := cmp.Diff([]DeadLetter{l}, got); diff != "" {
		t.Errorf("letters (-want +got):\n%s", diff)
	}
	if got, want := l.View().Payload, "\uFFFD\uFFFD"; got != want {
		t.Errorf("as people read it: got %q, want %q", got, want)
	}
}
