package postgres

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// TestPostingsAreTakenUpToTheirBounds (SPEC R6.7).
func TestPostingsAreTakenUpToTheirBounds(t *testing.T) {
	const payment, adjustment = billing.PaymentPosting, billing.AdjustmentPosting
	for _, c := range []struct {
		name    string
		posting Posting
		refused string
		balance billing.Money
	}{
		{"the least payment", Posting{Kind: payment, Amount: 1, Key: "k"}, "", 1},
		{"a payment of nothing", Posting{Kind: payment, Key: "k"}, "above zero", 0},
		{"a payment below zero", Posting{Kind: payment, Amount: -1, Key: "k"}, "above zero", 0},
		{"the least adjustment upwards", Posting{Kind: adjustment, Amount: 1, Key: "k", Note: "n"}, "", 1},
		{"the least adjustment downwards", Posting{Kind: adjustment, Amount: -1, Key: "k", Note: "n"}, "", -1},
		{"an adjustment of nothing", Posting{Kind: adjustment, Key: "k"}, "not be zero", 0},
		{"an adjustment that says nothing", Posting{Kind: adjustment, Amount: 1, Key: "k"}, `note "": it says nothing`, 0},
		{"an adjustment that says blanks", Posting{Kind: adjustment, Amount: 1, Key: "k", Note: " \t"}, `note " \t": it says nothing`, 0},
		{"to the end of money's range", Posting{Kind: payment, Amount: billing.MoneyMax, Key: "k"}, "", billing.MoneyMax},
		{"to its other end", Posting{Kind: adjustment, Amount: -billing.MoneyMax, Key: "k", Note: "n"}, "", -billing.MoneyMax},
		{"no key", Posting{Kind: payment, Amount: 1}, "key of 0 bytes", 0},
		{"the longest key", Posting{Kind: payment, Amount: 1, Key: strings.Repeat("k", 256)}, "", 1},
		{"a byte more", Posting{Kind: payment, Amount: 1, Key: strings.Repeat("k", 257)}, "key of 257 bytes", 0},
		{"the longest note", Posting{Kind: payment, Amount: 1, Key: "k", Note: strings.Repeat("n", 8<<10)}, "", 1},
		{"a byte more", Posting{Kind: payment, Amount: 1, Key: "k", Note: strings.Repeat("n", 8<<10+1)}, "note of 8193 bytes", 0},
	} {
		s := newStore(t, hamlet)
		c.posting.Account, c.posting.At, c.posting.Actor = "A1", march, "test"
		s.post(t, c.name, c.posting, c.refused)
		if got := s.balance(t, "A1"); got != c.balance {
			t.Errorf("%s: got the balance %s, want %s", c.name, got, c.balance)
		}
	}
}

// post makes a posting that must be refused with some words, or taken for none.
func (s *Store) post(t *testing.T, name string, p Posting, refused string) *PostingAnswer {
	t.Helper()
	answer, err := s.Post(t.Context(), p)
	switch {
	case refused == "" && err != nil:
		t.Errorf("%s: got %v, want it taken", name, err)
	case refused != "" && (!IsRefusal(err) || !strings.Contains(err.Error(), refused)):
		t.Errorf("%s: got %v, want it refused with %q", name, err, refused)
	}
	return answer
}

func (s *Store) balance(t *testing.T, number string) billing.Money {
	t.Helper()
	a, err := s.Account(t.Context(), number, march)
	if err != nil {
		t.Fatal(err)
	}
	return a.Balance
}

// TestAKeyIsUsedOnce: the body is kind and amount. What differs in time or note is
// the same again, and what differs in the body is refused.
func TestAKeyIsUsedOnce(t *testing.T) {
	s := newStore(t, hamlet)
	first := Posting{Account: "A1", Kind: billing.PaymentPosting, Amount: billing.MoneyMax - 1, Key: "k", Note: "first", At: march, Actor: "test"}
	want := *s.post(t, "first", first, "")
	again := first
	again.Note, again.At = "again", march.Add(time.Hour)
	want.Repeated = true
	if got := s.post(t, "again, though it would not fit in twice", again, ""); *got != want {
		t.Errorf("again: got %+v, want %+v", *got, want)
	}
	other := first
	other.Amount--
	s.post(t, "another amount", other, "give another key")
	other = first
	other.Kind = billing.AdjustmentPosting
	s.post(t, "another kind", other, "give another key")
	other = first
	other.Account = "A2"
	if got := s.post(t, "another account's", other, ""); got.Repeated {
		t.Error("a key of another account was taken for this one's")
	}
	other.Key, other.Amount = "k2", 1
	s.post(t, "the last millionth", other, "")
	other.Key = "k3"
	s.post(t, "one more", other, "money's range")
	if got := s.balance(t, "A2"); got != billing.MoneyMax {
		t.Errorf("got the balance %s, want %s", got, billing.MoneyMax)
	}
}

// TestAPaymentSentManyTimesAtOnceIsMadeOnce, and each is told of the same one.
func TestAPaymentSentManyTimesAtOnceIsMadeOnce(t *testing.T) {
	s := newStore(t, hamlet)
	const rounds, senders = 10, 6
	for round := range rounds {
		key := string(rune('a' + round))
		answers := make([]*PostingAnswer, senders)
		failures := make([]error, senders)
		var wait sync.WaitGroup
		for n := range senders {
			wait.Go(func() {
				p := Posting{Account: "A1", Kind: billing.PaymentPosting, Amount: billing.MoneyUnit, Key: key, At: march, Actor: "test"}
				answers[n], failures[n] = s.Post(t.Context(), p)
			})
		}
		wait.Wait()
		if err := errors.Join(failures...); err != nil {
			t.Fatal(err)
		}
		first := 0
		for _, a := range answers {
			if !a.Repeated {
				first++
			}
			if want := billing.MoneyUnit * billing.Money(round+1); a.BalanceAfter != want {
				t.Errorf("round %d: got %s afterwards, want %s", round, a.BalanceAfter, want)
			}
		}
		if first != 1 {
			t.Errorf("round %d: %d of %d say that they paid, want 1", round, first, senders)
		}
	}
	if got, want := s.texts(t, `select count(*)::text from entries`), "10"; got != want {
		t.Errorf("got %s lines, want %s", got, want)
	}
}
