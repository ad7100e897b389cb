package postgres

import (
	"context"
	"fmt"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Receivable is what CRM.COM's view tells of an account beside what AccountView
// does.
type Receivable struct {
	Number    string
	ClassName string
	Holder    string // whose account it is, by its type's pattern
	Contact   billing.Contact
	First     bool // no account of its customer is older
	// Who created the account and who changed it last; empty: not known.
	CreatedBy, UpdatedBy string
}

// Who did something is in a line that was written at the very time of it: among
// the account's first or last deeds, or with its limits. Of an older change nobody
// is told; the whole log of a busy account is not read for that.
const receivables = `
	select   a.number, k.name, ` + calledAs + `,
	         coalesce(p.primary_name, ''), coalesce(p.first_name, ''), coalesce(p.middle_name, ''), coalesce(p.last_name, ''),
	         not exists (select from accounts o
	                     where  o.customer = a.customer
	                     and    (o.created_at, o.number) < (a.created_at, a.number)),
	         coalesce((select d.actor
	                   from   (select actor, at from audit_log where subject = a.number order by id limit 100) d
	                   where  d.at = a.created_at
	                   limit  1), ''),
	         coalesce((select l.actor from limits l where l.account = a.number and l.set_at = a.updated_at limit 1),
	                  (select d.actor
	                   from   (select actor, at from audit_log where subject = a.number order by id desc limit 100) d
	                   where  d.at = a.updated_at
	                   limit  1), '')
	from     accounts      a
	join     classes       k on k.key     = a.class
	join     customers     u on u.ref     = a.customer
	left join profiles      p on p.account = a.number
	left join account_types y on y.id      = p.account_type
	where    a.number = any(@numbers::text[])
	order by a.number`

// Receivables reads those of the accounts that exist, in the order of their
// numbers.
func (s *Store) Receivables(ctx context.Context, numbers ...string) ([]Receivable, error) {
	found, err := collect(ctx, s.pool, receivables, func(row pgx.CollectableRow) (r Receivable, err error) {
		c := &r.Contact
		return r, row.Scan(&r.Number, &r.ClassName, &r.Holder, &c.PrimaryName, &c.FirstName, &c.MiddleName, &c.LastName,
			&r.First, &r.CreatedBy, &r.UpdatedBy)
	}, pgx.NamedArgs{"numbers": numbers})
	return found, wrap(err, "read accounts")
}

// AccountNumber is the number of the account with an id.
func (s *Store) AccountNumber(ctx context.Context, id uuid.UUID) (number string, err error) {
	err = s.pool.QueryRow(ctx, `select number from accounts where id = @id`, pgx.NamedArgs{"id": id}).Scan(&number)
	if isNoRows(err) {
		return "", fmt.Errorf("account %s: %w", id, ErrNoAccount)
	}
	return number, wrap(err, "look up account %s", id)
}
