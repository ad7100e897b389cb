package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

// NewAccountRequest asks for an account of a customer. What is empty is chosen:
// the number, the default class, the currency of the customer's other accounts.
type NewAccountRequest struct {
	Customer, Number, Class, Currency string
	TimeZone                          string // empty: billing.time_zone, which the caller fills in
	Reseller                          int64  // whom it belongs to; 0: the installation
	// OfKnown refuses a customer that is not there (ErrNoCustomer), who else is
	// added with the account.
	OfKnown bool
	At      time.Time
	Actor   string
}

// numbersTried bounds how often a random number may be taken already.
const numbersTried = 10

// CreateAccount adds an account; a customer that is new is added with it.
func (s *Store) CreateAccount(ctx context.Context, r NewAccountRequest) (number string, err error) {
	err = s.Write(ctx, r.At, r.Actor, func(t *Tx) error {
		number, err = t.createAccount(ctx, &r)
		return err
	})
	return number, err
}

func (t *Tx) createAccount(ctx context.Context, r *NewAccountRequest) (string, error) {
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return "", err
	}
	if r.OfKnown {
		if err := t.isCustomer(ctx, r.Customer); err != nil {
			return "", err
		}
	}
	n := NewAccount{Number: r.Number, Customer: r.Customer, Class: r.Class, Currency: r.Currency,
		TimeZone: r.TimeZone, CycleDay: 1, Profile: setup.Profile{Reseller: r.Reseller}}
	for _, c := range snap.Classes {
		if n.Class == "" && c.Default {
			n.Class = c.Key
		}
	}
	if n.Currency == "" {
		if n.Currency, err = t.usualCurrency(ctx, r.Customer); err != nil {
			return "", err
		}
	}
	if err := t.checkNewAccount(ctx, snap, &n); err != nil {
		return "", err
	}
	var b pgx.Batch
	b.Queue(addCustomer, pgx.NamedArgs{"ref": n.Customer, "name": "", "now": t.Now})
	if err := t.queueAccount(&b, snap, &n); err != nil {
		return "", err
	}
	if err := addedMeanwhile(t.tx.SendBatch(ctx, &b).Close()); err != nil {
		return "", fmt.Errorf("add account %s: %w", n.Number, err)
	}
	t.subject = n.Number
	return n.Number, nil
}

const addCustomer = `
	insert into customers (ref, name, created_at)
	values (@ref, @name, @now)
	on conflict on constraint a_customer_has_one_ref do nothing`

// addedMeanwhile makes a number that another transaction has just given to an
// account a reason to look again: then it is taken.
func addedMeanwhile(err error) error {
	if isCode(err, "23505") && constraintOf(err) == "an_account_has_one_number" {
		return fmt.Errorf("an account of this number was added meanwhile: %w", ErrStale)
	}
	return err
}

func (t *Tx) checkNewAccount(ctx context.Context, s *Snapshot, n *NewAccount) error {
	if err := errors.Join(checkName("customer", n.Customer), checkText("number", n.Number)); err != nil {
		return err
	}
	if _, exists := s.Classes[n.Class]; !exists {
		return refuse("account class %q: there is none; name one that exists or make one the default", n.Class)
	}
	if _, known := billing.MinorUnits(n.Currency); !known {
		return refuse("currency %q: not an ISO 4217 code like EUR", n.Currency)
	}
	if n.Number == "" {
		var err error
		n.Number, err = freeNumber(ctx, t.tx)
		return err
	}
	taken, err := isAccount(ctx, t.tx, n.Number)
	if err == nil && taken {
		err = refuse("account %s exists already: choose another number", n.Number)
	}
	if err == nil {
		err = checkName("number", n.Number)
	}
	return err
}

// checkName refuses what cannot name anything.
func checkName(what, name string) error {
	if name == "" || len(name) > keyMax {
		return refuse("%s of %d bytes: give one of 1 to %d", what, len(name), keyMax)
	}
	return checkText(what, name)
}

// freeNumber chooses a number like ACR0001234567 that no account has.
func freeNumber(ctx context.Context, q querier) (string, error) {
	for range numbersTried {
		digits, err := rand.Int(rand.Reader, big.NewInt(1e10))
		if err != nil {
			return "", fmt.Errorf("pick an account number: %w", err)
		}
		number := fmt.Sprintf("ACR%010d", digits)
		taken, err := isAccount(ctx, q, number)
		if err != nil || !taken {
			return number, err
		}
	}
	return "", refuse("no free account number found: give one")
}

func isAccount(ctx context.Context, q querier, number string) (is bool, err error) {
	err = q.QueryRow(ctx, `select exists (select from accounts where number = @number)`, pgx.NamedArgs{"number": number}).Scan(&is)
	return is, wrap(err, "look up account %s", number)
}

// usualCurrency is that of a customer's newest account, else the one that the
// price book uses most.
func (t *Tx) usualCurrency(ctx context.Context, customer string) (currency string, err error) {
	const query = `
	select coalesce((select currency from accounts where customer = @customer order by created_at desc, number limit 1),
	                (select currency from prices group by currency order by count(*) desc, currency limit 1), '')`
	err = t.tx.QueryRow(ctx, query, pgx.NamedArgs{"customer": customer}).Scan(&currency)
	if err == nil && currency == "" {
		err = refuse("a currency is missing: there is no price to take it from, give one like EUR")
	}
	return currency, wrap(err, "choose a currency")
}

// Changes is what a change of an account did, in words; none where it was so
// already.
type Changes struct {
	Account string   `json:"account"`
	Changed []string `json:"changed"`
}

func changes(number string, details []string) *Changes {
	if details == nil {
		details = []string{}
	}
	return &Changes{Account: number, Changed: details}
}

// AccountChange changes an account's own terms; nil stays.
type AccountChange struct {
	Account                string
	Threshold, CreditLimit *string // an amount, or "class" for the class's
	Class, TimeZone        *string
	CycleDay               *int
	If                     Revisions
	At                     time.Time
	Actor                  string
}

// SetAccount changes terms of an account and follows with the credit test.
func (s *Store) SetAccount(ctx context.Context, c AccountChange) (did *Changes, err error) {
	err = s.Write(ctx, c.At, c.Actor, func(t *Tx) error {
		details, err := t.alter(ctx, c.Account, c.If, func(now *accountRow) error { return c.apply(now) })
		did = changes(c.Account, details)
		t.idle = len(details) == 0
		return err
	})
	return did, err
}

// alter changes an account's row by do, with all that follows.
func (t *Tx) alter(ctx context.Context, number string, r Revisions, do func(*accountRow) error) ([]string, error) {
	if err := t.lock(ctx, number); err != nil {
		return nil, err
	}
	rows, err := t.accountRows(ctx, []string{number})
	if err != nil {
		return nil, err
	}
	old := rows[number]
	if old == nil {
		return nil, fmt.Errorf("account %s: %w", number, ErrNoAccount)
	}
	if err := r.hold("account", number, old.Revision); err != nil {
		return nil, err
	}
	now := *old
	now.Services, now.Applications = slices.Clone(old.Services), slices.Clone(old.Applications)
	if err := do(&now); err != nil {
		return nil, err
	}
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	return t.changeAccount(ctx, snap, number, old, &now, nil)
}

func (c *AccountChange) apply(now *accountRow) (err error) {
	if now.Threshold, err = ownMoney("threshold", c.Threshold, now.Threshold); err != nil {
		return err
	}
	if now.CreditLimit, err = ownMoney("credit limit", c.CreditLimit, now.CreditLimit); err != nil {
		return err
	}
	if c.Class != nil {
		now.Class = *c.Class
	}
	if c.TimeZone != nil {
		if _, err := billing.LoadZone(*c.TimeZone); err != nil {
			return refuse("%v", err)
		}
		now.TimeZone = *c.TimeZone
	}
	if c.CycleDay != nil {
		if *c.CycleDay < 1 || *c.CycleDay > 31 {
			return refuse("cycle day %d: not a day of the month, 1 to 31", *c.CycleDay)
		}
		now.CycleDay = *c.CycleDay
	}
	return nil
}

// ownMoney reads a new own value: an amount, or "class" for none.
func ownMoney(what string, text *string, stays *billing.Money) (*billing.Money, error) {
	switch {
	case text == nil:
		return stays, nil
	case *text == "class":
		return nil, nil
	}
	m, err := billing.ParseMoney(*text)
	if err == nil && m < 0 {
		err = billing.ErrNegative
	}
	if err != nil {
		return nil, refuse("%s %q: give an amount of at least 0, or class for the class's (%v)", what, *text, err)
	}
	return &m, nil
}
