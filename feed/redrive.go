package feed

import (
	"bytes"
	"context"
	"fmt"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// Redriven is what redriving dead letters did.
type Redriven struct {
	Redriven int `json:"redriven"` // on their way again
	Left     int `json:"left"`     // what cannot be read now either: it stays a dead letter
}

// redrivenTogether is how many dead letters are accepted at once.
const redrivenTogether = 500

// Redrive sends dead letters on their way again: records that can be read by now
// are accepted as new ones, batches that were set aside are tried again. What it
// accepts it accepts before the letter is settled: broken off in between, a
// record comes twice and counts as a duplicate.
func (d *Door) Redrive(ctx context.Context, f postgres.DeadLetterFilter) (Redriven, error) {
	r := redrive{door: d}
	err := d.Store.DeadLetters(ctx, f, func(l *postgres.DeadLetter) error { return r.letter(ctx, l) })
	if err == nil {
		err = r.flush(ctx)
	}
	return r.done, err
}

// RedriveCorrected sends what a person made of a dead letter in its place, and
// settles the letter. If any of the text cannot be read nothing is sent. A batch
// that was set aside has nothing that could be corrected.
func (d *Door) RedriveCorrected(ctx context.Context, letter uuid.UUID, text []byte) (Redriven, error) {
	r := redrive{door: d, letters: []uuid.UUID{letter}}
	err := d.Store.DeadLetters(ctx, postgres.DeadLetterFilter{IDs: r.letters}, func(l *postgres.DeadLetter) error {
		if l.SetAside() {
			return notCorrected("dead letter %s is of a batch that was set aside: it is tried again as it is", letter)
		}
		return nil
	})
	if err != nil {
		return r.done, err
	}
	for line, err := range Read(bytes.NewReader(text), Options{}) {
		if err == nil && line.Fault != nil {
			err = fmt.Errorf("line %d: %w", line.Number, line.Fault)
		}
		if err != nil {
			return r.done, notCorrected("correct dead letter %s: %v", letter, err)
		}
		r.records = append(r.records, line.Record)
	}
	if len(r.records) == 0 {
		return r.done, notCorrected("correct dead letter %s: there is no record in what is to be sent", letter)
	}
	err = r.flush(ctx)
	return r.done, err
}

// notCorrected refuses what was to be sent in a letter's place.
func notCorrected(format string, args ...any) error {
	return &postgres.Refusal{Text: fmt.Sprintf(format, args...)}
}

// redrive is one redrive at work.
type redrive struct {
	door    *Door
	records []billing.UsageRecord
	letters []uuid.UUID // whose records these are
	done    Redriven
}

func (r *redrive) letter(ctx context.Context, l *postgres.DeadLetter) error {
	if l.SetAside() {
		if err := r.door.Store.Revive(ctx, l.Batch); err != nil {
			return err
		}
		return r.settle(ctx, []uuid.UUID{l.ID})
	}
	records := recordsIn(l.Payload)
	if len(records) == 0 {
		r.done.Left++
		return nil
	}
	r.records, r.letters = append(r.records, records...), append(r.letters, l.ID)
	if len(r.letters) < redrivenTogether {
		return nil
	}
	return r.flush(ctx)
}

// recordsIn is the records of a payload, none if any of it cannot be read.
func recordsIn(payload []byte) (records []billing.UsageRecord) {
	for line, err := range Read(bytes.NewReader(payload), Options{}) {
		if err != nil || line.Fault != nil {
			return nil
		}
		records = append(records, line.Record)
	}
	return records
}

func (r *redrive) flush(ctx context.Context) error {
	if len(r.letters) == 0 {
		return nil
	}
	if _, err := r.door.Accept(ctx, "redrive", r.records); err != nil {
		return fmt.Errorf("redrive dead letters: %w", err)
	}
	letters := r.letters
	r.records, r.letters = nil, nil
	return r.settle(ctx, letters)
}

func (r *redrive) settle(ctx context.Context, letters []uuid.UUID) error {
	n, err := r.door.Store.Redriven(ctx, letters, r.door.Clock())
	r.done.Redriven += int(n)
	return err
}
