package main

import (
	"context"
	"net"

	"github.com/chargehand/chargehand/api"
	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/worker"
)

type serveCommand struct{}

// Help is the longer text of --help.
func (serveCommand) Help() string {
	return `Serves the API at http.listen, 127.0.0.1:8080 unless configured. Every request but those to /livez and /readyz needs a token. Any number of servers may run. A signal ends it in order: requests that run are answered.

    chargehand token create --name shop --scope read
    curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/v1/accounts/ACR0000001526`
}

func (serveCommand) Run(ctx context.Context, s *session) error {
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	q, err := s.openQueue(ctx)
	if err != nil {
		return err
	}
	defer q.Close()
	return s.measured(ctx, store, q, s.server(store, q))
}

// gate admits to the API, as configured.
func (s *session) gate(store *postgres.Store) *access.Gate {
	h := s.config.HTTP
	return access.NewGate(store, access.Options{RatePerSecond: h.RatePerSecond, RateBurst: h.RateBurst, FailuresPerMinute: h.FailuresPerMinute, Clock: s.now})
}

// server is the API as configured, as a part that runs until its context ends.
func (s *session) server(store *postgres.Store, q *queue.Client) func(context.Context) error {
	door := s.door(store, q)
	server := api.New(api.Options{
		Store: store, Queue: q, Door: &door, Corrector: worker.NewCorrector(store, workerConfig(s.config).Settings),
		Gate:    s.gate(store),
		Metrics: s.metrics, Clock: s.now, Log: s.log, Version: version(),
		TimeZone: s.config.Billing.TimeZone, LimitsForAll: s.limitsForAll(),
		BodyBytesMax: int64(s.config.HTTP.BodyBytesMax), UsageBytesMax: int64(s.config.HTTP.UsageBytesMax),
		BacklogRecordsMax: s.config.HTTP.BacklogRecordsMax,
	})
	return func(ctx context.Context) error {
		secure, err := api.Secure(s.config.HTTP.TLSCertificate, s.config.HTTP.TLSKey, s.now, s.log)
		if err != nil {
			return wrongUse{err}
		}
		return server.Serve(ctx, s.config.HTTP.Listen, secure, func(at net.Addr) {
			s.log.Info("the API is served", "address", at.String())
		})
	}
}
