package scheduler

import (
	"fmt"
	"testing"
	"time"

	"github.com/chargehand/chargehand/postgres"
)

// fill makes n accounts beside those of apply, in one statement: a million of them
// through a set-up file would take minutes.
func (s *site) fill(n int) {
	s.t.Helper()
	s.exec(`insert into accounts (number, id, customer, class, currency, time_zone, cycle_day, opening_balance, created_at, updated_at)
		select 'F' || lpad(i::text, 7, '0'), gen_random_uuid(), 'c', 'ever', 'EUR', 'UTC', 1, -101, now(), now()
		from   generate_series(1, $1::integer) i`, n)
	s.exec(`insert into account_states (account, version, status, status_reason, balance, current_debt, negative_since, last_seq, counters)
		select number, 1, 0, 0, -101, 0, now(), 1, '' from accounts where number like 'F%'`)
	s.exec(`vacuum analyze accounts, account_states`)
}

// makeDue has the next sweep hold n of those accounts, spread over all.
func (s *site) makeDue(n, of int) {
	s.t.Helper()
	s.exec(`update account_states set due_at = '0001-01-01T00:00:00Z', status = 0, status_reason = 0, inactive_since = null
		where account in (select 'F' || lpad((i * $2::integer)::text, 7, '0') from generate_series(1, $1::integer) i)`, n, of/n)
}

// rowsRead is how many rows of accounts and their states were read so far.
func (s *site) rowsRead() int {
	s.t.Helper()
	s.exec(`select pg_stat_force_next_flush()`)
	return query[int](s, `select sum(seq_tup_read + idx_tup_fetch)::bigint from pg_stat_user_tables
		where relname in ('accounts', 'account_states')`)
}

// A sweep of 1,000 due accounts among more and more that are not. The rows that it
// reads are counted by the database.
func BenchmarkSweep(b *testing.B) {
	const due = 1000
	for _, accounts := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("%d", accounts), func(b *testing.B) {
			s := newSite(b)
			s.apply(time.Now(), `{number: first, opening_balance: "0"}`)
			s.fill(accounts)
			rows := 0
			for b.Loop() {
				b.StopTimer()
				s.makeDue(due, accounts)
				before := s.rowsRead()
				b.StartTimer()
				done, err := s.Sweep(b.Context(), Order{At: time.Now(), Actor: actor})
				if err != nil || done != (postgres.Swept{Judged: due, Held: due}) {
					b.Fatalf("got %+v, %v", done, err)
				}
				b.StopTimer()
				s.store.Close() // what a connection has read is counted when it ends
				rows += s.rowsRead() - before
				s.store = s.open()
				s.Store = s.store
				b.StartTimer()
			}
			b.ReportMetric(float64(rows)/float64(b.N), "rows/op")
		})
	}
}

// The same with nothing due: what a sweep costs that comes every minute.
func BenchmarkSweepOfNothing(b *testing.B) {
	s := newSite(b)
	s.apply(time.Now(), `{number: first, opening_balance: "0"}`)
	s.fill(1_000_000)
	for b.Loop() {
		if _, err := s.Sweep(b.Context(), Order{At: time.Now(), Actor: actor}); err != nil {
			b.Fatal(err)
		}
	}
}

// Four schedulers race for 30,000 charges.
func BenchmarkCharge(b *testing.B) {
	const accounts = 10_000
	for _, schedulers := range []int{1, 4} {
		b.Run(fmt.Sprintf("%d", schedulers), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := newSite(b)
				s.many(accounts)
				b.StartTimer()
				sum := race(s, schedulers, Order{At: at(b, "2026-03-03T00:00:00Z"), Actor: actor})
				b.StopTimer()
				if want := (Charged{Charged: 3 * accounts}); sum != want {
					b.Fatalf("together: got %+v, want %+v", sum, want)
				}
				s.wantOnce(accounts)
				b.StartTimer()
			}
			b.ReportMetric(float64(3*accounts*b.N)/b.Elapsed().Seconds(), "charges/s")
		})
	}
}
