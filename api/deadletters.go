package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/postgres"
	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

// letterKind is a kind of dead letter; empty is all.
type letterKind string

// Schema is how OpenAPI describes it.
func (letterKind) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: []any{"unreadable", "conflict", "batch"}, Examples: []any{"unreadable"}}
}

// kind is the kind as the store has it.
func (k letterKind) kind() postgres.DeadLetterKind {
	for kind := postgres.Unreadable; kind.String() != ""; kind++ {
		if kind.String() == string(k) {
			return kind
		}
	}
	return 0
}

// chosenLetters is the query that chooses dead letters.
type chosenLetters struct {
	Addressed
	Kind   letterKind `query:"kind" doc:"Only those of a kind."`
	Cursor string     `query:"cursor" maxLength:"4096" doc:"Where the page before ended: its next."`
	Limit  int        `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most. Long ones fill a page earlier."`
}

type letterPageAnswer struct {
	Link string `header:"Link" doc:"The next page, with rel=\"next\" (RFC 8288)."`
	Body letterPage
}

// letterPage is a page of dead letters.
type letterPage struct {
	Items []postgres.DeadLetterView `json:"items" nullable:"false"`
	Next  *string                   `json:"next" doc:"Cursor of the next page; null: this is the last one."`
}

// redrive is the body that says what to send again.
type redriveRequest struct{ Body redriveBody }

type redriveBody struct {
	IDs       []uuid.UUID     `json:"ids,omitempty" format:"uuid" nullable:"false" minItems:"1" maxItems:"1000" doc:"Ids of dead letters that are open; one that is not refuses them all."`
	Kind      letterKind      `json:"kind,omitempty" doc:"All of a kind."`
	All       bool            `json:"all,omitempty" doc:"All of them."`
	Corrected json.RawMessage `json:"corrected,omitempty" doc:"What was meant instead, for the one letter that ids names: a usage record, or a text that is sent as it is."`
}

type redriveAnswer struct{ Body feed.Redriven }

func (s *Server) registerDeadLetters() {
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/dead-letters", name: "listDeadLetters", tag: "Operations", need: access.Read, whole: true,
		summary:     "What a person must look at",
		description: "Unreadable lines, conflicts, and batches that failed for good, the oldest first, without a cap. Those that were redriven or discarded are no more among them.",
	}, s.listDeadLetters)
	// It accepts records some hundreds at a time, each time in a transaction of its
	// own with a reminder to the queue: one for all would have no bound, and a worker
	// would be told of batches that might not come to be. Carried out again it is
	// harmless: a letter that was settled is no more sent, and records that were
	// accepted before their letter was settled count as duplicates.
	register(s, endpoint{
		method: http.MethodPost, path: "/v1/dead-letters/redrive", name: "redriveDeadLetters", tag: "Operations", need: access.Manage, whole: true, long: true, apart: true,
		summary: "Send dead letters on their way again",
		description: "Records that can be read by now are accepted anew, conflicts are judged anew, batches that were set aside are tried again. " +
			"What still cannot be read stays a dead letter, unless `corrected` says what was meant. Name ids, or a kind, or all. It takes no " +
			"Idempotency-Key: a letter goes on its way once, and what was sent twice counts as a duplicate.",
	}, s.redriveDeadLetters)
}

// pageBytesMax is how many bytes of payload fill a page, whatever its limit.
const pageBytesMax = 4 << 20

// errFull ends a page that is full.
var errFull = errors.New("the page is full")

func (s *Server) listDeadLetters(ctx context.Context, in *chosenLetters) (*letterPageAnswer, error) {
	f := postgres.DeadLetterFilter{Kind: in.Kind.kind(), Limit: in.Limit + 1}
	var err error
	if f.After, err = postgres.ParseLetterPlace(in.Cursor); err != nil {
		return nil, err
	}
	page := letterPage{Items: []postgres.DeadLetterView{}}
	size := 0
	var last postgres.LetterPlace
	err = s.Store.DeadLetters(ctx, f, func(l *postgres.DeadLetter) error {
		if size += len(l.Payload); len(page.Items) == in.Limit || len(page.Items) > 0 && size > pageBytesMax {
			page.Next = new(last.Cursor())
			return errFull
		}
		page.Items, last = append(page.Items, l.View()), l.Place()
		return nil
	})
	if err != nil && !errors.Is(err, errFull) {
		return nil, err
	}
	answer := &letterPageAnswer{Body: page}
	if page.Next != nil {
		answer.Link = in.link(*page.Next)
	}
	return answer, nil
}

// check makes sure that it is said once which letters are meant.
func (b *redriveBody) check() error {
	said := 0
	for _, given := range []bool{len(b.IDs) > 0, b.Kind != "", b.All} {
		if given {
			said++
		}
	}
	if said != 1 {
		return invalid("", "say which dead letters: ids, or kind, or all")
	}
	if len(b.Corrected) > 0 && len(b.IDs) != 1 {
		return invalid("/corrected", "goes with the id of one dead letter, and ids has %d", len(b.IDs))
	}
	return nil
}

// invalid is the fault of one value of a body.
func invalid(pointer, format string, args ...any) error {
	f := Fault{Pointer: pointer, Detail: fmt.Sprintf(format, args...)}
	return problem("invalid", f.told(), f)
}

func (s *Server) redriveDeadLetters(ctx context.Context, in *redriveRequest) (*redriveAnswer, error) {
	b := &in.Body
	if err := b.check(); err != nil {
		return nil, err
	}
	missing, err := s.Store.MissingLetters(ctx, b.IDs)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return nil, b.notOpen(missing)
	}
	var done feed.Redriven
	if len(b.Corrected) > 0 {
		done, err = s.Door.RedriveCorrected(ctx, b.IDs[0], textOf(b.Corrected))
	} else {
		done, err = s.Door.Redrive(ctx, postgres.DeadLetterFilter{Kind: b.Kind.kind(), IDs: b.IDs})
	}
	var refusal *postgres.Refusal
	if errors.As(err, &refusal) {
		err = problem("refused", refusal.Text, Fault{Pointer: "/corrected", Detail: refusal.Text})
	}
	return &redriveAnswer{done}, err
}

// notOpen says of each id that no open letter has where it stands.
func (b *redriveBody) notOpen(missing []uuid.UUID) error {
	faults := make([]Fault, 0, len(missing))
	at := 0
	for _, id := range missing {
		for b.IDs[at] != id {
			at++
		}
		faults = append(faults, Fault{Pointer: fmt.Sprintf("/ids/%d", at),
			Detail: fmt.Sprintf("dead letter %s: none is open with this id, so nothing was done", id)})
		at++
	}
	return problem("invalid", faults[0].Detail, faults...)
}

// textOf is the text in a JSON string, else the JSON itself: one record.
func textOf(raw json.RawMessage) []byte {
	var text string
	if bytes.HasPrefix(raw, []byte(`"`)) && json.Unmarshal(raw, &text) == nil {
		return []byte(text)
	}
	return raw
}
