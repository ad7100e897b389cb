package setup

import (
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/rating"
	"go.yaml.in/yaml/v3"
)

func (f *File) node() *yaml.Node {
	m := newMapping()
	putList(m, "families", f.Families, familyNode)
	putList(m, "types", f.Types, typeNode)
	putList(m, "services", f.Services, serviceNode)
	putList(m, "prices", f.Prices, priceNode)
	putList(m, "resellers", f.Resellers, resellerNode)
	putList(m, "managers", f.Managers, managerNode)
	putList(m, "users", f.Users, userNode)
	putList(m, "account_types", f.AccountTypes, accountTypeNode)
	putList(m, "account_classes", f.Classes, classNode)
	putList(m, "customers", f.Customers, customerNode)
	if f.Limits != nil {
		m.put("limits", limitsNode(f.Limits))
	}
	return m.Node
}

func familyNode(f billing.Family) *yaml.Node {
	m := newMapping()
	m.text("code", f.Code)
	m.text("name", f.Name)
	return inline(m.Node)
}

func typeNode(t billing.ServiceType) *yaml.Node {
	m := newMapping()
	m.text("code", t.Code)
	m.text("name", t.Name)
	m.text("family", t.Family)
	if t.Unit != (billing.Unit{}) {
		u := newMapping()
		u.text("code", t.Unit.Code)
		u.text("name", t.Unit.Name)
		m.put("unit", u.Node)
	}
	return inline(m.Node)
}

func serviceNode(s billing.Service) *yaml.Node {
	m := newMapping()
	m.text("code", s.Code)
	m.text("alternative_code", s.AlternativeCode)
	m.text("description", s.Description)
	m.text("type", s.Type)
	return inline(m.Node)
}

func classNode(c billing.Class) *yaml.Node {
	m := newMapping()
	m.text("key", c.Key)
	m.text("name", c.Name)
	m.text("payment_model", c.PaymentModel.String())
	m.number("financial_blocking_threshold", c.Threshold)
	m.whole("subzero_period", c.SubzeroDays)
	m.number("subscription_credit_limit", c.CreditLimit)
	m.flag("buy_with_negative_balance", c.BuyWithNegativeBalance)
	m.flag("default", c.Default)
	m.positive("id", c.ID)
	m.classProfile(c.Profile)
	return m.Node
}

func customerNode(c Customer) *yaml.Node {
	m := newMapping()
	m.text("ref", c.Ref)
	m.text("name", c.Name)
	putList(m, "accounts", c.Accounts, accountNode)
	return m.Node
}

func accountNode(a Account) *yaml.Node {
	m := newMapping()
	m.text("number", a.Number)
	m.text("class", a.Class)
	m.text("currency", a.Currency)
	m.text("time_zone", a.TimeZone)
	m.whole("cycle_day", a.CycleDay)
	m.money("opening_balance", a.OpeningBalance)
	m.money("financial_blocking_threshold", a.Threshold)
	m.money("subscription_credit_limit", a.CreditLimit)
	if a.Services != nil {
		m.put("services", inline(sequenceNode(a.Services, textNode)))
	}
	if a.Applications != nil {
		m.put("applications", sequenceNode(a.Applications, applicationNode))
	}
	if a.PeriodicServices != nil {
		m.put("periodic_services", sequenceNode(a.PeriodicServices, periodicNode))
	}
	if a.Limits != nil {
		m.put("limits", limitsNode(a.Limits))
	}
	if a.Profile != nil {
		m.put("profile", profileNode(a.Profile))
	}
	return m.Node
}

func (m mapping) money(key string, amount *billing.Money) {
	if amount != nil {
		m.number(key, amount)
	}
}

func applicationNode(name string) *yaml.Node {
	m := newMapping()
	m.text("name", name)
	return inline(m.Node)
}

func periodicNode(p PeriodicService) *yaml.Node {
	m := newMapping()
	m.text("name", p.Name)
	m.number("price", p.Price)
	m.text("period", p.Period.String())
	if p.Every != 1 {
		m.whole("every", p.Every)
	}
	m.date("starts_on", p.StartsOn.String())
	if p.AnchorDay != 0 {
		m.whole("anchor_day", p.AnchorDay)
	}
	if p.EndsOn != nil {
		m.date("ends_on", p.EndsOn.String())
	}
	m.flag("prorate", p.Prorate)
	return inline(m.Node)
}

func limitsNode(s *limits.Settings) *yaml.Node {
	m := newMapping()
	m.flag(blockKey, s.BlockNotIncluded)
	m.decimal(percentageKey, &s.Percentage)
	m.ceilings(true, s.Account)
	putList(m, entriesKey, s.Entries, func(e limits.Entry) *yaml.Node {
		n, called := newMapping(), newMapping()
		called.text(byCode, e.Target.Target)
		n.put(targetKeys[e.Target.Kind].key, called.Node)
		n.ceilings(false, e.Ceilings)
		return inline(n.Node)
	})
	return m.Node
}

func (m mapping) ceilings(account bool, c limits.Ceilings) {
	for _, key := range limits.CeilingNames(account) {
		w, metric, _ := limits.CeilingOf(account, key) // key is one of its names
		m.decimal(key, c[w][metric])
	}
}

func priceNode(p rating.Price) *yaml.Node {
	m := newMapping()
	m.text("id", p.ID)
	m.text("service", p.Service)
	m.text("currency", p.Currency)
	m.text("class", p.Class)
	m.text("account", p.Account)
	m.time("valid_from", p.ValidFrom)
	if p.ValidTo != nil {
		m.time("valid_to", *p.ValidTo)
	}
	if p.Accumulate != rating.ByRecord {
		m.text("accumulate", p.Accumulate.String())
	}
	m.model(p.Model)
	m.decimal("step", p.Step)
	m.decimal("per_record", p.PerRecord)
	m.decimal("minimum", p.Minimum)
	m.decimal("maximum", p.Maximum)
	if p.Digits != nil {
		m.whole("digits", *p.Digits)
	}
	putList(m, "bands", p.Bands, bandNode)
	return m.Node
}

func (m mapping) model(v rating.Model) {
	m.decimal("per_unit", v.PerUnit)
	putList(m, "graduated", v.Graduated, tierNode)
	putList(m, "volume", v.Volume, tierNode)
	if v.Package != nil {
		p := newMapping()
		p.number("size", v.Package.Size)
		p.number("price", v.Package.Price)
		m.put("package", inline(p.Node))
	}
}

func tierNode(t rating.Tier) *yaml.Node {
	m := newMapping()
	m.decimal("up_to", t.UpTo)
	m.number("unit_price", t.UnitPrice)
	m.decimal("flat", t.Flat)
	return inline(m.Node)
}

func bandNode(b rating.Band) *yaml.Node {
	m := newMapping()
	m.text("name", b.Name)
	var days []string
	for i := range 7 {
		// From Monday on; an empty set contains every day, and is not written.
		if d := time.Weekday((i + 1) % 7); b.Days != 0 && b.Days.Contains(d) {
			days = append(days, strings.ToLower(d.String()[:3]))
		}
	}
	putList(m, "days", days, textNode)
	m.number("from", b.From)
	m.number("to", b.To)
	m.model(b.Model)
	return inline(m.Node)
}
