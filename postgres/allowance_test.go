package postgres

import (
	"errors"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
)

// patchLimits changes the limits of account A by what make says.
func (s *Store) patchLimits(t *testing.T, do func(*Snapshot, limits.Settings) (limits.Patch, error), forAll bool) error {
	t.Helper()
	_, err := s.SetLimits(t.Context(), LimitsRequest{Account: "A", Patch: do, ForAll: forAll, At: time.Now(), Actor: "test"})
	return err
}

func TestLimitsAreChangedByWhatIsMadeOfThoseInForce(t *testing.T) {
	s := newStore(t, village)
	block := true
	err := s.patchLimits(t, func(snap *Snapshot, stored limits.Settings) (limits.Patch, error) {
		if snap.Place("s") == nil || stored.BlockNotIncluded {
			t.Errorf("got %v and %v, want the settings, and the limits that are in force", snap.Place("s"), stored)
		}
		return limits.Patch{BlockNotIncluded: &block}, nil
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	in, err := s.LimitsOf(t.Context(), "A", false)
	if err != nil || !in.BlockNotIncluded {
		t.Errorf("got %v, %v, want what the patch said", in, err)
	}
}

func TestWhoRefusedAChangeOfLimitsCanBeTold(t *testing.T) {
	s := newStore(t, village)
	odd := errors.New("odd")
	if err := s.patchLimits(t, func(*Snapshot, limits.Settings) (limits.Patch, error) { return limits.Patch{}, odd }, false); !errors.Is(err, odd) {
		t.Errorf("got %v, want the patch's own error", err)
	}
	none := limits.EntryPatch{Action: limits.Remove, Target: billing.Scope{Kind: billing.OfService, Target: "s"}}
	remove := func(*Snapshot, limits.Settings) (limits.Patch, error) {
		return limits.Patch{Entries: []limits.EntryPatch{none}}, nil
	}
	if err := s.patchLimits(t, remove, false); !errors.Is(err, limits.ErrNoEntry) || !IsRefusal(err) {
		t.Errorf("got %v, want a refusal for %v", err, limits.ErrNoEntry)
	}
	if err := s.patchLimits(t, remove, true); !errors.Is(err, ErrLimitsGlobal) || !IsRefusal(err) {
		t.Errorf("got %v, want a refusal for %v", err, ErrLimitsGlobal)
	}
}
