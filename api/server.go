package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/metrics"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/worker"
	"github.com/danielgtaylor/huma/v2"
)

// Options are what a Server is made of.
type Options struct {
	Store     *postgres.Store
	Queue     *queue.Client
	Door      *feed.Door
	Corrector *worker.Corrector
	Gate      *access.Gate
	Metrics   *metrics.Metrics
	Clock     func() time.Time
	Log       *slog.Logger
	Version   string

	TimeZone     *time.Location // billing.time_zone
	LimitsForAll bool           // limits.scope: all_accounts

	BodyBytesMax      int64 // of a request, but for usage
	UsageBytesMax     int64 // of a request with usage records
	BacklogRecordsMax int   // records that wait, past which usage is refused

	Patience Patience
}

// Server answers requests.
type Server struct {
	Options
	mux   *http.ServeMux
	own   huma.API
	open  map[string]http.Handler // what answers without a token, by path
	gates gates
	usage *usage

	stats       glance[*postgres.Stats]
	queues      glance[[]queue.Stats]
	streams     places // long lists that are written right now
	simulations places // that run
	setups      places // that are applied
}

// New is a server of all endpoints.
func New(o Options) *Server {
	o.Patience = o.Patience.filled()
	s := &Server{Options: o, mux: http.NewServeMux()}
	s.open = map[string]http.Handler{"/livez": http.HandlerFunc(s.live), "/readyz": http.HandlerFunc(s.ready)}
	s.own = s.newOwn()
	s.registerOwn()
	s.usage = newUsage(s)
	for _, r := range s.views() {
		s.mount(r)
	}
	s.openAnswers()
	s.exemplify()
	s.mux.HandleFunc("GET /openapi.json", s.bearer(access.Read, s.openAPI))
	s.mux.HandleFunc("GET /metrics", s.admitting(s.scraper, s.within(endpoint{method: http.MethodGet, whole: true}, s.Metrics.Handler().ServeHTTP)))
	return s
}

// Handler is everything that a request goes through.
func (s *Server) Handler() http.Handler {
	return s.identified(s.logged(s.recovered(secured(zipped(http.HandlerFunc(s.route))))))
}

// route finds who answers a request. Where nobody does, that is told to those
// only who have a token.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	if headerBytes(r) > headerBytesMax {
		w.Header().Set("Connection", "close")
		s.refuse(w, r, problem("headers-too-large", "path, query and headers have more than "+strconv.Itoa(headerBytesMax)+" bytes together"))
		return
	}
	if h, ok := s.open[r.URL.Path]; ok {
		s.openly(h)(w, r)
		return
	}
	if h, pattern := s.mux.Handler(r); pattern == "" || !cleanPath(r.URL.EscapedPath()) {
		s.bearer(0, func(w http.ResponseWriter, r *http.Request) { s.nowhere(w, r, h) })(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// headerBytes is how large a request is without its body.
func headerBytes(r *http.Request) int {
	n := len(r.RequestURI)
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + len(": \r\n")
		}
	}
	return n
}

// The bounds of a connection. A body may take as long as data keeps coming:
// whoever reads it moves the deadline.
const (
	headerPatience = 10 * time.Second
	bodyPatience   = 30 * time.Second
	idlePatience   = 2 * time.Minute
	// headerBytesMax is told by a problem, while net/http still reads them; what has
	// headerBytesRead it refuses by itself.
	headerBytesMax  = 64 << 10
	headerBytesRead = 256 << 10
	// farewell bounds how long requests that run may hold up the end.
	farewell = 20 * time.Second
)

// Serve answers on an address, with TLS where there is a configuration for it,
// until ctx ends; then it lets the requests that run finish. ready, if set, is
// told the address, which matters for port 0.
func (s *Server) Serve(ctx context.Context, address string, secure *tls.Config, ready func(net.Addr)) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("serve the API on %s (http.listen): %w", address, err)
	}
	if secure == nil {
		s.warnOpen(listener.Addr())
	} else {
		listener = tls.NewListener(listener, secure)
	}
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: headerPatience, ReadTimeout: bodyPatience, WriteTimeout: bodyPatience + s.Patience.Ordinary + s.Patience.Reading,
		IdleTimeout: idlePatience, MaxHeaderBytes: headerBytesRead, DisableGeneralOptionsHandler: true, ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
	}
	if ready != nil {
		ready(listener.Addr())
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve the API on %s: %w", address, err)
	case <-ctx.Done():
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err = server.Shutdown(bye); err != nil {
		err = errors.Join(fmt.Errorf("requests were cut off after %s: %w", farewell, err), server.Close())
	}
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
