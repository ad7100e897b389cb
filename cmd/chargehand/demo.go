package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/chargehand/chargehand/configs"
	"github.com/chargehand/chargehand/examples"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/internal/devstack"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/scheduler"
	"github.com/chargehand/chargehand/setup"
	"github.com/chargehand/chargehand/verify"
	"golang.org/x/sync/errgroup"
)

type demoCommand struct {
	Records  int  `default:"250000" placeholder:"N" help:"Lines of the generated feed. Default: ${default}."`
	Accounts int  `default:"2500" placeholder:"N" help:"Accounts that they are of. Default: ${default}."`
	Serve    bool `help:"Stay when it is over, and say how other commands get at what is there."`
}

// Help is the longer text of --help.
func (*demoCommand) Help() string {
	return `Needs no server and touches none: it starts a PostgreSQL and a Redis of its own from the programs on this machine, durable as in production, and removes them when it is over. First a real feed is rated and its total held against the right one; then a generated feed, with duplicates, late and broken records, over accounts with every kind of price and limit; then everything is proved.

    chargehand demo --records 1000000 --accounts 20000`
}

// Validate refuses what is no demo.
func (c *demoCommand) Validate() error {
	if c.Records < 1 || c.Accounts < 1 {
		return errors.New("--records and --accounts: give at least 1")
	}
	return nil
}

func (c *demoCommand) Run(ctx context.Context, s *session) error {
	var err error
	if s.config, err = configs.Load("", nil); err != nil { // what is set here is not the demo's
		return err
	}
	s.logAt(slog.LevelWarn)
	d := &demo{session: s, demoCommand: c, page: &page{to: s.stdout}, begun: s.now()}
	if s.json {
		d.page.to = io.Discard
	}
	defer d.close()
	if err := d.run(ctx); err != nil {
		return err
	}
	if s.json {
		return s.printJSON(d.answer)
	}
	return d.page.err
}

// demo is one demo at work.
type demo struct {
	*session
	*demoCommand
	page   *page
	begun  time.Time
	stack  *devstack.Stack
	store  *postgres.Store
	queue  *queue.Client
	answer demoAnswer
}

// demoAnswer is what the demo prints as JSON.
type demoAnswer struct {
	Trace struct {
		postgres.Outcomes
		Total   string  `json:"total"`
		Seconds float64 `json:"seconds"`
	} `json:"trace"`
	Generated struct {
		postgres.Outcomes
		Lines         int     `json:"lines"`
		Accounts      int     `json:"accounts"`
		Seconds       float64 `json:"seconds"`
		RecordsPerSec float64 `json:"records_per_second"`
		OnHold        int     `json:"on_hold"`

		Charged scheduler.Charged `json:"charge"`
		Swept   postgres.Swept    `json:"sweep"`
	} `json:"generated"`
	Verify  *verify.Report `json:"verify"`
	Seconds float64        `json:"seconds"`
}

func (d *demo) run(ctx context.Context) error {
	for _, part := range []func(context.Context) error{d.start, d.trace, d.generated, d.prove} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	took := d.now().Sub(d.begun)
	d.answer.Seconds = took.Seconds()
	if !d.Serve {
		d.page.line("")
		d.page.line("All of it took %s; the servers go now, and their data with them.", brief(took))
		d.page.line("Next: chargehand dev keeps servers for you to work with. Or look around in these: chargehand demo --serve")
		return nil
	}
	d.page.line("")
	d.page.line("All of it took %s. The servers stay until you stop this (Ctrl-C). From another terminal:", brief(took))
	d.page.line("")
	d.page.line("  export DATABASE_URL='%s'", d.stack.DatabaseURL)
	d.page.line("  export REDIS_URL='%s'", d.stack.RedisURL)
	d.page.line("  chargehand account list --status credit_hold")
	d.page.line("  chargehand record list --reason limit_day_amount --limit 20")
	d.page.line("  chargehand stats --watch")
	return d.runAll(ctx, d.store, d.queue)
}

// start brings the servers up.
func (d *demo) start(ctx context.Context) (err error) {
	begun := d.now()
	if d.stack, err = devstack.Start(ctx, devstack.Options{Durable: true, Env: d.variable, Log: d.log}); err != nil {
		if errors.Is(err, devstack.ErrNoPostgres) {
			return errors.New("no PostgreSQL 15 or newer found to run privately: install it (Debian: apt-get install postgresql; " +
				"macOS: brew install postgresql@17), or set PG_BIN to the folder that holds its initdb and postgres")
		}
		return err
	}
	d.config.DatabaseURL, d.config.RedisURL = d.stack.DatabaseURL, d.stack.RedisURL
	if _, err := postgres.Migrate(ctx, d.config.DatabaseURL); err != nil {
		return err
	}
	if d.store, err = d.openStore(ctx); err != nil {
		return err
	}
	if d.queue, err = d.openQueue(ctx); err != nil {
		return err
	}
	d.page.line("Private PostgreSQL and Redis are up in %s, durable as in production.", brief(d.now().Sub(begun)))
	return nil
}

// close takes everything down.
func (d *demo) close() {
	if d.queue != nil {
		_ = d.queue.Close() // nothing is on its way any more
	}
	if d.store != nil {
		d.store.Close()
	}
	if d.stack != nil {
		if err := d.stack.Close(); err != nil {
			d.log.Warn("private servers did not stop as they should", "error", err)
		}
	}
}

// apply loads a set-up.
func (d *demo) apply(ctx context.Context, f *setup.File) error {
	_, err := d.store.Apply(ctx, f, postgres.ApplyOptions{At: d.now(), Actor: d.actor(), TimeZone: d.config.Billing.TimeZone})
	return err
}

// rate takes a feed over while a worker runs, and answers what became of it and
// how long it took from the first byte to the last commit.
func (d *demo) rate(ctx context.Context, name string, lines int, from io.Reader) (o postgres.Outcomes, in *intake, took time.Duration, err error) {
	w, err := d.newWorker(ctx, d.store, d.queue)
	if err != nil {
		return o, nil, 0, err
	}
	working, stop := context.WithCancel(ctx)
	parts, working := errgroup.WithContext(working)
	parts.Go(func() error { return w.Run(working) })
	begun := d.now()
	in = d.newIntake(d.store, d.queue, nil)
	err = in.stored(working, name, lines, from)
	if err == nil {
		o, err = d.outcomes(working, d.store, in.batches, demoPatience)
		o.Unreadable += in.unreadable
	}
	took = d.now().Sub(begun)
	stop()
	if ended := parts.Wait(); ended != nil {
		err = ended
	}
	return o, in, took, err
}

// demoPatience is how long the demo waits for a feed to be judged.
const demoPatience = 10 * time.Minute

// trace rates the real feed and holds its total against the right one.
func (d *demo) trace(ctx context.Context) error {
	d.page.line("")
	d.page.line("1. A real feed: tokens of 8,819 requests to a language model (Azure, CC BY 4.0)")
	d.page.line("")
	f, err := setup.Parse("examples/llm-trace.setup.json", examples.TraceSetup)
	if err != nil {
		return err
	}
	for i := range f.Classes {
		f.Classes[i].Default = false // the second part has its own
	}
	if err := d.apply(ctx, f); err != nil {
		return err
	}
	o, _, took, err := d.rate(ctx, "rating the real feed", examples.TraceRecords, bytes.NewReader(examples.Trace))
	if err != nil {
		return err
	}
	total, err := d.charged(ctx, f)
	if err != nil {
		return err
	}
	d.answer.Trace.Outcomes, d.answer.Trace.Total, d.answer.Trace.Seconds = o, total.String(), took.Seconds()
	d.page.line("   %s records of %s rated in %s, to the last commit.", grouped(int64(o.Rated)), count(100, "account"), brief(took))
	if o.Rated != examples.TraceRecords || total.String() != examples.TraceTotal {
		return fmt.Errorf("demo: the real feed came to %s USD over %d records: it must be %s over %d",
			total, o.Rated, examples.TraceTotal, examples.TraceRecords)
	}
	d.page.line("   Together they cost %s USD: right, to the millionth.", total)
	return nil
}

// prove verifies everything that is in the database.
func (d *demo) prove(ctx context.Context) error {
	d.page.line("")
	d.page.line("3. The proof: everything is added up again, by other code than that which rated it")
	d.page.line("")
	begun := d.now()
	r, err := d.verify(ctx, d.store, "")
	if err != nil {
		return err
	}
	d.answer.Verify = r
	if !r.Sound() {
		tellReport(d.page, r)
		return exit(exitBroken)
	}
	c := r.Checked
	d.page.line("   %s balances, %s charges with their explanations, %s counters, %s ceilings and %s batches", grouped(c.Accounts),
		grouped(c.Postings), grouped(c.Counters), grouped(c.Ceilings), grouped(c.Batches))
	d.page.line("   were checked in %s: everything holds.", brief(d.now().Sub(begun)))
	return nil
}

// stored takes one feed over from a reader, for which there is no file.
func (in *intake) stored(ctx context.Context, name string, lines int, from io.Reader) error {
	in.quiet = true
	in.stream = in.door.Stream(ctx, "demo")
	in.progress = in.session.progress(name, int64(lines), recordsUnit)
	err := in.read(ctx, from, feed.Options{Name: "demo"})
	in.progress.end()
	batches, closing := in.stream.Close()
	in.batches = batches
	return errors.Join(closing, err)
}
