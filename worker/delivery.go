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
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// delivery is a task in hand. Its handler gives it to the owner first and reads
// it then, beside others of its kind, so that a small batch does not overtake a
// large one that was queued before it (SPEC R4.7).
type delivery struct {
	read chan struct{} // closed when what follows is there
	batch
	records []byte   // as they came; nil in a nudge
	fault   error    // why the task holds no batch
	traces  []string // of the requests that the records came with

	done chan error // what became of it, from the owner to the handler
}

func newDelivery() *delivery {
	return &delivery{read: make(chan struct{}), done: make(chan error, 1)}
}

// tracesMax is how many traces the line of a group names.
const tracesMax = 16

// tracesOf names the requests that the records of a group came with, as far as
// their tasks are in hand: what was found without a reminder tells of none.
func tracesOf(heads []postgres.BatchHead, byID map[uuid.UUID]*delivery) slog.Attr {
	var traces []string
	for _, h := range heads {
		d := byID[h.ID]
		if d == nil {
			continue
		}
		for _, t := range d.traces {
			if len(traces) < tracesMax && !slices.Contains(traces, t) {
				traces = append(traces, t)
			}
		}
	}
	if len(traces) == 0 {
		return slog.Attr{}
	}
	return slog.Any("traces", traces)
}

// take reads a task's payload.
func (d *delivery) take(shard int, payload []byte, now time.Time) {
	defer close(d.read)
	p, err := queue.Decode(payload)
	if err != nil {
		d.fault = err
		return
	}
	d.ID = p.Batch
	if p.Records != nil {
		d.batch, d.fault = decode(new(billing.Decoder), p.Batch, p.Records, now)
		d.records = p.Records
	}
	d.Shard = shard
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

// handle is a task's handler: it acknowledges only what is committed.
func (s *shard) handle(ctx context.Context, t queue.Task) error {
	d := newDelivery()
	d.traces = t.Traces
	select {
	case s.in <- d:
	case <-s.left:
		return errStopping
	case <-ctx.Done():
		return ctx.Err()
	}
	d.take(s.number, t.Payload, s.flow.clock())
	if d.fault != nil {
		return s.malformed(ctx, t, d.fault)
	}
	select {
	case err := <-d.done:
		return fate(err)
	case <-s.left:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-d.done: // the owner's last words
		return fate(err)
	default:
		return errStopping
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

// reused is the dead letter of a task that bears the id of another batch.
func reused(d *delivery, now time.Time) postgres.DeadLetter {
	return postgres.DeadLetter{
		ID: uuid.NewSHA1(d.ID, d.records), Kind: postgres.BadBatch, At: now, Source: "queue", Batch: d.ID, Payload: d.records,
		Fault: fmt.Sprintf("batch %s was accepted with other records: every batch needs an id of its own", d.ID),
	}
}
