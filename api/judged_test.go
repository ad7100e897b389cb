package api

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/worker"
)

// feed takes NDJSON in as a feed does, and says how many batches it made.
func (s *site) feed(text string) (batches int) {
	s.t.Helper()
	var records []billing.UsageRecord
	var unreadable []feed.Line
	for line, err := range feed.Read(strings.NewReader(text), feed.Options{}) {
		if err != nil {
			s.t.Fatal(err)
		}
		if line.Fault != nil {
			unreadable = append(unreadable, line)
			continue
		}
		records = append(records, line.Record)
	}
	if err := s.server.Door.Refuse(s.t.Context(), "test", "march.ndjson", unreadable); err != nil {
		s.t.Fatal(err)
	}
	ids, err := s.server.Door.Accept(s.t.Context(), "test", records)
	if err != nil {
		s.t.Fatal(err)
	}
	return len(ids)
}

// judge has a worker judge some batches that wait.
func (s *site) judge(batches int) {
	s.t.Helper()
	done := make(chan worker.Group)
	w, err := worker.New(s.store, s.server.Queue, worker.Config{Settings: worker.Settings{FutureTolerance: time.Minute}, Shards: s.server.Door.Shards,
		BatchesPerCommit: 8, CacheAccounts: 1000, Lease: 10 * time.Second, Observe: func(g worker.Group) { done <- g }},
		s.server.Clock, slog.New(slog.DiscardHandler))
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, end := context.WithCancel(s.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	for batches > 0 {
		select {
		case g := <-done:
			batches -= len(g.Batches)
		case err := <-ended:
			s.t.Fatalf("the worker ended: %v", err)
		case <-s.t.Context().Done():
			s.t.Fatal("the batches are not judged")
		}
	}
	end()
	if err := <-ended; err != nil {
		s.t.Error(err)
	}
}

// month is some usage of the village in March: rated, rejected, unreadable, sent
// twice, and sent again with other content.
const month = `{"source":"pump-7","id":"r1","account":"ACR0000001526","service":"Exxon Unleaded","quantity":"12.5","occurred_at":"2026-03-01T10:00:00+02:00"}
{"source":"pump-7","id":"r2","account":"ACR0000001526","service":"Exxon Unleaded","quantity":"4","occurred_at":"2026-03-02T10:00:00Z"}
{"source":"pump-7","id":"r1","account":"ACR0000009999","service":"Exxon Unleaded","quantity":"1","occurred_at":"2026-03-02T11:00:00Z"}
{"source":"pump-7","id":"r3","account":"ACR0000001526","service":"Diesel","quantity":"9","occurred_at":"2026-03-03T10:00:00Z"}
{"source":"pump-7","id":"r1","account":"ACR0000001526","service":"Exxon Unleaded","quantity":"12.5","occurred_at":"2026-03-01T10:00:00+02:00"}
{"source":"pump-7","id":"r2","account":"ACR0000001526","service":"Exxon Unleaded","quantity":"5","occurred_at":"2026-03-02T10:00:00Z"}
{"source":"pumps/east/7","id":"a/b","account":"ACR0000001526","service":"Exxon Unleaded","quantity":"2","occurred_at":"2026-03-04T10:00:00Z"}
{"source":"pump-7","id":"r9","account":"ACR0000001526","service":"Exxon Unleaded","quantity":"12,5","occurred_at":"2026-03-04T10:00:00Z"}
`

// openMarch is the village after its month.
func openMarch(t *testing.T) *site {
	t.Helper()
	s := openSite(t, village, nil)
	s.judge(s.feed(month))
	return s
}
