package worker

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// desk is a judge without a database: the settings of town, and accounts made by
// hand.
type desk struct {
	t        *testing.T
	snapshot *postgres.Snapshot
	settings Settings
	accounts map[string]*account
	known    map[billing.Identity]*postgres.Known
}

// snapshotOfTown reads the settings of town once.
func snapshotOfTown(t *testing.T) *postgres.Snapshot {
	t.Helper()
	s, err := newHouse(t, plain("A1", "0")).store.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// add is an account that may use everything, in UTC, with a balance.
func (d *desk) add(number, balance string, change func(*postgres.Account)) *account {
	a := &postgres.Account{Number: number, Class: "pre", Currency: "EUR", Calendar: billing.Calendar{Zone: time.UTC, CycleDay: 1},
		Services: map[string]bool{"unleaded": true, "diesel": true, "lpg": true, "sms": true, "mms": true, "absent": true},
		Counters: billing.NewCounters()}
	a.Balance = money(balance)
	if change != nil {
		change(a)
	}
	if d.accounts == nil {
		d.accounts = map[string]*account{}
	}
	d.accounts[number] = newAccount(a, d.snapshot)
	return d.accounts[number]
}

// judge judges batches of one group, accepted at noon, and says what became of
// each record: its charge, or why it was rejected. A semicolon ends a batch.
func (d *desk) judge(batches ...[]string) (words string, c *postgres.Commit) {
	d.t.Helper()
	s := &State{Now: noon, Settings: d.settings, Snapshot: d.snapshot, Accounts: d.accounts, Known: map[billing.Identity]*postgres.Known{}}
	maps.Copy(s.Known, d.known)
	var group []billing.Batch
	for _, records := range batches {
		b := read(d.t, uuid.Must(uuid.NewV7()), records...)
		b.AcceptedAt = noon
		group = append(group, b.Batch)
	}
	c = Judge(s, group)
	var all []string
	for i := range c.Judgements {
		v := &c.Judgements[i]
		if i > 0 && v.Batch != c.Judgements[i-1].Batch {
			all = append(all, ";")
		}
		word := v.Charge.String()
		if v.Outcome == billing.Rejected {
			word = v.Reason.String()
		}
		all = append(all, word)
	}
	return strings.Join(all, " "), c
}

func at(t time.Time) string { return t.Format(time.RFC3339Nano) }

func TestJudge(t *testing.T) {
	snapshot := snapshotOfTown(t)
	const yesterday = "2026-03-20T10:00:00Z"
	held := func(status billing.Status, since time.Time) func(*postgres.Account) {
		return func(a *postgres.Account) { a.Status, a.InactiveSince = status, since }
	}
	postpaid := func(a *postgres.Account) { a.Class = "post" } // credit limit 50
	perDay := func(ceiling string) func(*postgres.Account) {
		return func(a *postgres.Account) {
			var s limits.Settings
			d := money(ceiling).Decimal()
			s.Account[billing.Day][billing.Usage] = &d
			a.Limits = limits.Open(s)
		}
	}
	one := func(quantity string, more ...string) []string {
		return []string{use("1", "A1", "unleaded", quantity, yesterday, more...)}
	}
	for _, tc := range []struct {
		name     string
		settings Settings
		balance  string
		account  func(*postgres.Account)
		records  []string
		want     string
		after    string // balance, or debt of a postpaid account
	}{
		{"a charge lowers the balance", eager, "10", nil, one("1.005"), "2.01", "7.99"},
		{"five minutes ahead", eager, "0", nil, []string{use("1", "A1", "sms", "1", at(noon.Add(5*time.Minute)))}, "0", "0"},
		{"a microsecond more", eager, "0", nil, []string{use("1", "A1", "sms", "1", at(noon.Add(5*time.Minute+time.Microsecond)))}, "in_future", "0"},
		{"as late as may be", Settings{Lateness: time.Hour}, "0", nil, []string{use("1", "A1", "sms", "1", at(noon.Add(-time.Hour)))}, "0", "0"},
		{"a microsecond later", Settings{Lateness: time.Hour}, "0", nil, []string{use("1", "A1", "sms", "1", at(noon.Add(-time.Hour-time.Microsecond)))}, "too_late", "0"},
		{"later than a Duration is long", Settings{Lateness: time.Hour}, "0", nil, []string{use("1", "A1", "sms", "1", "0001-01-01T00:00:00Z")}, "too_late", "0"},
		{"any age where lateness is 0", eager, "0", nil, []string{use("1", "A1", "sms", "1", "2020-01-01T00:00:00Z")}, "0", "0"},

		{"before the hold", eager, "0", held(billing.AdministrativeHold, noon), []string{use("1", "A1", "sms", "1", at(noon.Add(-time.Microsecond)))}, "0", "0"},
		{"from the hold on", eager, "0", held(billing.AdministrativeHold, noon), []string{use("1", "A1", "sms", "1", at(noon))}, "account_administrative_hold", "0"},
		{"from the credit hold on", eager, "0", held(billing.CreditHold, noon), []string{use("1", "A1", "sms", "1", at(noon))}, "account_credit_hold", "0"},
		{"no charge is no way around", eager, "0", held(billing.CreditHold, noon), []string{use("1", "A1", "sms", "1", at(noon), `"directive":"no_charge"`)}, "account_credit_hold", "0"},
		{"a credit skips credit hold", eager, "0", held(billing.CreditHold, noon), []string{
			use("1", "A1", "unleaded", "1", yesterday), credit("2", "1", "A1", "unleaded", "1", at(noon))}, "2 -2", "0"},
		{"a credit does not skip a manager's hold", eager, "0", held(billing.AdministrativeHold, noon), []string{
			use("1", "A1", "unleaded", "1", yesterday), credit("2", "1", "A1", "unleaded", "1", at(noon))}, "2 account_administrative_hold", "-2"},
		{"nothing of a deleted account", eager, "0", held(billing.Deleted, noon), []string{
			use("1", "A1", "sms", "1", yesterday), credit("2", "1", "A1", "sms", "1", yesterday)}, "account_deleted account_deleted", "0"},

		{"past the threshold: the use has happened", eager, "0", nil, one("51"), "102", "-102"},
		{"to the threshold", Settings{EnforceThreshold: true}, "0", nil, one("50"), "100", "-100"},
		{"a cent past it", Settings{EnforceThreshold: true}, "0", nil, one("50.005"), "insufficient_funds", "0"},
		{"past it for nothing", Settings{EnforceThreshold: true}, "-150", nil, []string{use("1", "A1", "sms", "1", yesterday)}, "0", "-150"},

		{"postpaid to the limit", eager, "7", postpaid, one("25"), "50", "50"},
		{"postpaid a cent past it", eager, "7", postpaid, one("25.005"), "subscription_credit_limit", "0"},
		{"postpaid and credited", eager, "7", postpaid, append(one("25"), credit("2", "1", "A1", "unleaded", "5", yesterday),
			use("3", "A1", "unleaded", "5", yesterday), use("4", "A1", "unleaded", "0.005", yesterday)), "50 -10 10 subscription_credit_limit", "50"},

		{"a ceiling reached", eager, "0", perDay("3"), one("3"), "6", "-6"},
		{"a ceiling passed", eager, "0", perDay("3"), one("3.000000000001"), "limit_day_usage", "0"},
		{"no charge uses the allowance", eager, "0", perDay("3"), append(one("3", `"directive":"no_charge"`),
			use("2", "A1", "unleaded", "1", yesterday)), "0 limit_day_usage", "0"},
		{"what is rejected is not counted", eager, "0", perDay("3"), append(one("4"), use("2", "A1", "unleaded", "3", yesterday)), "limit_day_usage 6", "-6"},
		{"a credit gives the allowance back", eager, "0", perDay("3"), append(one("3"),
			credit("2", "1", "A1", "unleaded", "1", at(noon)), use("3", "A1", "unleaded", "1", yesterday)), "6 -2 2", "-6"},

		{"small prices add up", eager, "0", nil, []string{
			use("1", "A1", "sms", "10", yesterday), use("2", "A1", "sms", "0.1", yesterday), use("3", "A1", "sms", "0.1", yesterday),
			use("4", "A1", "sms", "0.1", yesterday)}, "0 0 0.01 0", "-0.01"},
		{"a tier that is crossed gives back", eager, "0", nil, []string{
			use("1", "A1", "mms", "10", yesterday), use("2", "A1", "mms", "1", yesterday)}, "10 -4.5", "-5.5"},

		// Each has every fault from its own on; the first one names it (SPEC R5.1).
		{"account, then", Settings{Lateness: time.Hour}, "0", nil, []string{use("1", "A0", "nothing", "1", yesterday)}, "account_not_found", "0"},
		{"status, then", Settings{Lateness: time.Hour}, "0", held(billing.CreditHold, noon.AddDate(-1, 0, 0)), []string{use("1", "A1", "nothing", "1", yesterday)}, "account_credit_hold", "0"},
		{"service, then", Settings{Lateness: time.Hour}, "0", nil, []string{use("1", "A1", "absent", "1", yesterday)}, "service_not_found", "0"},
		{"link, then", Settings{Lateness: time.Hour}, "0", func(a *postgres.Account) { a.Services = nil }, one("1"), "service_not_linked", "0"},
		{"time, then", Settings{Lateness: time.Hour}, "0", nil, []string{use("1", "A1", "lpg", "1", yesterday)}, "too_late", "0"},
		{"a credit's time, then", Settings{Lateness: time.Hour}, "0", nil, []string{credit("1", "0", "A1", "lpg", "1", yesterday)}, "too_late", "0"},
		{"price, then", eager, "0", perDay("0"), []string{use("1", "A1", "lpg", "1", yesterday)}, "no_price", "0"},
		{"its currency, then", eager, "0", func(a *postgres.Account) { perDay("0")(a); a.Currency = "USD" }, one("1"), "currency_mismatch", "0"},
		{"charge, then", eager, "0", perDay("0"), one("999999999999"), "out_of_range", "0"},
		{"limits, then", Settings{EnforceThreshold: true}, "-999999999999.999999", perDay("0"), one("1"), "limit_day_usage", "-999999999999.999999"},
		{"the balance's range, then", Settings{EnforceThreshold: true}, "-999999999999.999999", nil, one("1"), "out_of_range", "-999999999999.999999"},
		{"credit", Settings{EnforceThreshold: true}, "-999999999997", nil, one("1"), "insufficient_funds", "-999999999997"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &desk{t: t, snapshot: snapshot, settings: tc.settings}
			a := d.add("A1", tc.balance, tc.account)
			got, c := d.judge(tc.records)
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if got := a.Figure(a.terms.Model); got != money(tc.after) {
				t.Errorf("afterwards: got %s, want %s", got, tc.after)
			}
			if tc.want != "account_not_found" && len(c.Moved) != 1 {
				t.Errorf("%d accounts are written, want the one that was looked at", len(c.Moved))
			}
		})
	}
}

// TestPostpayLeavesTheBalance: it is the debt that moves (SPEC R5.8).
func TestPostpayLeavesTheBalance(t *testing.T) {
	d := &desk{t: t, snapshot: snapshotOfTown(t), settings: eager}
	a := d.add("A1", "7", func(a *postgres.Account) { a.Class = "post" })
	d.judge([]string{use("1", "A1", "unleaded", "5", day(20, "10:00:00"))})
	if a.Balance != money("7") || a.CurrentDebt != money("10") || !a.NegativeSince.IsZero() {
		t.Errorf("got balance %s, debt %s since %v, want 7 and 10", a.Balance, a.CurrentDebt, a.NegativeSince)
	}
}

// TestHoldOnDebit: the test runs at the end of a batch, holds and does not
// release, and the next batch of the group sees the hold (SPEC R6.4).
func TestHoldOnDebit(t *testing.T) {
	snapshot := snapshotOfTown(t)
	before, now := day(20, "10:00:00"), at(noon)
	dear := func(id, when string) string { return use(id, "A1", "unleaded", "51", when) }
	free := func(id, when string) string { return use(id, "A1", "sms", "1", when) }
	for _, tc := range []struct {
		name    string
		batches [][]string
		want    string
		status  billing.Status
		history int
	}{
		{"the batch that debits goes on", [][]string{{dear("1", now), free("2", now)}}, "102 0", billing.CreditHold, 1},
		{"the next one is held, but for use before", [][]string{{dear("1", now)}, {free("2", now), free("3", before)}},
			"102 ; account_credit_hold 0", billing.CreditHold, 1},
		{"what is given back within the batch holds nobody", [][]string{{dear("1", before), credit("2", "1", "A1", "unleaded", "1", now)}},
			"102 -2", billing.Active, 0},
		{"a credit releases nobody", [][]string{{dear("1", before)}, {credit("2", "1", "A1", "unleaded", "51", now), dear("3", before)},
			{credit("4", "3", "A1", "unleaded", "51", now), use("5", "A1", "unleaded", "1", before)}},
			"102 ; -102 102 ; -102 2", billing.CreditHold, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &desk{t: t, snapshot: snapshot, settings: Settings{FutureTolerance: time.Minute, HoldOnDebit: true}}
			a := d.add("A1", "0", nil)
			got, c := d.judge(tc.batches...)
			if got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if a.Status != tc.status || len(c.Changes) != tc.history {
				t.Errorf("got %s after %d changes, want %s after %d", a.Status, len(c.Changes), tc.status, tc.history)
			}
		})
	}
}

// TestABatchThatDebitsNothingHoldsNobody, though an earlier one debited and the
// grace has run out since: that waits for the sweep.
func TestABatchThatDebitsNothingHoldsNobody(t *testing.T) {
	d := &desk{t: t, snapshot: snapshotOfTown(t), settings: Settings{FutureTolerance: time.Minute, HoldOnDebit: true}}
	a := d.add("A1", "0", nil)
	when := day(20, "10:00:00")
	d.judge([]string{use("1", "A1", "unleaded", "1", when)})
	a.NegativeSince = noon.AddDate(0, 0, -4)
	d.judge([]string{use("2", "A1", "sms", "1", when)})
	if a.Status != billing.Active {
		t.Errorf("got %s, want it active still", a.Status)
	}
	d.judge([]string{use("3", "A1", "unleaded", "1", when)})
	if a.Status != billing.CreditHold || a.Reason != billing.BySubzero {
		t.Errorf("after a debit: got %s, want it held", a.Status)
	}
}

// TestNegativeSinceIsTheNetOfABatch: what happens within a batch does not show,
// and what happens between two does, in one transaction too (SPEC R6.2).
func TestNegativeSinceIsTheNetOfABatch(t *testing.T) {
	snapshot := snapshotOfTown(t)
	when := day(20, "10:00:00")
	since := noon.AddDate(0, 0, -1)
	debit := use("1", "A1", "unleaded", "10", when)
	back := credit("2", "1", "A1", "unleaded", "10", when)
	again := use("3", "A1", "unleaded", "10", when)
	for _, tc := range []struct {
		name    string
		balance string
		batches [][]string
		want    time.Time
	}{
		{"below zero", "0", [][]string{{debit}}, noon},
		{"below and back within a batch", "0", [][]string{{debit, back}}, time.Time{}},
		{"below and back in two", "0", [][]string{{debit}, {back}}, time.Time{}},
		{"deeper", "-1", [][]string{{debit}}, since},
		{"down, up and down within a batch", "-1", [][]string{{debit, back, again}}, since},
		{"up and below in two", "-1", [][]string{{credit("4", "0", "A1", "unleaded", "1", when)}, {use("5", "A1", "unleaded", "1", when)}}, noon},
		{"up and below within a batch", "-1", [][]string{{credit("4", "0", "A1", "unleaded", "1", when), use("5", "A1", "unleaded", "1", when)}}, since},
		{"down, up and down, never to zero", "-1", [][]string{{debit}, {back}, {again}}, since},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &desk{t: t, snapshot: snapshot, settings: eager}
			old := read(t, uuid.New(), use("0", "A1", "unleaded", "1", when)).Records[0]
			d.known = map[billing.Identity]*postgres.Known{old.Identity(): {Record: old, Outcome: billing.Rated, Charge: money("2"), Price: 1, Band: -1,
				Placement: snapshot.Place("unleaded").ID}}
			a := d.add("A1", tc.balance, func(a *postgres.Account) {
				if a.Balance < 0 {
					a.NegativeSince = since
				}
			})
			d.judge(tc.batches...)
			if !a.NegativeSince.Equal(tc.want) {
				t.Errorf("got %v, want %v", a.NegativeSince, tc.want)
			}
		})
	}
}

// TestPlacesRise: of an account that does not exist as well, although it has no
// line before, and across groups of one owner.
func TestPlacesRise(t *testing.T) {
	d := &desk{t: t, snapshot: snapshotOfTown(t), settings: eager}
	future := noon.Add(time.Hour).UnixMicro()
	d.add("A1", "0", func(a *postgres.Account) { a.LastSeq = future })
	when := day(20, "10:00:00")
	_, c := d.judge([]string{use("1", "A1", "sms", "1", when), use("2", "A0", "sms", "1", when), use("3", "A1", "sms", "1", when)})
	if got, want := c.Judgements[0].Arrival, future+1; got != want {
		t.Errorf("first: got %d, want %d, after the account's last line", got, want)
	}
	if got, want := c.Judgements[2].Arrival, future+2; got != want {
		t.Errorf("third: got %d, want %d", got, want)
	}
	if got, want := c.Judgements[1].Arrival, noon.UnixMicro()+1; got != want {
		t.Errorf("of no account: got %d, want %d", got, want)
	}
}
