package verify

import (
	"strconv"

	"github.com/chargehand/chargehand/postgres"
)

// batch proves that every record of a batch is accounted for (SPEC R9.3): what
// the batch says became of its records is what there is of them.
func (v *verifier) batch(b *postgres.AuditedBatch) error {
	name := "batch " + b.ID.String()
	differ := func(what string, expected, found int64) {
		if expected != found {
			v.broken(Broken{"R9.3", "", name + ": " + what, strconv.FormatInt(expected, 10), strconv.FormatInt(found, 10)})
		}
	}
	says, found := b.Says, b.Found
	switch {
	case !b.Exists && found.Rated+found.Rejected == 0:
		return nil // dead letters of a task that was no batch of ours
	case !b.Exists:
		v.broken(Broken{"R9.3", "", name, "none, or a batch for its records", "records without one"})
		return nil
	}
	c := &v.report.Checked
	c.Batches++
	c.Accepted += says.Accepted
	if !b.Done {
		c.Waiting += says.Accepted
		differ("records judged of a batch that waits", 0, found.Rated+found.Rejected+found.Conflict)
		if b.Failed && !b.FailedLetter {
			v.broken(Broken{"R9.3", "", name + ": set aside", "a dead letter that says why", "none"})
		}
		return nil
	}
	c.Rated, c.Rejected = c.Rated+says.Rated, c.Rejected+says.Rejected
	c.Duplicate, c.Conflict = c.Duplicate+says.Duplicate, c.Conflict+says.Conflict
	differ("accepted", says.Rated+says.Rejected+says.Duplicate+says.Conflict, says.Accepted)
	differ("rated", says.Rated, found.Rated)
	differ("rejected", says.Rejected, found.Rejected)
	differ("conflict", says.Conflict, found.Conflict)
	differ("unreadable", says.Unreadable, found.Unreadable)
	return nil
}
