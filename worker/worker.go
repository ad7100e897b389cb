package worker

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// Config says how a worker works.
type Config struct {
	Settings
	Shards           int           // queue.shards
	BatchesPerCommit int           // worker.batches_per_commit
	CacheAccounts    int           // worker.cache_accounts, over all shards; 0 keeps none
	Lease            time.Duration // worker.lease: how long a shard stays with a worker that is silent
	// Observe, if set, is told of every group after its commit, from many
	// goroutines: for metrics and benchmarks.
	Observe func(Group)
}

// Group is batches that were committed in one transaction.
type Group struct {
	Shard    int
	Batches  []uuid.UUID
	Outcomes postgres.Outcomes
	Took     time.Duration // to read, judge and write
}

// Worker consumes shards: as many as are its fair share among the workers that
// live.
type Worker struct {
	id     uuid.UUID
	store  *postgres.Store
	queue  *queue.Client
	config Config
	clock  Clock
	log    *slog.Logger

	running map[int]*consumer // by shard; those that stop are among them until they have
	ended   chan int          // shards whose consumer has stopped
}

// consumer is a shard that this worker consumes at present.
type consumer struct {
	stop     context.CancelFunc
	stopping bool
}

// New is a worker that has not begun yet.
func New(store *postgres.Store, q *queue.Client, config Config, clock Clock, log *slog.Logger) (*Worker, error) {
	if config.Shards < 1 || config.BatchesPerCommit < 1 || config.Lease <= 0 {
		return nil, fmt.Errorf("make a worker: %d shards, %d batches per commit, a lease of %s: each must be above zero",
			config.Shards, config.BatchesPerCommit, config.Lease)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("make a worker: %w", err)
	}
	return &Worker{id: id, store: store, queue: q, config: config, clock: clock, log: log.With("worker", id),
		running: map[int]*consumer{}, ended: make(chan int, config.Shards)}, nil
}

// Run works until ctx ends. It returns when everything that it began has
// stopped: groups at work are committed, tasks in hand go back to the queue, and
// its shards are free for others at once.
func (w *Worker) Run(ctx context.Context) error {
	look := time.NewTicker(w.config.Lease / 3)
	defer look.Stop()
	w.log.Info("started", "shards", w.config.Shards)
	w.share(ctx)
	for {
		select {
		case <-ctx.Done():
			w.leave(ctx)
			return nil
		case n := <-w.ended:
			w.free(ctx, n)
		case <-look.C:
			w.share(ctx)
		}
	}
}

// share brings what is consumed in line with the leases that this worker holds.
// It waits for nothing: leases must be renewed while a consumer takes its time to
// stop.
func (w *Worker) share(ctx context.Context) {
	held, err := w.store.LeaseShards(ctx, postgres.LeaseRequest{Holder: w.id, Shards: w.config.Shards, Lease: w.config.Lease})
	if err != nil {
		if ctx.Err() == nil {
			w.log.Warn("leases could not be renewed", "error", err) // consuming goes on: a lease only saves work
		}
		return
	}
	mine := map[int]bool{}
	for _, n := range held.Shards {
		mine[n] = true
		if w.running[n] == nil {
			w.start(ctx, n)
		}
	}
	for n, c := range w.running {
		if !mine[n] && !c.stopping {
			w.log.Info("shard given back", "shard", n)
			c.stopping = true
			c.stop()
		}
	}
}

// free gives a shard back that is no longer consumed. One that another worker
// has taken already is not ours to give, and stays.
func (w *Worker) free(ctx context.Context, n int) {
	delete(w.running, n)
	if err := w.store.FreeShards(ctx, w.id, []int{n}); err != nil && ctx.Err() == nil {
		w.log.Warn("lease could not be given back", "shard", n, "error", err) // it runs out
	}
}

// leaveTime bounds how long a worker that ends tries to give its leases back.
const leaveTime = 2 * time.Second

// leave stops everything, waits for it and frees the shards.
func (w *Worker) leave(ctx context.Context) {
	for _, c := range w.running {
		c.stop()
	}
	for len(w.running) > 0 {
		delete(w.running, <-w.ended)
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
	defer cancel()
	if err := w.store.LeaveShards(bye, w.id); err != nil {
		w.log.Warn("leases could not be given back", "error", err) // they run out
		return
	}
	w.log.Info("stopped, all shards given back")
}

func (w *Worker) start(ctx context.Context, n int) {
	ctx, stop := context.WithCancel(ctx)
	s := &shard{
		number: n, perGroup: w.config.BatchesPerCommit, log: w.log,
		in: make(chan *delivery, 2*w.config.BatchesPerCommit), left: make(chan struct{}), observe: w.config.Observe,
		flow: flow{store: w.store, clock: w.clock, settings: w.config.Settings,
			cache: cache{most: w.config.CacheAccounts / w.config.Shards}},
	}
	w.running[n] = &consumer{stop: stop}
	w.log.Info("shard taken", "shard", n)
	go func() {
		w.consume(ctx, s)
		stop()
		w.ended <- n
	}()
}

// consume runs a shard's owner and, beside it, the handlers that feed it.
func (w *Worker) consume(ctx context.Context, s *shard) {
	var wait sync.WaitGroup
	wait.Go(func() { s.own(ctx) })
	for ctx.Err() == nil {
		err := w.queue.Consume(ctx, s.number, 2*s.perGroup, s.handle)
		if err == nil {
			break
		}
		w.log.Warn("queue is away", "shard", s.number, "error", err) // the owner goes on with what the database has
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	wait.Wait()
}
