package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/devstack"
)

// seedFlag repeats a run: the moments of the kills are the same, what they hit is
// up to the machine.
var seedFlag = flag.Uint64("seed", 0, "seed of the fault tests; 0 picks one")

// faultPatience bounds the waits of these tests; a loaded machine needs some.
const faultPatience = 2 * time.Minute

// faultSite is an installation with servers of its own that keep what they have
// confirmed, and a workload that is sent to it.
type faultSite struct {
	*site
	stack *devstack.Stack
	dice  *rand.Rand
	work  workload
	began time.Time

	batchRecords int // few, so that a kill has many batches to hit

	mu    sync.Mutex
	feeds map[string]*exec.Cmd // that are sending at present, by file
}

// newFaultSite has a workload of so many lines, of a tenth with -short.
func newFaultSite(t *testing.T, lines int) *faultSite {
	t.Helper()
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed: go test ./e2e -run '^%s$' -seed %d", t.Name(), seed)
	if testing.Short() {
		lines /= 10
	}
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	stack := devstack.ForTest(t, devstack.Options{Durable: true})
	if stack.RedisInMemory {
		t.Skip("no redis-server on this machine: what a crash of it does cannot be tried")
	}
	f := &faultSite{
		site: &site{t: t, dir: t.TempDir(), databaseURL: stack.DatabaseURL, redisURL: stack.RedisURL,
			variables: []string{"CHARGEHAND_LOG_LEVEL=warn", "CHARGEHAND_WORKER_BATCHES_PER_COMMIT=2"}},
		stack: stack,
		dice:  rand.New(rand.NewPCG(seed, 2)),
		work:  generate(seed, lines),
		feeds: map[string]*exec.Cmd{},

		batchRecords: 100,
	}
	f.must("migrate")
	f.must("apply", "-f", f.file("setup.json", f.work.tariff.setup()))
	for feed, files := range f.work.feeds {
		for n, text := range files {
			f.file(feedFile(feed, n), text)
		}
	}
	f.began = time.Now()
	return f
}

// note logs what has been reached, and when.
func (f *faultSite) note(format string, args ...any) {
	f.t.Helper()
	f.t.Logf("%d lines %s, %s from the start", f.work.lines, fmt.Sprintf(format, args...), time.Since(f.began).Round(10*time.Millisecond))
}

func feedFile(feed, n int) string { return fmt.Sprintf("feed-%d-%d.ndjson", feed, n) }

// sending sends both feeds at once, each file as often as it takes until it is
// accepted: sending again is what a feed does that failed. What it answers is
// closed when everything is accepted.
func (f *faultSite) sending(ctx context.Context) (sent <-chan struct{}) {
	all := make(chan struct{})
	var wait sync.WaitGroup
	for feed, files := range f.work.feeds {
		wait.Go(func() {
			for n := range files {
				f.send(ctx, feedFile(feed, n))
			}
		})
	}
	go func() {
		defer close(all)
		wait.Wait()
	}()
	return all
}

func (f *faultSite) send(ctx context.Context, file string) {
	var said bytes.Buffer
	for ctx.Err() == nil {
		said.Reset()
		cmd := exec.CommandContext(ctx, binary, "ingest", file, "--batch", fmt.Sprint(f.batchRecords))
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = f.dir, f.environment(), &said, &said
		dieWithUs(cmd)
		if err := f.startFeed(file, cmd); err != nil {
			f.t.Error(err)
			return
		}
		err := cmd.Wait()
		f.endFeed(file)
		if err == nil {
			return
		}
		pause(ctx, 100*time.Millisecond)
	}
	f.t.Errorf("%s was not accepted in time; the last try said: %s", file, &said)
}

func (f *faultSite) startFeed(file string, cmd *exec.Cmd) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.feeds[file] = cmd
	return cmd.Start()
}

func (f *faultSite) endFeed(file string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.feeds, file)
}

// sendAll is sending without anything that could go wrong.
func (f *faultSite) sendAll() {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), faultPatience)
	defer cancel()
	<-f.sending(ctx)
}

// pause waits, or not when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// waiting is how many batches are accepted and not judged; -1 when nobody can
// tell because a server is down.
func (f *faultSite) waiting() int64 {
	r := f.run("stats", "--json")
	if r.status != 0 {
		return -1
	}
	var stats struct {
		Batches struct{ Accepted, Done, Waiting int64 }
	}
	if err := json.Unmarshal([]byte(r.stdout), &stats); err != nil {
		f.t.Errorf("%v: %s", err, r.stdout)
	}
	return stats.Batches.Waiting
}

// judged waits until nothing waits.
func (f *faultSite) judged() {
	f.t.Helper()
	until(f.t, faultPatience, "every accepted batch is judged", func() bool { return f.waiting() == 0 })
}

// right holds everything the installation tells against the oracle, and verify
// against the installation.
func (f *faultSite) right() {
	f.t.Helper()
	want := foresee(f.t, f.work)
	f.recordsRight(want)
	f.accountsRight(want)
	f.outcomesRight(want)
	f.proved()
	f.note("checked")
}

// listedRecord is what of a printed record the oracle knows.
type listedRecord struct {
	Source, ID, Account, Outcome string
	Reason, Charge               *string
}

func (f *faultSite) recordsRight(want *oracle) {
	f.t.Helper()
	wrong := 0
	complain := func(format string, args ...any) {
		if wrong++; wrong <= 10 {
			f.t.Errorf(format, args...)
		}
	}
	seen := map[identity]bool{}
	var order []identity
	f.eachRecord(func(r listedRecord) {
		who := identity{r.Account, r.Source, r.ID}
		if seen[who] {
			complain("record %v stands twice", who)
		}
		seen[who] = true
		if ordered(r.Account) {
			order = append(order, who)
		}
		v, there := want.verdicts[who]
		switch {
		case !there:
			complain("record %v: got it, but it was never sent", who)
		case r.Outcome != v.outcome || deref(r.Reason) != v.reason:
			complain("record %v: got %s %s, want %s %s", who, r.Outcome, deref(r.Reason), v.outcome, v.reason)
		case (r.Charge == nil) != (v.charge == nil) || v.charge != nil && rat(*r.Charge).Cmp(v.charge) != 0:
			complain("record %v: got the charge %s, want %v", who, deref(r.Charge), v.charge)
		}
	})
	if len(seen) != len(want.verdicts) {
		complain("got %d records, want %d", len(seen), len(want.verdicts))
	}
	f.orderRight(want, order)
	if wrong > 10 {
		f.t.Errorf("and %d more records are wrong", wrong-10)
	}
}

// orderRight looks at the order of arrival within each account that has one.
func (f *faultSite) orderRight(want *oracle, got []identity) {
	f.t.Helper()
	by := func(all []identity) map[string][]identity {
		m := map[string][]identity{}
		for _, who := range all {
			m[who.account] = append(m[who.account], who)
		}
		return m
	}
	gotBy, wantBy := by(got), by(want.firstSeen)
	for number := range gotBy {
		if !slices.Equal(gotBy[number], wantBy[number]) {
			f.t.Errorf("account %s: its %d records stand in another order than they were sent", number, len(gotBy[number]))
		}
	}
}

// eachRecord reads what record list prints.
func (f *faultSite) eachRecord(do func(listedRecord)) {
	f.t.Helper()
	f.eachLine(func(line []byte) {
		var r listedRecord
		if err := json.Unmarshal(line, &r); err != nil {
			f.t.Fatalf("%v: %s", err, line)
		}
		do(r)
	}, "record", "list", "--json")
}

func (f *faultSite) accountsRight(want *oracle) {
	f.t.Helper()
	accounts := f.list("account", "list")
	if len(accounts) != len(want.balances) {
		f.t.Errorf("got %d accounts, want %d", len(accounts), len(want.balances))
	}
	for _, a := range accounts {
		number, balance := a["number"].(string), a["balance"].(string)
		if rat(balance).Cmp(want.balances[number]) != 0 {
			f.t.Errorf("account %s: got the balance %s, want %s", number, balance, want.balances[number].FloatString(6))
		}
	}
}

// outcomesRight looks at the counts: what was sent again after a failure counts
// as a duplicate, what was judged counts once.
func (f *faultSite) outcomesRight(want *oracle) {
	f.t.Helper()
	var got struct {
		Batches  struct{ Accepted, Done int64 }
		Outcomes struct {
			Accepted, Rated, Rejected, Duplicate, Conflict, Unreadable int
			Reasons                                                    map[string]int
		}
	}
	if err := json.Unmarshal([]byte(f.must("stats", "--json")), &got); err != nil {
		f.t.Fatal(err)
	}
	o := got.Outcomes
	if o.Rated != want.outcomes["rated"] || o.Rejected != want.outcomes["rejected"] {
		f.t.Errorf("got %d rated and %d rejected, want %d and %d", o.Rated, o.Rejected, want.outcomes["rated"], want.outcomes["rejected"])
	}
	for reason, n := range want.reasons {
		if o.Reasons[reason] != n {
			f.t.Errorf("rejected %s: got %d, want %d", reason, o.Reasons[reason], n)
		}
	}
	if o.Duplicate < want.outcomes["duplicate"] || o.Conflict < want.outcomes["conflict"] || o.Unreadable < want.outcomes["unreadable"] {
		f.t.Errorf("got %+v, want at least what was sent once: %v", o, want.outcomes)
	}
	if sum := o.Rated + o.Rejected + o.Duplicate + o.Conflict; sum != o.Accepted {
		f.t.Errorf("got %d accepted and %d with an outcome", o.Accepted, sum)
	}
	if got.Batches.Done != got.Batches.Accepted {
		f.t.Errorf("got %d batches done of %d", got.Batches.Done, got.Batches.Accepted)
	}
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
