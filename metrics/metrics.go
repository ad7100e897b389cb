// Package metrics counts what a process does, for Prometheus.
//
// It owns the names of the series and serves them; it asks for nothing but whether
// the servers are there: worker, scheduler and API tell it what they have done.
// Counts are those of this process since it began, so that they add up over
// processes; what all of them have done together is in the database, and `stats`
// shows it.
package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/worker"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the series of one process.
type Metrics struct {
	registry *prometheus.Registry
	records  *prometheus.CounterVec
	rejected *prometheus.CounterVec
	commits  prometheus.Histogram
	runs     *prometheus.CounterVec
	counted  *prometheus.CounterVec
	left     prometheus.Gauge
	http     requests
	servers  servers
}

// New are the series, all at zero: every reason of SPEC R5.2 has its own from the
// start, so that an alert on one of them need not wait for the first.
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chargehand_records_total",
			Help: "Usage records judged by this process, by what became of them."}, []string{"outcome"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chargehand_rejected_total",
			Help: "Usage records rejected by this process, by reason."}, []string{"reason"}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "chargehand_commit_seconds",
			Help:    "Time to read, judge and write a group of batches.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 14)}),
		runs: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chargehand_runs_total",
			Help: "Runs of the scheduler's jobs, by how they ended."}, []string{"job", "result"}),
		counted: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chargehand_run_counts_total",
			Help: "What runs of the scheduler's jobs counted: charged, skipped, judged, held, released and the like."}, []string{"job", "count"}),
		left: prometheus.NewGauge(prometheus.GaugeOpts{Name: "chargehand_periods_left",
			Help: "Periods that the last charge run left for the next one (scheduler.max_catch_up)."}),
		http: newRequests(),
	}
	m.http.register(m.registry)
	m.registry.MustRegister(m.records, m.rejected, m.commits, m.runs, m.counted, m.left,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, outcome := range []string{"rated", "rejected", "duplicate", "conflict", "unreadable"} {
		m.records.WithLabelValues(outcome)
	}
	for _, reason := range billing.Reasons() {
		m.rejected.WithLabelValues(reason)
	}
	return m
}

// Batches counts a group of batches that a worker has committed.
func (m *Metrics) Batches(g worker.Group) {
	o := g.Outcomes
	for outcome, n := range map[string]int{"rated": o.Rated, "rejected": o.Rejected, "duplicate": o.Duplicate,
		"conflict": o.Conflict, "unreadable": o.Unreadable} {
		m.records.WithLabelValues(outcome).Add(float64(n))
	}
	for reason, n := range o.Reasons {
		m.rejected.WithLabelValues(reason).Add(float64(n))
	}
	m.commits.Observe(g.Took.Seconds())
}

// left is what a charge run calls the periods that it did not come to.
const left = "left"

// Run counts a run of one of the scheduler's jobs.
func (m *Metrics) Run(r postgres.Run) {
	result := "done"
	if r.Fault != "" {
		result = "failed"
	}
	m.runs.WithLabelValues(r.Job, result).Inc()
	for what, n := range r.Counts {
		if what == left { // a state, not a deed
			m.left.Set(float64(n))
			continue
		}
		m.counted.WithLabelValues(r.Job, what).Add(float64(n))
	}
}

// Handler answers a request with everything that has been counted.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// patience bounds how long a reader of metrics may take for its request, and how
// long the last one may hold up the end.
const patience = 5 * time.Second

// Serve answers GET /metrics on an address until ctx ends.
func (m *Metrics) Serve(ctx context.Context, address string, log *slog.Logger) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("serve metrics on %s (metrics.listen): %w", address, err)
	}
	log.Info("metrics are served", "address", listener.Addr().String())
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: patience, ReadTimeout: patience, WriteTimeout: 2 * patience}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve metrics on %s: %w", address, err)
	case <-ctx.Done():
	}
	bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err = server.Shutdown(bye)
	if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
