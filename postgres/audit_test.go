package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Accounts come in pages and their rows in pages of their own; whatever falls
// on an edge must still meet its account, and what has none must be told of.
func TestAnAuditBringsRowsAndAccountsTogether(t *testing.T) {
	s := newStore(t, village)
	for _, accounts := range []int{1, auditedAccounts, auditedAccounts + 1, 2*auditedAccounts + fetchRows} {
		t.Run(fmt.Sprint(accounts), func(t *testing.T) {
			s.do(t, `truncate accounts, profiles, account_states, records, entries`, fmt.Sprintf(`
				with n as (select n, 'N' || lpad(n::text, 6, '0') as number from generate_series(1, %d) n),
				     a as (
				     insert into accounts (number, id, customer, class, currency, time_zone, cycle_day, opening_balance, created_at, updated_at)
				     select number, gen_random_uuid(), 'c', 'std', 'EUR', 'UTC', 1, 0, now(), now() from n),
				     e as (
				     insert into entries (account, seq, at, kind, amount, balance_after, description, actor)
				     select number, i, now(), 4, i, 0, '', 'test' from n, generate_series(1, 1 + n %% 3) i)
				insert into records (account, source, id, arrival, batch, service, quantity, occurred_at, directive, outcome, reason, charge, price,
				                     band, placement, trace, rated_at)
				select number, 'f', number, 1, gen_random_uuid(), 's', 1, now(), 0, 1, 0, 2, 1, -1, 1, '\x00', now()
				from n`, accounts),
				// Rows of nobody, before, between and behind the accounts.
				`insert into entries (account, seq, at, kind, amount, balance_after, description, actor)
				select number, 7, now(), 4, 1, 0, '', 'test' from unnest('{A,N000001x,N002000x,Z}'::text[]) number`)
			var strays []string
			seen, last := 0, ""
			err := s.Audit(t.Context(), Audit{
				Each: func(ctx context.Context, a *Audited) error {
					if seen++; a.Number <= last {
						return fmt.Errorf("%s after %s", a.Number, last)
					}
					last = a.Number
					records, entries := 0, 0
					if err := a.EachRecord(ctx, func(r *StoredRecord, b Basis) error {
						if r.ID != a.Number || b.Price == nil || b.Currency != "EUR" {
							return fmt.Errorf("%s got record %s by %+v", a.Number, r.ID, b)
						}
						records++
						return nil
					}); err != nil {
						return err
					}
					err := a.EachEntry(ctx, func(e *AuditedEntry) error {
						if entries++; e.Account != a.Number || e.Seq != int64(entries) {
							return fmt.Errorf("%s got entry %d of %s", a.Number, e.Seq, e.Account)
						}
						return nil
					})
					if want := 1 + seen%3; err == nil && (records != 1 || entries != want) {
						err = fmt.Errorf("%s got %d records and %d entries, want 1 and %d", a.Number, records, entries, want)
					}
					return err
				},
				Stray: func(s Stray) error {
					strays = append(strays, s.Account)
					return nil
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if seen != accounts {
				t.Errorf("got %d accounts, want %d", seen, accounts)
			}
			slices.Sort(strays)
			if got, want := strings.Join(strays, " "), "A N000001x N002000x Z"; got != want {
				t.Errorf("rows of nobody: got %s, want %s", got, want)
			}
		})
	}
}

func TestAnAuditOfOneAccountReadsNoOther(t *testing.T) {
	s := newStore(t, village)
	s.keepVillage(t)
	var got []string
	err := s.Audit(t.Context(), Audit{
		Account: "B",
		Each: func(ctx context.Context, a *Audited) error {
			return a.EachRecord(ctx, func(r *StoredRecord, _ Basis) error {
				got = append(got, r.Account+"/"+r.ID)
				return nil
			})
		},
		Stray: func(s Stray) error { return fmt.Errorf("stray %+v", s) },
	})
	if err != nil || strings.Join(got, " ") != "B/1" {
		t.Errorf("got %s, %v; want B/1", got, err)
	}
}
