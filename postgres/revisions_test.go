package postgres

import (
	"errors"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
)

func TestARevisionIsOfWhatPeopleSet(t *testing.T) {
	s := newStore(t, village)
	now := at("2026-03-10T12:00:00Z")
	link := func(r LinkRequest) func(Revisions) error {
		return func(in Revisions) error {
			r.Account, r.At, r.Actor, r.If = "A", now, "test", in
			_, err := s.Link(t.Context(), r)
			return err
		}
	}
	status := func(action StatusAction) func(Revisions) error {
		return func(in Revisions) error {
			_, err := s.SetStatus(t.Context(), StatusRequest{Account: "A", Action: action, Note: "why", If: in, At: now, Actor: "test"})
			return err
		}
	}
	day := 7
	card := &setup.PeriodicService{Name: "Card", Price: 5, Period: billing.Daily, Every: 1}
	for _, c := range []struct {
		name   string
		raises bool
		do     func(Revisions) error
	}{
		{"terms", true, func(in Revisions) error {
			_, err := s.SetAccount(t.Context(), AccountChange{Account: "A", CycleDay: &day, If: in, At: now, Actor: "test"})
			return err
		}},
		{"terms that are so already", false, func(in Revisions) error {
			_, err := s.SetAccount(t.Context(), AccountChange{Account: "A", CycleDay: &day, If: in, At: now, Actor: "test"})
			return err
		}},
		{"an application", true, link(LinkRequest{Application: "app"})},
		{"a periodic service", true, link(LinkRequest{Periodic: card, FromToday: true})},
		{"the same one again", false, link(LinkRequest{Periodic: card, FromToday: true})},
		{"a periodic service taken off", true, link(LinkRequest{PeriodicName: "Card", Remove: true})},
		{"a hold by hand", true, status(HoldAccount)},
		{"the same hold again", false, status(HoldAccount)},
		{"a release by hand", true, status(ReleaseAccount)},
		{"a payment", false, func(in Revisions) error {
			_, err := s.Post(t.Context(), Posting{Account: "A", Kind: billing.PaymentPosting, Amount: 1, Key: "k", If: in, At: now, Actor: "test"})
			return err
		}},
	} {
		before := s.revision(t, "A")
		if err := c.do(Revisions{before + 1, before - 1}); !errors.Is(err, ErrChanged) {
			t.Errorf("%s, by another revision: got %v, want %v", c.name, err, ErrChanged)
		}
		if got := s.revision(t, "A"); got != before {
			t.Errorf("%s, by another revision: it is %d now, it was %d", c.name, got, before)
		}
		if err := c.do(Revisions{before - 1, before}); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if got := s.revision(t, "A"); got > before != c.raises {
			t.Errorf("%s: from %d to %d, want a higher one: %t", c.name, before, got, c.raises)
		}
	}
}

func (s *Store) revision(t *testing.T, number string) int64 {
	t.Helper()
	v, err := s.Account(t.Context(), number, at("2026-03-10T12:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	return v.Revision
}

func TestLimitsAreChangedByTheVersionThatWasRead(t *testing.T) {
	s := newStore(t, village)
	set := func(in Revisions, ceiling string) error {
		_, err := s.SetLimits(t.Context(), LimitsRequest{Account: "A", Body: []byte(`{"accumulated_maximum_usage_per_day":"` + ceiling + `"}`),
			If: in, At: at("2026-03-10T12:00:00Z"), Actor: "test"})
		return err
	}
	_, version, err := s.VersionedLimits(t.Context(), "A", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := set(Revisions{int64(version)}, "17"); err != nil {
		t.Error(err)
	}
	if err := set(Revisions{int64(version)}, "18"); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v, want %v", err, ErrChanged)
	}
}
