package setup

import (
	"encoding"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/chargehand/chargehand/billing"
	"go.yaml.in/yaml/v3"
)

// scalar is the value of a key that o has and that may be written as one of the
// tags; else it is a fault, or nothing where the key is absent or null.
func (o object) scalar(key, wanted string, tags ...string) (spot, bool) {
	s, ok := o.at(key)
	if !ok || isNull(s.node) {
		return spot{}, false
	}
	if s.node.Kind != yaml.ScalarNode || !slices.Contains(tags, s.node.Tag) {
		o.fault(s, "%s, not %s", described(s.node), wanted)
		return spot{}, false
	}
	return s, true
}

// text is a code, key, name or number that names something; empty where absent.
func (o object) text(key string) string {
	s, ok := o.scalar(key, "a text: put it in quotes", "!!str")
	if !ok {
		return ""
	}
	return o.checked(s)
}

// element is text as an element of a list.
func (r *reader) element(s spot) string {
	if s.node.Kind != yaml.ScalarNode || s.node.Tag != "!!str" {
		r.fault(s, "%s, not a text: put it in quotes", described(s.node))
		return ""
	}
	return r.checked(s)
}

func (r *reader) checked(s spot) string {
	if err := checkText(s.node.Value); err != nil {
		r.fault(s, "%v", err)
		return ""
	}
	return s.node.Value
}

// label is a text that only people read: it may be empty.
func (o object) label(key string) string {
	if s, ok := o.at(key); ok && s.node.Kind == yaml.ScalarNode && s.node.Tag == "!!str" && s.node.Value == "" {
		return ""
	}
	return o.text(key)
}

// number reads the exact text of a number, quoted or not (SPEC R2.1); nil where
// it is absent or a fault.
func number[T any](o object, key string, parse func(string) (T, error)) *T {
	s, ok := o.scalar(key, `a number: write it like "1.55"`, "!!str", "!!int", "!!float")
	if !ok {
		return nil
	}
	v, err := parse(s.node.Value)
	switch {
	case errors.Is(err, billing.ErrNotNumber):
		o.fault(s, `%v: write it like "1.55"`, err)
	case err != nil:
		o.fault(s, "%v", err)
	default:
		return &v
	}
	return nil
}

// natural reads money that is not below zero.
func natural(text string) (billing.Money, error) {
	m, err := billing.ParseMoney(text)
	if err == nil && m < 0 {
		err = negative(text)
	}
	return m, err
}

func (o object) money(key string) billing.Money { return value(number(o, key, natural)) }

// value is what p points to, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// whole is a whole number from low to high; absent, it is otherwise.
func (o object) whole(key string, low, high, otherwise int) int {
	s, ok := o.scalar(key, "a whole number", "!!int")
	if !ok {
		return otherwise
	}
	n, err := strconv.Atoi(s.node.Value)
	if err != nil || strconv.Itoa(n) != s.node.Value || n < low || n > high {
		o.fault(s, "%s: not a whole number from %d to %d", clip(s.node.Value), low, high)
		return otherwise
	}
	return n
}

// flag is true or false; absent, it is false.
func (o object) flag(key string) bool {
	s, ok := o.scalar(key, "true or false", "!!bool")
	if !ok {
		return false
	}
	if s.node.Value != "true" && s.node.Value != "false" {
		o.fault(s, "%s: write true or false", s.node.Value)
	}
	return s.node.Value == "true"
}

// word reads one of a closed set into v, which stays as it is where absent.
func (o object) word(key string, v encoding.TextUnmarshaler) {
	s, ok := o.scalar(key, "a word", "!!str")
	if !ok {
		return
	}
	if err := v.UnmarshalText([]byte(s.node.Value)); err != nil {
		o.fault(s, "%v", err)
	}
}

// time is the instant at key, or nil.
func (o object) time(key string) *time.Time { return dated(o, key, billing.ParseTime) }

// date is the civil date at key, or nil.
func (o object) date(key string) *billing.Date { return dated(o, key, billing.ParseDate) }

func dated[T any](o object, key string, parse func(string) (T, error)) *T {
	s, ok := o.scalar(key, "a time: write it like 2026-01-31T00:00:00Z", "!!str", "!!timestamp")
	if !ok {
		return nil
	}
	v, err := parse(s.node.Value)
	if err != nil {
		o.fault(s, "%v", err)
		return nil
	}
	return &v
}

// currency is an ISO 4217 code.
func (o object) currency(key string) string {
	code := o.text(key)
	if s, ok := o.at(key); ok && code != "" {
		if _, known := billing.MinorUnits(code); !known {
			o.fault(s, "%q: not a currency code of ISO 4217 like EUR", clip(code))
		}
	}
	return code
}

// zone is the name of a time zone, empty where absent. Loading one reads a file,
// so each name is looked up once.
func (o object) zone(key string) string {
	name := o.text(key)
	if s, ok := o.at(key); ok && name != "" && !o.zones[name] {
		if _, err := billing.LoadZone(name); err != nil {
			o.fault(s, "%v", err)
			return name
		}
		o.zones[name] = true
	}
	return name
}
