package postgres

import (
	"errors"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func deedsOf(t *testing.T, s *Store, f DeedFilter) (all []DeedLine) {
	t.Helper()
	if err := s.Deeds(t.Context(), f, func(l *DeedLine) error {
		all = append(all, *l)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWhatIsChangedIsNotedWithIt(t *testing.T) {
	s := newStore(t, village)
	now := at("2026-03-10T12:00:00Z")
	ctx := WithDeed(t.Context(), Deed{RequestID: "r1", Action: "account pay", Subject: "A", Reason: "rent", Actor: "nobody"})
	pay := Posting{Account: "A", Kind: billing.PaymentPosting, Amount: 1, Key: "k", At: now, Actor: "token shop"}
	if _, err := s.Post(t.Context(), pay); err != nil { // no deed: the clock's, say
		t.Fatal(err)
	}
	pay.Key = "k2"
	if _, err := s.Post(ctx, pay); err != nil {
		t.Fatal(err)
	}
	want := []DeedLine{{At: now, RequestID: "r1", Actor: "token shop", Action: "account pay", Subject: "A", Reason: "rent"}}
	if diff := cmp.Diff(want, deedsOf(t, s, DeedFilter{})); diff != "" {
		t.Error(diff)
	}
}

// Who adds an account does not know its number before.
func TestAnAccountThatIsAddedIsWhatWasDone(t *testing.T) {
	s := documents(t)
	ctx := WithDeed(t.Context(), Deed{Action: "account create"})
	number, err := s.CreateAccount(ctx, NewAccountRequest{Customer: "c", Currency: "EUR", TimeZone: "UTC", At: at("2026-03-10T12:00:00Z"), Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	id, err := s.CreateVendorAccount(ctx, clotilde())
	if err != nil {
		t.Fatal(err)
	}
	v, err := s.VendorAccount(t.Context(), id, Reach{})
	if err != nil {
		t.Fatal(err)
	}
	for _, number := range []string{number, v.Number} {
		if lines := deedsOf(t, s, DeedFilter{Account: number}); len(lines) != 1 || lines[0].Action != "account create" {
			t.Errorf("account %s: got %+v", number, lines)
		}
	}
}

func TestWhatIsNotChangedIsNotNoted(t *testing.T) {
	s := newStore(t, village)
	now := at("2026-03-10T12:00:00Z")
	ctx := WithDeed(t.Context(), Deed{Action: "account pay", Subject: "A"})
	pay := Posting{Account: "A", Kind: billing.PaymentPosting, Amount: -1, Key: "k", At: now, Actor: "test"}
	if _, err := s.Post(ctx, pay); !IsRefusal(err) {
		t.Errorf("got %v, want a refusal", err)
	}
	refused := errors.New("refused at the end")
	if err := s.Write(ctx, now, "test", func(*Tx) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if err := s.WriteDry(ctx, now, "test", func(*Tx) error { return nil }); err != nil {
		t.Errorf("got %v of a dry run", err)
	}
	tries := 0
	if err := s.Write(ctx, now, "test", func(*Tx) error {
		if tries++; tries < 3 {
			return ErrStale
		}
		return nil
	}); err != nil {
		t.Errorf("got %v", err)
	}
	if got := deedsOf(t, s, DeedFilter{}); len(got) != 1 {
		t.Errorf("got %d lines, want one of what was written at the third try", len(got))
	}
}

func TestDeedsAreFoundByAccountTimeAndActor(t *testing.T) {
	s := newStore(t, village)
	for i, actor := range []string{"token shop", "cli:jane", "token shop"} {
		ctx := WithDeed(t.Context(), Deed{RequestID: string(rune('a' + i)), Subject: []string{"A", "A", "B"}[i]})
		if err := s.Write(ctx, at("2026-03-10T12:00:00Z").AddDate(0, 0, i), actor, func(*Tx) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what   string
		filter DeedFilter
		want   string
	}{
		{"everything", DeedFilter{}, "abc"},
		{"an account", DeedFilter{Account: "A"}, "ab"},
		{"an actor", DeedFilter{Actor: "token shop"}, "ac"},
		{"the first instant counts", DeedFilter{From: at("2026-03-11T12:00:00Z")}, "bc"},
		{"the last one does not", DeedFilter{To: at("2026-03-11T12:00:00Z")}, "a"},
		{"all of it", DeedFilter{Account: "A", Actor: "token shop", To: at("2026-03-12T00:00:00Z")}, "a"},
		{"nothing", DeedFilter{Account: "C"}, ""},
	} {
		got := ""
		for _, l := range deedsOf(t, s, c.filter) {
			got += l.RequestID
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, got, c.want)
		}
	}
}

func TestWhatWasSoAlreadyIsNotNoted(t *testing.T) {
	s := newStore(t, village)
	now := at("2026-03-10T12:00:00Z")
	letter := s.letter(t, 0, Unreadable)
	ctx := WithDeed(t.Context(), Deed{Actor: "cli:jane"})
	threshold := "7"
	for what, do := range map[string]func() error{
		"a status": func() error {
			_, err := s.SetStatus(ctx, StatusRequest{Account: "A", Action: HoldAccount, Note: "n", At: now, Actor: "test"})
			return err
		},
		"terms": func() error {
			_, err := s.SetAccount(ctx, AccountChange{Account: "A", Threshold: &threshold, At: now, Actor: "test"})
			return err
		},
		"a link": func() error {
			_, err := s.Link(ctx, LinkRequest{Account: "A", Service: "other", At: now, Actor: "test"})
			return err
		},
		"a payment": func() error {
			_, err := s.Post(ctx, Posting{Account: "A", Kind: billing.PaymentPosting, Amount: 1, Key: "k", At: now, Actor: "test"})
			return err
		},
		"a dead letter": func() error {
			_, err := s.Discard(ctx, DeadLetterFilter{IDs: []uuid.UUID{letter}}, now)
			return err
		},
	} {
		before := len(deedsOf(t, s, DeedFilter{}))
		for range 2 {
			if err := do(); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if got := len(deedsOf(t, s, DeedFilter{})) - before; got != 1 {
				t.Errorf("%s: got %d lines, want one however often it is asked for", what, got)
			}
		}
	}
	if got := deedsOf(t, s, DeedFilter{Actor: "cli:jane"}); len(got) != 1 {
		t.Errorf("got %+v, want the letter, which keeps no actor itself", got)
	}
}

// TestDeedsAreForgottenByWhenTheyWereWritten, whatever time they name, and as many
// as there are.
func TestDeedsAreForgottenByWhenTheyWereWritten(t *testing.T) {
	s := newStore(t, village)
	before := at("2026-03-10T12:00:00Z")
	const old = 2*forgottenTogether + 1
	if _, err := s.pool.Exec(t.Context(), `
		insert into audit_log
		select lpad(to_hex(n), 32, '0')::uuid, now(), '', '', '', 'old', ''
		from   generate_series(1, $1) n`, old); err != nil {
		t.Fatal(err)
	}
	for subject, written := range map[string]time.Time{"last that goes": before.Add(-time.Millisecond), "first that stays": before} {
		id := firstID(written)
		id[6], id[8] = 0x7f, 0xbf // of version 7, and the last but some of its millisecond
		if subject == "first that stays" {
			id[6], id[8] = 0x70, 0x80
		}
		if _, err := s.pool.Exec(t.Context(), `insert into audit_log values ($1, '2020-01-01', '', '', '', $2, '')`, id, subject); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.ForgetDeeds(t.Context(), before); n != old+1 || err != nil {
		t.Errorf("got %d, %v, want %d", n, err, old+1)
	}
	if left := deedsOf(t, s, DeedFilter{}); len(left) != 1 || left[0].Subject != "first that stays" {
		t.Errorf("got %+v", left)
	}
}
