package api

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// inflow is a request's body under a deadline that moves while something comes.
type inflow struct {
	from     io.Reader
	control  *http.ResponseController
	patience time.Duration
	moved    time.Time
	broken   error // why the body itself ended before its end
}

// Read moves the deadline, once a second at most, and reads.
func (f *inflow) Read(to []byte) (int, error) {
	if now := time.Now(); now.Sub(f.moved) > min(time.Second, f.patience/4) {
		_ = f.control.SetReadDeadline(now.Add(f.patience)) // a recorder has none
		f.moved = now
	}
	n, err := f.from.Read(to)
	if err != nil && !errors.Is(err, io.EOF) {
		f.broken = err
	}
	return n, err
}

// whole tells whether the body came to its end, or to the end of what is taken:
// what was read of it then counts.
func (f *inflow) whole() bool {
	var tooLarge *http.MaxBytesError
	return f.broken == nil || errors.As(f.broken, &tooLarge)
}
