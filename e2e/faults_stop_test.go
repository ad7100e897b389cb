package e2e_test

import (
	"testing"
	"time"
)

// takenUpWithin is how long the batches of a killed worker may lie where another
// worker lives.
const takenUpWithin = 10 * time.Second

func TestAKilledWorkersBatchesAreTakenUpByAnother(t *testing.T) {
	f := newFaultSite(t, 20_000)
	f.variables = append(f.variables, "CHARGEHAND_WORKER_BATCHES_PER_COMMIT=1")
	f.batchRecords = f.work.lines / 1000 // many commits, however small the run
	f.sendAll()
	all := f.waiting()
	first := f.start("work") // alone, it holds every shard
	until(t, faultPatience, "the first worker has begun", func() bool { return f.waiting() < all })
	f.start("work")
	until(t, faultPatience, "half of the batches are judged", func() bool { return f.waiting() <= all/2 })
	first.kill()
	killed := time.Now()
	left := f.waiting()
	if left == 0 {
		t.Fatal("nothing was left at the kill: the worker was too fast for this test")
	}
	until(t, faultPatience, "the other worker goes on", func() bool { return f.waiting() < left })
	took := time.Since(killed)
	f.judged()
	f.note("judged: of %d batches %d were left at the kill and taken up %s after it", all, left, took.Round(10*time.Millisecond))
	if took > takenUpWithin {
		t.Errorf("got them taken up %s after the kill, want at most %s", took, takenUpWithin)
	}
	f.right()
}

// SIGTERM is how every deployment begins.
func TestAStoppedWorkerLeavesItsWorkToTheNext(t *testing.T) {
	f := newFaultSite(t, 40_000)
	f.sendAll()
	stops, longest := 0, time.Duration(0)
	for left := f.waiting(); left > 0; left = f.waiting() {
		w := f.start("work")
		until(t, faultPatience, "the worker has judged something", func() bool { return f.waiting() < left })
		pause(t.Context(), time.Duration(f.dice.IntN(150))*time.Millisecond)
		told := time.Now()
		w.stop()
		longest = max(longest, time.Since(told))
		stops++
	}
	f.note("judged by %d workers in turn, each stopped by SIGTERM, which took %s at most", stops, longest.Round(10*time.Millisecond))
	f.right()
}
