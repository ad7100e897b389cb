package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// shard is the one owner of a shard: it alone judges the shard's batches, one
// group after the other, in the order of their ids.
type shard struct {
	number   int
	perGroup int // most batches of one transaction
	flow     flow
	in       chan *delivery
	stop     <-chan struct{} // closed when the shard is given up: nothing is begun any more
	left     chan struct{}   // closed when the owner has gone
	log      *slog.Logger
	observe  func(Group) // nil: nobody
}

// idleLook is how often an owner without work asks the database whether a batch
// waits of which nothing reminds it: its task was lost with Redis, or its worker
// was killed. It costs a look into an index that is nearly empty.
const idleLook = 2 * time.Second

// settleTime is how long an accepted batch may be on its way through the queue
// before an idle owner takes it from the database.
const settleTime = time.Second

// stopGrace is how long a group at work may go on when the shard is given up: a
// commit or two, and less than the five seconds that the queue gives to handlers.
const stopGrace = 4 * time.Second

// errStopping is told to the handlers of tasks that were not begun. It is a
// cancellation, which the queue does not count against a task.
var errStopping = fmt.Errorf("shard is given up: %w", context.Canceled)

// own judges what comes in until ctx ends. A shard that is taken over needs
// nothing more: what its last worker left undone is older than the next task, or
// is found by the first look without one.
func (s *shard) own(ctx context.Context) {
	defer close(s.left)
	s.stop = ctx.Done()
	ctx, end := linger(ctx, stopGrace)
	defer end()
	look := time.NewTimer(idleLook)
	defer look.Stop()
	for {
		select {
		case <-s.stop:
			s.leave(ctx)
			return
		case d := <-s.in:
			s.attend(ctx, s.gather(d))
		case <-look.C:
			s.attend(ctx, nil)
		}
		look.Reset(idleLook)
	}
}

// linger is a context that ends some time after ctx does.
func linger(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return longer, func() {
		unhook()
		cancel()
	}
}

func (s *shard) stopping() bool {
	select {
	case <-s.stop:
		return true
	default:
		return false
	}
}

// leave sends back the tasks that are in hand still. Batches that only the queue
// knows of are accepted before: a task that goes back may come again late, and
// its place among the others is kept (SPEC R4.7).
func (s *shard) leave(ctx context.Context) {
	for {
		select {
		case d := <-s.in:
			hand := s.gather(d)
			if _, err := s.register(ctx, hand); err != nil {
				s.log.Warn("batches in hand were not accepted", "shard", s.number, "error", err) // the queue has them
			}
			answer(hand, errStopping)
		default:
			return
		}
	}
}

// gather takes what else is in hand already, in the order in which it was queued,
// and waits until it is read; no other task is waited for. What holds no batch is
// left to its handler.
func (s *shard) gather(d *delivery) []*delivery {
	hand := []*delivery{d}
	for more := true; more && len(hand) < s.perGroup; {
		select {
		case d := <-s.in:
			hand = append(hand, d)
		default:
			more = false
		}
	}
	return slices.DeleteFunc(hand, func(d *delivery) bool {
		<-d.read
		return d.fault != nil
	})
}

// The pauses of an owner whose database is away.
const (
	pauseMin = 50 * time.Millisecond
	pauseMax = 2 * time.Second
)

// attend works until everything in hand is judged, and whatever waits before it.
// A database that is away is waited for: the batches are safe where they are,
// and their tasks would only go round in circles.
func (s *shard) attend(ctx context.Context, hand []*delivery) {
	for pause := pauseMin; ; pause = min(2*pause, pauseMax) {
		err := s.work(ctx, hand)
		switch {
		case err == nil:
			answer(hand, nil)
			return
		case s.stopping():
			answer(hand, errors.Join(errStopping, err))
			return
		case !retry(err):
			s.log.Error("shard cannot go on with these batches", "shard", s.number, "error", err)
			answer(hand, err)
			return
		}
		s.log.Warn("shard waits", "shard", s.number, "pause", pause, "error", err)
		select {
		case <-s.stop:
		case <-time.After(pause):
		}
	}
}

// answer tells the handlers what became of their tasks.
func answer(hand []*delivery, err error) {
	for _, d := range hand {
		d.done <- err
	}
}

// maxID is after every batch id.
var maxID = uuid.Max

// work judges the batches of the shard that wait, oldest first, up to the newest
// in hand; without one, those that were accepted a while ago.
func (s *shard) work(ctx context.Context, hand []*delivery) error {
	byID, err := s.register(ctx, hand)
	if err != nil {
		return err
	}
	last := maxID
	if len(hand) > 0 {
		last = slices.MaxFunc(hand, compareIDs).ID
	}
	for {
		heads, err := s.flow.store.Waiting(ctx, s.number, last, s.perGroup)
		if err != nil {
			return err
		}
		if len(hand) == 0 {
			heads = settled(heads, s.flow.clock())
		}
		if len(heads) == 0 {
			return nil
		}
		if s.stopping() {
			return errStopping
		}
		if err := s.group(ctx, heads, byID); err != nil {
			return err
		}
		if len(hand) == 0 && len(s.in) > 0 {
			return nil // the queue reminds again, and has the records at hand
		}
	}
}

func compareIDs(a, b *delivery) int { return bytes.Compare(a.ID[:], b.ID[:]) }

// settled cuts heads where one was accepted just now: it and what follows is on
// its way through the queue. One that was accepted later than now, by a feed
// whose clock is ahead, is not waited for.
func settled(heads []postgres.BatchHead, now time.Time) []postgres.BatchHead {
	for i := range heads {
		if age := now.Sub(heads[i].AcceptedAt); 0 <= age && age < settleTime {
			return heads[:i]
		}
	}
	return heads
}

// register makes sure that the database knows the batches in hand, and answers
// those with their records by id. A foreign feed has put its own on the queue
// only: they are accepted now (SPEC §1), together and in the order of their ids.
// A batch that bears the id of another one is none: it becomes a dead letter.
func (s *shard) register(ctx context.Context, hand []*delivery) (map[uuid.UUID]*delivery, error) {
	slices.SortStableFunc(hand, compareIDs)
	byID := make(map[uuid.UUID]*delivery, len(hand))
	var ids []uuid.UUID
	for _, d := range hand {
		if d.records != nil {
			ids = append(ids, d.ID)
		}
	}
	sums, err := s.flow.store.Checksums(ctx, ids)
	if err != nil {
		return nil, err
	}
	var foreign []postgres.StoredBatch
	var letters []postgres.DeadLetter
	for _, d := range hand {
		if d.records == nil {
			continue
		}
		sum, there := sums[d.ID]
		switch {
		case !there:
			foreign = append(foreign, postgres.StoredBatch{ID: d.ID, Shard: s.number, Source: "queue", Count: len(d.Records),
				AcceptedAt: s.flow.clock().UTC().Truncate(time.Microsecond), Records: d.records})
			sums[d.ID] = postgres.Checksum(d.records)
			byID[d.ID] = d
		case sum != postgres.Checksum(d.records):
			letters = append(letters, reused(d, s.flow.clock()))
		default:
			byID[d.ID] = d
		}
	}
	if len(foreign) > 0 {
		err = s.flow.store.Accept(ctx, foreign...)
	}
	if err == nil && len(letters) > 0 {
		err = s.flow.store.SaveDeadLetter(ctx, letters...)
	}
	return byID, err
}

// group commits some batches in one transaction. Where that fails for good, each
// goes by itself, so that the one at fault takes no other with it.
func (s *shard) group(ctx context.Context, heads []postgres.BatchHead, byID map[uuid.UUID]*delivery) error {
	started := s.flow.clock()
	group, err := s.load(ctx, heads, byID)
	var out postgres.Outcomes
	if err == nil {
		out, err = s.flow.commit(ctx, group)
	}
	switch {
	case err == nil:
		took := s.flow.clock().Sub(started)
		s.tell(heads, out, took)
		s.log.Info("batches judged", "shard", s.number, "batches", len(group), "accepted", out.Accepted, "rated", out.Rated,
			"rejected", out.Rejected, "duplicate", out.Duplicate, "conflict", out.Conflict, "took", took, tracesOf(heads, byID))
		return nil
	case retry(err):
		return err
	case len(heads) == 1:
		return s.setAside(ctx, heads[0].ID, err)
	}
	for i := range heads {
		if err := s.group(ctx, heads[i:i+1], byID); err != nil {
			return err
		}
	}
	return nil
}

func (s *shard) tell(heads []postgres.BatchHead, out postgres.Outcomes, took time.Duration) {
	if s.observe == nil {
		return
	}
	g := Group{Shard: s.number, Outcomes: out, Took: took}
	for _, h := range heads {
		g.Batches = append(g.Batches, h.ID)
	}
	s.observe(g)
}

// setAside takes a batch that cannot be committed out of the way: it stays
// accepted and not done, and a dead letter tells why.
func (s *shard) setAside(ctx context.Context, id uuid.UUID, fault error) error {
	s.log.Error("batch set aside", "shard", s.number, "batch", id, "error", fault)
	return s.flow.store.FailBatch(ctx, id, postgres.DeadLetter{
		ID: uuid.NewSHA1(id, []byte("failed")), Kind: postgres.BadBatch, At: s.flow.clock(), Source: "worker",
		Batch: id, Fault: fmt.Sprintf("batch cannot be committed: %v", fault),
	})
}

// load puts the group together: what is in hand as it is decoded already, the
// rest from the database.
func (s *shard) load(ctx context.Context, heads []postgres.BatchHead, byID map[uuid.UUID]*delivery) ([]batch, error) {
	group := make([]batch, 0, len(heads))
	var missing []uuid.UUID
	for _, h := range heads {
		if d := byID[h.ID]; d != nil {
			d.AcceptedAt = h.AcceptedAt
			group = append(group, d.batch)
		} else {
			missing = append(missing, h.ID)
		}
	}
	if len(missing) == 0 {
		return group, nil
	}
	stored, err := s.flow.store.Batches(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i := range stored {
		b, err := decode(new(billing.Decoder), stored[i].ID, stored[i].Records, s.flow.clock())
		if err != nil {
			return nil, fmt.Errorf("records of batch %s: %w: %w", stored[i].ID, postgres.ErrDamaged, err)
		}
		b.Shard, b.AcceptedAt = s.number, stored[i].AcceptedAt
		group = append(group, b)
	}
	slices.SortFunc(group, func(a, b batch) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return group, nil
}
