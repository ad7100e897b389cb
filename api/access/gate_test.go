package access_test

import (
	"errors"
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
