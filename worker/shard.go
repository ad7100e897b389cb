package worker

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// delivery is a task in hand: decoded by its handler, which waits for done.
type delivery struct {
	batch
	records []byte // as they came; nil in a nudge
	done    chan error
}

// shard is the one owner of a shard: it alone judges the shard's batches, one
// group after the other, in the order of their ids.
type shard struct {
	number   int
	perGroup int // most batches of one transaction
	flow     flow
	in       chan *delivery
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

// own judges what comes in until ctx ends. A shard that is taken over needs
// nothing more: what its last worker left undone is older than the next task, or
// is found by the first look without one.
func (s *shard) own(ctx context.Context) {
	look := time.NewTimer(idleLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case d := <-s.in:
			s.attend(ctx, s.gather(d))
		case <-look.C:
			s.attend(ctx, nil)
		}
		look.Reset(idleLook)
	}
}

// gather takes what else is in hand already; nobody is waited for.
func (s *shard) gather(d *delivery) []*delivery {
	hand := []*delivery{d}
	for len(hand) < 2*s.perGroup {
		select {
		case d := <-s.in:
			hand = append(hand, d)
		default:
			return hand
		}
	}
	return hand
}

// attend works until everything in hand is judged, and whatever waits before it.
// A database that is away is waited for: the batches are safe where they are,
// and their tasks would only go round in circles.
func (s *shard) attend(ctx context.Context, hand []*delivery) {
	pause := 50 * time.Millisecond
	for {
		err := s.work(ctx, hand)
		if err == nil || ctx.Err() != nil {
			answer(hand, errors.Join(err, ctx.Err()))
			return
		}
		if !retry(err) {
			s.log.Error("shard cannot go on with these batches", "shard", s.number, "error", err)
			answer(hand, err)
			return
		}
		s.log.Warn("shard waits", "shard", s.number, "pause", pause, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			pause = min(2*pause, 2*time.Second)
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
	last, byID := maxID, make(map[uuid.UUID]*delivery, len(hand))
	if len(hand) > 0 {
		slices.SortFunc(hand, func(a, b *delivery) int { return bytes.Compare(a.ID[:], b.ID[:]) })
		last = hand[len(hand)-1].ID
	}
	for _, d := range hand {
		if d.records != nil {
			byID[d.ID] = d
		}
	}
	if err := s.register(ctx, byID); err != nil {
		return err
	}
	for ctx.Err() == nil {
		heads, err := s.flow.store.Waiting(ctx, s.number, last, s.perGroup)
		if err != nil {
			return err
		}
		if len(hand) == 0 {
			heads = settledBefore(heads, s.flow.clock().Add(-settleTime))
		}
		if len(heads) == 0 {
			return nil
		}
		if err := s.group(ctx, heads, byID); err != nil {
			return err
		}
		if len(hand) == 0 && len(s.in) > 0 {
			return nil // the queue reminds again, and has the records at hand
		}
	}
	return ctx.Err()
}

// settledBefore cuts heads where one was accepted after t: what follows is on
// its way through the queue.
func settledBefore(heads []postgres.BatchHead, t time.Time) []postgres.BatchHead {
	for i := range heads {
		if heads[i].AcceptedAt.After(t) {
			return heads[:i]
		}
	}
	return heads
}

// register makes sure that the database knows the batches in hand. A foreign
// feed has put its own on the queue only: it is accepted now (SPEC §1).
func (s *shard) register(ctx context.Context, byID map[uuid.UUID]*delivery) error {
	ids := make([]uuid.UUID, 0, len(byID))
	for id := range byID {
		ids = append(ids, id)
	}
	sums, err := s.flow.store.Checksums(ctx, ids)
	if err != nil {
		return err
	}
	for id, d := range byID {
		sum, there := sums[id]
		switch {
		case !there:
			err = s.flow.store.Accept(ctx, postgres.StoredBatch{ID: id, Shard: s.number, Source: "queue",
				Count: len(d.Records), AcceptedAt: s.flow.clock().UTC().Truncate(time.Microsecond), Records: d.records})
		case sum != postgres.Checksum(d.records):
			err = s.flow.store.SaveDeadLetter(ctx, reused(d, s.flow.clock()))
			delete(byID, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reused is the dead letter of a task that bears the id of another batch.
func reused(d *delivery, now time.Time) postgres.DeadLetter {
	return postgres.DeadLetter{
		ID: uuid.NewSHA1(d.ID, d.records), Kind: postgres.BadBatch, At: now, Source: "queue", Batch: d.ID, Payload: d.records,
		Fault: fmt.Sprintf("batch %s was accepted with other records: every batch needs an id of its own", d.ID),
	}
}

// group commits some batches in one transaction. Where that fails for good, each
// goes by itself, so that the one at fault takes no other with it.
func (s *shard) group(ctx context.Context, heads []postgres.BatchHead, byID map[uuid.UUID]*delivery) error {
	started := s.flow.clock()
	group, err := s.load(ctx, heads, byID)
	if err != nil {
		return err
	}
	out, err := s.flow.commit(ctx, group)
	if err == nil {
		s.tell(heads, out, s.flow.clock().Sub(started))
		s.log.Info("batches judged", "shard", s.number, "batches", len(group), "accepted", out.Accepted, "rated", out.Rated,
			"rejected", out.Rejected, "duplicate", out.Duplicate, "conflict", out.Conflict, "took", s.flow.clock().Sub(started))
		return nil
	}
	if retry(err) {
		return err
	}
	if len(group) > 1 {
		for i := range heads {
			if err := s.group(ctx, heads[i:i+1], byID); err != nil {
				return err
			}
		}
		return nil
	}
	return s.setAside(ctx, heads[0].ID, err)
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
			return nil, fmt.Errorf("read batch %s: %w", stored[i].ID, err)
		}
		b.Shard, b.AcceptedAt = s.number, stored[i].AcceptedAt
		group = append(group, b)
	}
	slices.SortFunc(group, func(a, b batch) int { return cmp.Compare(string(a.ID[:]), string(b.ID[:])) })
	return group, nil
}

// decode reads the records of a batch. What is no record becomes a dead letter
// of its own (SPEC R5.3); the error is that of an array which is broken itself.
func decode(d *billing.Decoder, id uuid.UUID, records []byte, now time.Time) (batch, error) {
	b := batch{Batch: billing.Batch{ID: id}}
	var err error
	b.Records, err = d.DecodeArray(make([]billing.UsageRecord, 0, len(records)/160+1), records,
		func(place int, text []byte, fault error) {
			b.unreadable = append(b.unreadable, postgres.DeadLetter{
				ID: uuid.NewSHA1(id, fmt.Appendf(nil, "unreadable %d", place)), Kind: postgres.Unreadable, At: now,
				Source: "queue", Line: int64(place + 1), Fault: fault.Error(), Payload: bytes.Clone(text), Batch: id,
			})
		})
	return b, err
}

// handle is a task's handler: it decodes beside others of its kind, hands over
// to the owner, and acknowledges only what is committed.
func (s *shard) handle(ctx context.Context, t queue.Task) error {
	p, err := queue.Decode(t.Payload)
	if err != nil {
		return s.malformed(ctx, t, err)
	}
	d := &delivery{batch: batch{Batch: billing.Batch{ID: p.Batch}}, done: make(chan error, 1)}
	if p.Records != nil {
		if d.batch, err = decode(new(billing.Decoder), p.Batch, p.Records, s.flow.clock()); err != nil {
			return s.malformed(ctx, t, err)
		}
		d.records = p.Records
	}
	d.Shard = s.number
	select {
	case s.in <- d:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-d.done:
		return fate(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// malformed keeps a task that holds no batch as a dead letter, and ends it.
func (s *shard) malformed(ctx context.Context, t queue.Task, fault error) error {
	err := s.flow.store.SaveDeadLetter(ctx, postgres.DeadLetter{
		ID: uuid.NewSHA1(uuid.NameSpaceURL, append([]byte(t.ID), t.Payload...)), Kind: postgres.BadBatch, At: s.flow.clock(),
		Source: "queue", Fault: fault.Error(), Payload: bytes.Clone(t.Payload),
	})
	if err != nil {
		return fate(err)
	}
	return fate(errors.Join(errMalformed, fault))
}
