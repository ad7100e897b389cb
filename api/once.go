package api

import (
	"errors"
	"net/http"

	"github.com/chargehand/chargehand/api/once"
	"github.com/chargehand/chargehand/postgres"
)

// keyHeader makes a request happen once.
const keyHeader = once.Header

// Keyed is the header of a change that may be sent again.
type Keyed struct {
	Key string `header:"Idempotency-Key" maxLength:"256" doc:"Makes it happen once: the same request with the same key is answered what the first one was, with Idempotency-Replayed: true." example:"7f3c2a1e"`
}

// once carries a change out once for each Idempotency-Key. What is apart from it
// has a reason, which stands where it is registered.
func (s *Server) once(e endpoint, next http.HandlerFunc) http.HandlerFunc {
	if e.apart {
		return next
	}
	door := once.Door{Store: s.Store, Clock: s.Clock}
	return func(w http.ResponseWriter, r *http.Request) {
		err := door.Do(w, r, next)
		switch {
		case err == nil:
			return
		case errors.Is(err, once.ErrNoKey):
			err = problem("invalid", keyHeader+": "+err.Error(), Fault{Parameter: keyHeader, Detail: err.Error()})
		case errors.Is(err, postgres.ErrKeyReused):
			err = problem("key-reused", keyHeader+": "+err.Error()+": take a new one", Fault{Parameter: keyHeader, Detail: "used for another request"})
		case errors.Is(err, postgres.ErrInProgress):
			err = problem("in-progress", keyHeader+": "+err.Error()+": try again in a moment").after(patienceBusy)
		}
		s.refuse(w, r, err)
	}
}
