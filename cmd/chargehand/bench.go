package main

import (
	"context"
	"fmt"

	"github.com/chargehand/chargehand/bench"
)

type benchCommand struct {
	Records  int   `default:"1000000" placeholder:"N" help:"Usage records to work off (default ${default})."`
	Accounts int   `default:"10000" placeholder:"N" help:"Accounts, with ten services each (default ${default})."`
	Batch    int   `default:"1000" placeholder:"N" help:"Records of one batch (default ${default})."`
	Hot      bool  `help:"Nine tenths of the records fall on one account in a hundred."`
	HTTP     int   `name:"http" placeholder:"N" help:"Measure the doors instead: records over HTTP in bodies of --batch, on so many connections, beside the same records from a file."`
	Offered  []int `default:"25000,50000" placeholder:"N" help:"Records a second at which latency is measured (default ${default})."`
}

// Help is the longer text of --help.
func (*benchCommand) Help() string {
	return `Starts private servers with all durability on, fills the queue, and measures how fast a worker commits what is in it; then how long a batch takes from being accepted to its commit at steady rates; then, in the same run, a raw COPY of the same rows and a queue whose tasks do nothing. Compare ratios: machines differ and are shared.`
}

func (c *benchCommand) Run(ctx context.Context, s *session) error {
	switch {
	case c.Records < 1, c.Accounts < 1, c.Batch < 1, c.HTTP < 0:
		return usage("--records, --accounts, --batch and --http must be above zero")
	}
	o := bench.Options{Records: c.Records, Accounts: c.Accounts, Batch: c.Batch, Hot: c.Hot,
		Shards: s.config.Queue.Shards, PerGroup: s.config.Worker.BatchesPerCommit, Offered: c.Offered, Env: s.variable}
	if c.HTTP > 0 {
		d, err := bench.RunDoors(ctx, o, c.HTTP, s.stderr)
		if err != nil {
			return err
		}
		return s.print(d, func(p *page) { tellDoors(p, d) })
	}
	r, err := bench.Run(ctx, o, s.stderr)
	if err != nil {
		return err
	}
	return s.print(r, func(p *page) { tellBench(p, r) })
}

func tellBench(p *page, r bench.Report) {
	w := r.Worked
	perSecond := func(v float64) string { return grouped(int64(v)) + "/s" }
	t := p.table("measured", "figure", "")
	t.row("committed", perSecond(w.PerSecond), fmt.Sprintf("%s records in %.1f s", grouped(int64(w.Records)), w.Seconds))
	t.row("raw COPY, no keys", perSecond(r.RawCopy), fmt.Sprintf("committed is %.2f of it", r.OfRawCopy))
	t.row("raw COPY, same keys", perSecond(r.KeyedCopy), fmt.Sprintf("committed is %.2f of it", w.PerSecond/r.KeyedCopy))
	t.row("no-op queue", perSecond(r.NoopQueue), "tasks of the same payload that do nothing")
	t.row("accepted", perSecond(r.Accepting), "into PostgreSQL and the queue, by one feed")
	t.row("CPU of Go", fmt.Sprintf("%.2f µs", w.GoMicros), "per record")
	t.row("CPU of PostgreSQL", fmt.Sprintf("%.2f µs", w.PostgresMicro), "per record")
	t.row("CPU of Redis", fmt.Sprintf("%.2f µs", w.RedisMicros), "per record")
	t.row("log written", fmt.Sprintf("%.0f bytes", w.WALBytes), "per record")
	t.row("records and keys", fmt.Sprintf("%.0f bytes", w.TableBytes), "per record")
	for _, l := range r.Latencies {
		t.row("latency at "+perSecond(float64(l.Offered)), l.P50, fmt.Sprintf("p99 %s; achieved %s", l.P99, perSecond(l.Achieved)))
	}
	t.end()
}

// tellDoors shows what each door took, round by round.
func tellDoors(p *page, d bench.Doors) {
	t := p.table("door", "records", "CPU of Go", "PostgreSQL", "Redis", "a request")
	row := func(name string, a bench.Accepting, request string) {
		micros := func(v float64) string { return fmt.Sprintf("%.2f µs", v) }
		t.row(name, grouped(int64(a.PerSecond))+"/s", micros(a.GoMicros), micros(a.PostgresMicros), micros(a.RedisMicros), request)
	}
	for i := range d.Ingest {
		row("a file", d.Ingest[i], "")
		row("HTTP", d.HTTP[i], fmt.Sprintf("p50 %s, p99 %s", d.HTTP[i].P50, d.HTTP[i].P99))
	}
	t.end()
	p.line("HTTP is %.2f of a file.", d.Ratio)
}
