package setup

import (
	"maps"
	"slices"
	"strconv"

	"github.com/chargehand/chargehand/billing"
	"go.yaml.in/yaml/v3"
)

// positive puts a whole number, an id for instance; 0 is none.
func (m mapping) positive(key string, n int64) {
	if n != 0 {
		m.put(key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.FormatInt(n, 10)})
	}
}

// texts puts an object of texts in the order of its keys, unless it is empty.
func (m mapping) texts(key string, all map[string]string) {
	if len(all) == 0 {
		return
	}
	n := newMapping()
	for _, k := range slices.Sorted(maps.Keys(all)) {
		n.put(k, textNode(all[k]))
	}
	m.put(key, inline(n.Node))
}

// set puts true.
func (m mapping) set(key string, v bool) {
	if v {
		m.flag(key, v)
	}
}

func resellerNode(r billing.Reseller) *yaml.Node {
	m := newMapping()
	m.positive("id", r.ID)
	m.text("name", r.Name)
	m.positive("parent", r.Parent)
	putList(m, "countries", r.Countries, textNode)
	m.text("currency", r.Currency)
	return inline(m.Node)
}

func managerNode(v billing.Manager) *yaml.Node {
	m := newMapping()
	m.positive("id", v.ID)
	m.positive("reseller", v.Reseller)
	m.text("name", v.Name)
	m.text("email", v.Email)
	m.text("role", v.Role)
	m.text("status", v.Status)
	m.text("phone", v.Phone)
	m.text("photo", v.Photo)
	m.texts("custom_attributes", v.CustomAttributes)
	return inline(m.Node)
}

func userNode(u billing.User) *yaml.Node {
	m := newMapping()
	m.positive("id", u.ID)
	m.positive("reseller", u.Reseller)
	m.text("first_name", u.FirstName)
	m.text("middle_name", u.MiddleName)
	m.text("last_name", u.LastName)
	m.text("email", u.Email)
	m.text("account_status", u.AccountStatus)
	m.text("global_status", u.GlobalStatus)
	return inline(m.Node)
}

func accountTypeNode(t billing.AccountType) *yaml.Node {
	m := newMapping()
	m.positive("id", t.ID)
	m.text("key", t.Key)
	m.text("name", t.Name)
	m.positive("reseller", t.Reseller)
	m.text("name_pattern", t.NamePattern)
	m.text("primary_name", t.PrimaryName)
	m.positive("default_payment_method_id", t.DefaultPaymentMethodID)
	m.text("ancestry", t.Ancestry)
	m.set("use_by_default", t.UseByDefault)
	putList(m, "attributes", t.Attributes, attributeNode)
	return m.Node
}

func attributeNode(a billing.Attribute) *yaml.Node {
	m := newMapping()
	m.text("key", a.Key)
	m.text("name", a.Name)
	m.text("kind", a.Kind.String())
	m.set("required", a.Required)
	putList(m, "elements", a.Elements, func(e billing.Element) *yaml.Node {
		n := newMapping()
		n.text("key", e.Key)
		n.text("name", e.Name)
		return n.Node
	})
	return inline(m.Node)
}

// classProfile puts what is not as a file has it that says nothing of it.
func (m mapping) classProfile(p billing.ClassProfile) {
	m.positive("reseller", p.Reseller)
	m.text("color", p.Color)
	m.positive("due_order_period", int64(p.DueOrderDays))
	m.positive("due_payment_period", int64(p.DuePaymentDays))
	if p.GuaranteedLimit != 0 {
		m.number("guaranteed_payment_limit", p.GuaranteedLimit)
	}
	m.positive("guaranteed_payment_period", int64(p.GuaranteedDays))
	if p.StopSubscriptions != billing.Automatically {
		m.text("stop_subscription_type", p.StopSubscriptions.String())
	}
	if p.DeleteSubscriptions != billing.Automatically {
		m.text("delete_subscription_type", p.DeleteSubscriptions.String())
	}
	m.set("denominated", p.Denominated)
	m.positive("receipt_day", int64(p.ReceiptDay))
}

func profileNode(p *Profile) *yaml.Node {
	m := newMapping()
	m.positive("id", p.ID)
	m.positive("reseller", p.Reseller)
	m.positive("account_type", p.AccountType)
	m.positive("manager", p.Manager)
	m.positive("owner", p.Owner)
	if p.TechUser != p.Owner {
		m.positive("tech_user", p.TechUser)
	}
	if p.BillUser != p.Owner {
		m.positive("bill_user", p.BillUser)
	}
	if p.Contact != (billing.Contact{}) {
		m.put("contact", contactNode(&p.Contact))
	}
	m.texts("custom_attributes", p.CustomAttributes)
	if len(m.Content) == 0 {
		inline(m.Node)
	}
	return m.Node
}

func contactNode(c *billing.Contact) *yaml.Node {
	m := newMapping()
	m.text("primary_name", c.PrimaryName)
	m.text("first_name", c.FirstName)
	m.text("middle_name", c.MiddleName)
	m.text("last_name", c.LastName)
	m.text("email", c.Email)
	m.text("country", c.Country)
	m.text("region", c.Region)
	m.text("city", c.City)
	m.text("street", c.Street)
	m.text("building", c.Building)
	m.text("office", c.Office)
	m.text("zip", c.Zip)
	m.text("phone", c.Phone)
	return inline(m.Node)
}
