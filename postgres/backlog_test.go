package postgres

import (
	"strings"
	"testing"
	"time"
)

func TestTheBacklogIsWhatWaits(t *testing.T) {
	s := newStore(t, hamlet)
	// Among a hundred thousand done batches, five that were set aside; and waiting ones of
	// one to nine records.
	s.do(t, `insert into batches (id, shard, source, records, accepted_at, checksum, done_at, rated)
		select gen_random_uuid(), i % 8, 'test', 10, now(), 0, timestamptz '2026-03-10 10:00Z' + i * interval '1 ms', 10
		from generate_series(1, 100000) i`)
	s.do(t, `insert into batches (id, shard, source, records, accepted_at, checksum, failed_at)
		select gen_random_uuid(), 0, 'test', 7, now(), 0, now() from generate_series(1, 5)`)
	s.do(t, `insert into batches (id, shard, source, records, accepted_at, checksum)
		select gen_random_uuid(), i % 8, 'test', i, now(), 0 from generate_series(1, 9) i`)
	s.do(t, `analyze batches`)
	if got, err := s.Backlog(t.Context()); err != nil || got != 45 {
		t.Errorf("got %d records (%v), want the 45 of batches that wait", got, err)
	}
	since := time.Date(2026, 3, 10, 10, 1, 39, 0, time.UTC) // the last second of a hundred
	if got, err := s.Judged(t.Context(), 8, since); err != nil || got != 10_000 {
		t.Errorf("got %d records judged (%v), want 10000", got, err)
	}
	for _, q := range []struct{ query, index string }{
		{backlog, "batches_that_wait"},
		{strings.NewReplacer("@shards", "8", "@since", "timestamptz '2026-03-10 10:01:39Z'").Replace(judged), "batches_by_end"},
	} {
		if plan := s.texts(t, `explain `+q.query); !strings.Contains(plan, q.index) || strings.Contains(plan, "Seq Scan on batches") {
			t.Errorf("the plan does not go by %s:\n%s", q.index, plan)
		}
	}
}
