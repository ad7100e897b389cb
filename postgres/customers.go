package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoCustomer means that a ref names no customer.
var ErrNoCustomer = errors.New("no such customer")

// CustomerView is a customer as people read one.
type CustomerView struct {
	Ref       string    `json:"ref" doc:"What the customer is called by; chosen by who added it." example:"jane"`
	Name      string    `json:"name" doc:"Name for people; it may be empty." example:"Jane Lane"`
	Accounts  int       `json:"accounts" doc:"How many accounts it has. A new customer has none." example:"0"`
	CreatedAt time.Time `json:"created_at" example:"2026-03-10T12:00:00Z"`
}

const customerColumns = `
	c.ref, c.name, (select count(*) from accounts a where a.customer = c.ref), c.created_at`

func scanCustomer(row pgx.CollectableRow) (*CustomerView, error) {
	var v CustomerView
	err := row.Scan(&v.Ref, &v.Name, &v.Accounts, &v.CreatedAt)
	v.CreatedAt = v.CreatedAt.UTC()
	return &v, err
}

// Customers answers most customers whose refs come after one, in their order.
func (s *Store) Customers(ctx context.Context, after string, most int) ([]*CustomerView, error) {
	const query = `
	select   ` + customerColumns + `
	from     customers c
	where    c.ref > @after
	order by c.ref
	limit    @most`
	all, err := collect(ctx, s.pool, query, scanCustomer, pgx.NamedArgs{"after": after, "most": most})
	return all, wrap(err, "list customers")
}

// Customer reads one customer.
func (s *Store) Customer(ctx context.Context, ref string) (*CustomerView, error) {
	return customer(ctx, s.pool, ref)
}

func customer(ctx context.Context, q querier, ref string) (*CustomerView, error) {
	const query = `
	select ` + customerColumns + `
	from   customers c
	where  c.ref = @ref`
	found, err := collect(ctx, q, query, scanCustomer, pgx.NamedArgs{"ref": ref})
	switch {
	case err != nil:
		return nil, fmt.Errorf("read customer %s: %w", ref, err)
	case len(found) == 0:
		return nil, fmt.Errorf("customer %s: %w", ref, ErrNoCustomer)
	}
	return found[0], nil
}

// CustomerRequest asks for a customer without an account.
type CustomerRequest struct {
	Ref, Name string
	At        time.Time
	Actor     string
}

// AddCustomer adds a customer, which has no account until one is created. One
// that is there already under this name is answered, and added is false.
func (s *Store) AddCustomer(ctx context.Context, r CustomerRequest) (v *CustomerView, added bool, err error) {
	if err := errors.Join(checkName("customer", r.Ref), checkText("name", r.Name)); err != nil {
		return nil, false, err
	}
	if len(r.Name) > noteMax {
		return nil, false, refuse("a name of %d bytes: at most %d are taken", len(r.Name), noteMax)
	}
	const insert = `
	insert into customers (ref, name, created_at)
	values (@ref, @name, @now)
	on conflict on constraint a_customer_has_one_ref do nothing`
	err = s.Write(ctx, r.At, r.Actor, func(t *Tx) error {
		tag, err := t.tx.Exec(ctx, insert, pgx.NamedArgs{"ref": r.Ref, "name": r.Name, "now": t.Now})
		if err != nil {
			return fmt.Errorf("add customer %s: %w", r.Ref, err)
		}
		added = tag.RowsAffected() == 1
		if v, err = customer(ctx, t.tx, r.Ref); err != nil {
			return err
		}
		if v.Name != r.Name {
			return refuse("customer %s exists already, its name is %q: choose another ref", r.Ref, v.Name)
		}
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	return v, added, nil
}

func (t *Tx) isCustomer(ctx context.Context, ref string) error {
	var is bool
	err := t.tx.QueryRow(ctx, `select exists (select from customers where ref = @ref)`, pgx.NamedArgs{"ref": ref}).Scan(&is)
	if err == nil && !is {
		err = ErrNoCustomer
	}
	return wrap(err, "customer %s", ref)
}
