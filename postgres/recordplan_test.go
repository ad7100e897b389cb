package postgres

import (
	"fmt"
	"testing"
)

// A page of all records reads what is on it, whatever number of others there is;
// of those of one account, the account's.
func TestAPageOfRecordsReadsLittle(t *testing.T) {
	const accounts, ofEach, page = 1000, 50, 101
	const known = 2 // accounts that the records are looked up among
	s := newStore(t, village)
	s.do(t, fmt.Sprintf(`
		insert into records (account, source, id, arrival, batch, service, quantity, occurred_at, directive, outcome, reason, charge, price,
		                     band, placement, trace, rated_at)
		select 'F' || n %% %d, 'f', n::text, n / %[1]d, '00000000-0000-0000-0000-000000000001', 's', 1, now(), 0, 1, 0, 2, 1, -1, 1, '\x00', now()
		from   generate_series(1, %d) n`, accounts, accounts*ofEach))
	s.do(t, `analyze`)
	for _, c := range []struct {
		name string
		f    RecordFilter
		most int // records that may be met
	}{
		{"the first of all", RecordFilter{}, page},
		{"some in the middle of all", RecordFilter{After: RecordPlace{20, "F500", "f", "20500"}}, page},
		{"from an instant on", RecordFilter{From: march}, page},
		{"the first of an account", RecordFilter{Account: "F500"}, ofEach},
		{"the last of an account", RecordFilter{Account: "F500", After: RecordPlace{40, "F500", "f", "40500"}}, ofEach},
	} {
		c.f.Limit = page
		if rows, indexes := explain(t, s, c.f.query(), c.f.args()); rows > c.most+known {
			t.Errorf("%s: a page reads %d rows through %v, want at most %d", c.name, rows, indexes, c.most+known)
		}
	}
}
