package setup

import (
	"encoding/json"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/rating"
)

var (
	modelKeys = []string{"per_unit", "graduated", "volume", "package"}
	priceKeys = append([]string{
		"id", "service", "currency", "class", "account", "valid_from", "valid_to", "accumulate",
		"step", "per_record", "minimum", "maximum", "digits", "bands",
	}, modelKeys...)
	tierKeys    = []string{"up_to", "unit_price", "flat"}
	packageKeys = []string{"size", "price"}
	bandKeys    = append([]string{"name", "days", "from", "to"}, modelKeys...)
)

// digitsMax is how many digits a charge may be rounded to (SPEC R2.3).
const digitsMax = 6

func (r *reader) price(s spot) rating.Price {
	before := r.faults.count()
	o := r.object(s, priceKeys)
	o.need("id", "service", "currency", "valid_from")
	p := rating.Price{
		ID: o.text("id"), Service: o.text("service"), Currency: o.currency("currency"),
		Class: o.text("class"), Account: o.text("account"),
		ValidTo: o.time("valid_to"), Model: o.model(),
		Step:      number(o, "step", billing.ParsePrice),
		PerRecord: number(o, "per_record", billing.ParsePrice),
		Minimum:   number(o, "minimum", billing.ParsePrice),
		Maximum:   number(o, "maximum", billing.ParsePrice),
		Bands:     filled(list(o, "bands", r.band)),
	}
	o.word("accumulate", &p.Accumulate)
	if t := o.time("valid_from"); t != nil {
		p.ValidFrom = *t
	}
	if o.has("digits") {
		digits := o.whole("digits", 0, digitsMax, 0)
		p.Digits = &digits
	}
	r.defines(KindPrice, p.ID, s)
	o.refers(KindService, "service", p.Service)
	o.refers(KindClass, "class", p.Class)
	o.refers(KindAccount, "account", p.Account)
	if r.faults.count() == before {
		o.refused(p.Validate())
	}
	return p
}

func (o object) model() rating.Model {
	m := rating.Model{
		PerUnit:   number(o, "per_unit", billing.ParsePrice),
		Graduated: list(o, "graduated", o.tier),
		Volume:    list(o, "volume", o.tier),
	}
	if s, ok := o.at("package"); ok {
		p := o.object(s, packageKeys)
		p.need("size", "price")
		m.Package = &rating.Package{
			Size:  value(number(p, "size", billing.ParseCeiling)),
			Price: value(number(p, "price", billing.ParsePrice)),
		}
	}
	return m
}

func (r *reader) tier(s spot) rating.Tier {
	o := r.object(s, tierKeys)
	o.need("unit_price")
	return rating.Tier{
		UpTo:      number(o, "up_to", billing.ParseCeiling),
		UnitPrice: value(number(o, "unit_price", billing.ParsePrice)),
		Flat:      number(o, "flat", billing.ParsePrice),
	}
}

func (r *reader) band(s spot) rating.Band {
	o := r.object(s, bandKeys)
	o.need("from", "to")
	b := rating.Band{Name: o.label("name"), Model: o.model()}
	o.word("from", &b.From)
	o.word("to", &b.To)
	b.Days = o.days()
	return b
}

// days is the set of days at days, as rating reads it.
func (o object) days() (w rating.Weekdays) {
	before := o.faults.count()
	words := list(o, "days", o.element)
	s, ok := o.at("days")
	if !ok || o.faults.count() > before {
		return 0
	}
	text, err := json.Marshal(words)
	if err == nil {
		err = w.UnmarshalJSON(text)
	}
	if err != nil {
		o.fault(s, "%v", err)
	}
	return w
}
