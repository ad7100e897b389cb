package access_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/postgres"
)

// clock is a time that a test moves.
type clock struct{ now time.Time }

func openGate(t *testing.T, o access.Options) (*postgres.Store, *access.Gate, *clock) {
	t.Helper()
	store, err := postgres.Open(t.Context(), pgtest.New(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	c := &clock{time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)}
	o.Clock = func() time.Time { return c.now }
	return store, access.NewGate(store, o), c
}

func makeToken(t *testing.T, store *postgres.Store, k postgres.Token) string {
	t.Helper()
	made, err := access.Make()
	if err != nil {
		t.Fatal(err)
	}
	k.ID, k.Hash, k.CreatedBy, k.CreatedAt = made.ID, made.Hash, "test", time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	if err := store.CreateToken(t.Context(), &k); err != nil {
		t.Fatal(err)
	}
	return made.Text
}

func TestATokenIsAdmittedForItsScopesOnly(t *testing.T) {
	store, gate, _ := openGate(t, access.Options{})
	text := makeToken(t, store, postgres.Token{Name: "shop", Scopes: int16(access.Read | access.Manage), Reseller: 7})
	got, err := gate.Admit(t.Context(), text, access.Manage)
	want := access.Caller{Token: "shop", Scopes: access.Read | access.Manage, Reseller: 7}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	var forbidden *access.Forbidden
	if _, err := gate.Admit(t.Context(), text, access.Feed); !errors.As(err, &forbidden) || forbidden.Need != access.Feed {
		t.Errorf("got %v, want the scope feed to be missing", err)
	}
	if _, err := gate.Admit(t.Context(), text, 0); err != nil {
		t.Errorf("got %v where any scope will do", err)
	}
}

func TestWhatIsNoTokenIsNotAdmitted(t *testing.T) {
	store, gate, _ := openGate(t, access.Options{})
	good := makeToken(t, store, postgres.Token{Name: "shop", Scopes: int16(access.Read)})
	id := good[:len("chg_")+12]
	if _, err := gate.Admit(t.Context(), "", access.Read); !errors.Is(err, access.ErrNoToken) {
		t.Errorf("got %v without a token", err)
	}
	for _, text := range []string{
		"x", "chg_", "chg__", id, id + "_", id + "_wrong", good[:len(good)-1], good + "x", strings.ToUpper(good), " " + good,
		"chg_AAAAAAAAAAAA" + good[len(id):], strings.Repeat("a", 1<<20), id + "_\x00", "chg_'; drop t;_x",
	} {
		if c, err := gate.Admit(t.Context(), text, access.Read); !errors.Is(err, access.ErrUnknownToken) {
			t.Errorf("%.40q: got %+v, %v", text, c, err)
		}
	}
	if _, err := gate.Admit(t.Context(), good, access.Read); err != nil {
		t.Errorf("the good one: %v", err)
	}
}

func TestATokenEndsWhenItIsRevokedOrExpires(t *testing.T) {
	store, gate, clock := openGate(t, access.Options{})
	expires := clock.now.Add(time.Hour)
	revoked := makeToken(t, store, postgres.Token{Name: "revoked", Scopes: int16(access.Read)})
	ending := makeToken(t, store, postgres.Token{Name: "ending", Scopes: int16(access.Read), ExpiresAt: &expires})
	admitted := func(text string) bool {
		_, err := gate.Admit(t.Context(), text, access.Read)
		if err != nil && !errors.Is(err, access.ErrUnknownToken) {
			t.Error(err)
		}
		return err == nil
	}
	if !admitted(revoked) || !admitted(ending) {
		t.Error("not admitted while good")
	}
	if was, err := store.RevokeToken(t.Context(), "revoked", "test", clock.now); err != nil || !was {
		t.Errorf("got %v, %v", was, err)
	}
	clock.now = clock.now.Add(3 * time.Second) // as long as a lookup is remembered
	if admitted(revoked) {
		t.Error("admitted after it was revoked")
	}
	clock.now = expires.Add(-time.Nanosecond)
	if !admitted(ending) {
		t.Error("not admitted in its last moment")
	}
	clock.now = expires
	if admitted(ending) {
		t.Error("admitted when it had expired")
	}
}

func TestATokenHasARateOfItsOwn(t *testing.T) {
	store, gate, clock := openGate(t, access.Options{RatePerSecond: 2, RateBurst: 3})
	one := makeToken(t, store, postgres.Token{Name: "one", Scopes: int16(access.Read)})
	two := makeToken(t, store, postgres.Token{Name: "two", Scopes: int16(access.Read)})
	for range 3 {
		if _, err := gate.Admit(t.Context(), one, access.Read); err != nil {
			t.Fatal(err)
		}
	}
	var many *access.TooMany
	if _, err := gate.Admit(t.Context(), one, access.Read); !errors.As(err, &many) || many.After != 500*time.Millisecond {
		t.Errorf("the fourth at once: got %v", err)
	}
	if _, err := gate.Admit(t.Context(), two, access.Read); err != nil {
		t.Errorf("another token: %v", err)
	}
	clock.now = clock.now.Add(5 * time.Second) // it has been looked up again, and is the same
	for range 3 {
		if _, err := gate.Admit(t.Context(), one, access.Read); err != nil {
			t.Errorf("after a pause: %v", err)
		}
	}
	if _, err := gate.Admit(t.Context(), one, access.Read); !errors.As(err, &many) {
		t.Errorf("the fourth after a pause: got %v", err)
	}
}

func TestTheStoreHasNoSecret(t *testing.T) {
	store, gate, clock := openGate(t, access.Options{})
	text := makeToken(t, store, postgres.Token{Name: "shop", Scopes: int16(access.Read)})
	if _, err := gate.Admit(t.Context(), text, access.Read); err != nil {
		t.Fatal(err)
	}
	tokens, err := store.Tokens(t.Context())
	if err != nil || len(tokens) != 1 {
		t.Fatalf("got %d tokens, %v", len(tokens), err)
	}
	k := tokens[0]
	if secret := text[strings.LastIndex(text, "_")+1:]; len(secret) != 43 || strings.Contains(string(k.Hash[:]), secret) {
		t.Errorf("the secret %q stands in the store", secret)
	}
	if k.LastUsedAt == nil || !k.LastUsedAt.Equal(clock.now.Truncate(time.Minute)) {
		t.Errorf("last used at %v, want %v", k.LastUsedAt, clock.now)
	}
}

// TestALookUpEndsThoughTheDatabaseHangs, whoever asked, and whoever waits for it.
func TestALookUpEndsThoughTheDatabaseHangs(t *testing.T) {
	valve := pgtest.NewValve(t, pgtest.New(t))
	store, err := postgres.Open(t.Context(), valve.URL, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	text := makeToken(t, store, postgres.Token{Name: "shop", Scopes: int16(access.Read)})
	gate := access.NewGate(store, access.Options{Clock: time.Now, Patience: 100 * time.Millisecond})
	valve.Shut()
	refused := make(chan error)
	for range 10 {
		go func() {
			_, err := gate.Admit(t.Context(), text, access.Read)
			refused <- err
		}()
	}
	for range 10 {
		if err := <-refused; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want that it took too long", err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := gate.Admit(gone, text, access.Read); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that nobody waits", err)
	}
	valve.Open()
	_, err = gate.Admit(t.Context(), text, access.Read)
	for errors.Is(err, context.DeadlineExceeded) { // a busy machine takes its time
		_, err = gate.Admit(t.Context(), text, access.Read)
	}
	if err != nil {
		t.Errorf("when the database is well again: %v", err)
	}
}

// TestAnIDThatNoTokenHasIsAskedForOnce: made up, it costs one question in three
// seconds.
func TestAnIDThatNoTokenHasIsAskedForOnce(t *testing.T) {
	store, gate, clock := openGate(t, access.Options{})
	made, err := access.Make()
	if err != nil {
		t.Fatal(err)
	}
	admitted := func() bool {
		_, err := gate.Admit(t.Context(), made.Text, access.Read)
		if err != nil && !errors.Is(err, access.ErrUnknownToken) {
			t.Error(err)
		}
		return err == nil
	}
	if admitted() {
		t.Error("admitted before there was such a token")
	}
	// Another process makes a token, which is the one that was made up.
	if err := store.CreateToken(t.Context(), &postgres.Token{ID: made.ID, Hash: made.Hash, Name: "late", Scopes: int16(access.Read),
		CreatedAt: clock.now, CreatedBy: "test"}); err != nil {
		t.Fatal(err)
	}
	clock.now = clock.now.Add(3*time.Second - time.Nanosecond)
	if admitted() {
		t.Error("asked for again within three seconds")
	}
	clock.now = clock.now.Add(time.Nanosecond)
	if !admitted() {
		t.Error("not admitted three seconds after it was refused")
	}
}

// TestWhoFailsTooOftenIsNotLookedUp, by the address that it comes from. A token
// that was good before is not held up by strangers that share its address.
func TestWhoFailsTooOftenIsNotLookedUp(t *testing.T) {
	store, gate, clock := openGate(t, access.Options{FailuresPerMinute: 3})
	old := makeToken(t, store, postgres.Token{Name: "old", Scopes: int16(access.Read)})
	fresh := makeToken(t, store, postgres.Token{Name: "fresh", Scopes: int16(access.Read)})
	admit := func(address, text string) error {
		_, err := gate.Admit(access.WithAddress(t.Context(), address), text, access.Read)
		return err
	}
	const here, there = "192.0.2.1:4000", "192.0.2.2:4000"
	if err := admit(here, old); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if err := admit(here, fmt.Sprintf("chg_AAAAAAAAAAA%d_%s", n, strings.Repeat("A", 43))); !errors.Is(err, access.ErrUnknownToken) {
			t.Errorf("failure %d: got %v", n, err)
		}
	}
	var many *access.TooMany
	for what, text := range map[string]string{"a token made up": "chg_AAAAAAAAAAA9_" + strings.Repeat("A", 43), "what is no token": "x",
		"one that nobody has seen yet": fresh, "the id of a good one": old[:len(old)-1] + "."} {
		if err := admit("192.0.2.1:5000", text); !errors.As(err, &many) || many.After != 20*time.Second {
			t.Errorf("%s: got %v", what, err)
		}
	}
	clock.now = clock.now.Add(5 * time.Second) // the good one is looked up again
	if err := admit(here, old); err != nil {
		t.Errorf("a token that was good before: %v", err)
	}
	if err := admit(there, fresh); err != nil {
		t.Errorf("from another address: %v", err)
	}
	clock.now = clock.now.Add(15 * time.Second)
	if err := admit(here, "x"); !errors.Is(err, access.ErrUnknownToken) {
		t.Errorf("after a pause: got %v", err)
	}
	if err := admit(here, "x"); !errors.As(err, &many) {
		t.Errorf("the second after a pause: got %v", err)
	}
	for n, address := range []string{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3%eth0]:1", "[2001:db8:0:0:ffff::1]:1"} {
		if err := admit(address, "x"); errors.As(err, &many) != (n == 3) {
			t.Errorf("%s, one network: got %v", address, err)
		}
	}
}
