package vendor

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

const (
	v3Attribute = "/data/attributes"
	v3Custom    = v3Attribute + "/custom_attributes"
	// customMax bounds the custom attributes of an account.
	customMax = 100
)

// v3Creation is the body of a creation, for those who want to know what it may
// have. What it has is read by readCreation, which sees what a struct would not:
// keys that stand twice, null, and where a value has the wrong type.
type v3Creation struct {
	Data struct {
		Type       string     `json:"type,omitempty" enum:"accounts" doc:"May be left out, as the documents do."`
		Attributes v3NewWords `json:"attributes"`
	} `json:"data"`
}

// v3NewWords are the attributes of an account to be.
type v3NewWords struct {
	AccountTypeID    int64       `json:"account_type_id"`
	PrimaryName      string      `json:"primary_name,omitempty"`
	FirstName        string      `json:"first_name"`
	MiddleName       string      `json:"middle_name,omitempty"`
	LastName         string      `json:"last_name"`
	Email            string      `json:"email"`
	OwnerID          int64       `json:"owner_id,omitempty" doc:"A user that exists, of the token's reseller or of one downstream, or whom an account of theirs names; instead of the four about a new one."`
	NewOwnerFirst    string      `json:"new_owner_first_name,omitempty" doc:"Required without owner_id."`
	NewOwnerMiddle   string      `json:"new_owner_middle_name,omitempty"`
	NewOwnerLast     string      `json:"new_owner_last_name,omitempty" doc:"Required without owner_id."`
	NewOwnerEmail    string      `json:"new_owner_email,omitempty" doc:"Required without owner_id."`
	ManagerID        int64       `json:"manager_id,omitempty" doc:"An active sales person of the token's reseller or of one downstream."`
	AccountClassKey  string      `json:"account_class_key"`
	Country          string      `json:"country" doc:"ISO 3166-1 alpha-2; the reseller may allow some only."`
	Region           string      `json:"region"`
	City             string      `json:"city"`
	Street           string      `json:"street"`
	Building         string      `json:"building,omitempty"`
	Office           string      `json:"office,omitempty"`
	Zip              string      `json:"zip"`
	Phone            string      `json:"phone" doc:"+ or 00, the country's code and digits."`
	CustomAttributes v3NewCustom `json:"custom_attributes,omitempty"`
}

// v3NewCustom are custom attributes of an account to be.
type v3NewCustom struct {
	Data []v3NewValue `json:"data,omitempty"`
}

// v3NewValue is one of them.
type v3NewValue struct {
	Key   string `json:"key"`
	Value string `json:"value" doc:"Of a checkbox 1 or 0, of a date DD.MM.YYYY, of a list the key of an element."`
}

// creation is a body that was read.
type creation struct {
	postgres.NewVendorAccount
	customAt map[string]int // where the value of a custom attribute stands
}

// readCreation reads the body of a creation: what it asks for, if its shape is
// right. What its values must be is the store's to say.
func readCreation(body []byte) (*creation, error) {
	parsed, err := parseJSON(body)
	if err != nil {
		return nil, err
	}
	document, _ := parsed.(map[string]any)
	data, is := document["data"].(map[string]any)
	if !is {
		return nil, &refusal{status: http.StatusBadRequest, faults: []fault{{pointer: "/data", text: "give a resource object here"}}}
	}
	if kind := data["type"]; kind != nil && kind != "accounts" {
		return nil, &refusal{status: http.StatusConflict, faults: []fault{{pointer: "/data/type", text: `only "accounts" are created here`}}}
	}
	if data["id"] != nil {
		return nil, &refusal{status: http.StatusForbidden, faults: []fault{{pointer: "/data/id", text: "ids are given here: leave it out"}}}
	}
	attributes, is := data["attributes"].(map[string]any)
	if !is {
		return nil, &refusal{status: http.StatusUnprocessableEntity, faults: []fault{{pointer: v3Attribute, text: "give the account's attributes here"}}}
	}
	r := attributeReader{attributes: maps.Clone(attributes), creation: creation{customAt: map[string]int{}}}
	r.read()
	return &r.creation, r.err(http.StatusUnprocessableEntity)
}

// attributeReader takes attributes one by one; what is left is unknown. Null is
// as absent.
type attributeReader struct {
	attributes map[string]any
	faultList
	creation
}

func (r *attributeReader) read() {
	n := &r.NewVendorAccount
	n.Type = r.id("account_type_id")
	n.ClassKey = r.text("account_class_key")
	n.Contact = billing.Contact{
		PrimaryName: r.text("primary_name"), FirstName: r.text("first_name"), MiddleName: r.text("middle_name"), LastName: r.text("last_name"),
		Email: r.text("email"), Country: r.text("country"), Region: r.text("region"), City: r.text("city"), Street: r.text("street"),
		Building: r.text("building"), Office: r.text("office"), Zip: r.text("zip"), Phone: r.text("phone"),
	}
	n.Owner, n.Manager = r.id("owner_id"), r.id("manager_id")
	u := billing.User{FirstName: r.text("new_owner_first_name"), MiddleName: r.text("new_owner_middle_name"),
		LastName: r.text("new_owner_last_name"), Email: r.text("new_owner_email")}
	if u != (billing.User{}) {
		n.NewOwner = &u
	}
	r.custom()
	for _, name := range slices.Sorted(maps.Keys(r.attributes)) {
		r.add(fault{pointer: v3Attribute + "/" + escape(name), text: "an account to be has no such attribute"})
	}
}

// take is an attribute's value; nil where it is not given.
func (r *attributeReader) take(name string) any {
	v := r.attributes[name]
	delete(r.attributes, name)
	return v
}

func (r *attributeReader) wrong(pointer, format string, args ...any) {
	r.add(fault{pointer: pointer, text: fmt.Sprintf(format, args...)})
}

func (r *attributeReader) text(name string) string {
	v := r.take(name)
	text, is := v.(string)
	if !is && v != nil {
		r.wrong(v3Attribute+"/"+name, "%s: give a string", kindOf(v))
	}
	return text
}

func (r *attributeReader) id(name string) int64 {
	v := r.take(name)
	if v == nil {
		return 0
	}
	digits, is := v.(json.Number)
	id, err := strconv.ParseUint(digits.String(), 10, 63)
	if !is || err != nil || id == 0 {
		r.wrong(v3Attribute+"/"+name, "%s: give an id, a whole number above 0", kindOf(v))
	}
	return int64(id) //nolint:gosec // 63 bits were read
}

// custom reads custom_attributes.data, a list of keys and values.
func (r *attributeReader) custom() {
	v := r.take("custom_attributes")
	if v == nil {
		return
	}
	object, is := v.(map[string]any)
	if !is {
		r.wrong(v3Custom, "%s: give an object with data", kindOf(v))
		return
	}
	if r.unknown(v3Custom, object, "give a list, data, of objects with key and value", "data") {
		return
	}
	list, is := object["data"].([]any)
	switch {
	case !is && object["data"] != nil:
		r.wrong(v3Custom+"/data", "%s: give a list of objects with key and value", kindOf(object["data"]))
		return
	case len(list) > customMax:
		r.wrong(v3Custom+"/data", "%d custom attributes, at most %d are taken", len(list), customMax)
		return
	}
	r.CustomAttributes = map[string]string{}
	for i, item := range list {
		r.customValue(i, item)
	}
}

// unknown tells of members of an object that would be lost, since nothing here is
// called so.
func (r *attributeReader) unknown(at string, object map[string]any, instead string, known ...string) (found bool) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(known, name) {
			r.wrong(at+"/"+escape(name), "there is no such member here: %s", instead)
			found = true
		}
	}
	return found
}

func (r *attributeReader) customValue(i int, item any) {
	at := v3Custom + "/data/" + strconv.Itoa(i)
	object, _ := item.(map[string]any)
	if r.unknown(at, object, "give key and value", "key", "value") {
		return
	}
	key, keyed := object["key"].(string)
	value, valued := object["value"].(string)
	switch first, doubled := r.customAt[key]; {
	case !keyed:
		r.wrong(at, "give an object with key and value, both strings")
	case !valued && object["value"] != nil:
		r.wrong(at+"/value", "%s: give a string", kindOf(object["value"]))
	case doubled:
		r.wrong(at+"/key", "%q has a value already at %d, give it once", clip(key), first)
	default:
		r.CustomAttributes[key], r.customAt[key] = value, i
	}
}

// kindOf says what a value is that is not what it should be.
func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return clip(v.String())
	case string:
		return strconv.Quote(clip(v))
	case []any:
		return "a list"
	}
	return "an object"
}

// faultsOf are the faults that the store found, where they stand in the body.
func (c *creation) faultsOf(found postgres.AttributeFaults) error {
	var l faultList
	for _, f := range found {
		pointer := v3Attribute + "/" + f.Attribute
		if f.Attribute == "custom_attributes" {
			pointer += "/data"
			if i, stands := c.customAt[f.Key]; stands {
				pointer += "/" + strconv.Itoa(i) + "/value"
			}
		}
		l.add(fault{pointer: pointer, text: strings.ToValidUTF8(f.Text, "?")})
	}
	return l.err(http.StatusUnprocessableEntity)
}
