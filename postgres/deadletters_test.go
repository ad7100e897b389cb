package postgres

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
)

// letter saves a dead letter that came n milliseconds after the first.
func (s *Store) letter(t *testing.T, n int, kind DeadLetterKind) uuid.UUID {
	t.Helper()
	l := DeadLetter{ID: uuid.New(), Kind: kind, At: march.Add(time.Duration(n) * time.Millisecond), Fault: fmt.Sprint(n)}
	if err := s.SaveDeadLetter(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	return l.ID
}

// TestDeadLettersThatComeMeanwhileAreNotWaitedFor: each one here brings another,
// as a conflict does that is sent again while a worker runs. There is a page of
// them, so that only the bound ends it.
func TestDeadLettersThatComeMeanwhileAreNotWaitedFor(t *testing.T) {
	s := newStore(t, hamlet)
	for n := range letterPage {
		s.letter(t, n, Conflict)
	}
	met := 0
	err := s.DeadLetters(t.Context(), DeadLetterFilter{}, func(l *DeadLetter) error {
		if l.Fault != fmt.Sprint(met) {
			t.Errorf("got letter %s, want %d: oldest first", l.Fault, met)
		}
		if met++; met > letterPage {
			return fmt.Errorf("met %d letters, and there were %d", met, letterPage)
		}
		s.letter(t, letterPage+met, Conflict)
		return nil
	})
	if err != nil || met != letterPage {
		t.Errorf("got %d letters and %v, want the %d that there were", met, err, letterPage)
	}
}

// TestDiscardedDeadLettersAreThoseChosen, once.
func TestDiscardedDeadLettersAreThoseChosen(t *testing.T) {
	s := newStore(t, hamlet)
	first := s.letter(t, 0, Unreadable)
	s.letter(t, 1, Unreadable)
	s.letter(t, 2, Conflict)
	s.letter(t, 3, BadBatch)
	for _, c := range []struct {
		name   string
		chosen DeadLetterFilter
		want   int64
	}{
		{"one by its id", DeadLetterFilter{IDs: []uuid.UUID{first, uuid.New()}}, 1},
		{"the same again", DeadLetterFilter{IDs: []uuid.UUID{first}}, 0},
		{"the rest of a kind", DeadLetterFilter{Kind: Unreadable}, 1},
		{"all that are left", DeadLetterFilter{}, 2},
		{"all, when none is left", DeadLetterFilter{}, 0},
	} {
		if got, err := s.Discard(t.Context(), c.chosen, march); err != nil || got != c.want {
			t.Errorf("%s: got %d and %v, want %d", c.name, got, err, c.want)
		}
	}
	if got, want := s.texts(t, `select distinct settled_by from dead_letters`), "discarded"; got != want {
		t.Errorf("settled by: got %q, want %q", got, want)
	}
}

// TestDeadLettersComeInPages: whoever asks for what comes after the last one that
// they saw meets each letter once, whatever settles or arrives meanwhile.
func TestDeadLettersComeInPages(t *testing.T) {
	s := newStore(t, hamlet)
	const all = letterPage + 3
	for n := range all {
		s.letter(t, n, Unreadable)
	}
	for _, limit := range []int{7, letterPage - 1, letterPage, letterPage + 1, all, all + 1} {
		var (
			met  int
			f    = DeadLetterFilter{Limit: limit}
			page = limit
		)
		for ; page == limit; met += page {
			page = 0
			if err := s.DeadLetters(t.Context(), f, func(l *DeadLetter) (err error) {
				if want := fmt.Sprint(met + page); l.Fault != want {
					t.Fatalf("pages of %d: got letter %s, want %s", limit, l.Fault, want)
				}
				page++
				f.After, err = ParseLetterPlace(l.Place().Cursor())
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if page > limit {
				t.Fatalf("got a page of %d, want at most %d", page, limit)
			}
		}
		if met != all {
			t.Errorf("pages of %d: got %d letters, want %d", limit, met, all)
		}
	}
}

// TestLettersThatAreNotOpenAreMissing, in the order in which they were named.
func TestLettersThatAreNotOpenAreMissing(t *testing.T) {
	s := newStore(t, hamlet)
	open, settled, never := s.letter(t, 0, Unreadable), s.letter(t, 1, Unreadable), uuid.New()
	if _, err := s.Discard(t.Context(), DeadLetterFilter{IDs: []uuid.UUID{settled}}, march); err != nil {
		t.Fatal(err)
	}
	got, err := s.MissingLetters(t.Context(), []uuid.UUID{never, open, settled})
	if err != nil || len(got) != 2 || got[0] != never || got[1] != settled {
		t.Errorf("got %v, %v", got, err)
	}
}
