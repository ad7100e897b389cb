package setup

import (
	"cmp"

	"github.com/chargehand/chargehand/billing"
)

var resellerKeys = []string{"id", "name", "parent", "countries", "currency"}

func (r *reader) reseller(s spot) billing.Reseller {
	o := r.object(s, resellerKeys)
	o.need("id", "name")
	v := billing.Reseller{
		ID: o.id("id"), Name: o.text("name"), Parent: o.refersTo(KindReseller, "parent"),
		Countries: filled(list(o, "countries", r.country)), Currency: o.currency("currency"),
	}
	twice(o, "countries", v.Countries, func(code string) string { return code })
	r.defines(KindReseller, idText(v.ID), s)
	return v
}

func (r *reader) country(s spot) string {
	code := r.element(s)
	if code == "" {
		return ""
	}
	if err := billing.CheckCountry(code); err != nil {
		r.fault(s, "%v", err)
	}
	return code
}

var managerKeys = []string{"id", "reseller", "name", "email", "role", "status", "phone", "photo", "custom_attributes"}

func (r *reader) manager(s spot) billing.Manager {
	o := r.object(s, managerKeys)
	o.need("id", "reseller", "name", "email", "role")
	m := billing.Manager{
		ID: o.id("id"), Reseller: o.refersTo(KindReseller, "reseller"), Name: o.text("name"),
		Email: o.legal("email", o.text("email"), billing.CheckEmail), Role: o.text("role"),
		Status: cmp.Or(o.text("status"), billing.ActiveManager),
		Phone:  o.legal("phone", o.label("phone"), billing.CheckPhone), Photo: o.label("photo"),
		CustomAttributes: o.texts("custom_attributes"),
	}
	r.defines(KindManager, idText(m.ID), s)
	return m
}

var userKeys = []string{"id", "reseller", "first_name", "middle_name", "last_name", "email", "account_status", "global_status"}

func (r *reader) user(s spot) billing.User {
	o := r.object(s, userKeys)
	o.need("id", "email")
	u := billing.User{
		ID: o.id("id"), Reseller: o.refersTo(KindReseller, "reseller"),
		FirstName: o.label("first_name"), MiddleName: o.label("middle_name"), LastName: o.label("last_name"),
		Email:         o.legal("email", o.text("email"), billing.CheckEmail),
		AccountStatus: cmp.Or(o.text("account_status"), billing.ActiveUser),
		GlobalStatus:  cmp.Or(o.text("global_status"), billing.ActiveUser),
	}
	r.defines(KindUser, idText(u.ID), s)
	return u
}

var (
	accountTypeKeys = []string{
		"id", "key", "name", "reseller", "name_pattern", "primary_name", "default_payment_method_id", "ancestry",
		"use_by_default", "attributes",
	}
	attributeKeys = []string{"key", "name", "kind", "required", "elements"}
	elementKeys   = []string{"key", "name"}
)

func (r *reader) accountType(s spot) billing.AccountType {
	o := r.object(s, accountTypeKeys)
	o.need("id", "key", "name_pattern")
	t := billing.AccountType{
		ID: o.id("id"), Key: o.text("key"), Name: o.label("name"), Reseller: o.refersTo(KindReseller, "reseller"),
		NamePattern: o.text("name_pattern"), PrimaryName: o.label("primary_name"),
		DefaultPaymentMethodID: o.id("default_payment_method_id"), Ancestry: o.label("ancestry"),
		UseByDefault: o.flag("use_by_default"), Attributes: filled(list(o, "attributes", r.attribute)),
	}
	twice(o, "attributes", t.Attributes, func(a billing.Attribute) string { return a.Key })
	r.defines(KindAccountType, idText(t.ID), s)
	o.once(kindTypeKey, "key", t.Key)
	return t
}

func (r *reader) attribute(s spot) billing.Attribute {
	o := r.object(s, attributeKeys)
	o.need("key")
	a := billing.Attribute{
		Key: o.text("key"), Name: o.label("name"), Required: o.flag("required"),
		Elements: filled(list(o, "elements", r.listElement)),
	}
	o.word("kind", &a.Kind)
	twice(o, "elements", a.Elements, func(e billing.Element) string { return e.Key })
	if err := a.CheckElements(); err != nil {
		o.fault(o.below("/elements"), "%v", err)
	}
	return a
}

func (r *reader) listElement(s spot) billing.Element {
	o := r.object(s, elementKeys)
	o.need("key")
	return billing.Element{Key: o.text("key"), Name: o.label("name")}
}

// classProfile reads what vendor APIs show of an account class.
func (o object) classProfile() billing.ClassProfile {
	p := billing.ClassProfile{
		Reseller: o.refersTo(KindReseller, "reseller"), Color: o.label("color"),
		DueOrderDays:    o.whole("due_order_period", 0, daysMax, 0),
		DuePaymentDays:  o.whole("due_payment_period", 0, daysMax, 0),
		GuaranteedLimit: o.money("guaranteed_payment_limit"),
		GuaranteedDays:  o.whole("guaranteed_payment_period", 0, daysMax, 0),
		Denominated:     o.flag("denominated"),
		ReceiptDay:      o.whole("receipt_day", 1, 31, 0),
	}
	o.word("stop_subscription_type", &p.StopSubscriptions)
	o.word("delete_subscription_type", &p.DeleteSubscriptions)
	return p
}
