package scheduler

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/postgres"
)

func TestASweepHoldsAndReleasesWhatIsDueAndNothingElse(t *testing.T) {
	s := newSite(t)
	begin := "2026-03-01T00:00:00Z"
	s.apply(at(t, begin),
		`{number: past, opening_balance: "-100.01", class: ever}`,
		`{number: at, opening_balance: "-100", class: ever}`,
		`{number: grace, opening_balance: "-1"}`,
		`{number: nograce, opening_balance: "-0.01", class: none}`,
		`{number: fine, opening_balance: "0"}`,
		`{number: later, opening_balance: "-500", class: later}`,
		`{number: manager, opening_balance: "-500"}`,
		`{number: deleted, opening_balance: "-500"}`)
	for number, action := range map[string]postgres.StatusAction{"manager": postgres.HoldAccount, "deleted": postgres.DeleteAccount} {
		if _, err := s.store.SetStatus(t.Context(), postgres.StatusRequest{Account: number, Action: action, Note: "n", At: at(t, begin), Actor: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := s.sweepAt("2026-03-01T01:00:00Z"), (postgres.Swept{Judged: 2, Held: 2}); got != want {
		t.Errorf("first: got %+v, want %+v", got, want)
	}
	if got, want := s.sweepAt("2026-03-01T01:00:00Z"), (postgres.Swept{}); got != want {
		t.Errorf("once more: got %+v, want %+v", got, want)
	}
	if got, want := s.sweepAt("2026-03-03T23:59:59.999999Z"), (postgres.Swept{}); got != want {
		t.Errorf("last moment of grace: got %+v, want %+v", got, want)
	}
	if got, want := s.sweepAt("2026-03-04T00:00:00Z"), (postgres.Swept{Judged: 1, Held: 1}); got != want {
		t.Errorf("first moment after it: got %+v, want %+v", got, want)
	}
	s.wantAccount("past", "credit_hold (threshold) -100.01")
	s.wantAccount("at", "active -100")
	s.wantAccount("grace", "credit_hold (subzero) -1")
	s.wantAccount("nograce", "credit_hold (subzero) -0.01")
	s.wantAccount("fine", "active 0")
	s.wantAccount("later", "active -500")
	s.wantAccount("manager", "administrative_hold (manager) -500")
	s.wantAccount("deleted", "deleted -500")
	s.exec(`update classes set threshold = 1000, subzero_days = -1`) // behind everybody's back: nothing was tested
	s.exec(`update account_states set due_at = '0001-01-01T00:00:00Z' where account in ('past', 'grace')`)
	if got, want := s.sweepAt("2026-03-05T00:00:00Z"), (postgres.Swept{Judged: 2, Released: 2}); got != want {
		t.Errorf("with other terms: got %+v, want %+v", got, want)
	}
}

// An account that came back within the threshold is due at once, but only while
// its grace lasts; a sweep that comes later finds nothing to do, and says so in the
// index.
func TestASweepThatChangesNothingIsNotRepeated(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), `{number: A, opening_balance: "-150"}`)
	s.sweepAt("2026-03-01T01:00:00Z")
	s.exec(`update account_states set balance = -50, due_at = '0001-01-01T00:00:00Z'`)
	if got, want := s.sweepAt("2026-03-05T00:00:00Z"), (postgres.Swept{Judged: 1}); got != want {
		t.Errorf("after its grace: got %+v, want %+v", got, want)
	}
	if got, want := s.sweepAt("2026-03-05T00:00:00Z"), (postgres.Swept{}); got != want {
		t.Errorf("once more: got %+v, want %+v", got, want)
	}
}

func TestManySweepsAtOnceWriteOneLineOfHistory(t *testing.T) {
	const accounts = 1200
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), indebted(accounts)...)
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		sum  postgres.Swept
	)
	for range 4 {
		r := Runner{Store: s.open(), Clock: time.Now, Log: quiet()}
		wait.Go(func() {
			done, err := r.Sweep(t.Context(), Order{At: at(t, "2026-03-02T00:00:00Z"), Actor: "test"})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum = sum.Add(done)
		})
	}
	wait.Wait()
	if want := (postgres.Swept{Judged: accounts, Held: accounts}); sum != want {
		t.Errorf("together: got %+v, want %+v", sum, want)
	}
	if got := query[int](s, `select count(*) from status_history`); got != accounts {
		t.Errorf("got %d lines of history, want %d", got, accounts)
	}
}

// indebted are accounts that the sweep is to hold.
func indebted(n int) []string {
	accounts := make([]string, n)
	for i := range accounts {
		accounts[i] = fmt.Sprintf(`{number: D%06d, opening_balance: "-101", class: ever}`, i)
	}
	return accounts
}

// A damaged account is left as it is and told; all others are judged.
func TestASweepGoesOnPastADamagedAccount(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), indebted(5)...)
	s.exec(`update account_states set counters = '\xff' where account = 'D000002'`)
	done, err := s.Sweep(t.Context(), Order{At: at(t, "2026-03-02T00:00:00Z"), Actor: "test"})
	if err == nil || !strings.Contains(err.Error(), "account D000002") {
		t.Errorf("got %v, want an error that names the account", err)
	}
	if want := (postgres.Swept{Judged: 4, Held: 4}); done != want {
		t.Errorf("got %+v, want %+v", done, want)
	}
}
