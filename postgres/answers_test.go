package postgres

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// claimOf is a request with a key.
func claimOf(key, body, reserved string, at time.Time) *Claim {
	return &Claim{Token: "shop", Key: key, Hash: [32]byte{body[0]}, Reserved: reserved, At: at}
}

func TestAKeyIsCarriedOutOnce(t *testing.T) {
	s := openTest(t)
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	var fresh, busy atomic.Int32
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			switch answer, err := s.Claim(t.Context(), claimOf("k", "a", "", at)); {
			case err == nil && answer == nil:
				fresh.Add(1)
			case errors.Is(err, ErrInProgress):
				busy.Add(1)
			default:
				t.Errorf("got %v, %v", answer, err)
			}
		})
	}
	wait.Wait()
	if fresh.Load() != 1 || busy.Load() != 49 {
		t.Errorf("got %d that carry it out and %d that are told it is in progress, want 1 and 49", fresh.Load(), busy.Load())
	}
}

func TestAnAnswerIsGivenAgain(t *testing.T) {
	s := openTest(t)
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	c := claimOf("k", "a", "", at)
	if answer, err := s.Claim(t.Context(), c); answer != nil || err != nil {
		t.Fatalf("got %v, %v", answer, err)
	}
	if err := s.Answer(t.Context(), c, &StoredAnswer{Status: 201, Head: http.Header{"Location": {"/x"}}, Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	answer, err := s.Claim(t.Context(), claimOf("k", "a", "", at))
	if err != nil || answer == nil || answer.Status != 201 || answer.Head.Get("Location") != "/x" || string(answer.Body) != "{}" {
		t.Errorf("got %+v, %v", answer, err)
	}
	if _, err := s.Claim(t.Context(), claimOf("k", "b", "", at)); !errors.Is(err, ErrKeyReused) {
		t.Errorf("another request with the key: got %v", err)
	}
	other := claimOf("k", "b", "", at)
	other.Token = "another"
	if answer, err := s.Claim(t.Context(), other); answer != nil || err != nil {
		t.Errorf("the key of another token: got %v, %v", answer, err)
	}
	if n, err := s.ForgetAnswers(t.Context(), at.Add(time.Second)); n != 2 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
}

func TestAnAbandonedRequestIsTakenOverWithItsFirstChoice(t *testing.T) {
	s := openTest(t)
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	first := claimOf("k", "a", "ACR1", at)
	if _, err := s.Claim(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Claim(t.Context(), claimOf("k", "a", "ACR2", at.Add(claimPatience))); !errors.Is(err, ErrInProgress) {
		t.Errorf("at the last moment: got %v", err)
	}
	later := at.Add(claimPatience + time.Microsecond)
	if _, err := s.Claim(t.Context(), claimOf("k", "b", "ACR3", later)); !errors.Is(err, ErrKeyReused) {
		t.Errorf("another request: got %v", err)
	}
	second := claimOf("k", "a", "ACR2", later)
	if answer, err := s.Claim(t.Context(), second); answer != nil || err != nil || second.Reserved != "ACR1" {
		t.Errorf("got %v, %v, choice %s", answer, err, second.Reserved)
	}
	// The first one was only slow: its answer comes too late to count.
	if err := s.Answer(t.Context(), first, &StoredAnswer{Status: 500, Head: http.Header{}}); err != nil {
		t.Error(err)
	}
	if err := s.Answer(t.Context(), second, &StoredAnswer{Status: 201, Head: http.Header{}}); err != nil {
		t.Error(err)
	}
	if answer, err := s.Claim(t.Context(), claimOf("k", "a", "", later)); err != nil || answer.Status != 201 {
		t.Errorf("got %+v, %v", answer, err)
	}
}

func TestAKeyThatDidNothingIsFree(t *testing.T) {
	s := openTest(t)
	at := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	c := claimOf("k", "a", "", at)
	if _, err := s.Claim(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := s.GiveUp(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if answer, err := s.Claim(t.Context(), claimOf("k", "b", "", at)); answer != nil || err != nil {
		t.Errorf("got %v, %v", answer, err)
	}
}
