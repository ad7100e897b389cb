package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

const (
	saveReseller = `
	insert into resellers (id, name, parent, countries, currency, created_at, updated_at)
	values (@id, @name, @parent, @countries, @currency, @now, @now)
	on conflict on constraint a_reseller_has_one_id
	do update set name       = excluded.name,
	              parent     = excluded.parent,
	              countries  = excluded.countries,
	              currency   = excluded.currency,
	              updated_at = excluded.updated_at`

	saveManager = `
	insert into managers (id, reseller, name, email, role, status, phone, photo, custom_attributes, created_at, updated_at)
	values (@id, @reseller, @name, @email, @role, @status, @phone, @photo, @custom, @now, @now)
	on conflict on constraint a_manager_has_one_id
	do update set reseller          = excluded.reseller,
	              name              = excluded.name,
	              email             = excluded.email,
	              role              = excluded.role,
	              status            = excluded.status,
	              phone             = excluded.phone,
	              photo             = excluded.photo,
	              custom_attributes = excluded.custom_attributes,
	              updated_at        = excluded.updated_at`

	saveUser = `
	insert into users (id, reseller, first_name, middle_name, last_name, email, account_status, global_status, created_at, updated_at)
	values (coalesce(@id, nextval('user_ids')), @reseller, @first, @middle, @last, @email, @account_status, @global_status, @now, @now)
	on conflict on constraint a_user_has_one_id
	do update set reseller       = excluded.reseller,
	              first_name     = excluded.first_name,
	              middle_name    = excluded.middle_name,
	              last_name      = excluded.last_name,
	              email          = excluded.email,
	              account_status = excluded.account_status,
	              global_status  = excluded.global_status,
	              updated_at     = excluded.updated_at
	returning id`

	saveAccountType = `
	insert into account_types (id, key, name, reseller, name_pattern, primary_name, default_payment_method, ancestry,
	                           use_by_default, attributes, created_at, updated_at)
	values (@id, @key, @name, @reseller, @pattern, @primary, @method, @ancestry, @by_default, @attributes, @now, @now)
	on conflict on constraint an_account_type_has_one_id
	do update set key                    = excluded.key,
	              name                   = excluded.name,
	              reseller               = excluded.reseller,
	              name_pattern           = excluded.name_pattern,
	              primary_name           = excluded.primary_name,
	              default_payment_method = excluded.default_payment_method,
	              ancestry               = excluded.ancestry,
	              use_by_default         = excluded.use_by_default,
	              attributes             = excluded.attributes,
	              updated_at             = excluded.updated_at`

	// Ids that are chosen go on above those that files give. A sequence does not
	// know of transactions: what another one draws meanwhile is above as well, or
	// finds its id taken and draws again (yields).
	passUserIDs    = `select setval('user_ids', @highest) where @highest >= (select last_value from user_ids)`
	passAccountIDs = `select setval('account_ids', @highest) where @highest >= (select last_value from account_ids)`
)

const (
	whichManagers = `select id::text from managers where id = any(@ids::bigint[])`
	whichUsers    = `select id::text from users where id = any(@ids::bigint[])`
)

// lookUpPeople completes what the file may refer to.
func (a *applier) lookUpPeople(ctx context.Context, stored *setup.Catalogue) (err error) {
	if a.people.resellers, err = resellers(ctx, a.tx); err != nil {
		return err
	}
	types, err := accountTypes(ctx, a.tx, nil)
	if err != nil {
		return err
	}
	for i := range types {
		a.people.types = append(a.people.types, types[i].AccountType)
	}
	stored.Resellers, stored.AccountTypes = a.people.resellers, a.people.types
	if stored.Managers, err = collect(ctx, a.tx, whichManagers, pgx.RowTo[string],
		pgx.NamedArgs{"ids": a.file.Named(setup.KindManager)}); err != nil {
		return fmt.Errorf("look up managers: %w", err)
	}
	if stored.Users, err = collect(ctx, a.tx, whichUsers, pgx.RowTo[string],
		pgx.NamedArgs{"ids": a.file.Named(setup.KindUser)}); err != nil {
		return fmt.Errorf("look up users: %w", err)
	}
	return nil
}

// resellers writes the file's resellers. Classes and all that follows may be
// theirs.
func (a *applier) resellers(ctx context.Context) error {
	var b pgx.Batch
	for _, r := range a.file.Resellers {
		key := strconv.FormatInt(r.ID, 10)
		old := find(a.people.resellers, r.ID, func(r billing.Reseller) int64 { return r.ID })
		if a.differs(setup.KindReseller, key, old, r) {
			b.Queue(saveReseller, pgx.NamedArgs{"id": r.ID, "name": r.Name, "parent": nullID(r.Parent),
				"countries": append([]string{}, r.Countries...), "currency": nullText(r.Currency), "now": a.Now})
		}
	}
	return wrap(a.send(ctx, &b), "write resellers")
}

// staff writes the file's managers, users and account types.
func (a *applier) staff(ctx context.Context) error {
	if err := a.managers(ctx); err != nil {
		return err
	}
	for page := range slices.Chunk(a.file.Users, accountPage) {
		if err := a.users(ctx, page); err != nil {
			return err
		}
	}
	var b pgx.Batch
	for i := range a.file.AccountTypes {
		t := &a.file.AccountTypes[i]
		old := find(a.people.types, t.ID, func(t billing.AccountType) int64 { return t.ID })
		if a.differs(setup.KindAccountType, strconv.FormatInt(t.ID, 10), old, t) {
			b.Queue(saveAccountType, pgx.NamedArgs{"id": t.ID, "key": t.Key, "name": t.Name, "reseller": nullID(t.Reseller),
				"pattern": t.NamePattern, "primary": t.PrimaryName, "method": nullID(t.DefaultPaymentMethodID),
				"ancestry": nullText(t.Ancestry), "by_default": t.UseByDefault,
				"attributes": text(append([]billing.Attribute{}, t.Attributes...)), "now": a.Now})
		}
	}
	return wrap(a.send(ctx, &b), "write account types")
}

func (a *applier) managers(ctx context.Context) error {
	ids := make([]int64, len(a.file.Managers))
	for i := range a.file.Managers {
		ids[i] = a.file.Managers[i].ID
	}
	stored, err := managers(ctx, a.tx, ids)
	if err != nil {
		return err
	}
	old := make(map[int64]*billing.Manager, len(stored))
	for i := range stored {
		old[stored[i].ID] = &stored[i].Manager
	}
	var b pgx.Batch
	for i := range a.file.Managers {
		m := &a.file.Managers[i]
		if a.differs(setup.KindManager, strconv.FormatInt(m.ID, 10), old[m.ID], m) {
			b.Queue(saveManager, pgx.NamedArgs{"id": m.ID, "reseller": m.Reseller, "name": m.Name, "email": m.Email,
				"role": m.Role, "status": m.Status, "phone": nullText(m.Phone), "photo": nullText(m.Photo),
				"custom": storedTexts(m.CustomAttributes), "now": a.Now})
		}
	}
	return wrap(a.send(ctx, &b), "write managers")
}

func (a *applier) users(ctx context.Context, page []billing.User) error {
	ids := make([]int64, len(page))
	for i := range page {
		ids[i] = page[i].ID
	}
	stored, err := users(ctx, a.tx, ids)
	if err != nil {
		return err
	}
	old := make(map[int64]*billing.User, len(stored))
	for i := range stored {
		old[stored[i].ID] = &stored[i].User
	}
	var b pgx.Batch
	if !a.dry { // a sequence cannot be rolled back
		b.Queue(passUserIDs, pgx.NamedArgs{"highest": slices.Max(ids)})
	}
	for i := range page {
		u := &page[i]
		if a.differs(setup.KindUser, strconv.FormatInt(u.ID, 10), old[u.ID], u) {
			b.Queue(saveUser, userArgs(u, a.Tx))
		}
	}
	return wrap(a.send(ctx, &b), "write users")
}

func userArgs(u *billing.User, t *Tx) pgx.NamedArgs {
	return pgx.NamedArgs{"id": nullID(u.ID), "reseller": nullID(u.Reseller), "first": u.FirstName, "middle": u.MiddleName, "last": u.LastName, "email": u.Email,
		"account_status": u.AccountStatus, "global_status": u.GlobalStatus, "now": t.Now}
}

// send runs what was queued, if anything was.
func (t *Tx) send(ctx context.Context, b *pgx.Batch) error {
	if b.Len() == 0 {
		return nil
	}
	return t.tx.SendBatch(ctx, b).Close()
}

// classIDs gives every class of the file its id: the one that it says, else the
// one that it has, else the next free one. Who applies has the settings for
// itself, so nobody else chooses one meanwhile.
func (a *applier) classIDs() error {
	owner := map[int64]string{}
	highest := int64(0)
	take := func(c *billing.Class) error {
		if other, taken := owner[c.ID]; taken {
			return a.refuse(setup.KindClass, c.Key, "class %s would have the id %d, which class %s has: give it another", c.Key, c.ID, other)
		}
		owner[c.ID] = c.Key
		highest = max(highest, c.ID)
		return nil
	}
	a.file.Classes = slices.Clone(a.file.Classes) // a second try begins with the file as it is
	named := map[string]bool{}
	for i := range a.file.Classes {
		c := &a.file.Classes[i]
		named[c.Key] = true
		if c.ID == 0 {
			c.ID = a.old.Classes[c.Key].ID
		}
	}
	for _, c := range a.old.Classes {
		if !named[c.Key] {
			if err := take(&c); err != nil {
				return err
			}
		}
	}
	for _, chosen := range []bool{false, true} {
		for i := range a.file.Classes {
			c := &a.file.Classes[i]
			if (c.ID == 0) != chosen {
				continue
			}
			if chosen {
				c.ID = highest + 1
			}
			if err := take(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// profilePage is how many accounts of a changed account type are read at once.
const profilePage = 1000

const profilesOfType = `
	select   account, custom_attributes
	from     profiles
	where    account_type      =  @type
	and      account           >  @after
	and      custom_attributes <> '{}'
	order by account
	limit    @most`

// testTypes refuses a changed account type with which the custom attributes of
// an account would no longer be legal: what is exported must be taken again.
func (a *applier) testTypes(ctx context.Context) error {
	type valued struct {
		account string
		values  []byte
	}
	for i := range a.file.AccountTypes {
		t := &a.file.AccountTypes[i]
		old := find(a.people.types, t.ID, func(t billing.AccountType) int64 { return t.ID })
		if old == nil || text(old.Attributes) == text(t.Attributes) {
			continue
		}
		for after, more := "", true; more; {
			page, err := collect(ctx, a.tx, profilesOfType, func(r pgx.CollectableRow) (v valued, err error) {
				err = r.Scan(&v.account, &v.values)
				return v, err
			}, pgx.NamedArgs{"type": t.ID, "after": after, "most": profilePage})
			if err != nil {
				return fmt.Errorf("read accounts of account type %d: %w", t.ID, err)
			}
			for _, v := range page {
				values, err := readTexts(v.values)
				if err != nil {
					return fmt.Errorf("account %s: %w", v.account, err)
				}
				t.Check(values, func(key string, fault error) {
					if err == nil {
						err = a.refuse(setup.KindAccountType, strconv.FormatInt(t.ID, 10),
							"account %s has a value for %q that would not be legal: %v", v.account, key, fault)
					}
				})
				if err != nil {
					return err
				}
				after = v.account
			}
			more = len(page) == profilePage
		}
	}
	return nil
}
