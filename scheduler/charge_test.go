package scheduler

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
)

// daily is an account with a line of 1 a day from a date on.
func daily(number, balance, from string) string {
	return fmt.Sprintf(`{number: %s, opening_balance: %q, periodic_services: [{name: Line, price: "1", period: daily, starts_on: %s, prorate: false}]}`,
		number, balance, from)
}

func TestMissedPeriodsAreChargedOldestFirstUpToTheBound(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-01-01T00:00:00Z"), daily("A", "200", "2026-01-01"))
	if got, want := s.chargeAt("2026-03-10T00:00:00Z"), (Charged{Charged: 31, Left: 38}); got != want {
		t.Errorf("first run: got %+v, want %+v", got, want)
	}
	lines := s.statement("A")
	if len(lines) != 31 || lines[0] != "periodic -1 199 Line, 2026-01-01" || lines[30] != "periodic -1 169 Line, 2026-01-31" {
		t.Errorf("got the lines\n%s", strings.Join(lines, "\n"))
	}
	if got, want := s.chargeAt("2026-03-10T00:00:00Z"), (Charged{Charged: 31, Left: 7}); got != want {
		t.Errorf("second run: got %+v, want %+v", got, want)
	}
	if got, want := s.chargeAt("2026-03-10T00:00:00Z"), (Charged{Charged: 7}); got != want {
		t.Errorf("third run: got %+v, want %+v", got, want)
	}
	if got, want := s.chargeAt("2026-03-10T23:59:59Z"), (Charged{}); got != want {
		t.Errorf("a run with nothing due: got %+v, want %+v", got, want)
	}
	s.wantAccount("A", "active 131")
}

func TestPeriodsThatBeginOnHoldAreSkippedForGood(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), daily("C", "-101", "2026-03-10"), daily("M", "10", "2026-03-10"), daily("D", "10", "2026-03-10"),
		daily("A", "10", "2026-03-10"))
	for _, r := range []postgres.StatusRequest{
		{Account: "M", Action: postgres.HoldAccount}, {Account: "D", Action: postgres.DeleteAccount}} {
		r.Note, r.At, r.Actor = "test", at(t, "2026-03-01T00:00:00Z"), "test"
		if _, err := s.store.SetStatus(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	s.sweepAt("2026-03-02T00:00:00Z")
	if got, want := s.chargeAt("2026-03-11T00:00:00Z"), (Charged{Charged: 2, Skipped: 6}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	s.pay("C", "111", "k", "2026-03-11T12:00:00Z")
	if got, want := s.chargeAt("2026-03-11T13:00:00Z"), (Charged{}); got != want {
		t.Errorf("after the release: got %+v, want %+v", got, want)
	}
	s.chargeAt("2026-03-12T00:00:00Z")
	s.wantAccount("C", "active 9")
	s.wantAccount("M", "administrative_hold (manager) 10")
	s.wantAccount("D", "deleted 10")
	s.wantAccount("A", "active 7")
	got := query[string](s, `select string_agg(account || ' ' || starts || ' ' || skipped || ' ' || trim_scale(amount), ', ' order by account, starts)
		from periodic_charges where account in ('C', 'M') and starts < '2026-03-13'`)
	want := "C 2026-03-10 credit_hold 0, C 2026-03-11 credit_hold 0, C 2026-03-12  1, " +
		"M 2026-03-10 administrative_hold 0, M 2026-03-11 administrative_hold 0, M 2026-03-12 administrative_hold 0"
	if got != want {
		t.Errorf("\ngot  %s\nwant %s", got, want)
	}
}

func TestAPriceHoldsForPeriodsThatStartWhenItWasSetOrLater(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), daily("A", "100", "2026-03-10"))
	s.apply(at(t, "2026-03-12T00:00:00Z"), strings.Replace(daily("A", "100", "2026-03-10"), `"1"`, `"5"`, 1))
	s.apply(at(t, "2026-03-13T00:00:00.000001Z"), strings.Replace(daily("A", "100", "2026-03-10"), `"1"`, `"7"`, 1))
	s.chargeAt("2026-03-14T00:00:00Z")
	want := []string{
		"periodic -1 99 Line, 2026-03-10",
		"periodic -1 98 Line, 2026-03-11",
		"periodic -5 93 Line, 2026-03-12", // begins at the very now of the change
		"periodic -5 88 Line, 2026-03-13", // a microsecond before it
		"periodic -7 81 Line, 2026-03-14",
	}
	if diff := cmp.Diff(s.statement("A"), want); diff != "" {
		t.Error("got, want:", diff)
	}
}

func TestAPostpayChargeRaisesTheDebt(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), `{number: P, class: later, subscription_credit_limit: "1", periodic_services: [
		{name: Line, price: "7", period: monthly, starts_on: 2026-03-31, prorate: false}]}`)
	s.chargeAt("2026-05-31T00:00:00Z")
	want := []string{
		"periodic -7 7 Line, 2026-03-31 to 2026-04-29",
		"periodic -7 14 Line, 2026-04-30 to 2026-05-30",
		"periodic -7 21 Line, 2026-05-31 to 2026-06-29",
	}
	if diff := cmp.Diff(s.statement("P"), want); diff != "" {
		t.Error("got, want:", diff)
	}
	if a := s.account("P"); a.Balance != 0 || a.CurrentDebt != 21*billing.MoneyUnit {
		t.Errorf("got balance %s and debt %s, want 0 and 21", a.Balance, a.CurrentDebt)
	}
}

// The subzero period counts from the run that took the balance below zero, by the
// net of what it posts; what is due to be swept is then in the index.
func TestADebtBeginsWithTheRun(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), daily("A", "3", "2026-03-01"))
	s.chargeAt("2026-03-03T06:00:00Z")
	if a := s.account("A"); a.NegativeSince != nil {
		t.Errorf("at zero: got negative since %v, want none", a.NegativeSince)
	}
	s.chargeAt("2026-03-05T06:00:00Z")
	s.chargeAt("2026-03-06T06:00:00Z")
	if a := s.account("A"); a.NegativeSince == nil || !a.NegativeSince.Equal(at(t, "2026-03-05T06:00:00Z")) {
		t.Errorf("got negative since %v, want 5 March 06:00", a.NegativeSince)
	}
	if got, want := s.sweepAt("2026-03-08T05:59:59Z"), (postgres.Swept{}); got != want {
		t.Errorf("a second before three days: got %+v, want %+v", got, want)
	}
	if got, want := s.sweepAt("2026-03-08T06:00:00Z"), (postgres.Swept{Judged: 1, Held: 1}); got != want {
		t.Errorf("after three days: got %+v, want %+v", got, want)
	}
}

func TestAChargeOutOfRangeIsSkipped(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), `{number: A, opening_balance: "-999999999997", class: ever, financial_blocking_threshold: "999999999999",
		periodic_services: [{name: Line, price: "1.5", period: daily, starts_on: 2026-03-01, prorate: false},
		{name: Small, price: "1", period: daily, starts_on: 2026-03-02, prorate: false}]}`)
	if got, want := s.chargeAt("2026-03-02T00:00:00Z"), (Charged{Charged: 2, Skipped: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	want := []string{"periodic -1.5 -999999999998.5 Line, 2026-03-01", "periodic -1 -999999999999.5 Small, 2026-03-02"}
	if diff := cmp.Diff(s.statement("A"), want); diff != "" {
		t.Error("got, want:", diff)
	}
	if got := query[string](s, `select skipped from periodic_charges where name = 'Line' and starts = '2026-03-02'`); got != "out_of_range" {
		t.Errorf("got %q, want out_of_range", got)
	}
}

func TestADayThatTheZoneSkippedIsNotCharged(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2011-12-01T00:00:00Z"),
		`{number: A, time_zone: Pacific/Apia, opening_balance: "9", periodic_services: [{name: Line, price: "1", period: daily, starts_on: 2011-12-29, prorate: false}]}`,
		`{number: B, time_zone: Pacific/Apia, opening_balance: "9", periodic_services: [{name: Line, price: "1", period: daily, starts_on: 2011-12-30, ends_on: 2011-12-31, prorate: false}]}`)
	if got, want := s.chargeAt("2011-12-31T09:59:59Z"), (Charged{Charged: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	want := []string{"periodic -1 8 Line, 2011-12-29", "periodic -1 7 Line, 2011-12-31"}
	if diff := cmp.Diff(s.statement("A"), want); diff != "" {
		t.Error("got, want:", diff)
	}
	s.wantAccount("B", "active 9")
	if due := query[int](s, `select count(due_at) from periodic_services where account = 'B'`); due != 0 {
		t.Errorf("a service whose only day was skipped is due still")
	}
}

// twin is accounts with every rhythm, in zones where clocks change meanwhile.
var twin = []string{
	`{number: A, time_zone: Europe/Athens, opening_balance: "100", periodic_services: [
		{name: Line, price: "0.1", period: daily, starts_on: 2026-03-20, prorate: false},
		{name: Box, price: "0.7", period: daily, every: 3, starts_on: 2026-03-21, prorate: false},
		{name: Card, price: "31", period: monthly, anchor_day: 1, starts_on: 2026-03-25, prorate: true},
		{name: Visit, price: "2", period: weekly, starts_on: 2026-03-23, ends_on: 2026-04-08, prorate: true}]}`,
	`{number: B, time_zone: America/Sao_Paulo, opening_balance: "1", class: ever, periodic_services: [
		{name: Line, price: "0.333333", period: daily, starts_on: 2026-03-28, prorate: false}]}`,
	`{number: C, class: later, time_zone: Asia/Kathmandu, periodic_services: [
		{name: Year, price: "365", period: yearly, starts_on: 2025-04-02, prorate: false}]}`,
}

// Periods are dates: another zone begins the next one when its clock does, and
// charges none twice (SPEC R6.8).
func TestPeriodsKeepTheirDatesInAnotherZone(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), daily("A", "10", "2026-03-10"))
	s.chargeAt("2026-03-10T00:00:00Z")
	move := func(zone, when string) {
		t.Helper()
		if _, err := s.store.SetAccount(t.Context(), postgres.AccountChange{Account: "A", TimeZone: &zone, At: at(t, when), Actor: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	move("America/New_York", "2026-03-10T01:00:00Z") // where it is the ninth again
	if got, want := s.chargeAt("2026-03-11T03:59:59Z"), (Charged{}); got != want {
		t.Errorf("the last second of the tenth there: got %+v, want %+v", got, want)
	}
	if got, want := s.chargeAt("2026-03-11T04:00:00Z"), (Charged{Charged: 1}); got != want {
		t.Errorf("the first second of the eleventh there: got %+v, want %+v", got, want)
	}
	move("Pacific/Kiritimati", "2026-03-11T05:00:00Z")
	if got, want := s.chargeAt("2026-03-11T09:59:59Z"), (Charged{}); got != want {
		t.Errorf("the last second of the eleventh in the east: got %+v, want %+v", got, want)
	}
	if got, want := s.chargeAt("2026-03-11T10:00:00Z"), (Charged{Charged: 1}); got != want {
		t.Errorf("the first second of the twelfth in the east: got %+v, want %+v", got, want)
	}
	want := []string{"periodic -1 9 Line, 2026-03-10", "periodic -1 8 Line, 2026-03-11", "periodic -1 7 Line, 2026-03-12"}
	if diff := cmp.Diff(s.statement("A"), want); diff != "" {
		t.Error("got, want:", diff)
	}
}

func TestCatchUpEqualsAnUninterruptedTwin(t *testing.T) {
	start := at(t, "2026-03-27T00:00:00Z")
	uninterrupted, down := newSite(t), newSite(t)
	for _, s := range []*site{uninterrupted, down} {
		s.apply(at(t, "2026-03-01T00:00:00Z"), twin...)
		s.chargeAt(start.Format(time.RFC3339))
	}
	end := start.AddDate(0, 0, 10)
	for now := start; !now.After(end); now = now.Add(time.Hour) {
		uninterrupted.chargeAt(now.Format(time.RFC3339))
	}
	down.chargeAt(end.Format(time.RFC3339))
	for _, number := range []string{"A", "B", "C"} {
		got, want := down.statement(number), uninterrupted.statement(number)
		if len(want) < 1 {
			t.Errorf("account %s: the twin was charged nothing", number)
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("account %s, got, want: %s", number, diff)
		}
	}
}

// many applies accounts 0 … n-1 with a line of 1 a day from 1 March, and a balance
// of 10.
func (s *site) many(n int) {
	s.t.Helper()
	accounts := make([]string, n)
	for i := range accounts {
		accounts[i] = daily(fmt.Sprintf("N%06d", i), "10", "2026-03-01")
	}
	s.apply(at(s.t, "2026-02-01T00:00:00Z"), accounts...)
}

// race runs charges by several schedulers at once and adds up what they did.
func race(s *site, schedulers int, o Order) (sum Charged) {
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
	)
	for range schedulers {
		r := Runner{Store: s.open(), Clock: time.Now, Log: quiet()}
		wait.Go(func() {
			done, err := r.Charge(s.t.Context(), o, 31)
			if err != nil {
				s.t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			sum = Charged{sum.Charged + done.Charged, sum.Skipped + done.Skipped, sum.Left + done.Left}
		})
	}
	wait.Wait()
	return sum
}

// wantOnce holds that n accounts were charged for three days, each once, by every
// account of it that the database gives.
func (s *site) wantOnce(n int) {
	s.t.Helper()
	for what, sql := range map[string]string{
		"accounts at 7": `select count(*) from account_states where balance = 7`,
		"charges / 3":   `select count(*) / 3 from periodic_charges where amount = 1 and skipped = ''`,
		"postings / 3":  `select count(*) / 3 from entries where kind = 2 and amount = -1`,
		"statements that add up": `select count(*) from (select account from entries group by account
			having count(*) = 3 and sum(amount) = -3 and min(balance_after) = 7 and count(distinct description) = 3) e`,
		"accounts that go on tomorrow": `select count(*) from periodic_services where next_on = '2026-03-04' and due_at = '2026-03-04T00:00:00Z'`,
	} {
		if got := query[int](s, sql); got != n {
			s.t.Errorf("%s: got %d, want %d", what, got, n)
		}
	}
}

func TestFourSchedulersChargeEveryPeriodOnce(t *testing.T) {
	accounts := 10_000
	if testing.Short() {
		accounts = 1000
	}
	s := newSite(t)
	s.many(accounts)
	sum := race(s, 4, Order{At: at(t, "2026-03-03T00:00:00Z"), Actor: "test"})
	if want := (Charged{Charged: 3 * accounts}); sum != want {
		t.Errorf("together: got %+v, want %+v", sum, want)
	}
	s.wantOnce(accounts)
	if sum := race(s, 4, Order{At: at(t, "2026-03-03T00:00:00Z"), Actor: "test"}); sum != (Charged{}) {
		t.Errorf("once more: got %+v, want nothing", sum)
	}
	s.wantOnce(accounts)
}

// A run that is cut off anywhere leaves whole accounts only, and the next one
// finishes.
func TestARunThatIsCutOffLeavesNothingHalfDone(t *testing.T) {
	const accounts = 3000
	s := newSite(t)
	s.many(accounts)
	order := Order{At: at(t, "2026-03-03T00:00:00Z"), Actor: "test"}
	cuts := 0
	for i := range 24 {
		var err error
		switch store := s.open(); i % 3 {
		case 0: // its context ends
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(4+i*i/2)*time.Millisecond)
			_, err = (&Runner{Store: store, Clock: time.Now, Log: quiet()}).Charge(ctx, order, 1)
			cancel()
		case 1: // its connections are lost
			err = s.cutOff(func() error {
				_, err := (&Runner{Store: store, Clock: time.Now, Log: quiet()}).Charge(t.Context(), order, 1)
				return err
			})
		case 2: // its process is killed
			err = s.kill(time.Duration(i*i/2) * time.Millisecond)
		}
		if err != nil {
			cuts++
		}
		half := query[int](s, `select count(*)
			from   account_states a
			join   accounts       o on o.number = a.account
			where  a.balance <> o.opening_balance + (select coalesce(sum(e.amount), 0) from entries e where e.account = a.account)
			or     (select count(*) from entries e where e.account = a.account)
			       <> (select count(*) from periodic_charges c where c.account = a.account)
			or     (select max(c.starts) + 1 from periodic_charges c where c.account = a.account)
			       <> (select p.next_on from periodic_services p where p.account = a.account)`)
		if half != 0 {
			t.Fatalf("after cut %d: %d accounts are half done", i, half)
		}
	}
	done := query[int](s, `select count(*) from periodic_charges`)
	t.Logf("%d of 24 runs were cut off, after %d of %d charges", cuts, done, 3*accounts)
	if cuts < 8 || done == 0 {
		t.Error("nothing was cut off in the midst of it")
	}
	if done, err := s.Charge(t.Context(), order, 31); err != nil || done.Left != 0 {
		t.Errorf("got %+v, %v, want all of the rest", done, err)
	}
	s.wantOnce(accounts)
}

// cutOff ends all connections of a run a moment after it began.
func (s *site) cutOff(run func() error) error {
	s.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- run() }()
	for {
		select {
		case err := <-ended:
			return err
		case <-time.After(2 * time.Millisecond):
			s.exec(`select pg_terminate_backend(pid) from pg_stat_activity
				where datname = current_database() and application_name = 'chargehand' and state <> 'idle'`)
		}
	}
}

// kill starts a run in a process of its own and kills it a moment after it began.
func (s *site) kill(after time.Duration) error {
	s.t.Helper()
	process, said := s.startVictim(chargerToKill)
	if _, err := bufio.NewReader(said).ReadString('\n'); err != nil {
		s.t.Fatal("the process did not begin:", err)
	}
	<-time.After(after)
	if err := process.Process.Kill(); err != nil {
		s.t.Error(err)
	}
	return process.Wait()
}

// An account that cannot be read holds up nobody else, and is told.
func TestADamagedAccountHoldsUpNobody(t *testing.T) {
	s := newSite(t)
	s.many(5)
	s.exec(`update periodic_services set prices = '[]' where account = 'N000002'`)
	done, err := s.Charge(t.Context(), Order{At: at(t, "2026-03-03T00:00:00Z"), Actor: "test"}, 31)
	if err == nil || !strings.Contains(err.Error(), "account N000002") {
		t.Errorf("got %v, want an error that names the account", err)
	}
	if want := (Charged{Charged: 12}); done != want {
		t.Errorf("got %+v, want %+v", done, want)
	}
	if fault := query[string](s, `select fault from runs where job = 'charge'`); !strings.Contains(fault, "N000002") {
		t.Errorf("the log of runs: got %q, want the account", fault)
	}
}

// The key of a period is the last guard: with a service set back by hand the run
// goes on behind what stands.
func TestAPeriodThatStandsIsNotChargedAgain(t *testing.T) {
	s := newSite(t)
	s.many(1)
	s.chargeAt("2026-03-03T00:00:00Z")
	s.exec(`update periodic_services set next_on = '2026-03-01', due_at = '2026-03-01T00:00:00Z'`)
	if got, want := s.chargeAt("2026-03-03T00:00:00Z"), (Charged{}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	s.wantOnce(1)
}

// A service that is linked, changed or ended while runs go on is charged by what
// was before, or by what was after.
func TestChangedServicesAreChargedByOneOrTheOther(t *testing.T) {
	s := newSite(t)
	s.many(1)
	p := postgres.LinkRequest{Account: "N000000", PeriodicName: "Line", Remove: true, Actor: "test"}
	for round := range 30 {
		day := at(t, "2026-03-03T00:00:00Z").AddDate(0, 0, round)
		p.At = day
		var wait sync.WaitGroup
		wait.Go(func() {
			if _, err := s.Charge(t.Context(), Order{At: day, Actor: "test"}, 31); err != nil {
				t.Error(err)
			}
		})
		wait.Go(func() {
			if _, err := s.store.Link(t.Context(), p); err != nil {
				t.Error(err)
			}
		})
		wait.Wait()
		if due := query[int](s, `select count(due_at) from periodic_services where ended`); due != 0 {
			t.Fatalf("round %d: an ended service is due", round)
		}
		s.exec(`update periodic_services set ended = false, due_at = next_on::timestamp at time zone 'UTC'`)
	}
}

// A service that was ended may begin again under its name, behind what was charged
// of it, with a price and a rhythm of its own.
func TestAnEndedServiceBeginsAgainBehindWhatWasCharged(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), daily("A", "100", "2026-03-01"))
	s.chargeAt("2026-03-03T12:00:00Z")
	if _, err := s.store.Link(t.Context(), postgres.LinkRequest{Account: "A", PeriodicName: "Line", Remove: true,
		At: at(t, "2026-03-03T13:00:00Z"), Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	link := func(starts string) error {
		on, err := billing.ParseDate(starts)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.store.Link(t.Context(), postgres.LinkRequest{Account: "A", At: at(t, "2026-03-10T12:00:00Z"), Actor: "test",
			Periodic: &setup.PeriodicService{Name: "Line", Price: 7 * billing.MoneyUnit, Period: billing.Weekly, Every: 1, StartsOn: on}})
		return err
	}
	if err := link("2026-03-03"); err == nil || !strings.Contains(err.Error(), "charged up to 2026-03-04") {
		t.Errorf("a start within what was charged: got %v, want a refusal", err)
	}
	if err := link("2026-03-10"); err != nil {
		t.Fatal(err)
	}
	s.chargeAt("2026-03-17T00:00:00Z")
	want := []string{
		"periodic -1 99 Line, 2026-03-01", "periodic -1 98 Line, 2026-03-02", "periodic -1 97 Line, 2026-03-03",
		"periodic -7 90 Line, 2026-03-10 to 2026-03-16", "periodic -7 83 Line, 2026-03-17 to 2026-03-23",
	}
	if diff := cmp.Diff(s.statement("A"), want); diff != "" {
		t.Error("got, want:", diff)
	}
}
