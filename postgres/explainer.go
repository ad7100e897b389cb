package postgres

import (
	"context"
	"fmt"

	"github.com/chargehand/chargehand/limits"
	"github.com/jackc/pgx/v5"
)

// explainer finds what stored records were judged by. Versions of limits are
// read when a page of records needs them, all of the page at once.
type explainer struct {
	snapshot *Snapshot
	limits   map[limitsKey]*boundLimits
	missing  []limitsKey
}

// limitsKey names a version of the limits of an account, or of all ("").
type limitsKey struct {
	account string
	version int32
}

// boundLimits are limits with how they bind each placement that was asked for.
type boundLimits struct {
	limits *limits.Limits
	rules  map[int32]*limits.Rules
}

// limitsKept bounds how many versions of limits an explainer keeps from page to
// page: some ten kilobytes each.
const limitsKept = 1024

func newExplainer(ctx context.Context, q querier) (*explainer, error) {
	s, err := readSnapshot(ctx, q)
	if err != nil {
		return nil, err
	}
	return &explainer{snapshot: s, limits: map[limitsKey]*boundLimits{}}, nil
}

func (r *StoredRecord) limitsKey() limitsKey {
	k := limitsKey{version: r.Judged.Trace.Limits}
	if !r.Judged.Trace.AllAccounts {
		k.account = r.Account
	}
	return k
}

// loadFor reads what the records of a page need and is not there yet. What an
// earlier page needed is dropped when it is much.
func loadFor[T any](ctx context.Context, x *explainer, q querier, page []T, record func(*T) *StoredRecord) error {
	if len(x.limits) > limitsKept {
		clear(x.limits)
	}
	for i := range page {
		x.need(record(&page[i]))
	}
	return x.load(ctx, q)
}

// need notes what load has to read before r can be explained.
func (x *explainer) need(r *StoredRecord) {
	if !r.Judged.Trace.Judged {
		return
	}
	k := r.limitsKey()
	if _, noted := x.limits[k]; noted {
		return
	}
	x.limits[k] = nil
	x.missing = append(x.missing, k)
}

const limitsVersions = `
	select l.account, l.version, l.body::text
	from   unnest(@accounts::text[], @versions::integer[]) as n (account, version)
	join   limits l
	on     l.account = n.account
	and    l.version = n.version`

func (x *explainer) load(ctx context.Context, q querier) error {
	if len(x.missing) == 0 {
		return nil
	}
	accounts, versions := make([]string, len(x.missing)), make([]int32, len(x.missing))
	for i, k := range x.missing {
		accounts[i], versions[i] = k.account, k.version
	}
	x.missing = x.missing[:0]
	rows, err := q.Query(ctx, limitsVersions, pgx.NamedArgs{"accounts": accounts, "versions": versions})
	if err != nil {
		return fmt.Errorf("read versions of limits: %w", err)
	}
	var (
		k    limitsKey
		body string
	)
	_, err = pgx.ForEachRow(rows, []any{&k.account, &k.version, &body}, func() error {
		l, err := openLimits(body)
		if err != nil {
			return fmt.Errorf("version %d of the limits of %q: %w", k.version, k.account, err)
		}
		x.limits[k] = &boundLimits{limits: l, rules: map[int32]*limits.Rules{}}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read versions of limits: %w", err)
	}
	return nil
}

// basis finds what a record was judged by, but for its account's part. What is
// not there stays nil.
func (x *explainer) basis(r *StoredRecord) Basis {
	j := &r.Judged
	b := Basis{Price: x.snapshot.Price(j.Price), Place: x.snapshot.PlaceOf(j.Placement)}
	if !j.Trace.Judged || b.Place == nil {
		return b
	}
	bound := x.limits[r.limitsKey()]
	if bound == nil {
		return b
	}
	b.Rules = bound.rules[j.Placement]
	if b.Rules == nil {
		b.Rules = bound.limits.For(b.Place.Placement)
		bound.rules[j.Placement] = b.Rules
	}
	return b
}
