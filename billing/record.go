package billing

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// UsageRecord is one measured use, as its feed sent it. Immutable.
type UsageRecord struct {
	Source, ID string
	Account    string // account number
	Service    string // service code
	Quantity   Fixed  // > 0, in the unit of the service's type
	OccurredAt time.Time
	Amount     *Money // brought along by a pre-rated record or a credit; nil where not
	Directive  Directive
	OriginalID string          // of a credit
	Attributes json.RawMessage // a JSON object, or nil
}

// Identity is what makes a record the same record for ever (SPEC R5.4).
type Identity struct{ Account, Source, ID string }

// Identity is the record's identity.
func (r *UsageRecord) Identity() Identity { return Identity{r.Account, r.Source, r.ID} }

// Same tells whether r and o mean the same: service, quantity, amount and time
// as values, directive, original and attributes as JSON values (SPEC R5.4).
func (r *UsageRecord) Same(o *UsageRecord) bool {
	return r.Service == o.Service && r.Quantity == o.Quantity && r.OccurredAt.Equal(o.OccurredAt) &&
		r.Directive == o.Directive && r.OriginalID == o.OriginalID &&
		sameAmount(r.Amount, o.Amount) && sameJSON(r.Attributes, o.Attributes)
}

func sameAmount(a, b *Money) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func sameJSON(a, b json.RawMessage) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	return bytes.Equal(a, b) || equalValues(a, b)
}

// Batch is the records that travelled in one queue task.
type Batch struct {
	ID         uuid.UUID
	Shard      int
	AcceptedAt time.Time // when it was taken over durably
	Records    []UsageRecord
}
