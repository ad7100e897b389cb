package billing

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// AccountType says how accounts are named and which custom attributes they
// have.
type AccountType struct {
	ID       int64
	Key      string
	Name     string
	Reseller int64 // 0: of the installation
	// NamePattern is how an account is called: a text in which %primary_name,
	// %first_name, %middle_name and %last_name stand for what its contact says.
	NamePattern            string
	PrimaryName            string
	DefaultPaymentMethodID int64  // 0: none
	Ancestry               string // empty: none
	UseByDefault           bool
	Attributes             []Attribute
}

// Attribute is a custom attribute that accounts of a type have. Its JSON form is
// an entry of a set-up file's attributes.
type Attribute struct {
	Key      string        `json:"key"`
	Name     string        `json:"name"`
	Kind     AttributeKind `json:"kind"`
	Required bool          `json:"required"`           // of new accounts
	Elements []Element     `json:"elements,omitempty"` // of a list
}

// attribute is the attribute of t with a key, or nil.
func (t *AccountType) attribute(key string) *Attribute {
	i := slices.IndexFunc(t.Attributes, func(a Attribute) bool { return a.Key == key })
	if i < 0 {
		return nil
	}
	return &t.Attributes[i]
}

// Check hands to refuse what is wrong with the values that an account of t has
// for custom attributes, in the order of their keys.
func (t *AccountType) Check(values map[string]string, refuse func(key string, err error)) {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		a := t.attribute(key)
		if a == nil {
			refuse(key, fmt.Errorf("%s: account type %s has no attribute of this key", clip(key), clip(t.Key)))
			continue
		}
		if err := a.check(values[key]); err != nil {
			refuse(key, err)
		}
	}
}

// CheckNew is Check of an account to be, which must have a value for each
// attribute that is required. Accounts that are there already may be older than
// that.
func (t *AccountType) CheckNew(values map[string]string, refuse func(key string, err error)) {
	t.Check(values, refuse)
	for _, a := range t.Attributes {
		if a.Required && values[a.Key] == "" {
			refuse(a.Key, fmt.Errorf("%s is missing: account type %s requires it", clip(a.Key), clip(t.Key)))
		}
	}
}

// check refuses what is no value of a. An empty one is none.
func (a *Attribute) check(value string) error {
	switch {
	case value == "":
		return nil
	case a.Kind == CheckboxAttribute && value != "0" && value != "1":
		return fmt.Errorf("%s: give 1 for true or 0 for false", clip(value))
	case a.Kind == DateAttribute && !isDayMonthYear(value):
		return fmt.Errorf("%s: not a date like 31.01.2026", clip(value))
	case a.Kind == ListAttribute && !slices.ContainsFunc(a.Elements, func(e Element) bool { return e.Key == value }):
		return fmt.Errorf("%s: not the key of an element: give one of %s", clip(value), a.elementKeys())
	}
	return nil
}

func (a *Attribute) elementKeys() string {
	var keys []string
	for _, e := range a.Elements {
		keys = append(keys, e.Key)
	}
	return strings.Join(keys, ", ")
}

func isDayMonthYear(text string) bool {
	const form = "02.01.2006"
	day, err := time.Parse(form, text)
	return err == nil && day.Format(form) == text
}

// CheckElements refuses a list without elements, and elements of what is no list.
func (a *Attribute) CheckElements() error {
	switch {
	case a.Kind == ListAttribute && len(a.Elements) == 0:
		return errors.New("missing: a list has at least one")
	case a.Kind != ListAttribute && len(a.Elements) > 0:
		return fmt.Errorf("an attribute of kind %s has none: make it a list, or leave them out", a.Kind)
	}
	return nil
}

// Element is one of the values that an attribute which is a list may have.
type Element struct {
	Key  string `json:"key"`
	Name string `json:"name"`
}

// AttributeKind is what the values of an attribute are.
type AttributeKind uint8

// The kinds of attribute. The numbers are stored.
const (
	TextAttribute     AttributeKind = iota
	CheckboxAttribute               // 1 or 0
	DateAttribute                   // DD.MM.YYYY
	ListAttribute                   // an element's key
)

var attributeKindNames = []string{"text", "checkbox", "date", "list"}

// String is the kind's word.
func (k AttributeKind) String() string { return attributeKindNames[k] }

// MarshalText writes the kind's word.
func (k AttributeKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind's word.
func (k *AttributeKind) UnmarshalText(text []byte) (err error) {
	*k, err = wordOf[AttributeKind]("attribute kind", attributeKindNames, string(text))
	return err
}
