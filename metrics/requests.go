package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// requests are the series of the API.
type requests struct {
	took     *prometheus.HistogramVec
	usage    *prometheus.CounterVec
	records  *prometheus.CounterVec
	inFlight prometheus.Gauge
}

// usageAnswers are how requests with usage records end: accepted, or the kind of
// problem they were answered; left: their client did not wait. Each has a series
// from the start.
var usageAnswers = []string{"accepted", "backlog", "busy", "unavailable", "stalled", "too-large", "bad-request", "media-type", "invalid",
	"internal", "left"}

func newRequests() requests {
	r := requests{
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "chargehand_request_seconds",
			Help:    "Time of requests to the API of this process, by endpoint (none: there is no such) and class of status.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 15)}, []string{"endpoint", "status"}),
		usage: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chargehand_usage_requests_total",
			Help: "Requests with usage records whose token was good, by how they were answered."}, []string{"answer"}),
		records: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "chargehand_usage_records_total",
			Help: "Usage records that requests brought: accepted, unreadable or out of the token's reach."}, []string{"result"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{Name: "chargehand_usage_requests_in_flight",
			Help: "Requests with usage records that are under way."}),
	}
	for _, answer := range usageAnswers {
		r.usage.WithLabelValues(answer)
	}
	r.count(Usage{})
	return r
}

func (r *requests) register(to *prometheus.Registry) {
	to.MustRegister(r.took, r.usage, r.records, r.inFlight)
}

// Request counts a request that was answered. Endpoint is its method and pattern,
// of which there are not more than endpoints; empty: none.
func (m *Metrics) Request(endpoint string, status int, took time.Duration) {
	if endpoint == "" {
		endpoint = "none"
	}
	m.http.took.WithLabelValues(endpoint, strconv.Itoa(status/100)+"xx").Observe(took.Seconds())
}

// Usage is what became of a request with usage records.
type Usage struct {
	Answer                           string // accepted, left, or the kind of problem
	Accepted, Unreadable, OutOfReach int    // records
}

// UsageBegins counts a request with usage records; ends is to be told what became
// of it.
func (m *Metrics) UsageBegins() (ends func(Usage)) {
	m.http.inFlight.Inc()
	return func(u Usage) {
		m.http.inFlight.Dec()
		m.http.usage.WithLabelValues(u.Answer).Inc()
		m.http.count(u)
	}
}

func (r *requests) count(u Usage) {
	for result, n := range map[string]int{"accepted": u.Accepted, "unreadable": u.Unreadable, "out_of_reach": u.OutOfReach} {
		r.records.WithLabelValues(result).Add(float64(n))
	}
}
