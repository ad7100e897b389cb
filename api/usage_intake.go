package api

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/chargehand/chargehand/feed"
	"github.com/google/uuid"
)

// Taken is what became of the records of a request.
type Taken struct {
	Accepted   int         `json:"accepted" doc:"Records that are durable and will be judged." example:"2"`
	Unreadable int         `json:"unreadable" doc:"Lines that are no records. They are kept as dead letters." example:"1"`
	OutOfReach int         `json:"out_of_reach" doc:"Records of accounts that the token does not reach. They are not kept." example:"0"`
	Batches    []uuid.UUID `json:"batches" doc:"The batches that the records travel in, maybe with those of other requests."`
	Refused    []Refused   `json:"refused" doc:"What was not accepted: the first thousand."`
	Unlisted   int         `json:"unlisted" doc:"How many more were not accepted than refused lists." example:"0"`
}

// Refused is a line that was not accepted.
type Refused struct {
	Line    int    `json:"line" doc:"Line of the body, unpacked, on which it begins." example:"3"`
	Record  int    `json:"record,omitempty" doc:"Place in the array, from 1, where the body is one." example:"3"`
	Fault   string `json:"fault" doc:"What is wrong, with the value." example:"quantity: missing"`
	Pointer string `json:"pointer,omitempty" doc:"JSON pointer to the value: within the line, or within the body where that is one JSON value." example:"/quantity"`
}

const (
	// refusedListed is how many lines an answer lists.
	refusedListed = 1000
	// unreadableMax bounds what one body leaves behind as dead letters: who sends
	// more sends no usage records, and each costs a row.
	unreadableMax = 10_000
	// lettersTogether and letterBytes bound the unreadable lines that are kept at
	// once as dead letters.
	lettersTogether = 500
	letterBytesMax  = 1 << 20
	// heldTogether is how many records are held until it is known whether their
	// accounts are within reach.
	heldTogether = 1000
)

// intake is the body of one request on its way in.
type intake struct {
	usage   *usage
	request string // its id: the file of its dead letters
	shape   shape
	body    *inflow
	stream  *feed.Stream
	reach   *reach // nil: every account
	taken   Taken

	letters     []feed.Line // unreadable ones that are not kept yet
	letterBytes int
	held        []feed.Line // in their order
}

// errShape means that a body is at fault as a whole: behind the fault no record
// is where it seems to be, or none is worth looking for.
var errShape = errors.New("the body cannot be read on")

// all takes the records of the body over. Where it fails in the middle, what was
// read before stands; of a body that broke off, what was handed over before.
func (in *intake) all(ctx context.Context) error {
	in.stream = in.usage.pool.Stream(ctx)
	err := in.lines(ctx, in.shape.read(in.body))
	end := in.stream.Close
	if !in.body.whole() {
		end = in.stream.Abandon
	}
	batches, closing := end()
	in.taken.Accepted, in.taken.Batches = in.stream.Accepted(), append(in.taken.Batches, batches...)
	return errors.Join(err, closing)
}

// lines takes the lines over one by one.
func (in *intake) lines(ctx context.Context, lines iter.Seq2[feed.Line, error]) error {
	for line, err := range lines {
		if err != nil {
			return errors.Join(in.flush(ctx), fmt.Errorf("%w: %w", errShape, err))
		}
		if err := in.line(ctx, &line); err != nil {
			return err
		}
	}
	return in.flush(ctx)
}

func (in *intake) line(ctx context.Context, l *feed.Line) error {
	switch {
	case l.Fault != nil:
		return in.unreadable(ctx, l)
	case in.reach == nil:
		return in.stream.Add(&l.Record)
	}
	if in.held = append(in.held, *l); len(in.held) < heldTogether {
		return nil
	}
	return in.release(ctx)
}

// flush ends what is held back.
func (in *intake) flush(ctx context.Context) error {
	return errors.Join(in.release(ctx), in.keep(ctx))
}

// release takes those of the records over whose accounts are within reach.
func (in *intake) release(ctx context.Context) error {
	if len(in.held) == 0 {
		return nil
	}
	if err := in.reach.learn(ctx, in.held); err != nil {
		return err
	}
	for i := range in.held {
		l := &in.held[i]
		if in.reach.known[l.Record.Account] {
			if err := in.stream.Add(&l.Record); err != nil {
				return err
			}
			continue
		}
		in.taken.OutOfReach++
		l.Fault = fmt.Errorf("account %q: there is none", l.Record.Account)
		in.list(l)
	}
	in.held = in.held[:0]
	return nil
}

// unreadable lists a line that is no record, and sees that it is kept.
func (in *intake) unreadable(ctx context.Context, l *feed.Line) error {
	if in.taken.Unreadable == unreadableMax {
		return errors.Join(in.flush(ctx), fmt.Errorf("%w: line %d is one more than %d that are no records: see what refused says, mend the feed",
			errShape, l.Number, unreadableMax))
	}
	in.taken.Unreadable++
	in.list(l)
	in.letters, in.letterBytes = append(in.letters, *l), in.letterBytes+len(l.Raw)
	if len(in.letters) < lettersTogether && in.letterBytes < letterBytesMax {
		return nil
	}
	return in.keep(ctx)
}

func (in *intake) list(l *feed.Line) {
	if len(in.taken.Refused) >= refusedListed {
		in.taken.Unlisted++
		return
	}
	in.taken.Refused = append(in.taken.Refused, Refused{Line: l.Number, Record: l.Place, Fault: l.Fault.Error(), Pointer: l.Pointer()})
}

// keep keeps unreadable lines as dead letters.
func (in *intake) keep(ctx context.Context) error {
	letters := in.letters
	in.letters, in.letterBytes = nil, 0
	if len(letters) == 0 {
		return nil
	}
	return in.usage.door.Refuse(ctx, usageSource, in.request, letters)
}
