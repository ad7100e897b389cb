package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

// NewVendorAccount asks for an account as a reseller's manager does. The account
// gets a number of the house, and belongs to a customer called after its owner.
type NewVendorAccount struct {
	Within   Reach // of who asks: what is not within it does not exist
	Reseller int64
	Type     int64 // id; 0 is missing, as an empty text is
	ClassKey string
	billing.Contact
	Owner            int64         // an existing user; 0: NewOwner
	NewOwner         *billing.User // names and email are read; it becomes the reseller's
	Manager          int64         // 0: none
	CustomAttributes map[string]string
	TimeZone         string // billing.time_zone
	At               time.Time
	Actor            string
}

// AttributeFault is what is wrong with one attribute of an account to be.
type AttributeFault struct {
	Attribute string // as the documents call it, like "new_owner_email"
	Key       string // of the custom attribute, where Attribute is "custom_attributes"
	Text      string
}

// AttributeFaults is all that is wrong with an account to be. Nothing was written.
type AttributeFaults []AttributeFault

// Error is the faults in one line.
func (f AttributeFaults) Error() string {
	all := make([]string, len(f))
	for i, fault := range f {
		all[i] = fault.Attribute + ": " + fault.Text
		if fault.Key != "" {
			all[i] = fault.Attribute + "." + all[i][len(fault.Attribute)+2:]
		}
	}
	return strings.Join(all, "; ")
}

// The texts that ActivePlatform's documents fix.
const (
	noSalesPerson     = "Manager to attach must be a 'sales person' and be in 'active' status"
	countriesToChoose = "Available options: "
)

// CreateVendorAccount creates an account, and a user and a customer with it where
// they are new. The error may be AttributeFaults or ErrNoReseller.
func (s *Store) CreateVendorAccount(ctx context.Context, n NewVendorAccount) (id int64, err error) {
	err = s.Write(ctx, n.At, n.Actor, func(t *Tx) error {
		c := creation{Tx: t, NewVendorAccount: &n}
		if err := c.check(ctx); err != nil {
			return err
		}
		id, err = c.write(ctx)
		return err
	})
	return id, err
}

// creation is a new vendor account at work.
type creation struct {
	*Tx
	*NewVendorAccount
	faults   AttributeFaults
	reseller *billing.Reseller
	above    map[int64]bool // the reseller and all above it
	snap     *Snapshot
	typed    *billing.AccountType
}

func (c *creation) refuse(attribute, format string, args ...any) {
	c.faults = append(c.faults, AttributeFault{Attribute: attribute, Text: fmt.Sprintf(format, args...)})
}

// check finds all that is wrong.
func (c *creation) check(ctx context.Context) (err error) {
	if c.reseller, err = resellerWithin(ctx, c.tx, c.Reseller, c.Within); err != nil {
		return err
	}
	if c.above, err = resellerIDs(ctx, c.tx, upstream, c.Reseller); err != nil {
		return err
	}
	if c.snap, err = c.Snapshot(ctx); err != nil {
		return err
	}
	for _, check := range []func(context.Context) error{c.checkType, c.checkContact, c.checkOwner, c.checkManager, c.checkClass, c.checkCustom} {
		if err := check(ctx); err != nil {
			return err
		}
	}
	if len(c.faults) > 0 {
		return c.faults
	}
	return nil
}

// usable tells whether a type or class of a reseller (0: of the installation)
// can be an account's: it is the account's reseller's, or of one above it, whose
// terms are made for those below, or within reach of who asks.
func (c *creation) usable(ctx context.Context, reseller int64) (bool, error) {
	if reseller == 0 || c.Within.Reseller == 0 || c.above[reseller] {
		return true, nil
	}
	above, err := resellerIDs(ctx, c.tx, upstream, reseller)
	return err == nil && c.Within.holds(above), err
}

func (c *creation) checkType(ctx context.Context) error {
	if c.Type == 0 {
		c.refuse("account_type_id", missing)
		return nil
	}
	types, err := accountTypes(ctx, c.tx, []int64{c.Type})
	if err != nil {
		return err
	}
	for i := range types {
		usable, err := c.usable(ctx, types[i].Reseller)
		if err != nil {
			return err
		}
		if usable {
			c.typed = &types[i].AccountType
			return nil
		}
	}
	c.refuse("account_type_id", "%d: there is no account type with this id", c.Type)
	return nil
}

const missing = "missing: give it a value"

func (c *creation) checkContact(context.Context) error {
	n := &c.Contact
	for _, f := range []struct {
		attribute, value string
		required         bool
		check            func(string) error // beside that it is a text
	}{
		{"primary_name", n.PrimaryName, false, nil},
		{"first_name", n.FirstName, true, nil},
		{"middle_name", n.MiddleName, false, nil},
		{"last_name", n.LastName, true, nil},
		{"email", n.Email, true, billing.CheckEmail},
		{"country", n.Country, true, c.checkCountry},
		{"region", n.Region, true, nil},
		{"city", n.City, true, nil},
		{"street", n.Street, true, nil},
		{"building", n.Building, false, nil},
		{"office", n.Office, false, nil},
		{"zip", n.Zip, true, nil},
		{"phone", n.Phone, true, billing.CheckPhone},
	} {
		c.checkField(f.attribute, f.value, f.required, f.check)
	}
	return nil
}

func (c *creation) checkField(attribute, value string, required bool, check func(string) error) {
	switch err := checkLabel(value); {
	case required && strings.TrimSpace(value) == "": // blanks are no name
		c.refuse(attribute, missing)
	case value == "":
	case err != nil:
		c.refuse(attribute, "%v", err)
	case check != nil:
		if err := check(value); err != nil {
			c.refuse(attribute, "%v", err)
		}
	}
}

// checkLabel refuses texts that a set-up file would not take: what is stored can
// be exported and applied.
func checkLabel(text string) error {
	switch {
	case len(text) > keyMax:
		return fmt.Errorf("%d bytes, at most %d are taken", len(text), keyMax)
	case strings.ContainsRune(text, 0) || !utf8.ValidString(text):
		return errors.New("it must be UTF-8 without NUL")
	}
	return nil
}

func (c *creation) checkCountry(code string) error {
	if all := c.reseller.Countries; len(all) > 0 && !slices.Contains(all, code) {
		return errors.New(countriesToChoose + strings.Join(all, ", "))
	}
	return billing.CheckCountry(code)
}

func (c *creation) checkOwner(ctx context.Context) error {
	o := c.NewOwner
	switch {
	case c.Owner != 0 && o != nil:
		c.refuse("owner_id", "%d: a new owner is given as well, give one of the two", c.Owner)
		return nil
	case c.Owner != 0:
		return c.checkOldOwner(ctx)
	case o == nil:
		o = &billing.User{}
	}
	c.checkField("new_owner_first_name", o.FirstName, true, nil)
	c.checkField("new_owner_middle_name", o.MiddleName, false, nil)
	c.checkField("new_owner_last_name", o.LastName, true, nil)
	c.checkField("new_owner_email", o.Email, true, billing.CheckEmail)
	return nil
}

// Who may not see the whole installation finds users of resellers within reach,
// and those whom accounts within reach name already: the answer shows names and
// addresses, and these it shows anyway. One of the installation, or of a reseller
// above, is not theirs to give an account to (ADR 0010).
const usersWithin = `
	select exists (select from users where id = @id and (@resellers::bigint[] is null or reseller = any(@resellers)))
	or     exists (select
	               from   profiles p
	               join   accounts a on a.number = p.account
	               where  @id in (p.owner, p.tech_user, p.bill_user)
	               and    a.reseller = any(@resellers))`

func (c *creation) checkOldOwner(ctx context.Context) error {
	resellers, err := Reach{Reseller: c.Within.Reseller}.resellersOf(ctx, c.tx)
	if err != nil {
		return err
	}
	var found bool
	if err := c.tx.QueryRow(ctx, usersWithin, pgx.NamedArgs{"id": c.Owner, "resellers": resellers}).Scan(&found); err != nil {
		return fmt.Errorf("look up user %d: %w", c.Owner, err)
	}
	if !found {
		c.refuse("owner_id", "%d: there is no user with this id", c.Owner)
	}
	return nil
}

// checkManager goes by the reach of who asks and by nothing else: a manager is a
// person, whose name and address the answer shows.
func (c *creation) checkManager(ctx context.Context) error {
	if c.Manager == 0 {
		return nil
	}
	found, err := managers(ctx, c.tx, []int64{c.Manager})
	if err != nil {
		return err
	}
	for i := range found {
		above, err := resellerIDs(ctx, c.tx, upstream, found[i].Reseller)
		if err != nil {
			return err
		}
		if c.Within.holds(above) && found[i].Sells() {
			return nil
		}
	}
	c.refuse("manager_id", noSalesPerson)
	return nil
}

func (c *creation) checkClass(ctx context.Context) error {
	if c.ClassKey == "" {
		c.refuse("account_class_key", missing)
		return nil
	}
	class, exists := c.snap.Classes[c.ClassKey]
	usable, err := c.usable(ctx, class.Profile.Reseller)
	if err == nil && (!exists || !usable) {
		c.refuse("account_class_key", "%q: there is no account class with this key", c.ClassKey)
	}
	return err
}

func (c *creation) checkCustom(context.Context) error {
	if c.typed == nil {
		return nil // which is told
	}
	refuse := func(key string, err error) {
		c.faults = append(c.faults, AttributeFault{Attribute: "custom_attributes", Key: key, Text: err.Error()})
	}
	c.typed.CheckNew(c.CustomAttributes, refuse)
	for _, key := range slices.Sorted(maps.Keys(c.CustomAttributes)) {
		if err := checkLabel(c.CustomAttributes[key]); err != nil {
			refuse(key, err)
		}
	}
	return nil
}

// write creates what was found right.
func (c *creation) write(ctx context.Context) (id int64, err error) {
	owner, name, err := c.owner(ctx)
	if err != nil {
		return 0, err
	}
	n := NewAccount{Customer: fmt.Sprintf("user-%d", owner), Class: c.ClassKey, Currency: c.reseller.Currency,
		TimeZone: c.TimeZone, CycleDay: 1, Profile: setup.Profile{Reseller: c.Reseller, AccountType: c.Type,
			Manager: c.Manager, Owner: owner, TechUser: owner, BillUser: owner, Contact: c.Contact,
			CustomAttributes: c.CustomAttributes}}
	if n.Currency == "" {
		if n.Currency, err = c.usualCurrency(ctx, n.Customer); err != nil {
			return 0, err
		}
	}
	if n.Number, err = freeNumber(ctx, c.tx); err != nil {
		return 0, err
	}
	var b pgx.Batch
	b.Queue(addCustomer, pgx.NamedArgs{"ref": n.Customer, "name": name, "now": c.Now})
	if err := c.queueAccount(&b, c.snap, &n); err != nil {
		return 0, err
	}
	b.Queue(`select vendor_id from accounts where number = @number`, pgx.NamedArgs{"number": n.Number}).
		QueryRow(func(row pgx.Row) error { return row.Scan(&id) })
	if err := addedMeanwhile(c.send(ctx, &b)); err != nil {
		return 0, fmt.Errorf("add account %s: %w", n.Number, err)
	}
	c.subject = n.Number
	return id, nil
}

// owner is the id and name of the account's owner, who is added where new.
func (c *creation) owner(ctx context.Context) (id int64, name string, err error) {
	u := billing.User{ID: c.Owner}
	if c.Owner == 0 {
		u = billing.User{Reseller: c.Reseller, FirstName: c.NewOwner.FirstName, MiddleName: c.NewOwner.MiddleName, LastName: c.NewOwner.LastName,
			Email: c.NewOwner.Email, AccountStatus: billing.ActiveUser, GlobalStatus: billing.ActiveUser}
		if err := c.tx.QueryRow(ctx, saveUser, userArgs(&u, c.Tx)).Scan(&u.ID); err != nil {
			return 0, "", fmt.Errorf("add a user: %w", err)
		}
	} else {
		found, err := users(ctx, c.tx, []int64{c.Owner})
		if err != nil {
			return 0, "", err
		}
		u = found[0].User // checkOldOwner found it, and users are never deleted
	}
	return u.ID, strings.Join(slices.DeleteFunc([]string{u.FirstName, u.MiddleName, u.LastName},
		func(s string) bool { return s == "" }), " "), nil
}
