package postgres

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// put writes a record of A1 as it stands, rated at a charge.
func (s *Store) put(t testing.TB, id, directive, original, quantity, charge, outcome string) {
	t.Helper()
	s.texts(t, fmt.Sprintf(`insert into records values ('A1', 'feed', '%s', 1, gen_random_uuid(), 'S', %s, '2026-03-21T12:00:00Z', %s, null,
		nullif('%s', ''), null, %s, case when %[6]s = 2 then 1 else 0 end, case when %[6]s = 1 then %s end, 1, -1, 1, '', now(), null) returning ''`,
		id, quantity, directive, original, outcome, outcome, charge))
}

func TestReadAnswersWhatWasAsked(t *testing.T) {
	s := newStore(t, hamlet)
	s.put(t, "1", "0", "", "10", "20", "1")
	s.put(t, "c1", "1", "1", "2.5", "-5", "1")
	s.put(t, "c2", "1", "1", "1", "-2.000001", "1")
	s.put(t, "c3", "1", "1", "7", "0", "2") // rejected
	s.put(t, "c4", "1", "1", "3", "0", "3") // cancelled
	waits, done := s.accept(t, 0), s.accept(t, 0)
	s.do(t, `update batches set done_at = now(), rated = 1 where id = '`+done.String()+`'`)
	id := func(name string) billing.Identity { return billing.Identity{Account: "A1", Source: "feed", ID: name} }

	a, err := s.Read(t.Context(), Question{
		Batches:    []uuid.UUID{waits, done, uuid.New()},
		Identities: []billing.Identity{id("1"), id("absent"), id("c3"), id("1"), {Account: "A2", Source: "feed", ID: "1"}, {Account: "A1", Source: "other", ID: "1"}},
		Originals:  []billing.Identity{id("1"), id("absent"), id("1")},
		Accounts:   []string{"A2", "absent", "A1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[uuid.UUID]bool{done: true}, a.Done); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
	if len(a.Known) != 2 || len(a.Accounts) != 2 || a.Accounts["A1"] == nil || a.Accounts["A2"] == nil {
		t.Errorf("got %d records and accounts %v, want those that there are", len(a.Known), a.Accounts)
	}
	k := a.Known[id("1")]
	if k.CreditedQuantity.String() != "3.5" || k.CreditedAmount.String() != "7.000001" || k.Charge.String() != "20" {
		t.Errorf("got %s and %s credited of %s, want 3.5 and 7.000001 of 20: what was rejected or cancelled gave nothing back",
			k.CreditedQuantity, k.CreditedAmount, k.Charge)
	}
	if k := a.Known[id("c3")]; k.Outcome != billing.Rejected || k.Record.OriginalID != "1" {
		t.Errorf("got %+v, want a rejected credit of 1", k)
	}
}

// TestReadIsOfOneMoment lets an account change after the records were read and
// before the accounts are: the version must be the one that belongs to the records.
func TestReadIsOfOneMoment(t *testing.T) {
	s := newStore(t, hamlet)
	ctx := context.WithoutCancel(t.Context())
	reader, err := Open(ctx, s.pool.all.Config().ConnString(), Options{Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	question := Question{Identities: []billing.Identity{{Account: "A1", Source: "feed", ID: "1"}}, Accounts: []string{"A1"}}
	if _, err := reader.Read(ctx, question); err != nil { // so that its statements are prepared
		t.Fatal(err)
	}
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(ctx, `lock table accounts in access exclusive mode`); err != nil {
		t.Fatal(err)
	}
	answers := make(chan *Answer, 1)
	go func() {
		a, err := reader.Read(ctx, question)
		if err != nil {
			t.Error(err)
		}
		answers <- a
	}()
	s.waitForLock(t)
	s.put(t, "1", "0", "", "10", "20", "1")
	s.do(t, `update account_states set version = 2 where account = 'A1'`)
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	a := <-answers
	if a == nil || len(a.Known) != 0 || a.Accounts["A1"].Version != 1 {
		t.Errorf("got %+v, want both as they were", a)
	}
}

// TestIdentitiesAreLookedUpOneByOne, also where nobody has told the planner how
// large the table is.
func TestIdentitiesAreLookedUpOneByOne(t *testing.T) {
	s := newStore(t, hamlet)
	s.do(t, `insert into records select 'A1', 'feed', 'r' || n, n, gen_random_uuid(), 'S', 1, now(), 0, null, null, null, 1, 0, 1, 1, -1, 1, '', now(), null
		from generate_series(1, 5000) n`)
	var ids []billing.Identity
	for i := range 20 {
		ids = append(ids, billing.Identity{Account: "A1", Source: "feed", ID: fmt.Sprint("r", i*100)})
	}
	s.do(t, `alter database `+s.pool.all.Config().ConnConfig.Database+` set enable_seqscan = off`) // as Read does
	s.pool.all.Reset()
	for _, query := range []string{recordsKnown, creditsOf} {
		if rows, _ := explain(t, s, query, identityArgs(ids)); rows > 3*len(ids) {
			t.Errorf("%d rows were read for %d identities by %s", rows, len(ids), query)
		}
	}
}

func TestClosedCountersAreReadByWindow(t *testing.T) {
	s := newStore(t, hamlet)
	s.do(t, `insert into closed_counters values ('A1', 1, '2026-03-01', 0, 7, 1.5, 2), ('A1', 1, '2026-03-01', 3, 0, 12345678901234567890.000000000001, -3),
		('A1', 1, '2026-03-02', 3, 0, 1, 1), ('A1', 2, '2026-03-01', 3, 0, 1, 1), ('A2', 1, '2026-03-01', 3, 0, 1, 1)`)
	first := billing.DateOf(2026, 3, 1)
	got, err := s.ReadClosed(t.Context(), []ClosedWindow{{Account: "A1", Kind: billing.Day, Start: first}, {Account: "A2", Kind: billing.Month, Start: first}})
	if err != nil {
		t.Fatal(err)
	}
	var total billing.Fixed
	if err := total.UnmarshalText([]byte("12345678901234567890.000000000001")); err != nil {
		t.Fatal(err)
	}
	key := func(kind billing.ScopeKind, target billing.TargetID) ClosedKey {
		return ClosedKey{"A1", billing.CounterKey{Kind: kind, Window: billing.Day, Target: target, Start: first}}
	}
	want := map[ClosedKey]billing.Counter{
		key(billing.OfService, 7): {Quantity: (3 * billing.MoneyUnit / 2).Fixed(), Amount: billing.FixedInt(2)},
		key(billing.OfAccount, 0): {Quantity: total, Amount: billing.FixedInt(-3)},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(billing.Fixed{})); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
}

// TestADamagedAccountIsNamed and is no reason to try again.
func TestADamagedAccountIsNamed(t *testing.T) {
	for _, damage := range []string{
		`update account_states set counters = '\x01' where account = 'A2'`,
		`update accounts set time_zone = 'Nowhere/Land' where number = 'A2'`,
		`with l as (insert into limits values ('A2', 1, '[]', now(), 't')) update accounts set limits_version = 1 where number = 'A2'`,
	} {
		s := newStore(t, hamlet)
		s.do(t, damage)
		if _, err := s.Read(t.Context(), Question{Accounts: []string{"A1"}}); err != nil {
			t.Errorf("the other account: got %v", err)
		}
		if _, err := s.Read(t.Context(), Question{Accounts: []string{"A1", "A2"}}); !errors.Is(err, ErrDamaged) || Transient(err) {
			t.Errorf("%s: got %v, want %v", damage, err, ErrDamaged)
		}
		// The connection is none the worse for it.
		if _, err := s.Read(t.Context(), Question{}); err != nil {
			t.Error(err)
		}
	}
}
