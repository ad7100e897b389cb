package postgres

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/jackc/pgx/v5"
)

// plan is a node of what EXPLAIN (analyze, format json) tells.
type plan struct {
	Node    string `json:"Node Type"`
	Index   string `json:"Index Name"`
	Rows    int    `json:"Actual Rows"`
	Loops   int    `json:"Actual Loops"`
	Dropped int    `json:"Rows Removed by Filter"`
	Plans   []plan
}

// read adds up the rows that scans have looked at, and names the indexes.
func (p *plan) read(indexes map[string]bool) (rows int) {
	if len(p.Plans) == 0 {
		indexes[p.Index] = true
		rows = (p.Rows + p.Dropped) * p.Loops
	}
	for i := range p.Plans {
		rows += p.Plans[i].read(indexes)
	}
	return rows
}

// explain runs a query and answers how many rows its scans have looked at.
func explain(t *testing.T, s *Store, query string, args pgx.NamedArgs) (rows int, indexes map[string]bool) {
	t.Helper()
	var text []byte
	if err := s.pool.QueryRow(t.Context(), `explain (analyze, format json) `+query, args).Scan(&text); err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Plan plan }
	if err := json.Unmarshal(text, &plans); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	indexes = map[string]bool{}
	return plans[0].Plan.read(indexes), indexes
}

func openTest(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), pgtest.New(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// fill makes accounts that owe 101, one in 500 of them due, each with a periodic
// service, which is due for the same ones.
func fill(t *testing.T, s *Store, accounts int) {
	t.Helper()
	for _, sql := range []string{
		`insert into customers (ref, name, created_at) values ('c', 'C', now())`,
		`insert into classes (key, name, payment_model, threshold, subzero_days, credit_limit, buy_with_negative_balance, is_default, id)
		 values ('k', 'K', 0, 100, -1, 0, false, true, 1)`,
		`insert into accounts (number, id, customer, class, currency, time_zone, cycle_day, opening_balance, created_at, updated_at)
		 select 'F' || i, gen_random_uuid(), 'c', 'k', 'EUR', 'UTC', 1, -101, now(), now() from generate_series(1, @accounts::integer) i`,
		`insert into account_states (account, version, status, status_reason, balance, current_debt, negative_since, due_at, last_seq, counters)
		 select 'F' || i, 1, 0, 0, -101, 0, now(), case when i % 500 = 0 then timestamptz '0001-01-01T00:00:00Z' else now() + interval '1 day' end, 1, ''
		 from   generate_series(1, @accounts::integer) i`,
		`insert into periodic_services (account, name, period, every, starts_on, anchor_day, prorate, prices, next_on, due_at)
		 select 'F' || i, 'Line', 1, 1, '2026-01-01', 0, false, '[{"from":null,"price":"1"}]', '2026-01-01',
		        case when i % 500 = 0 then timestamptz '2026-01-01T00:00:00Z' else timestamptz '9999-01-01T00:00:00Z' end
		 from   generate_series(1, @accounts::integer) i`,
		`analyze`,
	} {
		if _, err := s.pool.Exec(t.Context(), sql, pgx.NamedArgs{"accounts": accounts}); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
}

// What a sweep and a charge run look at are the due rows of a page, through their
// partial indexes, whatever number of others there is.
func TestOnlyWhatIsDueIsRead(t *testing.T) {
	const accounts, due, page = 50_000, 100, 40
	s := openTest(t)
	fill(t, s, accounts)
	now := time.Now()
	for _, c := range []struct{ name, query, index string }{
		{"sweep", creditDue, "accounts_due_for_the_credit_test"},
		{"charge", periodicDue, "periodic_services_due"},
	} {
		var met int
		for after := (DueKey{}); ; {
			args := pgx.NamedArgs{"now": now, "at": after.at(), "account": after.Account, "name": after.Name, "most": page}
			rows, indexes := explain(t, s, c.query, args)
			if rows > page || !indexes[c.index] || len(indexes) != 1 {
				t.Errorf("%s: a page reads %d rows through %v, want at most %d through %s", c.name, rows, indexes, page, c.index)
			}
			list := s.CreditDue
			if c.query == periodicDue {
				list = s.PeriodicDue
			}
			keys, err := list(t.Context(), now, after, page)
			if err != nil {
				t.Fatal(err)
			}
			if len(keys) == 0 {
				break
			}
			met, after = met+len(keys), keys[len(keys)-1]
		}
		if met != due {
			t.Errorf("%s: met %d due rows, want each of %d once", c.name, met, due)
		}
	}
}

// To find shards that stand still the batches that are done are not read, of which
// there are more and more.
func TestBatchesThatAreDoneAreNotRead(t *testing.T) {
	const done, waiting, shards = 20_000, 100, 4
	s := openTest(t)
	for _, sql := range []string{
		`insert into batches (id, shard, source, records, accepted_at, checksum, done_at, rated)
		 select gen_random_uuid(), i % @shards::integer, 'test', 1, now() - interval '1 hour', 0, now() - interval '1 hour', 1
		 from   generate_series(1, @done::integer) i`,
		`insert into batches (id, shard, source, records, accepted_at, checksum)
		 select gen_random_uuid(), i % @shards::integer, 'test', 1, now() - interval '1 minute', 0
		 from   generate_series(1, @waiting::integer) i`,
		`update batches set done_at = now() where id = (select id from batches where done_at is not null and shard = 3 limit 1)`,
		`analyze`,
	} {
		if _, err := s.pool.Exec(t.Context(), sql, pgx.NamedArgs{"done": done, "waiting": waiting, "shards": shards}); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now().Add(-10 * time.Second)
	if rows, indexes := explain(t, s, stalledShards, pgx.NamedArgs{"before": before}); rows > waiting+shards {
		t.Errorf("it reads %d rows through %v, want at most %d", rows, indexes, waiting+shards)
	}
	stalled, err := s.Stalled(t.Context(), before)
	if err != nil {
		t.Fatal(err)
	}
	if _, moves := stalled[3]; len(stalled) != shards-1 || moves {
		t.Errorf("got %v, want shards 0, 1 and 2: shard 3 has just finished a batch", stalled)
	}
}
