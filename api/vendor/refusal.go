package vendor

import (
	"fmt"
	"strings"
	"time"

	"github.com/chargehand/chargehand/api/once"
)

// fault is one thing that is wrong with a request, and where: in a parameter of
// the query, a header, or at a place of the body.
type fault struct {
	parameter, header, pointer string
	text                       string
}

// faultsMax is how many faults are told: who has more has one mistake many times.
const faultsMax = 20

// refusal is a request that is not carried out: why, with everything that is
// wrong with it.
type refusal struct {
	status int
	faults []fault
	after  time.Duration // when to try again; 0: nothing is said of it
}

// Error is the faults in one line.
func (r *refusal) Error() string {
	all := make([]string, len(r.faults))
	for i, f := range r.faults {
		all[i] = strings.TrimPrefix(f.parameter+f.header+f.pointer+": "+f.text, ": ")
	}
	return fmt.Sprintf("%d: %s", r.status, strings.Join(all, "; "))
}

// refuse is a refusal for one reason.
func refuse(status int, format string, args ...any) *refusal {
	return &refusal{status: status, faults: []fault{{text: fmt.Sprintf(format, args...)}}}
}

// refuseKey is a refusal for an Idempotency-Key.
func refuseKey(status int, format string, args ...any) *refusal {
	r := refuse(status, format, args...)
	r.faults[0].header = once.Header
	return r
}

// faultList keeps the first faults and counts them all.
type faultList struct {
	kept []fault
	all  int
}

func (l *faultList) add(f fault) {
	if l.all++; l.all <= faultsMax {
		l.kept = append(l.kept, f)
	}
}

// err is what was found as a refusal with a status, or nil.
func (l *faultList) err(status int) error {
	if l.all == 0 {
		return nil
	}
	if more := l.all - len(l.kept); more > 0 {
		l.kept = append(l.kept, fault{text: fmt.Sprintf("and %d faults more: mend these first", more)})
	}
	return &refusal{status: status, faults: l.kept}
}

// clip cuts a text for a message, so that one fault stays one line.
func clip(text string) string {
	const most = 40
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "?")
}
