package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/chargehand/chargehand/billing"
	"github.com/jackc/pgx/v5"
)

// ErrNoReseller means that there is no reseller with an id, or none that may be
// seen.
var ErrNoReseller = errors.New("no such reseller")

// Reach is whose accounts and resellers may be seen.
type Reach struct {
	Reseller int64 // it and all that are downstream of it; 0: the whole installation
	Own      bool  // the reseller's own only
}

// Walks over the tree of resellers. union keeps what was met already from being
// met again, so that they end whatever the tree is like; apply refuses circles,
// and chains of more than sixteen.
const (
	downstream = `
	with recursive below (id) as (
	     select id
	     from   resellers
	     where  id = @reseller
	     union
	     select r.id
	     from   below     b
	     join   resellers r on r.parent = b.id)
	select id from below`

	upstream = `
	with recursive above (id) as (
	     select id
	     from   resellers
	     where  id = @reseller
	     union
	     select r.parent
	     from   above     a
	     join   resellers r on r.id = a.id
	     where  r.parent is not null)
	select id from above`

	// From the account upwards: as many steps as the tree is deep, however many
	// resellers and accounts there are.
	inReach = `
	with recursive above (id) as (
	     select reseller
	     from   accounts
	     where  number = @number
	     and    reseller is not null
	     union
	     select r.parent
	     from   above     a
	     join   resellers r on r.id = a.id
	     where  r.parent is not null)
	select exists (select from above where id = @reseller)`
)

// InReach tells whether an account belongs to a reseller or to one downstream of
// it. One that does not exist does not.
func (s *Store) InReach(ctx context.Context, reseller int64, number string) (is bool, err error) {
	err = s.pool.QueryRow(ctx, inReach, pgx.NamedArgs{"reseller": reseller, "number": number}).Scan(&is)
	return is, wrap(err, "look whose account %s is", number)
}

const accountsInReach = `
	select number
	from   accounts
	where  number = any(@numbers::text[])
	and    reseller in (` + downstream + `)`

// AccountsInReach tells which of some accounts InReach would say of that they
// are, in one question.
func (s *Store) AccountsInReach(ctx context.Context, reseller int64, numbers []string) ([]string, error) {
	within, err := collect(ctx, s.pool, accountsInReach, pgx.RowTo[string], pgx.NamedArgs{"reseller": reseller, "numbers": numbers})
	if err != nil {
		return nil, fmt.Errorf("look whose accounts %d are: %w", len(numbers), err)
	}
	return within, nil
}

// Reseller reads a reseller; ErrNoReseller says that there is none within reach.
func (s *Store) Reseller(ctx context.Context, id int64, within Reach) (*billing.Reseller, error) {
	return resellerWithin(ctx, s.pool, id, within)
}

const oneReseller = `
	select id, name, coalesce(parent, 0), countries, coalesce(currency, '')
	from   resellers
	where  id = @id`

func resellerWithin(ctx context.Context, q querier, id int64, within Reach) (*billing.Reseller, error) {
	var r billing.Reseller
	err := q.QueryRow(ctx, oneReseller, pgx.NamedArgs{"id": id}).Scan(&r.ID, &r.Name, &r.Parent, &r.Countries, &r.Currency)
	if isNoRows(err) {
		return nil, fmt.Errorf("reseller %d: %w", id, ErrNoReseller)
	}
	if err != nil {
		return nil, fmt.Errorf("read reseller %d: %w", id, err)
	}
	above, err := resellerIDs(ctx, q, upstream, id)
	if err != nil {
		return nil, err
	}
	if !within.holds(above) {
		return nil, fmt.Errorf("reseller %d: %w", id, ErrNoReseller)
	}
	return &r, nil
}

// holds tells whether a reseller is within reach that has these above it, itself
// first.
func (r Reach) holds(above map[int64]bool) bool {
	return r.Reseller == 0 || above[r.Reseller]
}

func resellerIDs(ctx context.Context, q querier, walk string, from int64) (map[int64]bool, error) {
	ids, err := collect(ctx, q, walk, pgx.RowTo[int64], pgx.NamedArgs{"reseller": from})
	if err != nil {
		return nil, fmt.Errorf("walk from reseller %d: %w", from, err)
	}
	all := make(map[int64]bool, len(ids))
	for _, id := range ids {
		all[id] = true
	}
	return all, nil
}

// resellersOf lists whose accounts are within reach; nil is everybody's and
// nobody's.
func (r Reach) resellersOf(ctx context.Context, q querier) ([]int64, error) {
	switch {
	case r.Reseller == 0:
		return nil, nil
	case r.Own:
		return []int64{r.Reseller}, nil
	}
	ids, err := collect(ctx, q, downstream, pgx.RowTo[int64], pgx.NamedArgs{"reseller": r.Reseller})
	if err != nil {
		return nil, fmt.Errorf("list what is downstream of reseller %d: %w", r.Reseller, err)
	}
	return append([]int64{}, ids...), nil // never nil: a reseller that is gone sees nothing
}
