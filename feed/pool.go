package feed

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// Pool is a Door for many small senders. What they bring while a transaction is
// under way is gathered and taken over by the next one, all of it together, in
// shared batches: a thousand senders of one record cost a handful of commits, and
// one alone waits for nobody. Each learns of its own records when they are
// accepted, as from any Door. A Pool may be used by many goroutines, and has none
// of its own.
type Pool struct {
	door   *Door
	source string

	places chan struct{} // of streams whose records are gathered
	turn   chan struct{} // held by whoever hands over

	mu   sync.Mutex
	next *round // what gathers; nil: nothing
}

const (
	// pooledBytesMax is what a stream may hold at its end and still share its
	// batches. More has nothing to gain by company.
	pooledBytesMax = 1 << 20

	// pooledStreams bounds how many streams one transaction takes over, and with
	// pooledBytesMax how much.
	pooledStreams = 128
)

// Pool is a pool of this door, whose batches all have one source.
func (d *Door) Pool(source string) *Pool {
	return &Pool{door: d, source: source, places: make(chan struct{}, pooledStreams), turn: make(chan struct{}, 1)}
}

// Stream begins to take over what a sender brings. If it turns out to be much,
// it goes by itself, as from Door.Stream.
func (p *Pool) Stream(ctx context.Context) *Stream {
	s := p.door.Stream(ctx, p.source)
	s.pooled = func() ([]uuid.UUID, error) { return p.accept(ctx, s.open) }
	return s
}

// round is what one transaction takes over.
type round struct {
	batches []sealed // still without an id and the closing bracket
	growing []int    // by shard, the place of the batch that grows, from 1; 0: none
	done    chan struct{}
	err     error // once done
}

// accept takes a stream's records over together with those of others, and
// answers the batches that they travel in. Whoever finds nobody handing over does
// it for all. It does not end with ctx: others wait for the same transaction.
func (p *Pool) accept(ctx context.Context, open []opening) ([]uuid.UUID, error) {
	p.places <- struct{}{}
	defer func() { <-p.places }()
	r, places := p.gather(open)
	if len(places) == 0 {
		return nil, nil
	}
	select {
	case <-r.done:
	case p.turn <- struct{}{}:
		p.lead(context.WithoutCancel(ctx), r)
	}
	if r.err != nil {
		return nil, r.err
	}
	ids := make([]uuid.UUID, len(places))
	for i, place := range places {
		ids[i] = r.batches[place].id
	}
	return ids, nil
}

// gather puts records into the next round, and answers the places of their
// batches there.
func (p *Pool) gather(open []opening) (*round, []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nil {
		p.next = &round{growing: make([]int, len(open)), done: make(chan struct{})}
	}
	r := p.next
	var places []int
	for shard := range open {
		if o := &open[shard]; o.count > 0 {
			places = append(places, r.add(shard, o, p.door.BatchRecords))
		}
	}
	return r, places
}

// add puts a stream's records of a shard into a batch: behind those of others if
// it has room for all of them, as a batch of their own otherwise.
func (r *round) add(shard int, o *opening, most int) (place int) {
	if place = r.growing[shard] - 1; place >= 0 {
		b := &r.batches[place]
		if b.count+o.count <= most && len(b.records)+len(o.array) <= batchBytesMax {
			b.records = append(append(b.records, ','), o.array[1:]...)
			b.count += o.count
			b.traces = queue.Traces(slices.Clip(b.traces), o.traces...)
			return place
		}
	}
	r.batches = append(r.batches, sealed{shard: shard, count: o.count, records: o.array, traces: o.traces})
	o.array = nil // the round's from here on
	r.growing[shard] = len(r.batches)
	return len(r.batches) - 1
}

// lead hands a round over, unless another has, and gives the turn back.
func (p *Pool) lead(ctx context.Context, r *round) {
	led, err := p.seal(r)
	if !led {
		<-p.turn
		return
	}
	if r.err = err; err == nil {
		r.err = p.door.store(ctx, p.source, r.batches)
	}
	close(r.done)
	<-p.turn
	if r.err == nil {
		p.door.remind(ctx, r.batches) // nobody waits for the queue but who led
	}
}

// seal closes a round: what comes from now on is of the next. It tells whether it
// was still open. Batches get their ids in the order of their places, and before
// any of the next round: a shard's rise in the order in which they are stored.
func (p *Pool) seal(r *round) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next != r {
		return false, nil
	}
	p.next = nil
	for i := range r.batches {
		b := &r.batches[i]
		var err error
		if b.id, err = uuid.NewV7(); err != nil {
			return true, fmt.Errorf("make a batch id: %w", err)
		}
		b.records = append(b.records, ']')
	}
	return true, nil
}
