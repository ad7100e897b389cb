package bench

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/queue"
	"github.com/jackc/pgx/v5"
)

func (b *bench) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.Connect(ctx, b.stack.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("measure the database: %w", err)
	}
	return conn, nil
}

func (b *bench) wal(ctx context.Context) (bytes int64, err error) {
	conn, err := b.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, `select (pg_current_wal_insert_lsn() - '0/0')::bigint`).Scan(&bytes); err != nil {
		return 0, fmt.Errorf("measure the log: %w", err)
	}
	return bytes, nil
}

func (b *bench) tableBytes(ctx context.Context, records float64) (float64, error) {
	conn, err := b.connect(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	var size int64
	if err := conn.QueryRow(ctx, `select pg_total_relation_size('records')`).Scan(&size); err != nil {
		return 0, fmt.Errorf("measure the records: %w", err)
	}
	return float64(size) / records, nil
}

// copyRows is how many rows one COPY of the reference takes, as many as a group
// of batches.
const copyRows = 8000

// copies writes the rows that the worker wrote once more, as fast as the
// database takes them: into a table without keys, then into one with them.
func (b *bench) copies(ctx context.Context) (raw, keyed float64, err error) {
	b.tell("the same rows by raw COPY")
	conn, err := b.connect(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close(ctx)
	chunks, rows, err := b.chunks(ctx, conn)
	if err != nil {
		return 0, 0, err
	}
	for _, t := range []struct {
		create string
		rate   *float64
	}{
		{`create table copied (like records)`, &raw},
		{`create table copied (like records including indexes including constraints)`, &keyed},
	} {
		if _, err := conn.Exec(ctx, t.create); err != nil {
			return 0, 0, fmt.Errorf("make a table to copy into: %w", err)
		}
		started := time.Now()
		for _, c := range chunks {
			if _, err := conn.PgConn().CopyFrom(ctx, bytes.NewReader(c), `copy copied from stdin (format binary)`); err != nil {
				return 0, 0, fmt.Errorf("copy: %w", err)
			}
		}
		*t.rate = float64(rows) / time.Since(started).Seconds()
		if _, err := conn.Exec(ctx, `drop table copied`); err != nil {
			return 0, 0, fmt.Errorf("drop what was copied: %w", err)
		}
	}
	return raw, keyed, nil
}

// chunks reads the records as COPY wrote them, in the order of arrival.
func (b *bench) chunks(ctx context.Context, conn *pgx.Conn) (chunks [][]byte, rows int, err error) {
	if _, err := conn.Exec(ctx, `create temp table numbered as
		select row_number() over (order by arrival) - 1 as n, account, source, id from records limit 1000000`); err != nil {
		return nil, 0, fmt.Errorf("number the records: %w", err)
	}
	if _, err := conn.Exec(ctx, `create index on numbered (n); analyze numbered`); err != nil {
		return nil, 0, fmt.Errorf("number the records: %w", err)
	}
	for {
		var c bytes.Buffer
		tag, err := conn.PgConn().CopyTo(ctx, &c, fmt.Sprintf(`copy (select r.* from numbered n join records r using (account, source, id)
			where n.n >= %d and n.n < %d order by n.n) to stdout (format binary)`, rows, rows+copyRows))
		if err != nil {
			return nil, 0, fmt.Errorf("read the records: %w", err)
		}
		if tag.RowsAffected() == 0 {
			return chunks, rows, nil
		}
		chunks, rows = append(chunks, c.Bytes()), rows+int(tag.RowsAffected())
	}
}

// noopShard is a queue that no worker consumes.
const noopShard = 90

// noop sends the same payloads through the queue to a handler that does nothing.
func (b *bench) noop(ctx context.Context, parcels []parcel) (float64, error) {
	b.tell("the same tasks through a queue that does nothing")
	for _, p := range parcels {
		if err := b.queue.Enqueue(ctx, noopShard, queue.Encode(p.id, p.records), p.id); err != nil {
			return 0, err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	left := make(chan struct{}, len(parcels))
	ended := make(chan error, 1)
	started := time.Now()
	go func() {
		ended <- b.queue.Consume(ctx, noopShard, 2*b.PerGroup, func(context.Context, queue.Task) error {
			left <- struct{}{}
			return nil
		})
	}()
	for range parcels {
		select {
		case <-left:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	took := time.Since(started)
	stop()
	return float64(b.Records) / took.Seconds(), <-ended
}
