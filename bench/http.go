package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/chargehand/chargehand/api"
	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/metrics"
	"github.com/chargehand/chargehand/postgres"
)

// Accepting is how fast a door took records over, and what it took. The CPU of Go
// has the sender's in it where that is in the same process.
type Accepting struct {
	PerSecond      float64 `json:"records_per_second"`
	GoMicros       float64 `json:"go_cpu_us_per_record"`
	PostgresMicros float64 `json:"postgres_cpu_us_per_record"`
	RedisMicros    float64 `json:"redis_cpu_us_per_record"`
	Batches        int     `json:"batches"`
	P50            string  `json:"p50,omitempty"` // of a request
	P99            string  `json:"p99,omitempty"`
}

// Doors is what the two doors took over in one run, round by round.
type Doors struct {
	Records     int         `json:"records"` // of each round
	Body        int         `json:"records_of_a_body"`
	Connections int         `json:"connections"`
	Ingest      []Accepting `json:"ingest"`
	HTTP        []Accepting `json:"http"`
	Ratio       float64     `json:"ratio"` // of the records a second, all rounds together
}

// doorRounds is how often each door is measured, in turn: a shared machine is not
// equally fast for long.
const doorRounds = 3

// RunDoors takes the same records over through a file, as ingest does, and over
// HTTP by requests of Batch records on several connections. Both are durable when
// they say so, by the same servers and the same settings.
func RunDoors(ctx context.Context, o Options, connections int, progress io.Writer) (d Doors, err error) {
	b := &bench{Options: o, tell: func(format string, args ...any) { fmt.Fprintf(progress, format+"\n", args...) }}
	if b.Log == nil {
		b.Log = slog.New(slog.DiscardHandler)
	}
	if err := b.open(ctx); err != nil {
		return d, errors.Join(err, b.close())
	}
	defer func() { err = errors.Join(err, b.close()) }()
	bodies, err := b.bodies()
	if err != nil {
		return d, err
	}
	d = Doors{Records: o.Records, Body: o.Batch, Connections: connections}
	var file, web float64 // seconds, by way of their rates
	for range doorRounds {
		in, err := b.measure(ctx, func() (int, []time.Duration, error) { return b.ingest(ctx, bodies) })
		if err != nil {
			return d, err
		}
		out, err := b.measure(ctx, func() (int, []time.Duration, error) { return b.post(ctx, bodies, connections) })
		if err != nil {
			return d, err
		}
		d.Ingest, d.HTTP = append(d.Ingest, in), append(d.HTTP, out)
		file, web = file+1/in.PerSecond, web+1/out.PerSecond
	}
	d.Ratio = file / web
	return d, nil
}

// bodies are the records as NDJSON, so many a body. Each body has records of all
// shards, as a feed sends them.
func (b *bench) bodies() ([][]byte, error) {
	o := b.Options
	o.run, o.Shards = "d", 1 // so that a batch is one piece of the feed
	parcels, err := workload(o, time.Now().Add(-2*time.Hour))
	if err != nil {
		return nil, err
	}
	bodies := make([][]byte, len(parcels))
	for i, p := range parcels {
		array := p.records[1 : len(p.records)-1]
		bodies[i] = append(bytes.ReplaceAll(array, []byte("},{"), []byte("}\n{")), '\n')
	}
	return bodies, nil
}

// measure tells what a door took.
func (b *bench) measure(ctx context.Context, door func() (int, []time.Duration, error)) (a Accepting, err error) {
	before, err := b.meter(ctx)
	if err != nil {
		return a, err
	}
	begun := time.Now()
	batches, took, err := door()
	if err != nil {
		return a, err
	}
	seconds := time.Since(begun).Seconds()
	after, err := b.meter(ctx)
	if err != nil {
		return a, err
	}
	n := float64(b.Records)
	micros := func(a, b time.Duration) float64 { return float64((b - a).Microseconds()) / n }
	a = Accepting{PerSecond: n / seconds, Batches: batches, GoMicros: micros(before.goCPU, after.goCPU),
		PostgresMicros: micros(before.postgres, after.postgres), RedisMicros: micros(before.redis, after.redis)}
	if slices.Sort(took); len(took) > 0 {
		a.P50 = took[len(took)/2].Round(100 * time.Microsecond).String()
		a.P99 = took[len(took)*99/100].Round(100 * time.Microsecond).String()
	}
	return a, nil
}

func (b *bench) door() *feed.Door {
	return &feed.Door{Store: b.store, Queue: b.queue, Shards: b.Shards, BatchRecords: 1000, Clock: time.Now, Log: b.Log}
}

// ingest takes a file over as the command of this name does.
func (b *bench) ingest(ctx context.Context, bodies [][]byte) (int, []time.Duration, error) {
	b.tell("%d records from a file", b.Records)
	dir, err := os.MkdirTemp("", "chargehand-bench")
	if err != nil {
		return 0, nil, fmt.Errorf("measure ingest: %w", err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "usage.ndjson")
	if err := os.WriteFile(name, bytes.Join(bodies, nil), 0o600); err != nil {
		return 0, nil, fmt.Errorf("measure ingest: %w", err)
	}
	f, err := os.Open(name)
	if err != nil {
		return 0, nil, fmt.Errorf("measure ingest: %w", err)
	}
	defer f.Close()
	s := b.door().Stream(ctx, "bench")
	for line, err := range feed.Read(f, feed.Options{Name: name}) {
		if err == nil {
			err = line.Fault
		}
		if err == nil {
			err = s.Add(&line.Record)
		}
		if err != nil {
			_, closing := s.Close()
			return 0, nil, errors.Join(err, closing)
		}
	}
	ids, err := s.Close()
	return len(ids), nil, err
}

// post sends the bodies over HTTP, each connection one after the other.
func (b *bench) post(ctx context.Context, bodies [][]byte, connections int) (int, []time.Duration, error) {
	b.tell("%d records over HTTP, %d a body, %d connections", b.Records, b.Batch, connections)
	made, err := access.Make()
	if err != nil {
		return 0, nil, err
	}
	if err := b.store.CreateToken(ctx, &postgres.Token{ID: made.ID, Name: made.ID, Hash: made.Hash, Scopes: int16(access.Feed),
		CreatedAt: time.Now(), CreatedBy: "bench"}); err != nil {
		return 0, nil, err
	}
	server := api.New(api.Options{Store: b.store, Queue: b.queue, Door: b.door(), Clock: time.Now, Log: b.Log, Metrics: metrics.New(),
		Gate: access.NewGate(b.store, access.Options{Clock: time.Now}), TimeZone: time.UTC, BodyBytesMax: 1 << 20,
		UsageBytesMax: 1 << 30, BacklogRecordsMax: 1_000_000_000})
	serving, stop := context.WithCancel(ctx)
	address, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() { ended <- server.Serve(serving, "127.0.0.1:0", nil, func(at net.Addr) { address <- at }) }()
	select {
	case err := <-ended:
		stop()
		return 0, nil, err
	case at := <-address:
		took, err := b.senders(ctx, "http://"+at.String()+"/v1/usage", made.Text, bodies, connections)
		stop()
		batches, counting := b.batches(ctx)
		return batches, took, errors.Join(err, counting, <-ended)
	}
}

// batches counts what this door has made so far.
func (b *bench) batches(ctx context.Context) (n int, err error) {
	conn, err := b.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	err = conn.QueryRow(ctx, `select count(*) from batches where source = 'api'`).Scan(&n)
	return n, err
}

// senders are the connections at work; it answers how long each request took.
func (b *bench) senders(ctx context.Context, url, token string, bodies [][]byte, connections int) (took []time.Duration, err error) {
	next := make(chan []byte, len(bodies))
	for _, body := range bodies {
		next <- body
	}
	close(next)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
	)
	for range connections {
		wait.Go(func() {
			for body := range next {
				begun := time.Now()
				fault := send(ctx, client, url, token, body)
				mu.Lock()
				took, err = append(took, time.Since(begun)), errors.Join(err, fault)
				mu.Unlock()
				if fault != nil {
					return
				}
			}
		})
	}
	wait.Wait()
	return took, err
}

func send(ctx context.Context, client *http.Client, url, token string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send usage: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/x-ndjson")
	w, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("send usage: %w", err)
	}
	defer w.Body.Close()
	answer, err := io.ReadAll(w.Body)
	if err == nil && w.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("send usage: got %s: %.200s", w.Status, answer)
	}
	return err
}
