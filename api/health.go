package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
)

// openly has a request answered that needs no token.
func (s *Server) openly(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			s.refuse(w, r, problem("method-not-allowed", r.Method+" is not taken here: GET, HEAD"))
			return
		}
		requestOf(r.Context()).pattern = r.URL.Path
		next.ServeHTTP(w, r)
	}
}

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

// scraper admits who reads the metrics. While the database is away, which they are
// to tell of, it takes the token for what it was when that was last known.
func (s *Server) scraper(ctx context.Context, token string) (access.Caller, error) {
	brief, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	caller, err := s.Gate.Admit(brief, token, access.Read)
	if err != nil && (errors.Is(err, context.DeadlineExceeded) || postgres.Away(err)) {
		if known, unknown := s.Gate.Recall(token, access.Read); unknown == nil {
			return known, nil
		}
	}
	return caller, err
}

func healthy(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n")) // the client has gone
}
