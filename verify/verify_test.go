package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/verify"
	"github.com/chargehand/chargehand/worker"
	"github.com/google/go-cmp/cmp"
)

// settings are the defaults, with what makes more happen.
var settings = worker.Settings{FutureTolerance: 5 * time.Minute, HoldOnDebit: true}

func run(t testing.TB, h *house) *verify.Report {
	t.Helper()
	r, err := verify.Run(t.Context(), h.store, verify.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatTheProgramWritesIsSound(t *testing.T) {
	h := newHouse(t, town, settings)
	h.fillTown()
	r := run(t, h)
	if !r.Sound() {
		text, _ := json.MarshalIndent(r.Broken, "", "  ")
		t.Errorf("got broken %s", text)
	}
	want := verify.Checked{Accounts: 5, Records: 22, Postings: 30, Counters: 60, Ceilings: 16, Changes: 5, Periods: 2, Batches: 2,
		Accepted: 24, Rated: 18, Rejected: 4, Duplicate: 1, Conflict: 1}
	if d := cmp.Diff(r.Checked, want); d != "" {
		t.Errorf("checked (-got +want):\n%s", d)
	}
}

// All windows are others then, and all counters were counted again (SPEC R6.8).
func TestAnotherZoneAndCycleDayAreSound(t *testing.T) {
	h := newHouse(t, town, settings)
	h.fillTown()
	for _, c := range []postgres.AccountChange{
		{Account: "A1", TimeZone: new("America/New_York")},
		{Account: "A1", CycleDay: new(2)},
		{Account: "A3", Threshold: new("5")},
		{Account: "A4", Class: new("std")},
	} {
		c.At, c.Actor = time.Now(), "test"
		if _, err := h.store.SetAccount(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if r := run(t, h); !r.Sound() {
			t.Errorf("%+v: got broken %+v", c, r.Broken)
		}
	}
}

func TestOneAccountIsVerifiedByItself(t *testing.T) {
	h := newHouse(t, town, settings)
	h.fillTown()
	h.change(`update account_states set balance = balance + 1 where account in ('A1', 'A3')`)
	r, err := verify.Run(t.Context(), h.store, verify.Options{Account: "A3"})
	if err != nil {
		t.Fatal(err)
	}
	want := &verify.Report{
		Checked: verify.Checked{Accounts: 1, Records: 2, Postings: 3, Counters: 9, Changes: 2},
		Broken:  []verify.Broken{{Rule: "R9.1", Account: "A3", What: "balance", Expected: "-81", Found: "-80"}},
	}
	if d := cmp.Diff(r, want); d != "" {
		t.Errorf("report (-got +want):\n%s", d)
	}
	if _, err := verify.Run(t.Context(), h.store, verify.Options{Account: "A9"}); !errors.Is(err, postgres.ErrNoAccount) {
		t.Errorf("an account that is not there: got %v, want %v", err, postgres.ErrNoAccount)
	}
}

func TestTheReportHasAKeyForEverything(t *testing.T) {
	h := newHouse(t, town, settings)
	got, err := json.Marshal(run(t, h))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"checked":{"accounts":5,"records":0,"postings":0,"counters":0,"ceilings":0,"changes":0,"periods":0,"batches":0,` +
		`"accepted":0,"rated":0,"rejected":0,"duplicate":0,"conflict":0,"waiting":0},"broken":[]}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A fault of the program breaks every row: the report stays a page, and says how
// much more there is.
func TestALongListIsCutAndCounted(t *testing.T) {
	h := newHouse(t, city(50), settings)
	h.fill(1500, 50, 500)
	h.change(`update records set price = 99`)
	told := 0
	r, err := verify.Run(t.Context(), h.store, verify.Options{Progress: func(verify.Checked) { told++ }})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Broken) != 1000 || r.More != 500 || r.Sound() {
		t.Errorf("got %d broken and %d more, want 1000 and 500", len(r.Broken), r.More)
	}
	if told < 50 {
		t.Errorf("progress was told %d times, want at least once an account", told)
	}
}

func TestADatabaseUnderLoadIsSound(t *testing.T) {
	h := newHouse(t, city(240), settings)
	ctx, stop := context.WithCancel(t.Context())
	paid, verified := make(chan error, 1), make(chan error, 1)
	go func() { paid <- h.keepPaying(ctx) }()
	go func() {
		runs := 0
		for ; ctx.Err() == nil; runs++ {
			r, err := verify.Run(ctx, h.store, verify.Options{})
			if err == nil && !r.Sound() {
				err = fmt.Errorf("run %d: broken %+v", runs, r.Broken)
			}
			if err != nil {
				verified <- err
				return
			}
		}
		t.Logf("verified %d times", runs)
		verified <- nil
	}()
	h.fill(30_000, 200, 100)
	stop()
	for _, err := range []error{<-paid, <-verified} {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
	if r := run(t, h); !r.Sound() || r.Checked.Records != 30_000 || r.Checked.Waiting != 0 {
		t.Errorf("at rest: got %+v", r)
	}
}

// keepPaying pays one account after the other of those that use nothing, until
// ctx ends.
func (h *house) keepPaying(ctx context.Context) error {
	pay := time.NewTicker(20 * time.Millisecond)
	defer pay.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return nil
		case <-pay.C:
		}
		if _, err := h.store.Post(ctx, postgres.Posting{Account: cityAccount(200 + i%40), Kind: billing.PaymentPosting, Amount: 1,
			Key: fmt.Sprint(i), At: time.Now(), Actor: "test"}); err != nil {
			return err
		}
	}
}
