package postgres

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

// profileColumns are those of scanProfile; an account without a profile has none
// of it.
const profileColumns = `
	a.vendor_id, coalesce(a.reseller, 0), coalesce(p.account_type, 0), coalesce(p.manager, 0), coalesce(p.owner, 0),
	coalesce(p.tech_user, 0), coalesce(p.bill_user, 0), coalesce(p.primary_name, ''), coalesce(p.first_name, ''),
	coalesce(p.middle_name, ''), coalesce(p.last_name, ''), coalesce(p.email, ''), coalesce(p.country, ''),
	coalesce(p.region, ''), coalesce(p.city, ''), coalesce(p.street, ''), coalesce(p.building, ''),
	coalesce(p.office, ''), coalesce(p.zip, ''), coalesce(p.phone, ''), coalesce(p.custom_attributes, '{}')`

// profileScan is where profileColumns go; custom is read with readTexts.
func profileScan(p *setup.Profile, custom *[]byte) []any {
	c := &p.Contact
	return []any{&p.ID, &p.Reseller, &p.AccountType, &p.Manager, &p.Owner, &p.TechUser, &p.BillUser,
		&c.PrimaryName, &c.FirstName, &c.MiddleName, &c.LastName, &c.Email, &c.Country, &c.Region, &c.City, &c.Street,
		&c.Building, &c.Office, &c.Zip, &c.Phone, custom}
}

const saveProfile = `
	insert into profiles (account, account_type, manager, owner, tech_user, bill_user, primary_name, first_name,
	                      middle_name, last_name, email, country, region, city, street, building, office, zip, phone,
	                      custom_attributes)
	values (@number, @account_type, @manager, @owner, @tech_user, @bill_user, @primary_name, @first_name, @middle_name,
	        @last_name, @email, @country, @region, @city, @street, @building, @office, @zip, @phone, @custom_attributes)
	on conflict on constraint an_account_has_one_profile
	do update set account_type      = excluded.account_type,
	              manager           = excluded.manager,
	              owner             = excluded.owner,
	              tech_user         = excluded.tech_user,
	              bill_user         = excluded.bill_user,
	              primary_name      = excluded.primary_name,
	              first_name        = excluded.first_name,
	              middle_name       = excluded.middle_name,
	              last_name         = excluded.last_name,
	              email             = excluded.email,
	              country           = excluded.country,
	              region            = excluded.region,
	              city              = excluded.city,
	              street            = excluded.street,
	              building          = excluded.building,
	              office            = excluded.office,
	              zip               = excluded.zip,
	              phone             = excluded.phone,
	              custom_attributes = excluded.custom_attributes`

// queueProfile writes what stands of a profile beside the account's own row.
func queueProfile(b *pgx.Batch, number string, p *setup.Profile) {
	c := &p.Contact
	b.Queue(saveProfile, pgx.NamedArgs{"number": number, "account_type": nullID(p.AccountType), "manager": nullID(p.Manager),
		"owner": nullID(p.Owner), "tech_user": nullID(p.TechUser), "bill_user": nullID(p.BillUser),
		"primary_name": c.PrimaryName, "first_name": c.FirstName, "middle_name": c.MiddleName, "last_name": c.LastName,
		"email": c.Email, "country": c.Country, "region": c.Region, "city": c.City, "street": c.Street,
		"building": c.Building, "office": c.Office, "zip": c.Zip, "phone": c.Phone,
		"custom_attributes": storedTexts(p.CustomAttributes)})
}

// beside tells whether p has more than its account's own row keeps.
func beside(p *setup.Profile) bool {
	return p.AccountType != 0 || p.Manager != 0 || p.Owner != 0 || p.TechUser != 0 || p.BillUser != 0 ||
		p.Contact != (billing.Contact{}) || len(p.CustomAttributes) > 0
}

// profileDifferences names what is another in now, as the set-up file calls it.
// Values are people's: they do not go into what apply tells.
func profileDifferences(old, now *setup.Profile) []string {
	var changed []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"id", old.ID == now.ID},
		{"reseller", old.Reseller == now.Reseller},
		{"account_type", old.AccountType == now.AccountType},
		{"manager", old.Manager == now.Manager},
		{"owner", old.Owner == now.Owner},
		{"tech_user", old.TechUser == now.TechUser},
		{"bill_user", old.BillUser == now.BillUser},
		{"contact", old.Contact == now.Contact},
		{"custom_attributes", maps.Equal(old.CustomAttributes, now.CustomAttributes)},
	} {
		if !f.same {
			changed = append(changed, f.name)
		}
	}
	if changed == nil {
		return nil
	}
	return []string{"profile (" + strings.Join(changed, ", ") + ")"}
}

const whoHasIDs = `
	select vendor_id, number
	from   accounts
	where  vendor_id = any(@ids::bigint[])`

// accountIDs makes sure that the ids which a page of accounts asks for are not
// another's, unless the file gives that one a new id as well.
func (a *applier) accountIDs(ctx context.Context, page []setup.Account) error {
	asks := map[int64]string{}
	var ids []int64
	for i := range page {
		if p := page[i].Profile; p != nil && p.ID != 0 {
			asks[p.ID] = page[i].Number
			ids = append(ids, p.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := a.tx.Query(ctx, whoHasIDs, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return fmt.Errorf("look up ids of accounts: %w", err)
	}
	var (
		id     int64
		number string
		taken  error
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &number}, func() error {
		if asked := asks[id]; number != asked && !a.renumbered[number] && taken == nil {
			taken = a.refuse(setup.KindAccount, asked, "account %s would have the id %d, which account %s has: give it another", asked, id, number)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look up ids of accounts: %w", err)
	}
	return taken
}

// passIDs takes the ids that the file gives to accounts out of those that are
// chosen, and notes which accounts get one.
func (a *applier) passIDs(ctx context.Context) error {
	highest := int64(0)
	a.renumbered = map[string]bool{}
	for i := range a.file.Customers {
		for _, v := range a.file.Customers[i].Accounts {
			if v.Profile != nil && v.Profile.ID != 0 {
				highest = max(highest, v.Profile.ID)
				a.renumbered[v.Number] = true
			}
		}
	}
	if highest == 0 || a.dry { // a sequence cannot be rolled back
		return nil
	}
	_, err := a.tx.Exec(ctx, passAccountIDs, pgx.NamedArgs{"highest": highest})
	return wrap(err, "pass the ids of accounts")
}
