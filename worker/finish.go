package worker

import (
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// touch notes an account as one that the group changes.
func (j *judge) touch(a *account) {
	if !a.touched {
		a.begin()
		j.touched = append(j.touched, a)
	}
}

// settle ends a batch in the accounts that it moved. Each batch of a group is
// settled by itself, as if it had been committed alone: which ones the queue
// brought together must not be seen in what becomes of them.
func (j *judge) settle() {
	for _, a := range j.moved {
		a.settle(j.Now)
		if j.HoldOnDebit && a.debited {
			j.testForHold(a)
		}
		a.moved, a.debited = false, false
	}
	j.moved = j.moved[:0]
}

// testForHold holds an account that the batch debited if its debt says so, so
// that no later batch is rated past the threshold. A release is the sweep's
// (SPEC R6.4).
func (j *judge) testForHold(a *account) {
	standing, change := a.terms.Test(a.Funds, a.Standing, j.Now)
	if change.Unchanged() || change.To != billing.CreditHold {
		return
	}
	a.Standing = standing
	j.commit.Changes = append(j.commit.Changes, postgres.StatusChange{
		Account: a.Number, Seq: a.NextSeq(j.place), At: j.Now, From: change.From, To: change.To,
		Reason: change.Reason, Balance: a.Balance, Threshold: a.terms.Threshold, Actor: "worker",
	})
}

// finish turns the touched accounts into what is written of them.
func (j *judge) finish() {
	for _, a := range j.touched {
		a.touched = false
		for k, v := range a.close() {
			j.closed(a.Number, k, v)
		}
		j.commit.Moved = append(j.commit.Moved, postgres.Moved{Account: a.Account, DueAt: a.DueAt(a.terms, j.Now)})
	}
}

// conflict is the dead letter of a record whose identity has other content. Its
// id follows from batch and place, so that judging again writes the same one.
func conflict(b *billing.Batch, r *billing.UsageRecord, i int, now time.Time) postgres.DeadLetter {
	return postgres.DeadLetter{
		ID:   uuid.NewSHA1(b.ID, fmt.Appendf(nil, "conflict %d", i)),
		Kind: postgres.Conflict, At: now, Source: r.Source, Line: int64(i + 1), Batch: b.ID,
		Fault:   fmt.Sprintf("record %s/%s/%s is there with other content: the first one stands", r.Account, r.Source, r.ID),
		Payload: billing.AppendRecord(nil, r),
	}
}
