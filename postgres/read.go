package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Question is what a worker must know before it judges (DESIGN §3, step 1).
type Question struct {
	Batches    []uuid.UUID        // which of these are done already?
	Identities []billing.Identity // which of these exist already?
	Originals  []billing.Identity // of these: what was given back of them so far?
	Accounts   []string           // state of these accounts,
	Versions   []int64            // where it is not of this version; nil: at all events
}

// Answer is what the database says to a Question, as of one moment.
type Answer struct {
	Version  int64 // of the settings
	Done     map[uuid.UUID]bool
	Known    map[billing.Identity]*Known
	Accounts map[string]*Account // those that exist and are not of the version asked with
}

// Known is a record that exists, with its judgement in force.
type Known struct {
	Record    billing.UsageRecord
	Outcome   billing.Outcome
	Charge    billing.Money
	Price     int32
	Band      int
	Placement int32
	// What rated credits gave back of it so far.
	CreditedQuantity billing.Fixed
	CreditedAmount   billing.Money
}

// probes makes the planner look identities up one by one in the index, also
// where statistics still say that a table is empty.
const probes = `set local enable_seqscan = off`

const settingsVersion = `select version from settings`

const batchesDone = `
	select id
	from   batches
	where  id = any(@ids::uuid[])
	and    done_at is not null`

const recordsKnown = `
	select i.n, r.service, r.quantity::text, r.occurred_at, r.directive, (r.amount * 1000000)::bigint,
	       coalesce(r.original_id, ''), r.attributes::text, r.outcome,
	       coalesce((r.charge * 1000000)::bigint, 0), r.price, r.band, r.placement
	from   unnest(@accounts::text[], @sources::text[], @ids::text[]) with ordinality as i (account, source, id, n)
	cross join lateral (
	       select *
	       from   records r
	       where  r.account = i.account
	       and    r.source  = i.source
	       and    r.id      = i.id
	       limit  1) r`

const creditsOf = `
	select i.n, sum(r.quantity)::text, (sum(-r.charge) * 1000000)::bigint
	from   unnest(@accounts::text[], @sources::text[], @ids::text[]) with ordinality as i (account, source, id, n)
	join   records r
	on     r.account     = i.account
	and    r.source      = i.source
	and    r.original_id = i.id
	where  r.outcome   = 1
	and    r.directive = 1
	group  by i.n`

// Read answers a worker's question in one round trip, as of one moment: if the
// version of an account were newer than what is known of its records, a credit
// that another worker commits in between would be given twice under a version
// that holds.
func (s *Store) Read(ctx context.Context, q Question) (*Answer, error) {
	a := &Answer{Done: map[uuid.UUID]bool{}, Known: map[billing.Identity]*Known{}, Accounts: map[string]*Account{}}
	var b pgx.Batch
	b.Queue(`begin isolation level repeatable read read only`)
	b.Queue(probes)
	b.Queue(settingsVersion).QueryRow(func(row pgx.Row) error { return row.Scan(&a.Version) })
	b.Queue(batchesDone, pgx.NamedArgs{"ids": q.Batches}).Query(a.readDone)
	if len(q.Identities) > 0 {
		b.Queue(recordsKnown, identityArgs(q.Identities)).Query(func(rows pgx.Rows) error {
			return a.readKnown(rows, q.Identities)
		})
	}
	if len(q.Originals) > 0 {
		b.Queue(creditsOf, identityArgs(q.Originals)).Query(func(rows pgx.Rows) error {
			return a.readCredits(rows, q.Originals)
		})
	}
	if len(q.Accounts) > 0 {
		b.Queue(accountsFor, pgx.NamedArgs{"numbers": q.Accounts, "versions": q.Versions}).Query(a.readAccounts)
	}
	b.Queue(`commit`)
	all, err := s.pool.alone(ctx)
	if err != nil {
		return nil, fmt.Errorf("read what a batch needs: %w", err)
	}
	if err := all.SendBatch(ctx, &b).Close(); err != nil {
		return nil, fmt.Errorf("read what a batch needs: %w", err)
	}
	return a, nil
}

func identityArgs(ids []billing.Identity) pgx.NamedArgs {
	accounts, sources, names := make([]string, len(ids)), make([]string, len(ids)), make([]string, len(ids))
	for i, id := range ids {
		accounts[i], sources[i], names[i] = id.Account, id.Source, id.ID
	}
	return pgx.NamedArgs{"accounts": accounts, "sources": sources, "ids": names}
}

func (a *Answer) readDone(rows pgx.Rows) error {
	var id uuid.UUID
	_, err := pgx.ForEachRow(rows, []any{&id}, func() error {
		a.Done[id] = true
		return nil
	})
	return err
}

func (a *Answer) readKnown(rows pgx.Rows, ids []billing.Identity) error {
	for rows.Next() {
		var (
			n          int
			k          Known
			quantity   string
			amount     *int64
			charge     int64
			attributes *string
		)
		r := &k.Record
		if err := rows.Scan(&n, &r.Service, &quantity, &r.OccurredAt, &r.Directive, &amount, &r.OriginalID,
			&attributes, &k.Outcome, &charge, &k.Price, &k.Band, &k.Placement); err != nil {
			return err
		}
		id := ids[n-1]
		r.Account, r.Source, r.ID = id.Account, id.Source, id.ID
		if err := r.Quantity.UnmarshalText([]byte(quantity)); err != nil {
			return err
		}
		r.OccurredAt = r.OccurredAt.UTC()
		if amount != nil {
			m := billing.Money(*amount)
			r.Amount = &m
		}
		if attributes != nil {
			r.Attributes = json.RawMessage(*attributes)
		}
		k.Charge = billing.Money(charge)
		a.Known[id] = &k
	}
	return rows.Err()
}

func (a *Answer) readCredits(rows pgx.Rows, ids []billing.Identity) error {
	for rows.Next() {
		var (
			n        int
			quantity string
			amount   int64
		)
		if err := rows.Scan(&n, &quantity, &amount); err != nil {
			return err
		}
		k := a.Known[ids[n-1]]
		if k == nil {
			return fmt.Errorf("credits of %v stand without their original", ids[n-1])
		}
		if err := k.CreditedQuantity.UnmarshalText([]byte(quantity)); err != nil {
			return err
		}
		k.CreditedAmount = billing.Money(amount)
	}
	return rows.Err()
}

// ClosedKey names a counter of a window that is over.
type ClosedKey struct {
	Account string
	billing.CounterKey
}

const closedCounters = `
	select c.account, c.scope, c."window", c.target, c.starts - date '1970-01-01', c.quantity::text, c.amount::text
	from   closed_counters c
	join   unnest(@accounts::text[], @windows::smallint[], @starts::date[]) as w (account, "window", starts)
	on     c.account  = w.account
	and    c."window" = w."window"
	and    c.starts   = w.starts`

// ReadClosed answers the counters of windows that are over: all scopes of each
// account and window asked for. What is absent is zero.
func (s *Store) ReadClosed(ctx context.Context, windows []ClosedWindow) (map[ClosedKey]billing.Counter, error) {
	return readClosed(ctx, s.pool, windows)
}

func readClosed(ctx context.Context, q querier, windows []ClosedWindow) (map[ClosedKey]billing.Counter, error) {
	accounts, kinds, starts := make([]string, len(windows)), make([]int16, len(windows)), make([]time.Time, len(windows))
	for i, w := range windows {
		accounts[i], kinds[i], starts[i] = w.Account, int16(w.Kind), dateTime(w.Start)
	}
	rows, err := q.Query(ctx, closedCounters,
		pgx.NamedArgs{"accounts": accounts, "windows": kinds, "starts": starts})
	if err != nil {
		return nil, fmt.Errorf("read closed counters: %w", err)
	}
	found := map[ClosedKey]billing.Counter{}
	var (
		k                ClosedKey
		quantity, amount string
	)
	_, err = pgx.ForEachRow(rows, []any{&k.Account, &k.Kind, &k.Window, &k.Target, &k.Start, &quantity, &amount}, func() error {
		var c billing.Counter
		err := errors.Join(c.Quantity.UnmarshalText([]byte(quantity)), c.Amount.UnmarshalText([]byte(amount)))
		found[k] = c
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read closed counters: %w", err)
	}
	return found, nil
}

// ClosedWindow names a window that is over of one account.
type ClosedWindow struct {
	Account string
	Kind    billing.WindowKind
	Start   billing.Date
}

// dateTime is a date as pgx wants it.
func dateTime(d billing.Date) time.Time { return time.Unix(int64(d)*86400, 0).UTC() }
