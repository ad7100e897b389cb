package postgres

import (
	"errors"
	"testing"
	"time"

	"github.com/chargehand/chargehand/setup"
)

// TestAFileMaySayWhichSettingsItIsFor: whoever saw others first is told.
func TestAFileMaySayWhichSettingsItIsFor(t *testing.T) {
	s := newStore(t, hamlet)
	apply := func(text string, version int64, dry bool) (*Applied, error) {
		f, err := setup.Parse("f.yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return s.Apply(t.Context(), f, ApplyOptions{At: march, Actor: "test", TimeZone: time.UTC, If: Revisions{version + 7, version}, DryRun: dry})
	}
	seen, err := s.SettingsVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := apply("families: [{code: X, name: X}]", seen, true); err != nil {
		t.Fatal(err)
	}
	done, err := apply("families: [{code: X, name: X}]", seen, false)
	if err != nil || done.Version != seen+1 {
		t.Fatalf("got %+v, %v, want version %d", done, err, seen+1)
	}
	if now, err := s.SettingsVersion(t.Context()); now != done.Version {
		t.Errorf("got version %d, %v, want %d", now, err, done.Version)
	}
	if _, err := apply("families: [{code: Y, name: Y}]", seen, false); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v, want ErrChanged", err)
	}
	if done, err := apply("families: [{code: X, name: X}]", done.Version, false); err != nil || len(done.Changes) != 0 || done.Version != seen+1 {
		t.Errorf("got %+v, %v of a file that changes nothing", done, err)
	}
}
