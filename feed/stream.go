package feed

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// Stream is a Door for a long file: records go in one by one, batches are handed
// over as they fill, one transaction for several, in flat memory. It belongs to
// one goroutine.
type Stream struct {
	door   *Door
	source string
	sent   chan []sealed
	ended  chan struct{}
	ids    []uuid.UUID
	err    error // of the handing over; read after ended
	failed chan struct{}

	mu     sync.Mutex // guards what follows against a lull
	open   []opening
	full   []sealed
	wait   time.Duration // 0: batches wait until they are full
	due    *time.Timer   // nil: nothing is open, or it may wait
	closed bool
	fault  error // of a lull: what it sealed is lost
}

// handedTogether is how many batches one transaction takes over.
const handedTogether = 8

// Stream begins to take over a file.
func (d *Door) Stream(ctx context.Context, source string) *Stream {
	s := &Stream{door: d, source: source, open: make([]opening, d.Shards), sent: make(chan []sealed, 1),
		ended: make(chan struct{}), failed: make(chan struct{})}
	go s.handOver(ctx)
	return s
}

// Linger bounds from now on how long a record waits for company before its batch
// is handed over as it is: for input that comes as it happens, like a pipe.
func (s *Stream) Linger(wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.wait = wait
}

// handOver hands groups over, one after the other: a shard's batches must be
// stored in the order of their ids.
func (s *Stream) handOver(ctx context.Context) {
	defer close(s.ended)
	for group := range s.sent {
		if s.err != nil {
			continue // so that whoever sends does not block
		}
		ids, err := s.door.hand(ctx, s.source, group)
		if s.err = err; err != nil {
			close(s.failed)
		}
		s.ids = append(s.ids, ids...)
	}
}

// errStreamFailed tells Add's caller to look at what Close says.
var errStreamFailed = errors.New("handing over failed")

// Add takes one more record in. It is accepted once Close has returned without
// an error, and maybe before.
func (s *Stream) Add(r *billing.UsageRecord) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	shard := queue.Shard(r.Account, s.door.Shards)
	o := &s.open[shard]
	o.add(r)
	if s.wait > 0 && s.due == nil {
		s.due = time.AfterFunc(s.wait, s.lull)
	}
	if o.count < s.door.BatchRecords {
		return nil
	}
	b, err := o.seal(shard)
	if err != nil {
		return err
	}
	if s.full = append(s.full, b); len(s.full) < handedTogether {
		return nil
	}
	return s.send()
}

// lull hands over what has waited long enough. While a group is on its way already
// nothing is gained by haste: then the batches go on to fill.
func (s *Stream) lull() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due = nil
	if s.closed {
		return
	}
	if len(s.sent) > 0 {
		s.due = time.AfterFunc(s.wait, s.lull)
		return
	}
	rest, err := sealAll(s.open)
	if err != nil {
		s.fault = err
		return
	}
	if s.full = append(s.full, rest...); len(s.full) > 0 {
		_ = s.send() // a failure is there for the next Add, and for Close
	}
}

func (s *Stream) send() error {
	select {
	case <-s.failed:
		return errStreamFailed
	case s.sent <- s.full:
		s.full = nil
		return nil
	}
}

// Close hands over what is left and answers all batches of the stream. Where it
// fails, the batches it answers are accepted and the others are not.
func (s *Stream) Close() ([]uuid.UUID, error) {
	err := s.finish()
	close(s.sent)
	<-s.ended
	if s.err != nil {
		err = s.err
	}
	return s.ids, err
}

// finish sends what is left; no lull comes after it.
func (s *Stream) finish() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed = true; s.due != nil {
		s.due.Stop()
	}
	rest, err := sealAll(s.open)
	if s.full = append(s.full, rest...); err == nil && len(s.full) > 0 {
		err = s.send()
	}
	return errors.Join(s.fault, err)
}
