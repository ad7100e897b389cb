package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"
)

// Each run is hit at least, and at most, so many times, however fast or slow the
// machine is.
const (
	killsAtLeast = 4
	killsAtMost  = 8
)

// Whatever is killed with kill -9, at whatever moment of a run: what was accepted
// has one outcome, the one it has without a kill.
func TestNoKillLosesOrDoublesARecord(t *testing.T) {
	for _, c := range []struct {
		name    string
		records int
		victims []victim
	}{
		{"of a worker", 30_000, []victim{killWorker}},
		{"of redis", 30_000, []victim{killRedis}},
		{"of postgres", 30_000, []victim{killPostgres}},
		{"of any process", 110_000, []victim{killWorker, killRedis, killPostgres, killFeeds}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFaultSite(t, c.records)
			ctx, cancel := context.WithTimeout(t.Context(), faultPatience)
			defer cancel()
			h := &havoc{faultSite: f, workers: []*process{f.start("work"), f.start("work")}}
			kills := h.rage(ctx, f.sending(ctx), c.victims)
			h.judged()
			f.note("judged after %d kills", kills)
			f.right()
		})
	}
}

// havoc kills and brings back.
type havoc struct {
	*faultSite
	workers []*process
}

// victim kills something, lets it be down for a while and brings it back.
type victim func(ctx context.Context, h *havoc) error

// rage kills at random moments until everything that was sent is judged, and
// answers how many times.
func (h *havoc) rage(ctx context.Context, sent <-chan struct{}, victims []victim) (kills int) {
	h.t.Helper()
	victims = slices.Clone(victims)
	for ctx.Err() == nil && kills < killsAtMost {
		pause(ctx, time.Duration(h.dice.IntN(600))*time.Millisecond)
		select {
		case <-sent:
			if kills >= killsAtLeast && h.waiting() == 0 {
				return kills
			}
		default:
		}
		if kills%len(victims) == 0 { // each has its turn before one has its second
			h.dice.Shuffle(len(victims), func(i, j int) { victims[i], victims[j] = victims[j], victims[i] })
		}
		if err := victims[kills%len(victims)](ctx, h); err != nil {
			h.t.Error(err)
			return kills
		}
		kills++
		h.supervise()
	}
	<-sent
	h.supervise()
	return kills
}

// supervise starts a worker again that found no server when it was started. One
// that has begun never ends by itself.
func (h *havoc) supervise() {
	h.t.Helper()
	for n, w := range h.workers {
		if w.runs() {
			continue
		}
		if w.begun() {
			h.t.Errorf("a worker ended by itself: %v\n%s", w.cmd.ProcessState, tail(w.log))
		}
		h.workers[n] = h.start("work")
	}
}

// judged waits until what was accepted is judged. On a busy machine a worker may
// find out only now that there was no server when it was started.
func (h *havoc) judged() {
	h.t.Helper()
	until(h.t, faultPatience, "every accepted batch is judged", func() bool {
		h.supervise()
		return h.waiting() == 0
	})
}

// down is for how long something stays away.
func (h *havoc) down(ctx context.Context) {
	pause(ctx, time.Duration(h.dice.IntN(500))*time.Millisecond)
}

func killWorker(ctx context.Context, h *havoc) error {
	n := h.dice.IntN(len(h.workers))
	h.supervise()
	_ = h.workers[n].cmd.Process.Kill() // it may be gone: it found no server
	<-h.workers[n].ended
	h.down(ctx)
	h.workers[n] = h.start("work")
	return nil
}

// killFeeds kills whoever sends at present; it will send everything again.
func killFeeds(_ context.Context, h *havoc) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, feed := range h.feeds {
		if err := feed.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
	}
	return nil
}

func killRedis(ctx context.Context, h *havoc) error {
	if err := h.stack.KillRedis(); err != nil {
		return err
	}
	h.down(ctx)
	if err := h.stack.RestartRedis(ctx); err != nil {
		return fmt.Errorf("after a kill: %w", err)
	}
	return nil
}

func killPostgres(ctx context.Context, h *havoc) error {
	if err := h.stack.KillPostgres(); err != nil {
		return err
	}
	h.down(ctx)
	if err := h.stack.RestartPostgres(ctx); err != nil {
		return fmt.Errorf("after a kill: %w", err)
	}
	return nil
}
