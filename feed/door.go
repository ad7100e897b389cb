package feed

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// Door takes usage records over: what it has accepted is in PostgreSQL. The
// queue is told of it, and where the queue is away the worker finds it by itself.
// A Door may be used by many goroutines.
type Door struct {
	Store        *postgres.Store
	Queue        *queue.Client
	Shards       int // queue.shards
	BatchRecords int // feed.batch_records: most records of one batch
	Clock        func() time.Time
	Log          *slog.Logger
	// Patience is how long the database may take over what is handed over at
	// once, records or lines that are none; 0: as long as the context allows.
	Patience time.Duration
}

// sealed is a batch that is full: its records as a JSON array.
type sealed struct {
	id      uuid.UUID
	shard   int
	count   int
	records []byte
	traces  []string // of the requests that its records came with
}

// opening is a batch that still grows.
type opening struct {
	array  []byte
	count  int
	traces []string
}

// batchBytesMax is when a batch is full however few records it has: they may
// bear 8 KiB of attributes each, and a task travels as a whole.
const batchBytesMax = 1 << 20

func (o *opening) add(r *billing.UsageRecord) {
	if o.count == 0 {
		o.array = append(o.array[:0], '[')
	} else {
		o.array = append(o.array, ',')
	}
	o.array = billing.AppendRecord(o.array, r)
	o.count++
}

// full tells whether the batch has as many records as it may.
func (o *opening) full(most int) bool { return o.count >= most || len(o.array) >= batchBytesMax }

// seal closes the batch and gives it its id: ids rise in the order of sealing,
// and the worker judges a shard's batches in the order of their ids.
func (o *opening) seal(shard int) (sealed, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return sealed{}, fmt.Errorf("make a batch id: %w", err)
	}
	b := sealed{id: id, shard: shard, count: o.count, records: append([]byte(nil), append(o.array, ']')...), traces: o.traces}
	o.array, o.count = o.array[:0], 0
	return b, nil
}

// Accept takes records over, all or none: from its return on they are accepted,
// and will be judged in their order, account by account (SPEC R4.7). It answers
// the batches that they travel in.
func (d *Door) Accept(ctx context.Context, source string, records []billing.UsageRecord) ([]uuid.UUID, error) {
	open := d.openings(ctx)
	var full []sealed
	for i := range records {
		shard := queue.Shard(records[i].Account, d.Shards)
		o := &open[shard]
		o.add(&records[i])
		if o.full(d.BatchRecords) {
			b, err := o.seal(shard)
			if err != nil {
				return nil, err
			}
			full = append(full, b)
		}
	}
	rest, err := sealAll(open)
	if err != nil {
		return nil, err
	}
	return d.hand(ctx, source, append(full, rest...))
}

// openings are batches without records, one for each shard.
func (d *Door) openings(ctx context.Context) []opening {
	open, traces := make([]opening, d.Shards), queue.TracesOf(ctx)
	for i := range open {
		open[i].traces = traces
	}
	return open
}

// sealAll closes the batches that have records.
func sealAll(open []opening) (full []sealed, err error) {
	for shard := range open {
		if open[shard].count == 0 {
			continue
		}
		b, err := open[shard].seal(shard)
		if err != nil {
			return nil, err
		}
		full = append(full, b)
	}
	return full, nil
}

// hand stores batches in one transaction and then tells the queue of them.
func (d *Door) hand(ctx context.Context, source string, batches []sealed) ([]uuid.UUID, error) {
	if len(batches) == 0 {
		return nil, nil
	}
	if err := d.store(ctx, source, batches); err != nil {
		return nil, err
	}
	d.remind(ctx, batches)
	ids := make([]uuid.UUID, len(batches))
	for i, b := range batches {
		ids[i] = b.id
	}
	return ids, nil
}

// bounded is ctx as long as the database may take.
func (d *Door) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if d.Patience == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d.Patience)
}

// store makes batches durable: from its return on they are accepted.
func (d *Door) store(ctx context.Context, source string, batches []sealed) error {
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	now := d.Clock().UTC().Truncate(time.Microsecond)
	stored := make([]postgres.StoredBatch, len(batches))
	for i, b := range batches {
		stored[i] = postgres.StoredBatch{ID: b.id, Shard: b.shard, Source: source, Count: b.count, AcceptedAt: now, Records: b.records}
	}
	return d.Store.Accept(ctx, stored...)
}

// remind tells the queue of batches that are stored.
func (d *Door) remind(ctx context.Context, batches []sealed) {
	for i, b := range batches {
		traced := queue.WithTraces(ctx, b.traces...)
		if err := d.Queue.Enqueue(traced, b.shard, queue.Encode(b.id, b.records), b.id); err != nil {
			// They are accepted all the same: workers look for batches that
			// nobody reminds them of. The rest would fail the same way.
			d.Log.Warn("queue is away: batches wait in the database", "batches", len(batches)-i, "error", err)
			return
		}
	}
}

// Refuse keeps lines that are no records as dead letters (SPEC R5.3).
func (d *Door) Refuse(ctx context.Context, source, file string, lines []Line) error {
	letters := make([]postgres.DeadLetter, len(lines))
	now := d.Clock().UTC().Truncate(time.Microsecond)
	for i, l := range lines {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make a dead letter's id: %w", err)
		}
		letters[i] = postgres.DeadLetter{ID: id, Kind: postgres.Unreadable, At: now, Source: source, File: file,
			Line: int64(l.Number), Fault: l.Fault.Error(), Payload: l.Raw}
	}
	ctx, cancel := d.bounded(ctx)
	defer cancel()
	return d.Store.SaveDeadLetter(ctx, letters...)
}
