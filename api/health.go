package api

import (
	"context"
	"net/http"
	"time"
)

// live answers that the process runs.
func (*Server) live(w http.ResponseWriter, _ *http.Request) { healthy(w) }

// readyPatience bounds the question whether the database answers.
const readyPatience = 2 * time.Second

// ready answers whether requests can be served: whether the database is there.
// Without Redis usage is taken all the same, so that it does not count.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyPatience)
	defer cancel()
	if err := s.Store.Ping(ctx); err != nil {
		s.refuse(w, r, problem("unavailable", "the database does not answer").after(patienceAway))
		return
	}
	healthy(w)
}

func healthy(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n")) // the client has gone
}
