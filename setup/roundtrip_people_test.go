package setup_test

import (
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
	"pgregory.net/rapid"
)

// id is a number that nothing else has.
func (d *draw) id() int64 {
	d.n++
	return int64(d.n) + setup.IDMax - 10_000
}

func (d *draw) maybeID() int64 {
	if d.yes() {
		return d.id()
	}
	return 0
}

func (d *draw) country() string {
	return rapid.SampledFrom([]string{"BY", "GR", "NO"}).Draw(d.T, "country")
}

func (d *draw) phone() string { return rapid.StringMatching(`(\+|00)[0-9]{4,20}`).Draw(d.T, "phone") }

func (d *draw) email() string {
	return rapid.StringMatching(`[a-zA-Zäγ.]{1,9}@[a-z.]{1,9}`).Draw(d.T, "e-mail")
}

func (d *draw) texts(key func() string) map[string]string {
	var all map[string]string
	for range rapid.IntRange(0, 2).Draw(d.T, "texts") {
		if all == nil {
			all = map[string]string{}
		}
		all[key()] = d.optional(d.name)
	}
	return all
}

// people draws what vendor APIs show beside accounts.
func (d *draw) people(f *setup.File) {
	f.Resellers = many(d, func() billing.Reseller {
		r := billing.Reseller{ID: d.id(), Name: d.name(), Currency: d.optional(func() string { return "KWD" })}
		if d.yes() {
			r.Countries = []string{d.country()}
		}
		return r
	})
	if len(f.Resellers) == 2 {
		f.Resellers[0].Parent = f.Resellers[1].ID
		f.Managers = many(d, func() billing.Manager {
			return billing.Manager{
				ID: d.id(), Reseller: f.Resellers[0].ID, Name: d.name(), Email: d.email(), Role: d.name(), Status: d.name(),
				Phone: d.optional(d.phone), Photo: d.optional(d.name), CustomAttributes: d.texts(d.name),
			}
		})
	}
	f.Users = many(d, func() billing.User {
		u := billing.User{
			ID: d.id(), FirstName: d.optional(d.name), MiddleName: d.optional(d.name), LastName: d.optional(d.name),
			Email: d.email(), AccountStatus: d.name(), GlobalStatus: d.name(),
		}
		if len(f.Resellers) > 0 && d.yes() {
			u.Reseller = f.Resellers[0].ID
		}
		return u
	})
	f.AccountTypes = many(d, func() billing.AccountType {
		t := billing.AccountType{
			ID: d.id(), Key: d.name(), Name: d.optional(d.name), NamePattern: d.name(), PrimaryName: d.optional(d.name),
			DefaultPaymentMethodID: d.maybeID(), Ancestry: d.optional(d.name), UseByDefault: d.yes(),
		}
		t.Attributes = many(d, func() billing.Attribute {
			a := billing.Attribute{Key: d.name(), Name: d.optional(d.name), Required: d.yes()}
			if d.yes() {
				a.Kind, a.Elements = billing.ListAttribute, []billing.Element{{Key: d.name(), Name: d.optional(d.name)}}
			}
			return a
		})
		return t
	})
}

func (d *draw) profile(f *setup.File) *setup.Profile {
	p := &setup.Profile{ID: d.maybeID()}
	if len(f.Resellers) > 0 {
		p.Reseller = f.Resellers[0].ID
	}
	if len(f.Managers) > 0 {
		p.Manager = f.Managers[0].ID
	}
	if len(f.Users) > 0 {
		p.Owner, p.TechUser = f.Users[0].ID, f.Users[0].ID
		p.BillUser = f.Users[len(f.Users)-1].ID
	}
	if d.yes() {
		p.Contact = billing.Contact{
			PrimaryName: d.optional(d.name), FirstName: d.optional(d.name), MiddleName: d.optional(d.name),
			LastName: d.optional(d.name), Email: d.optional(d.email), Country: d.optional(d.country),
			Region: d.optional(d.name), City: d.optional(d.name), Street: d.optional(d.name),
			Building: d.optional(d.name), Office: d.optional(d.name), Zip: d.optional(d.name), Phone: d.optional(d.phone),
		}
	}
	for _, t := range f.AccountTypes {
		p.AccountType = t.ID
		p.CustomAttributes = nil
		for _, a := range t.Attributes {
			if p.CustomAttributes == nil {
				p.CustomAttributes = map[string]string{}
			}
			p.CustomAttributes[a.Key] = ""
			if a.Kind == billing.ListAttribute {
				p.CustomAttributes[a.Key] = a.Elements[0].Key
			}
		}
	}
	return p
}
