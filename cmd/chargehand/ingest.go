package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

type ingestCommand struct {
	File     []string      `arg:"" name:"file" help:"Files of usage records, plain or packed by gzip or zstd; - is standard input."`
	Format   feed.Format   `placeholder:"F" words:"ndjson,csv,cloudevents,json" help:"ndjson, csv, cloudevents or json (an array). Else told by the file's name and first bytes."`
	Source   string        `placeholder:"S" help:"Source of records that name none."`
	Map      []pair        `sep:"none" placeholder:"FIELD=COLUMN" help:"Take a record's field from a column of a CSV file; columns that are no field are then ignored. May be repeated."`
	Set      []pair        `sep:"none" placeholder:"FIELD=VALUE" help:"Value of a field wherever a record has none. May be repeated."`
	TimeZone *zone         `placeholder:"Z" help:"Time zone of times without an offset in a CSV file; without it they are refused."`
	Batch    *int          `placeholder:"N" help:"Most records of one batch. Default: feed.batch_records of the configuration."`
	Wait     bool          `help:"Wait until the records are judged, and print what became of them."`
	Timeout  time.Duration `default:"10m" placeholder:"D" help:"How long --wait waits at most; then say what is still queued and exit 1. Default: ${default}."`
}

// Help is the longer text of --help.
func (*ingestCommand) Help() string {
	return `A record is a line of JSON, or a row of CSV with these names as header:

    {"source":"pump-7","id":"r1","account":"ACR0000001526","service":"Exxon Unleaded","quantity":"12.5","occurred_at":"2026-03-01T10:00:00+02:00"}

and optionally amount, directive (charge, credit, no_charge), original_id and attributes. When ingest returns, the records are in the database, safe. Sending a file again is harmless: records that are there already are counted as duplicates. Lines that cannot be read are listed and kept as dead letters; the others go on.

    chargehand ingest usage.ndjson.gz --wait
    chargehand ingest bill.csv --source cloud --map id=LineItemId --map account=SubAccountId --set service=storage`
}

// Validate refuses what cannot work before anything is read.
func (c *ingestCommand) Validate() error {
	if c.Batch != nil && (*c.Batch < 1 || *c.Batch > batchRecordsMax) {
		return fmt.Errorf("--batch %d: give 1 to %d records", *c.Batch, batchRecordsMax)
	}
	return nil
}

// batchRecordsMax is what feed.batch_records may be at most.
const batchRecordsMax = 10_000

func (c *ingestCommand) Run(ctx context.Context, s *session) error {
	options, err := c.options()
	if err != nil {
		return err
	}
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
	in := s.newIntake(store, q, c.Batch)
	begun := s.now()
	if err := in.files(ctx, c.File, options); err != nil {
		return err
	}
	if !c.Wait {
		return in.report(s.now().Sub(begun))
	}
	o, err := s.outcomes(ctx, store, in.batches, c.Timeout)
	if err != nil {
		return fmt.Errorf("ingest: %s: %w", count(in.accepted, "record")+" accepted", err)
	}
	o.Unreadable += in.unreadable
	return s.print(o, func(p *page) { tellOutcomes(p, o, s.now().Sub(begun)) })
}

// options are what the flags say of how to read.
func (c *ingestCommand) options() (feed.Options, error) {
	o := feed.Options{Format: c.Format, Set: feed.Fields{}, Map: feed.Fields{}, Zone: c.TimeZone.location()}
	for _, side := range []struct {
		flag  string
		pairs []pair
		to    feed.Fields
	}{{"--map", c.Map, o.Map}, {"--set", c.Set, o.Set}} {
		for _, p := range side.pairs {
			var field billing.RecordField
			if err := field.UnmarshalText([]byte(p.key)); err != nil {
				return o, usage("%s %s: %w", side.flag, p, err)
			}
			if _, doubled := side.to[field]; doubled {
				return o, usage("%s %s: %s is given twice", side.flag, p, field)
			}
			side.to[field] = p.value
		}
	}
	if c.Source != "" {
		if _, doubled := o.Set[billing.SourceField]; doubled {
			return o, usage("--source %s: the source is also given by --set", c.Source)
		}
		o.Set[billing.SourceField] = c.Source
	}
	return o, nil
}

// intake takes files of usage records over, and counts.
type intake struct {
	*session
	door       feed.Door
	stream     *feed.Stream
	batches    []uuid.UUID
	accepted   int
	unreadable int
	refused    []feed.Line // not kept as dead letters yet
	shown      []feed.Line // the first unreadable ones
	quiet      bool        // whether they are only remembered, not listed
	progress   *progress
}

// newIntake is an intake with batches of this many records; nil: as configured.
func (s *session) newIntake(store *postgres.Store, q *queue.Client, batchRecords *int) *intake {
	door := s.door(store, q)
	if batchRecords != nil {
		door.BatchRecords = *batchRecords
	}
	return &intake{session: s, door: door}
}

// door is the way in, as configured.
func (s *session) door(store *postgres.Store, q *queue.Client) feed.Door {
	return feed.Door{Store: store, Queue: q, Shards: s.config.Queue.Shards, BatchRecords: s.config.Feed.BatchRecords, Clock: s.now, Log: s.log}
}

// ingestSource is what batches and dead letters of ingest bear as their origin.
const ingestSource = "ingest"

// files takes files over, one after the other. Where it fails in the middle,
// what was read before stands: it says how much.
func (in *intake) files(ctx context.Context, names []string, options feed.Options) error {
	in.stream = in.door.Stream(ctx, ingestSource)
	var err error
	for _, name := range names {
		options.Name = shownName(name)
		if err = in.file(ctx, name, options); err != nil {
			break
		}
	}
	batches, closing := in.stream.Close()
	in.batches = batches
	if closing != nil {
		err = closing // the cause, where Add told only of a failure
	}
	switch {
	case err == nil:
		return nil
	case len(batches) == 0:
		return fmt.Errorf("ingest: %w", err)
	}
	return fmt.Errorf("ingest: %w; before that %s accepted: send all of it again, they will count as duplicates",
		err, plural(len(batches), "batch was", "batches were"))
}

func (in *intake) file(ctx context.Context, name string, options feed.Options) error {
	from, size, err := in.open(name)
	if err != nil {
		return err
	}
	defer from.Close()
	if size < 0 {
		in.stream.Linger(in.config.Feed.BatchWait) // it may come as it happens
	}
	in.progress = in.session.progress("reading "+options.Name, size, bytesUnit)
	defer in.progress.end()
	return in.read(ctx, from, options)
}

// open opens a file that is named; its size is -1 where nobody knows it.
func (in *intake) open(name string) (io.ReadCloser, int64, error) {
	if name == "-" {
		return io.NopCloser(in.stdin), -1, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, usage("read usage records: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if info.Mode().Type() != 0 && info.Mode().Type() != fs.ModeNamedPipe {
		return nil, 0, errors.Join(usage("read usage records: %s is not a file", name), f.Close())
	}
	if !info.Mode().IsRegular() {
		return f, -1, nil
	}
	return f, info.Size(), nil
}

// read takes the records of one file over.
func (in *intake) read(ctx context.Context, from io.Reader, options feed.Options) error {
	for line, err := range feed.Read(in.progress.reader(from), options) {
		in.progress.step()
		switch {
		case err != nil:
			return errors.Join(in.refuse(ctx, options.Name), err)
		case ctx.Err() != nil:
			return ctx.Err()
		case line.Fault != nil:
			err = in.note(ctx, options.Name, line)
		default:
			err = in.stream.Add(&line.Record)
			in.accepted++
		}
		if err != nil {
			return err
		}
	}
	return in.refuse(ctx, options.Name)
}

const (
	// listedLines is how many unreadable lines are shown; the rest is counted.
	listedLines = 20
	// rememberedLines is how many are remembered where none is shown.
	rememberedLines = 3
	// refusedTogether is how many unreadable lines become dead letters at once.
	refusedTogether = 500
)

// note shows an unreadable line and sees that it is kept.
func (in *intake) note(ctx context.Context, file string, line feed.Line) error {
	in.unreadable++
	switch {
	case in.quiet:
		in.remember(line)
	case in.unreadable <= listedLines:
		in.progress.aside("%s:%d: %v", file, line.Number, line.Fault)
	case in.unreadable == listedLines+1:
		in.progress.aside("… more lines are unreadable: all are kept, see chargehand dead-letters list --kind unreadable")
	}
	in.refused = append(in.refused, line)
	if len(in.refused) < refusedTogether {
		return nil
	}
	return in.refuse(ctx, file)
}

// remember keeps the first unreadable lines, of each fault one.
func (in *intake) remember(line feed.Line) {
	kind := func(l feed.Line) string {
		before, _, _ := strings.Cut(l.Fault.Error(), ":")
		return before
	}
	if len(in.shown) < rememberedLines && !slices.ContainsFunc(in.shown, func(l feed.Line) bool { return kind(l) == kind(line) }) {
		in.shown = append(in.shown, line)
	}
}

func (in *intake) refuse(ctx context.Context, file string) error {
	lines := in.refused
	in.refused = nil
	if len(lines) == 0 {
		return nil
	}
	return in.door.Refuse(ctx, ingestSource, file, lines)
}

// taken is what ingest without --wait prints.
type taken struct {
	Accepted   int `json:"accepted"`
	Unreadable int `json:"unreadable"`
	Batches    int `json:"batches"`
}

func (in *intake) report(took time.Duration) error {
	t := taken{Accepted: in.accepted, Unreadable: in.unreadable, Batches: len(in.batches)}
	return in.print(t, func(p *page) {
		p.line("%s accepted in %s (%s); %s unreadable.", count(t.Accepted, "record"),
			plural(t.Batches, "batch", "batches"), brief(took), plural(t.Unreadable, "line was", "lines were"))
	})
}
