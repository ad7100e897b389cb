package postgres

import (
	"errors"
	"testing"
)

func TestACustomerHasNoAccountUntilOneIsCreated(t *testing.T) {
	s := newStore(t, village)
	add := func(ref, name string) (*CustomerView, bool, error) {
		return s.AddCustomer(t.Context(), CustomerRequest{Ref: ref, Name: name, At: at("2026-03-10T12:00:00Z"), Actor: "test"})
	}
	v, added, err := add("mia", "Mia")
	if err != nil || !added || *v != (CustomerView{Ref: "mia", Name: "Mia", CreatedAt: at("2026-03-10T12:00:00Z")}) {
		t.Errorf("got %+v, %t, %v, want a customer with no account", v, added, err)
	}
	if again, added, err := add("mia", "Mia"); err != nil || added || *again != *v {
		t.Errorf("the same again: got %+v, %t, %v", again, added, err)
	}
	if _, _, err := add("mia", "Mary"); !IsRefusal(err) {
		t.Errorf("another name: got %v, want a refusal", err)
	}
	if _, _, err := add("", "Nobody"); !IsRefusal(err) {
		t.Errorf("no ref: got %v, want a refusal", err)
	}
	for i := range 2 {
		if _, err := s.CreateAccount(t.Context(), newAccountOf("mia")); err != nil {
			t.Fatal(err)
		}
		if v, err := s.Customer(t.Context(), "mia"); err != nil || v.Accounts != i+1 {
			t.Errorf("got %+v, %v, want %d accounts", v, err, i+1)
		}
	}
	if _, err := s.Customer(t.Context(), "max"); !errors.Is(err, ErrNoCustomer) {
		t.Errorf("got %v, want %v", err, ErrNoCustomer)
	}
	all, err := s.Customers(t.Context(), "", 10)
	if err != nil || len(all) < 2 || all[len(all)-1].Ref != "mia" {
		t.Fatalf("got %v, %v, want all customers in their order", all, err)
	}
	if rest, err := s.Customers(t.Context(), all[0].Ref, 1); err != nil || len(rest) != 1 || *rest[0] != *all[1] {
		t.Errorf("got %v, %v, want the second", rest, err)
	}
}

func newAccountOf(customer string) NewAccountRequest {
	return NewAccountRequest{Customer: customer, Currency: "EUR", TimeZone: "UTC", At: at("2026-03-10T12:00:00Z"), Actor: "test"}
}

func TestAnAccountOfANewCustomerIsRefusedWhereItMustBeKnown(t *testing.T) {
	s := newStore(t, village)
	request := newAccountOf("max")
	request.OfKnown = true
	if _, err := s.CreateAccount(t.Context(), request); !errors.Is(err, ErrNoCustomer) {
		t.Errorf("got %v, want %v", err, ErrNoCustomer)
	}
	if _, err := s.Customer(t.Context(), "max"); !errors.Is(err, ErrNoCustomer) {
		t.Errorf("got %v, want no trace of it", err)
	}
}

func TestAccountsAreListedAPageAtATime(t *testing.T) {
	s := newStore(t, village)
	list := func(f AccountFilter) (numbers []string) {
		t.Helper()
		if err := s.Accounts(t.Context(), f, at("2026-03-10T12:00:00Z"), func(v *AccountView) error {
			numbers = append(numbers, v.Number)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return numbers
	}
	all := list(AccountFilter{})
	var got []string
	for after := ""; len(got) < len(all); after = got[len(got)-1] {
		page := list(AccountFilter{After: after, Most: 1})
		if len(page) != 1 {
			t.Fatalf("after %q: got %v, want one", after, page)
		}
		got = append(got, page...)
	}
	if len(all) < 2 || len(list(AccountFilter{After: all[len(all)-1], Most: 1})) != 0 {
		t.Errorf("got %v one by one, want %v and no more", got, all)
	}
}
