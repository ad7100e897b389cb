package scheduler

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// begins runs jobs in a time of the test's own and tells when each run of them
// began.
func begins(t *testing.T, long time.Duration, jobs ...job) map[string][]time.Duration {
	t.Helper()
	got := map[string][]time.Duration{}
	synctest.Test(t, func(t *testing.T) {
		var (
			wait  sync.WaitGroup
			mu    sync.Mutex
			start = time.Now()
			r     = Runner{Clock: time.Now, Log: quiet()}
		)
		ctx, cancel := context.WithTimeout(t.Context(), long)
		defer cancel()
		for _, j := range jobs {
			run := j.run
			j.run = func(ctx context.Context, r *Runner, o Order) error {
				mu.Lock()
				got[j.name] = append(got[j.name], o.At.Sub(start))
				mu.Unlock()
				return run(ctx, r, o)
			}
			wait.Go(func() { j.repeat(ctx, &r) })
		}
		wait.Wait()
	})
	return got
}

func TestAFailingJobBacksOffAndStopsNoOther(t *testing.T) {
	failures := 0
	failing := job{"failing", every(time.Second), func(context.Context, *Runner, Order) error {
		if failures++; failures <= 9 {
			return errors.New("no")
		}
		return nil
	}}
	well := job{"well", every(10 * time.Minute), func(context.Context, *Runner, Order) error { return nil }}
	got := begins(t, 1216500*time.Millisecond, failing, well)
	s := time.Second
	want := map[string][]time.Duration{
		"failing": {0, 5 * s, 15 * s, 35 * s, 75 * s, 155 * s, 315 * s, 615 * s, 915 * s, 1215 * s, 1216 * s},
		"well":    {0, 600 * s, 1200 * s},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error("when runs began, got and want:", diff)
	}
}

// A job that comes once a month is not left for the next month when it fails.
func TestARareJobIsTriedAgainSoon(t *testing.T) {
	monthly, err := ParseSchedule("0 0 1 * *", time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	runs := 0
	got := begins(t, 40*24*time.Hour, job{"monthly", monthly, func(context.Context, *Runner, Order) error {
		if runs++; runs == 1 {
			return errors.New("no")
		}
		return nil
	}})
	// Time begins on 1 January 2000 here.
	want := []time.Duration{0, 5 * time.Second, 31 * 24 * time.Hour}
	if diff := cmp.Diff(got["monthly"], want); diff != "" {
		t.Error("when runs began, got and want:", diff)
	}
}

// A job that takes longer than its pace is not started twice.
func TestAJobWaitsForItself(t *testing.T) {
	got := begins(t, 25*time.Second, job{"slow", every(2 * time.Second), func(ctx context.Context, _ *Runner, _ Order) error {
		pause(ctx, 9*time.Second)
		return nil
	}})
	s := time.Second
	if diff := cmp.Diff(got["slow"], []time.Duration{0, 11 * s, 22 * s}); diff != "" {
		t.Error("when runs began, got and want:", diff)
	}
}

func TestShardsThatStandStillAreReminded(t *testing.T) {
	s := newSite(t)
	old, lost := time.Now().Add(-time.Minute), uuid.Must(uuid.NewV7())
	for _, b := range []postgres.StoredBatch{
		{ID: lost, Shard: 3, AcceptedAt: old},
		{ID: uuid.Must(uuid.NewV7()), Shard: 4, AcceptedAt: time.Now()}, // on its way
	} {
		b.Source, b.Count, b.Records = "test", 1, []byte("[]")
		if err := s.store.Accept(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	reminded := map[int]uuid.UUID{}
	remind := func(err error) error {
		return s.remind(t.Context(), Order{At: time.Now(), Actor: actor}, func(_ context.Context, shard int, batch uuid.UUID) error {
			reminded[shard] = batch
			return err
		})
	}
	if err := remind(nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(reminded, map[int]uuid.UUID{3: lost}); diff != "" {
		t.Error("reminded, got and want:", diff)
	}
	if err := remind(errors.New("redis is away")); err == nil {
		t.Error("a reminder that failed is no error")
	}
	s.exec(`update batches set failed_at = now()`)
	clear(reminded)
	if err := remind(nil); err != nil || len(reminded) > 0 {
		t.Errorf("batches that were set aside: got %v, %v, want no reminder", reminded, err)
	}
	// What did nothing is not in the log of runs.
	if got := query[string](s, `select string_agg(counts::text || fault, ' ' order by id) from runs where job = 'lost batches'`); got != `{"reminded": 1} {"reminded": 0}redis is away` {
		t.Errorf("the log of runs: got %s", got)
	}
}

func TestTheLogOfRunsIsShown(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), append(indebted(3), daily("A", "10", "2026-03-01"))...)
	var observed []string
	s.Observe = func(r postgres.Run) { observed = append(observed, r.Job) }
	s.sweepAt("2026-03-02T00:00:00Z")
	if _, err := s.Charge(t.Context(), Order{At: at(t, "2026-03-05T00:00:00Z"), Actor: "test"}, 2); err != nil {
		t.Fatal(err)
	}
	s.exec(`alter table status_history rename to away`)
	s.exec(`update account_states set due_at = '0001-01-01T00:00:00Z', status = 0, status_reason = 0, inactive_since = null`)
	if _, err := s.Sweep(t.Context(), Order{At: at(t, "2026-03-02T00:00:00Z"), Actor: "test"}); err == nil {
		t.Fatal("a sweep without its table is no error")
	}
	st, err := s.store.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := st.Charges.Last.Counts, (map[string]int{"charged": 2, "skipped": 0, "left": 3}); !cmp.Equal(got, want) {
		t.Errorf("charges: got %v, want %v", got, want)
	}
	if got, want := st.Charges.Day, (map[string]int{"runs": 1, "failures": 0, "charged": 2, "skipped": 0, "left": 3}); !cmp.Equal(got, want) {
		t.Errorf("charges of the day: got %v, want %v", got, want)
	}
	if got, want := st.Sweeps.Day, (map[string]int{"runs": 2, "failures": 1, "judged": 3, "held": 3, "released": 0}); !cmp.Equal(got, want) {
		t.Errorf("sweeps of the day: got %v, want %v", got, want)
	}
	if f := st.Sweeps.LastFailure; f == nil || f.Fault == "" || f.FinishedAt == nil || !f.AsOf.Equal(at(t, "2026-03-02T00:00:00Z")) {
		t.Errorf("last failed sweep: got %+v", f)
	}
	if diff := cmp.Diff(observed, []string{"sweep", "charge", "sweep"}); diff != "" {
		t.Error("observed, got and want:", diff)
	}
}
