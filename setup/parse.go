package setup

import (
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
)

// Parse reads a set-up file, YAML or JSON; name is what faults call it. A text
// of nothing but blanks and comments is a file that changes nothing. The error
// is Faults.
func Parse(name string, data []byte) (*File, error) {
	root, err := tree(name, data)
	if err != nil {
		return nil, err
	}
	r := newReader(name)
	f := &File{}
	if root != nil {
		f = r.document(spot{node: root})
	}
	f.read = r.read
	f.check(&r.faults)
	if err := r.faults.err(name); err != nil {
		return nil, err
	}
	return f, nil
}

// Join makes one file of several, as if they were one text: what stands in two
// of them is refused. The error is Faults.
func Join(files ...*File) (*File, error) {
	sum := &File{}
	for _, f := range files {
		sum.Families = append(sum.Families, f.Families...)
		sum.Types = append(sum.Types, f.Types...)
		sum.Services = append(sum.Services, f.Services...)
		sum.Prices = append(sum.Prices, f.Prices...)
		sum.Resellers = append(sum.Resellers, f.Resellers...)
		sum.Managers = append(sum.Managers, f.Managers...)
		sum.Users = append(sum.Users, f.Users...)
		sum.AccountTypes = append(sum.AccountTypes, f.AccountTypes...)
		sum.Classes = append(sum.Classes, f.Classes...)
		sum.Customers = append(sum.Customers, f.Customers...)
		if f.Limits != nil {
			sum.Limits = f.Limits // two are two things of one kind and key: check refuses them
		}
		sum.read = sum.read.with(f.read)
	}
	var faults faultList
	sum.check(&faults)
	if err := faults.err(""); err != nil {
		return nil, err
	}
	return sum, nil
}

func newReader(file string) *reader {
	return &reader{
		file: file, zones: map[string]bool{},
		read: readings{targets: map[*limits.Settings][]target{}},
	}
}

// defines notes that the thing of this kind and key stands at s.
func (r *reader) defines(kind Kind, key string, s spot) {
	if key != "" || kind == KindLimits {
		r.read.things = append(r.read.things, sighting{thing{kind, key}, r.place(s)})
	}
}

// refers notes that the value at key names a thing of this kind.
func (o object) refers(kind Kind, key, value string) {
	if s, ok := o.at(key); ok && value != "" {
		o.read.refs = append(o.read.refs, sighting{thing{kind, value}, o.place(s)})
	}
}

var documentKeys = []string{
	"families", "types", "services", "prices", "resellers", "managers", "users", "account_types", "account_classes",
	"customers", "limits",
}

func (r *reader) document(s spot) *File {
	o := r.object(s, documentKeys)
	return &File{
		Families:     filled(list(o, "families", r.family)),
		Types:        filled(list(o, "types", r.serviceType)),
		Services:     filled(list(o, "services", r.service)),
		Prices:       filled(list(o, "prices", r.price)),
		Resellers:    filled(list(o, "resellers", r.reseller)),
		Managers:     filled(list(o, "managers", r.manager)),
		Users:        filled(list(o, "users", r.user)),
		AccountTypes: filled(list(o, "account_types", r.accountType)),
		Classes:      filled(list(o, "account_classes", r.class)),
		Customers:    filled(list(o, "customers", r.customer)),
		Limits:       o.limits(""),
	}
}

// filled is a list that means the same empty and absent.
func filled[T any](all []T) []T {
	if len(all) == 0 {
		return nil
	}
	return all
}

var familyKeys = []string{"code", "name"}

func (r *reader) family(s spot) billing.Family {
	o := r.object(s, familyKeys)
	o.need("code")
	f := billing.Family{Code: o.text("code"), Name: o.label("name")}
	r.defines(KindFamily, f.Code, s)
	return f
}

var (
	typeKeys = []string{"code", "name", "family", "unit"}
	unitKeys = []string{"code", "name"}
)

func (r *reader) serviceType(s spot) billing.ServiceType {
	o := r.object(s, typeKeys)
	o.need("code")
	t := billing.ServiceType{Code: o.text("code"), Name: o.label("name"), Family: o.text("family")}
	if at, ok := o.at("unit"); ok {
		u := r.object(at, unitKeys)
		u.need("code")
		t.Unit = billing.Unit{Code: u.text("code"), Name: u.label("name")}
	}
	r.defines(KindType, t.Code, s)
	o.refers(KindFamily, "family", t.Family)
	return t
}

var serviceKeys = []string{"code", "alternative_code", "description", "type"}

func (r *reader) service(s spot) billing.Service {
	o := r.object(s, serviceKeys)
	o.need("code", "type")
	v := billing.Service{
		Code: o.text("code"), AlternativeCode: o.text("alternative_code"),
		Description: o.label("description"), Type: o.text("type"),
	}
	r.defines(KindService, v.Code, s)
	o.refers(KindType, "type", v.Type)
	return v
}

var classKeys = []string{
	"key", "name", "payment_model", "financial_blocking_threshold", "subzero_period",
	"subscription_credit_limit", "buy_with_negative_balance", "default",
	"id", "reseller", "color", "due_order_period", "due_payment_period", "guaranteed_payment_limit",
	"guaranteed_payment_period", "stop_subscription_type", "delete_subscription_type", "denominated", "receipt_day",
}

// daysMax bounds a period of days: a hundred years, after which a balance had
// better be allowed to stay negative for ever (-1).
const daysMax = 36525

// class reads an account class. What its payment model is judged by must be
// said: a threshold or a credit limit of 0 is a decision, not a default.
func (r *reader) class(s spot) billing.Class {
	o := r.object(s, classKeys)
	o.need("key", "payment_model")
	c := billing.Class{
		Key: o.text("key"), Name: o.label("name"),
		Threshold:              o.money("financial_blocking_threshold"),
		SubzeroDays:            o.whole("subzero_period", -1, daysMax, 0),
		CreditLimit:            o.money("subscription_credit_limit"),
		BuyWithNegativeBalance: o.flag("buy_with_negative_balance"),
		Default:                o.flag("default"),
		ID:                     o.id("id"),
		Profile:                o.classProfile(),
	}
	o.word("payment_model", &c.PaymentModel)
	if c.PaymentModel == billing.Postpay {
		o.need("subscription_credit_limit")
	} else {
		o.need("financial_blocking_threshold", "subzero_period")
	}
	r.defines(KindClass, c.Key, s)
	o.once(kindClassID, "id", idText(c.ID))
	return c
}

var customerKeys = []string{"ref", "name", "accounts"}

func (r *reader) customer(s spot) Customer {
	o := r.object(s, customerKeys)
	o.need("ref")
	c := Customer{Ref: o.text("ref"), Name: o.label("name")}
	r.defines(KindCustomer, c.Ref, s)
	c.Accounts = filled(list(o, "accounts", r.account))
	return c
}
