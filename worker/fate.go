package worker

import (
	"errors"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
)

// errMalformed means that a task holds no batch. It is kept as a dead letter and
// a person must act; coming again cannot help it.
var errMalformed = errors.New("task holds no batch")

// fate tells the queue what to do with a task. With retry it is the only place
// that decides between trying again and giving up; a record that cannot be rated
// has its outcome and never reaches it.
func fate(err error) error {
	if errors.Is(err, errMalformed) {
		return queue.GiveUp(err)
	}
	return err // transient until proven otherwise
}

// retry tells whether what went wrong may go away by itself. What may not is the
// batch's own fault.
func retry(err error) bool { return postgres.Transient(err) }
