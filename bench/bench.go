package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/setup"
	"github.com/chargehand/chargehand/worker"
	"github.com/google/uuid"
)

// Options say what is measured.
type Options struct {
	Records  int
	Accounts int
	Batch    int  // records of a batch
	Hot      bool // nine tenths of the records on one account in a hundred
	Shards   int
	PerGroup int   // batches of one transaction
	Offered  []int // records/s at which latency is measured, two to ten seconds each
	Env      func(string) string
	Log      *slog.Logger
	run      string
}

// Throughput is how fast a filled queue was worked off, and what it took.
type Throughput struct {
	Records       int     `json:"records"`
	Seconds       float64 `json:"seconds"`
	PerSecond     float64 `json:"records_per_second"`
	GoMicros      float64 `json:"go_cpu_us_per_record"`
	PostgresMicro float64 `json:"postgres_cpu_us_per_record"`
	RedisMicros   float64 `json:"redis_cpu_us_per_record"`
	WALBytes      float64 `json:"wal_bytes_per_record"`
	TableBytes    float64 `json:"table_bytes_per_record"` // heap and keys of records
}

// Latency is the time from accepting a batch to its commit at an offered rate.
type Latency struct {
	Offered  int     `json:"offered_per_second"`
	Achieved float64 `json:"achieved_per_second"`
	P50      string  `json:"p50"`
	P99      string  `json:"p99"`
}

// Report is what a run measured.
type Report struct {
	Worked    Throughput `json:"worked"`
	Accepting float64    `json:"accepted_per_second"` // into PostgreSQL and the queue, before the worker starts
	RawCopy   float64    `json:"raw_copy_per_second"` // of the same rows into a table without keys
	KeyedCopy float64    `json:"keyed_copy_per_second"`
	NoopQueue float64    `json:"noop_queue_per_second"`
	OfRawCopy float64    `json:"ratio_to_raw_copy"`
	Latencies []Latency  `json:"latencies"`
}

// bench is a run at work.
type bench struct {
	Options
	stack *devstack.Stack
	store *postgres.Store
	queue *queue.Client
	tell  func(format string, args ...any)
}

// Run measures, and tells progress what it does, a line each.
func Run(ctx context.Context, o Options, progress io.Writer) (r Report, err error) {
	b := &bench{Options: o, tell: func(format string, args ...any) { fmt.Fprintf(progress, format+"\n", args...) }}
	if b.Log == nil {
		b.Log = slog.New(slog.DiscardHandler)
	}
	if err := b.open(ctx); err != nil {
		return r, errors.Join(err, b.close())
	}
	defer func() { err = errors.Join(err, b.close()) }()
	parcels, err := b.workload("w")
	if err != nil {
		return r, err
	}
	if r.Accepting, err = b.accept(ctx, parcels); err != nil {
		return r, err
	}
	if r.Worked, err = b.work(ctx); err != nil {
		return r, err
	}
	for _, offered := range b.Offered {
		l, err := b.latency(ctx, offered)
		if err != nil {
			return r, err
		}
		r.Latencies = append(r.Latencies, l)
	}
	if r.RawCopy, r.KeyedCopy, err = b.copies(ctx); err != nil {
		return r, err
	}
	if r.NoopQueue, err = b.noop(ctx, parcels); err != nil {
		return r, err
	}
	r.OfRawCopy = r.Worked.PerSecond / r.RawCopy
	return r, nil
}

func (b *bench) open(ctx context.Context) (err error) {
	b.tell("servers of its own, all durability on")
	if b.stack, err = devstack.Start(ctx, devstack.Options{Durable: true, Env: b.Env, Log: b.Log}); err != nil {
		return err
	}
	if b.stack.RedisInMemory {
		return errors.New("measure: no redis-server found, and an in-memory queue says nothing: install redis-server")
	}
	if _, err := postgres.Migrate(ctx, b.stack.DatabaseURL); err != nil {
		return err
	}
	if b.store, err = postgres.Open(ctx, b.stack.DatabaseURL, postgres.Options{Connections: 32}); err != nil {
		return err
	}
	if b.queue, err = queue.Connect(b.stack.RedisURL, b.Log); err != nil {
		return err
	}
	b.tell("%d accounts with %d services each, limits on service, type, family and account", b.Accounts, services)
	f, err := setup.Parse("bench", setupFile(b.Accounts))
	if err != nil {
		return err
	}
	_, err = b.store.Apply(ctx, f, postgres.ApplyOptions{At: time.Now(), Actor: "bench", TimeZone: time.UTC})
	return err
}

func (b *bench) close() error {
	if b.store != nil {
		b.store.Close()
	}
	var err error
	if b.queue != nil {
		err = b.queue.Close()
	}
	if b.stack != nil {
		err = errors.Join(err, b.stack.Close())
	}
	return err
}

func (b *bench) workload(run string) ([]parcel, error) {
	o := b.Options
	o.run = run
	return workload(o, time.Now().Add(-2*time.Hour))
}

// acceptedTogether is how many batches one transaction takes over, as ingest does.
const acceptedTogether = 8

// accept takes batches over as a feed does: into PostgreSQL, then on the queue.
func (b *bench) accept(ctx context.Context, parcels []parcel) (float64, error) {
	b.tell("%d records in %d batches are accepted and enqueued", b.Records, len(parcels))
	started := time.Now()
	for group := range slices.Chunk(parcels, acceptedTogether) {
		if err := b.hand(ctx, group); err != nil {
			return 0, err
		}
	}
	return float64(b.Records) / time.Since(started).Seconds(), nil
}

func (b *bench) hand(ctx context.Context, group []parcel) error {
	stored := make([]postgres.StoredBatch, len(group))
	for i, p := range group {
		stored[i] = postgres.StoredBatch{ID: p.id, Shard: p.shard, Source: "bench", Count: p.count,
			AcceptedAt: time.Now().UTC().Truncate(time.Microsecond), Records: p.records}
	}
	if err := b.store.Accept(ctx, stored...); err != nil {
		return err
	}
	for _, p := range group {
		if err := b.queue.Enqueue(ctx, p.shard, queue.Encode(p.id, p.records), p.id); err != nil {
			return err
		}
	}
	return nil
}

// watch counts what a worker commits.
type watch struct {
	mu    sync.Mutex
	left  int
	at    map[uuid.UUID]time.Time
	empty chan struct{}
}

func newWatch(records int) *watch {
	return &watch{left: records, at: map[uuid.UUID]time.Time{}, empty: make(chan struct{})}
}

func (w *watch) observe(g worker.Group) {
	now := time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range g.Batches {
		w.at[id] = now
	}
	if w.left -= g.Outcomes.Accepted; w.left <= 0 && w.empty != nil {
		close(w.empty)
		w.empty = nil
	}
}

// run runs a worker until the watch has seen everything.
func (b *bench) run(ctx context.Context, w *watch, beside func() error) error {
	done := w.empty
	k, err := worker.New(b.store, b.queue, worker.Config{Shards: b.Shards, BatchesPerCommit: b.PerGroup,
		CacheAccounts: 10 * b.Accounts, Lease: 6 * time.Second, Observe: w.observe,
		Settings: worker.Settings{FutureTolerance: 5 * time.Minute}}, time.Now, b.Log)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	if err := beside(); err != nil {
		stop()
		return errors.Join(err, <-ended)
	}
	select {
	case <-done:
	case <-ctx.Done():
	}
	stop()
	return <-ended
}

// work lets a worker take the filled queue.
func (b *bench) work(ctx context.Context) (t Throughput, err error) {
	b.tell("a worker works the queue off")
	before, err := b.meter(ctx)
	if err != nil {
		return t, err
	}
	started := time.Now()
	var seconds float64
	w := newWatch(b.Records)
	done := w.empty
	err = b.run(ctx, w, func() error {
		select {
		case <-done:
		case <-ctx.Done():
		}
		seconds = time.Since(started).Seconds()
		return ctx.Err()
	})
	if err != nil {
		return t, err
	}
	after, err := b.meter(ctx)
	if err != nil {
		return t, err
	}
	n := float64(b.Records)
	micros := func(a, b time.Duration) float64 { return float64((b - a).Microseconds()) / n }
	t = Throughput{Records: b.Records, Seconds: seconds, PerSecond: n / seconds,
		GoMicros: micros(before.goCPU, after.goCPU), PostgresMicro: micros(before.postgres, after.postgres),
		RedisMicros: micros(before.redis, after.redis), WALBytes: float64(after.wal-before.wal) / n}
	t.TableBytes, err = b.tableBytes(ctx, n)
	return t, err
}

// meter is what has been used so far.
type meter struct {
	goCPU, postgres, redis time.Duration
	wal                    int64
}

func (b *bench) meter(ctx context.Context) (m meter, err error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return m, fmt.Errorf("read CPU time: %w", err)
	}
	m.goCPU = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if m.postgres, m.redis, err = b.stack.CPU(); err != nil {
		return m, err
	}
	m.wal, err = b.wal(ctx)
	return m, err
}

// offeredFor is how long a rate is offered.
const offeredFor = 8 * time.Second

// latency offers batches at a steady rate and tells how long they took.
func (b *bench) latency(ctx context.Context, offered int) (l Latency, err error) {
	b.tell("%d records/s are offered for %s", offered, offeredFor)
	o := *b
	o.Records = offered * int(offeredFor/time.Second)
	parcels, err := o.workload(fmt.Sprintf("l%d", offered))
	if err != nil {
		return l, err
	}
	w := newWatch(o.Records)
	sent := map[uuid.UUID]time.Time{}
	started := time.Now()
	err = b.run(ctx, w, func() error {
		for i, p := range parcels {
			due := started.Add(time.Duration(i*o.Batch) * time.Second / time.Duration(offered))
			select {
			case <-time.After(time.Until(due)):
			case <-ctx.Done():
				return ctx.Err()
			}
			sent[p.id] = time.Now()
			if err := b.hand(ctx, parcels[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return l, err
	}
	var took []time.Duration
	last := started
	for id, at := range w.at {
		took = append(took, at.Sub(sent[id]))
		if at.After(last) {
			last = at
		}
	}
	slices.Sort(took)
	return Latency{Offered: offered, Achieved: float64(o.Records) / last.Sub(started).Seconds(),
		P50: took[len(took)/2].Round(100 * time.Microsecond).String(),
		P99: took[len(took)*99/100].Round(100 * time.Microsecond).String()}, nil
}
