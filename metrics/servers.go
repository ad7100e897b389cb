package metrics

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Server is one that a process stands on.
type Server string

// The servers.
const (
	Database Server = "database" // PostgreSQL
	Queue    Server = "queue"    // Redis
)

// servers are those that are asked whether they are there, each time somebody
// reads.
type servers struct {
	mu   sync.Mutex
	ping map[Server]func(context.Context) error
}

// pingPatience is how long a server may take to say that it is there. It is much
// less than a reader of metrics waits, ten seconds.
const pingPatience = 2 * time.Second

// Watch serves from now on whether a server answers: chargehand_database_up and
// chargehand_queue_up. A second Watch takes the place of the first.
func (m *Metrics) Watch(s Server, ping func(context.Context) error) {
	m.servers.mu.Lock()
	defer m.servers.mu.Unlock()
	if m.servers.ping == nil {
		m.servers.ping = map[Server]func(context.Context) error{}
	}
	if m.servers.ping[s] == nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "chargehand_" + string(s) + "_up",
			Help: "Whether this process reaches the " + string(s) + ": 1, or 0."}, func() float64 { return m.servers.up(s) }))
	}
	m.servers.ping[s] = ping
}

func (v *servers) up(s Server) float64 {
	v.mu.Lock()
	ping := v.ping[s]
	v.mu.Unlock()
	// Whoever reads is not known here; the bound is what matters.
	ctx, cancel := context.WithTimeout(context.Background(), pingPatience)
	defer cancel()
	if ping(ctx) != nil {
		return 0
	}
	return 1
}
