package verify_test

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/verify"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Each case breaks one thing in a town that is sound. What is named must be that
// thing and what follows from it, and nothing else.
func TestWhatIsTamperedWithIsNamed(t *testing.T) {
	h := newHouse(t, town, settings)
	h.fillTown()
	batches := h.batches()
	h.stop() // a database that is copied has no visitors
	for _, c := range []struct {
		name   string
		tamper func(context.Context, *pgx.Conn) error
		want   []string // rule, account, what: expected → found
	}{
		{"a balance", sql(`update account_states set balance = balance + 1 where account = 'A1'`), []string{
			`R9.1 A1 balance: 397.609999 → 398.609999`,
		}},
		{"a debt", sql(`update account_states set current_debt = current_debt - 0.01 where account = 'A2'`), []string{
			`R9.1 A2 current_debt: -144.5 → -144.51`,
		}},
		{"the balance of a postpay account", sql(`update account_states set balance = 7 where account = 'A2'`), []string{
			`R9.1 A2 balance: 0 → 7`,
		}},
		{"a doubled posting", sql(`insert into entries select account, seq + 1, at, kind, amount, balance_after, description, null, source,
			record, periodic, actor from entries where key = 'p1'`), []string{
			`R9.1 A3 balance: -21 → -81`,
			`R9.1 A3 balance after payment of 60 at T: -21 → -81`,
		}},
		{"a posting that vanished", sql(`delete from entries where key = 'p1'`), []string{
			`R9.1 A3 balance: -141 → -81`,
		}},
		{"a charge", sql(`update records set charge = charge + 1 where account = 'A1' and id = 'u1'`), slices.Concat(
			[]string{`R9.4 A1 charge of record feed/u1: 20 → 21`, `R9.1 A1 balance: 396.609999 → 397.609999`},
			ofFuel("A1 closed", "2025-01-30", "2024-12-31", "quantity 6.667, amount 14.33 → quantity 6.667, amount 13.33"),
			[]string{`R9.1 A1 balance after usage of -10.05 at T, record feed/u2: 468.95 → 469.95`})},
		{"a charge that was taken back", sql(`update judgements set charge = charge + 1 where account = 'A1' and id = 'd1'`), []string{
			`R9.1 A1 balance: 396.609999 → 397.609999`,
			`R9.1 A1 balance after usage of -9 at T, record feed/d2: 369.95 → 370.95`,
		}},
		{"how a charge that was taken back was judged", sql(`update judgements set trace = '\xff' where account = 'A1' and id = 'd1'`), []string{
			`R9.4 A1 explanation of record feed/d1 as judged at T: readable → read a trace: bytes end inside a value`,
		}},
		{"a record that vanished", sql(`delete from records where account = 'A2' and id = 'b1'`), slices.Concat(
			[]string{`R9.1 A2 current_debt: -245 → -144.5`},
			ofFuel("A2 open", "2025-02-03", "2025-02-01", "quantity 0, amount 0 → quantity 100, amount 100.5"),
			[]string{`R9.3  batch 1: rated: 15 → 14`, `R9.1 A2 balance after payment of 250 at T, key p2: -250 → -149.5`})},
		{"a record that was rejected", sql(`delete from records where account = 'A2' and id = 'b2'`), []string{
			`R9.3  batch 1: rejected: 4 → 3`,
		}},
		{"the balance in a trace", trace("A1", "d1", func(t *postgres.Trace) { t.Figure++ }), []string{
			`R9.1 A1 balance after usage of -72 at T, record feed/d1: 401.609999 → 401.61`,
		}},
		{"what was used of a ceiling", trace("A1", "u1", func(t *postgres.Trace) { t.Used[1] = billing.FixedInt(211) }), []string{
			`R9.4 A1 ceiling of usage per day and account of record feed/u1: at most 220 → 221`,
		}},
		{"a ceiling that was looked at", trace("A1", "u1", func(t *postgres.Trace) { t.Used = t.Used[1:] }), []string{
			`R9.4 A1 ceilings of record feed/u1: a value for each of version 1 of the limits → 2 values`,
		}},
		{"all ceilings", trace("A1", "u1", func(t *postgres.Trace) { t.Used = nil }), []string{
			`R9.4 A1 ceilings of record feed/u1: a value for each of version 1 of the limits → 0 values`,
		}},
		{"the counter that a price counted from", trace("A1", "d2", func(t *postgres.Trace) { t.Before = billing.FixedInt(95) }), []string{
			`R9.4 A1 charge of record feed/d2: 4.5 → 5`,
		}},
		{"the rest of a credit", trace("A1", "c1", func(t *postgres.Trace) { t.RestAmount += billing.MoneyUnit }), []string{
			`R9.4 A1 charge of record feed/c1: −21 × 3.333 / 10, rounded → -6.67`,
		}},
		{"the quantity left to a credit", trace("A1", "c1", func(t *postgres.Trace) { t.Rest = billing.FixedInt(3) }), []string{
			`R9.4 A1 quantity of record feed/c1: at most what was not yet credited: 3 → 3.333`,
		}},
		{"a trace beyond reading", sql(`update records set trace = '\xff' where account = 'A1' and id = 's1'`), []string{
			`R9.4 A1 explanation of record feed/s1: readable → read a trace: bytes end inside a value`,
		}},
		{"a quantity", sql(`update records set quantity = quantity + 1 where account = 'A2' and id = 'b1'`), slices.Concat(
			[]string{`R9.4 A2 charge of record feed/b1: 101.51 → 100.5`},
			ofFuel("A2 open", "2025-02-03", "2025-02-01", "quantity 101, amount 100.5 → quantity 100, amount 100.5"))},
		{"a time", sql(`update records set occurred_at = occurred_at + interval '1 day' where account = 'A2' and id = 'b1'`), []string{
			`R9.2 A2 open counter of service unleaded, day of 2025-02-03: quantity 0, amount 0 → quantity 100, amount 100.5`,
			`R9.2 A2 open counter of type PETROL, day of 2025-02-03: quantity 0, amount 0 → quantity 100, amount 100.5`,
			`R9.2 A2 open counter of family FUEL, day of 2025-02-03: quantity 0, amount 0 → quantity 100, amount 100.5`,
			`R9.2 A2 open counter of account, day of 2025-02-03: quantity 0, amount 0 → quantity 100, amount 100.5`,
			`R9.2 A2 open counter of service unleaded, day of 2025-02-04: quantity 100, amount 100.5 → quantity 0, amount 0`,
			`R9.2 A2 open counter of type PETROL, day of 2025-02-04: quantity 100, amount 100.5 → quantity 0, amount 0`,
			`R9.2 A2 open counter of family FUEL, day of 2025-02-04: quantity 100, amount 100.5 → quantity 0, amount 0`,
			`R9.2 A2 open counter of account, day of 2025-02-04: quantity 100, amount 100.5 → quantity 0, amount 0`,
		}},
		{"the price of a record", sql(`update records set price = 99 where account = 'A1' and id = 'u1'`), []string{
			`R9.4 A1 price of record feed/u1: the price that rated it → number 99, which is none`,
		}},
		{"the band of a record", sql(`update records set band = -1 where account = 'A1' and id = 'u2'`), []string{
			`R9.4 A1 charge of record feed/u2: 20 → 10.05`,
		}},
		{"a band that is none", sql(`update records set band = 5 where account = 'A1' and id = 'u2'`), []string{
			`R9.4 A1 band of record feed/u2: one of the 1 of price u → 5`,
		}},
		{"the amount that a record brought", sql(`update records set amount = 2 where account = 'A1' and id = 'e1'`), []string{
			`R9.4 A1 charge of record feed/e1: 2 → 1`,
		}},
		{"the original of a credit", sql(`update records set original_id = 'u9' where account = 'A1' and id = 'c1'`), slices.Concat(
			[]string{`R9.4 A1 original of record feed/c1: a record of unleaded that was rated → u9`},
			ofFuel("A1 closed", "2025-01-30", "2024-12-31", "quantity 10, amount 20 → quantity 6.667, amount 13.33"))},
		{"the limits that were judged by", sql(`delete from limits where account = 'A1'`), []string{
			`R9.4 A1 ceilings of record feed/d1: version 1 of the limits → no such version`,
			`R9.4 A1 ceilings of record feed/d2: version 1 of the limits → no such version`,
			`R9.4 A1 ceilings of record feed/e1: version 1 of the limits → no such version`,
			`R9.4 A1 ceilings of record feed/n1: version 1 of the limits → no such version`,
			`R9.4 A1 ceilings of record feed/s1: version 1 of the limits → no such version`,
			`R9.4 A1 ceilings of record feed/s2: version 1 of the limits → no such version`,
			`R9.4 A1 ceilings of record feed/u1: version 1 of the limits → no such version`,
			`R9.4 A1 ceilings of record feed/u2: version 1 of the limits → no such version`,
		}},
		{"an open counter", openCounter("A1", billing.Day, billing.DateOf(2025, 3, 30), billing.FixedInt(1)), []string{
			`R9.2 A1 open counter of account, day of 2025-03-30: quantity 1, amount 1 → quantity 2, amount 1`,
		}},
		{"an open counter of nothing", openCounter("A1", billing.Day, billing.DateOf(2025, 4, 2), billing.FixedInt(1)), []string{
			`R9.2 A1 open counter of account, day of 2025-04-02: quantity 0, amount 0 → quantity 1, amount 0`,
		}},
		{"a closed counter", sql(`update closed_counters set amount = amount - 0.000001 where account = 'A1' and "window" = 1
			and starts = '2025-01-31' and scope = 2`), []string{
			`R9.2 A1 closed counter of family FUEL, day of 2025-01-31: quantity 10, amount 10.05 → quantity 10, amount 10.049999`,
		}},
		{"a closed counter that vanished", sql(`delete from closed_counters where account = 'A1' and "window" = 2
			and scope = 3`), []string{
			`R9.2 A1 closed counter of account, month of 2024-12-31: quantity 6.667, amount 13.33 → quantity 0, amount 0`,
		}},
		{"a closed counter of nothing", sql(`insert into closed_counters values ('A3', 1, '2020-01-01', 3, 0, 1, 1)`), []string{
			`R9.2 A3 closed counter of account, day of 2020-01-01: quantity 0, amount 0 → quantity 1, amount 1`,
		}},
		{"a counter that is open and closed", sql(`insert into closed_counters values ('A1', 1, '2025-03-30', 3, 0, 1, 1)`), []string{
			`R9.2 A1 closed counter of account, day of 2025-03-30: none: its window is open → quantity 1, amount 1`,
		}},
		{"counters beyond reading", sql(`update account_states set counters = '\x07' where account = 'A4'`), []string{
			`R9.2 A4 open counters: readable → read counters: version 7 is not 1`,
			`R9.2 A4 open counter of service toll, day of 2025-02-03: quantity 1, amount 50 → quantity 0, amount 0`,
			`R9.2 A4 open counter of type TEXT, day of 2025-02-03: quantity 1, amount 50 → quantity 0, amount 0`,
			`R9.2 A4 open counter of account, day of 2025-02-03: quantity 1, amount 50 → quantity 0, amount 0`,
			`R9.2 A4 open counter of service toll, month of 2025-02-01: quantity 1, amount 50 → quantity 0, amount 0`,
			`R9.2 A4 open counter of type TEXT, month of 2025-02-01: quantity 1, amount 50 → quantity 0, amount 0`,
			`R9.2 A4 open counter of account, month of 2025-02-01: quantity 1, amount 50 → quantity 0, amount 0`,
		}},
		{"a status without history", sql(`update account_states set status = 1, status_reason = 3, inactive_since = now() where account = 'A1'`), []string{
			`R9.5 A1 status: active, reason none by its history → administrative_hold, reason manager`,
		}},
		{"a status reason", sql(`update account_states set status_reason = 2 where account = 'A5'`), []string{
			`R9.5 A5 status: deleted, reason none by its history → deleted, reason subzero`,
		}},
		{"when an account ceased to be active", sql(`update account_states set inactive_since = now() + interval '1 h' where account = 'A5'`), []string{
			`R5.5 A5 inactive_since: T → T`,
		}},
		{"a line of history that vanished", sql(`delete from status_history where account = 'A4' and to_status = 1`), []string{
			`R9.5 A4 change to active at T: a change from active → from administrative_hold`,
		}},
		{"why an account was held", sql(`update status_history set balance = -100 where account = 'A3' and to_status = 2`), []string{
			`R9.5 A3 change to credit_hold at T: a balance below -100 → reason threshold, balance -100, threshold 100`,
		}},
		{"who lifted a hold", sql(`update status_history set balance = -101 where account = 'A3' and to_status = 0`), []string{
			`R9.5 A3 change to active at T: a balance of at least -100 → reason none, balance -101, threshold 100`,
		}},
		{"a hold without a reason", sql(`update status_history set status_reason = 0 where account = 'A4' and to_status = 1`), []string{
			`R9.5 A4 change to administrative_hold at T: reason manager → reason none, balance -30, threshold 100`,
		}},
		{"when the sweep looks at an account", sql(`update account_states set due_at = null where account = 'A4'`), []string{
			`R6.4 A4 due_at: T → never`,
		}},
		{"since when a balance is negative", sql(`alter table account_states drop constraint negative_since_marks_debt`,
			`update account_states set negative_since = now() where account = 'A1'`), []string{
			`R6.2 A1 negative_since: null → set`,
		}},
		{"a period of a posting", sql(`delete from periodic_charges where name = 'card' and skipped = ''`), []string{
			`R9.5 A2 periodic posting of -5 for card: a period that it charges → none`,
		}},
		{"a posting of a period", sql(`update periodic_charges set seq = 1 where name = 'card' and skipped = ''`), []string{
			`R9.5 A2 period of card from 2025-02-01: a posting of -5 → none`,
			`R9.5 A2 periodic posting of -5 for card: a period that it charges → none`,
		}},
		{"a period twice for one posting", sql(`insert into periodic_charges select account, name, starts - 1, at, amount, skipped, seq
			from periodic_charges where skipped = ''`), []string{
			`R9.5 A2 period of card from 2025-02-01: a posting of its own → that of the period of card from 2025-01-31`,
		}},
		{"what a period cost", sql(`update periodic_charges set amount = 6 where skipped = ''`), []string{
			`R9.5 A2 period of card from 2025-02-01: a posting of -6 for card → -5 for card`,
		}},
		{"a skipped period with a charge", sql(`update periodic_charges set amount = 6 where skipped <> ''`), []string{
			`R9.5 A2 period of card from 2025-03-01: no charge: skipped, on hold → 6`,
		}},
		{"what a batch counts as rated", sql(`update batches set rated = rated - 1, duplicate = duplicate + 1 where conflict = 0`), []string{
			`R9.3  batch 1: rated: 14 → 15`,
		}},
		{"what a batch counts as conflicts", sql(`update batches set conflict = conflict - 1, duplicate = duplicate + 1 where conflict > 0`), []string{
			`R9.3  batch 2: conflict: 0 → 1`,
		}},
		{"what a batch accepted", sql(`alter table batches drop constraint a_done_batch_is_accounted_for`,
			`update batches set records = records + 1 where conflict > 0`), []string{
			`R9.3  batch 2: accepted: 5 → 6`,
		}},
		{"a dead letter", sql(`delete from dead_letters where kind = 1`), []string{
			`R9.3  batch 2: unreadable: 1 → 0`,
		}},
		{"a batch that vanished", sql(`delete from batches where conflict > 0`), []string{
			`R9.3  batch 2: none, or a batch for its records → records without one`,
		}},
		{"a batch that is not done", sql(`update batches set done_at = null where conflict > 0`), []string{
			`R9.3  batch 2: records judged of a batch that waits: 0 → 4`,
		}},
		{"why a batch failed", sql(`insert into batches (id, shard, source, records, accepted_at, checksum, failed_at)
			values ('00000000-0000-0000-0000-000000000001', 0, '', 1, now(), 0, now())`), []string{
			`R9.3  batch 00000000-0000-0000-0000-000000000001: set aside: a dead letter that says why → none`,
		}},
		{"a posting of nobody", sql(`update entries set account = 'A8' where key = 'a1'`), []string{
			`R9.1 A1 balance: 397.61 → 397.609999`,
			`R9.1 A8 row of entries: N: an account → none`,
			`R9.1 A1 balance after reversal of 2 at T, record feed/e2: 375.5483 → 375.548299`,
		}},
		{"a state that vanished", sql(`delete from account_states where account = 'A5'`), []string{
			`R9.1 A5 state of the account: one row → none`,
		}},
		{"a rated record of nobody", sql(`update records set outcome = 1, reason = 0, charge = 1 where account = 'A9'`), []string{
			`R9.1 A9 row of records: feed/x1: an account → none`,
			`R9.3  batch 1: rated: 15 → 16`,
			`R9.3  batch 1: rejected: 4 → 3`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			copied := h.copied(t)
			change(t, copied, c.tamper)
			r, err := verify.Run(t.Context(), open(t, copied), verify.Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, b := range r.Broken {
				line := fmt.Sprintf("%s %s %s: %s → %s", b.Rule, b.Account, b.What, b.Expected, b.Found)
				got = append(got, places.ReplaceAllString(instants.ReplaceAllString(batches.Replace(line), "T"), "N"))
			}
			if d := cmp.Diff(got, c.want); d != "" {
				t.Errorf("broken (-got +want):\n%s", d)
			}
		})
	}
}

// What differs from run to run.
var (
	instants = regexp.MustCompile(`20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z`)
	places   = regexp.MustCompile(`[0-9]{16}`)
)

// ofFuel is what is broken where a record of unleaded is counted wrongly, in all
// scopes of a day and a month.
func ofFuel(what, day, month, differ string) (lines []string) {
	for _, w := range []string{"day of " + day, "month of " + month} {
		for _, scope := range []string{"service unleaded", "type PETROL", "family FUEL", "account"} {
			lines = append(lines, fmt.Sprintf("R9.2 %s counter of %s, %s: %s", what, scope, w, differ))
		}
	}
	return lines
}

// copied is the URL of a copy of the house's database.
func (h *house) copied(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	original, copied := u.Path[1:], fmt.Sprintf("copy_%x", uuid.New())
	admin := *u
	admin.Path = "/postgres"
	run := func(statement string) {
		db, err := pgx.Connect(context.WithoutCancel(t.Context()), admin.String())
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close(context.WithoutCancel(t.Context()))
		if _, err := db.Exec(context.WithoutCancel(t.Context()), statement); err != nil {
			t.Fatal(err)
		}
	}
	run("create database " + copied + " template " + original + " strategy file_copy")
	t.Cleanup(func() { run("drop database " + copied + " with (force)") })
	u.Path = "/" + copied
	return u.String()
}

func sql(statements ...string) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, db *pgx.Conn) error {
		for _, s := range statements {
			tag, err := db.Exec(ctx, s)
			if err != nil {
				return err
			}
			if tag.RowsAffected() == 0 && !tag.Select() && tag.String() != "ALTER TABLE" {
				return fmt.Errorf("%s: nothing was there to change", s)
			}
		}
		return nil
	}
}

// trace changes what a record keeps of how it was judged.
func trace(account, id string, change func(*postgres.Trace)) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, db *pgx.Conn) error {
		var stored []byte
		if err := db.QueryRow(ctx, `select trace from records where account = $1 and id = $2`, account, id).Scan(&stored); err != nil {
			return err
		}
		t, err := postgres.ReadTrace(stored)
		if err != nil {
			return err
		}
		change(&t)
		_, err = db.Exec(ctx, `update records set trace = $3 where account = $1 and id = $2`, account, id, t.AppendBinary(nil))
		return err
	}
}

// openCounter adds to the quantity of an account's own open counter.
func openCounter(account string, w billing.WindowKind, start billing.Date, more billing.Fixed) func(context.Context, *pgx.Conn) error {
	return func(ctx context.Context, db *pgx.Conn) error {
		var stored []byte
		if err := db.QueryRow(ctx, `select counters from account_states where account = $1`, account).Scan(&stored); err != nil {
			return err
		}
		c, err := billing.ReadCounters(stored)
		if err != nil {
			return err
		}
		k := billing.CounterKey{Kind: billing.OfAccount, Window: w, Start: start}
		c.Add(k, more, billing.Fixed{})
		_, err = db.Exec(ctx, `update account_states set counters = $2 where account = $1`, account, c.AppendBinary(nil))
		return err
	}
}
