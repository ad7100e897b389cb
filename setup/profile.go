package setup

import (
	"cmp"
	"strconv"

	"github.com/chargehand/chargehand/billing"
	"go.yaml.in/yaml/v3"
)

// IDMax bounds the ids that a file may give: every JSON reader takes them for
// whole numbers, and there is room above for those that are chosen.
const IDMax = 999_999_999_999_999

// id is the number under which vendor APIs know something; 0 where it is absent.
func (o object) id(key string) int64 { return int64(o.whole(key, 1, IDMax, 0)) }

// idText is what things with a number for an id are told apart by.
func idText(id int64) string {
	if id == 0 {
		return ""
	}
	return strconv.FormatInt(id, 10)
}

// refersTo is id, as a reference to a thing of this kind.
func (o object) refersTo(kind Kind, key string) int64 {
	id := o.id(key)
	o.refers(kind, key, idText(id))
	return id
}

// once notes that what stands at key must stand only once.
func (o object) once(kind Kind, key, value string) {
	if s, ok := o.at(key); ok {
		o.defines(kind, value, s)
	}
}

var (
	profileKeys = []string{
		"id", "reseller", "account_type", "manager", "owner", "tech_user", "bill_user", "contact", "custom_attributes",
	}
	contactKeys = []string{
		"primary_name", "first_name", "middle_name", "last_name", "email", "country", "region", "city", "street",
		"building", "office", "zip", "phone",
	}
)

func (r *reader) profile(s spot, account string) *Profile {
	o := r.object(s, profileKeys)
	p := &Profile{
		ID: o.id("id"), Reseller: o.refersTo(KindReseller, "reseller"), AccountType: o.refersTo(KindAccountType, "account_type"),
		Manager: o.refersTo(KindManager, "manager"), Owner: o.refersTo(KindUser, "owner"),
		CustomAttributes: o.texts("custom_attributes"),
	}
	p.TechUser = cmp.Or(o.refersTo(KindUser, "tech_user"), p.Owner)
	p.BillUser = cmp.Or(o.refersTo(KindUser, "bill_user"), p.Owner)
	if at, ok := o.at("contact"); ok {
		p.Contact = r.contact(at)
	}
	o.once(kindProfileID, "id", idText(p.ID))
	if at, ok := o.at("custom_attributes"); ok && account != "" {
		values := object{reader: r, spot: at}
		for key := range p.CustomAttributes {
			values.once(kindValue, key, account+"\x00"+key) // no text holds a NUL
		}
	}
	return p
}

func (r *reader) contact(s spot) billing.Contact {
	o := r.object(s, contactKeys)
	return billing.Contact{
		PrimaryName: o.label("primary_name"),
		FirstName:   o.label("first_name"), MiddleName: o.label("middle_name"), LastName: o.label("last_name"),
		Email:   o.legal("email", o.label("email"), billing.CheckEmail),
		Country: o.legal("country", o.label("country"), billing.CheckCountry),
		Region:  o.label("region"), City: o.label("city"), Street: o.label("street"),
		Building: o.label("building"), Office: o.label("office"), Zip: o.label("zip"),
		Phone: o.legal("phone", o.label("phone"), billing.CheckPhone),
	}
}

// legal is the text that was read from key, which passes a check if it is there.
func (o object) legal(key, text string, check func(string) error) string {
	if text == "" {
		return ""
	}
	if err := check(text); err != nil {
		s, _ := o.at(key)
		o.fault(s, "%v", err)
	}
	return text
}

// texts is an object of texts under keys of any name; nil where it is empty or
// absent.
func (o object) texts(key string) map[string]string {
	s, ok := o.at(key)
	if !ok {
		return nil
	}
	if s.node.Kind != yaml.MappingNode {
		o.fault(s, "%s, not an object: write key: value pairs", described(s.node))
		return nil
	}
	all := make(map[string]string, len(s.node.Content)/2)
	lines := make(map[string]int, len(s.node.Content)/2)
	values := object{reader: o.reader, spot: s}
	for i := 0; i < len(s.node.Content); i += 2 {
		k := s.node.Content[i]
		at := spot{k, s.path.of(k.Value)}
		if k.Kind != yaml.ScalarNode || k.Tag != "!!str" {
			o.fault(spot{k, s.path}, "%s as a key: write a text, in quotes if need be", described(k))
			continue
		}
		if err := checkText(k.Value); err != nil {
			o.fault(at, "key %v", err)
			continue
		}
		if line, doubled := lines[k.Value]; doubled {
			o.fault(at, "key stands already at line %d: keep one of them", line)
			continue
		}
		lines[k.Value] = k.Line
		if v := s.node.Content[i+1]; isNull(v) {
			o.fault(spot{v, at.path}, "nothing, not a text: write \"\" for an empty one")
		}
		all[k.Value] = values.label(k.Value)
	}
	if len(all) == 0 {
		return nil
	}
	return all
}
