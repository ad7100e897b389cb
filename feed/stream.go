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
	begin  func()                      // starts the handing over
	pooled func() ([]uuid.UUID, error) // ends a stream that stayed small; nil: as any other
	sent   chan []sealed
	ended  chan struct{}
	ids    []uuid.UUID
	count  int   // of records in them
	err    error // of the handing over; read after ended
	failed chan struct{}

	mu     sync.Mutex // guards what follows against a lull
	open   []opening
	full   []sealed
	bytes  int           // of records that are not sent yet
	begun  bool          // whether anything was sent
	wait   time.Duration // 0: batches wait until they are full
	due    *time.Timer   // nil: nothing is open, or it may wait
	closed bool
	fault  error // of a lull: what it sealed is lost
}

const (
	// handedTogether is how many batches one transaction takes over.
	handedTogether = 8

	// streamBytesMax is how many bytes of records wait to be handed over at most,
	// and how many are on their way. It is more than eight batches of a thousand
	// usual records; records that are larger go in smaller batches.
	streamBytesMax = 4 << 20
)

// Stream begins to take over a file.
func (d *Door) Stream(ctx context.Context, source string) *Stream {
	s := &Stream{door: d, source: source, open: d.openings(ctx), sent: make(chan []sealed, 1),
		ended: make(chan struct{}), failed: make(chan struct{})}
	s.begin = func() { go s.handOver(ctx) }
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
		for _, b := range group[:len(ids)] {
			s.count += b.count
		}
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
	s.bytes -= len(o.array)
	o.add(r)
	s.bytes += len(o.array)
	if s.wait > 0 && s.due == nil {
		s.due = time.AfterFunc(s.wait, s.lull)
	}
	switch {
	case s.bytes >= streamBytesMax:
		return s.sealRest()
	case !o.full(s.door.BatchRecords):
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

// sealRest sends what there is, full or not.
func (s *Stream) sealRest() error {
	rest, err := sealAll(s.open)
	if s.full = append(s.full, rest...); err == nil && len(s.full) > 0 {
		err = s.send()
	}
	return err
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
	if err := s.sealRest(); !errors.Is(err, errStreamFailed) {
		s.fault = err
	} // else it is there for the next Add, and for Close
}

func (s *Stream) send() error {
	if !s.begun {
		s.begun = true
		s.begin()
	}
	select {
	case <-s.failed:
		return errStreamFailed
	case s.sent <- s.full:
		s.full, s.bytes = nil, 0
		for i := range s.open {
			s.bytes += len(s.open[i].array)
		}
		return nil
	}
}

// Close hands over what is left and answers all batches of the stream. Where it
// fails, the batches it answers are accepted and the others are not.
func (s *Stream) Close() ([]uuid.UUID, error) {
	if s.pooled != nil && !s.begun && len(s.full) == 0 && s.bytes <= pooledBytesMax {
		return s.share()
	}
	err := s.finish(true)
	return s.end(err)
}

// share ends the stream in the company of others.
func (s *Stream) share() (ids []uuid.UUID, err error) {
	if ids, err = s.pooled(); err == nil {
		for i := range s.open {
			s.count += s.open[i].count
		}
	}
	return ids, err
}

// Accepted is how many records were accepted, once the stream has ended, by
// Close or Abandon, in success or failure.
func (s *Stream) Accepted() int { return s.count }

// Abandon ends the stream without what is left: what was handed over before
// stands, the rest was never there. It answers the batches that were accepted.
func (s *Stream) Abandon() ([]uuid.UUID, error) {
	err := s.finish(false)
	return s.end(err)
}

// end waits for the last group that is on its way.
func (s *Stream) end(err error) ([]uuid.UUID, error) {
	close(s.sent)
	if s.begun {
		<-s.ended
	}
	if s.err != nil {
		err = s.err
	}
	return s.ids, err
}

// finish sends what is left, or forgets it; no lull comes after it.
func (s *Stream) finish(all bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed = true; s.due != nil {
		s.due.Stop()
	}
	if !all {
		return s.fault
	}
	return errors.Join(s.fault, s.sealRest())
}
