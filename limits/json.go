package limits

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// MarshalJSON writes the limits object of CONTRACT §3: every key, always in one
// order, decimals as strings, null where there is no ceiling, targets by code.
func (s Settings) MarshalJSON() ([]byte, error) {
	entries := make([]json.RawMessage, 0, len(s.Entries))
	for _, e := range s.Entries {
		var o object
		o.member(targetNames[e.Target.Kind], map[string]string{codeName: e.Target.Target})
		o.ceilings(false, e.Ceilings)
		text, err := o.close()
		if err != nil {
			return nil, err
		}
		entries = append(entries, text)
	}
	var o object
	o.member(blockName, s.BlockNotIncluded)
	o.member(percentageName, s.Percentage)
	o.ceilings(true, s.Account)
	o.member(entriesName, entries)
	return o.close()
}

// object writes a JSON object whose members keep their order, which a map does
// not and a struct only for names known before.
type object struct {
	text []byte
	err  error
}

func (o *object) member(key string, value any) {
	text, err := json.Marshal(value)
	if o.err = errors.Join(o.err, err); o.text != nil {
		o.text = append(o.text, ',')
	} else {
		o.text = append(o.text, '{')
	}
	o.text = fmt.Appendf(o.text, "%q:%s", key, text)
}

func (o *object) ceilings(account bool, c Ceilings) {
	for _, s := range slots {
		o.member(CeilingName(account, s.window, s.metric), c[s.window][s.metric])
	}
}

func (o *object) close() ([]byte, error) { return append(o.text, '}'), o.err }

// UnmarshalJSON reads what MarshalJSON writes. It is strict: a key that is
// unknown or doubled, a target without code, and whatever Validate refuses is an
// error. A key that is absent is as null; numbers are taken by their exact text,
// as strings or bare (SPEC R2.1).
func (s *Settings) UnmarshalJSON(text []byte) error {
	var read Settings
	err := eachMember(text, func(key string, value json.RawMessage) error {
		switch key {
		case blockName:
			return json.Unmarshal(value, &read.BlockNotIncluded)
		case percentageName:
			d, err := readNumber(value)
			if d != nil {
				read.Percentage = *d
			}
			return err
		case entriesName:
			return json.Unmarshal(value, &read.Entries)
		}
		return read.Account.take(true, key, value)
	})
	if err != nil {
		return fmt.Errorf("read limits: %w", err)
	}
	if err := read.Validate(); err != nil {
		return fmt.Errorf("read limits: %w", err)
	}
	*s = read
	return nil
}

// UnmarshalJSON reads an entry as Settings print it.
func (e *Entry) UnmarshalJSON(text []byte) error {
	var read Entry
	targets := 0
	err := eachMember(text, func(key string, value json.RawMessage) error {
		for kind, name := range targetNames {
			if key != name {
				continue
			}
			if string(value) == "null" {
				return nil
			}
			targets++
			read.Target.Kind = billing.ScopeKind(kind)
			return eachMember(value, func(key string, value json.RawMessage) error {
				if key != codeName {
					return fmt.Errorf("key %q: unknown", key)
				}
				return json.Unmarshal(value, &read.Target.Target)
			})
		}
		return read.Ceilings.take(false, key, value)
	})
	if err == nil && targets != 1 {
		err = fmt.Errorf("an entry names one service, type or family: it has %d", targets)
	}
	*e = read
	return err
}

// take reads the ceiling that key names.
func (c *Ceilings) take(account bool, key string, value json.RawMessage) error {
	w, m, ok := CeilingOf(account, key)
	if !ok {
		return fmt.Errorf("key %q: unknown", key)
	}
	d, err := readNumber(value)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	c[w][m] = d
	return nil
}

// readNumber is a decimal of at most twelve and twelve digits, or nil for null.
func readNumber(value json.RawMessage) (*decimal.Decimal, error) {
	text := string(value)
	if text == "null" {
		return nil, nil
	}
	if value[0] == '"' {
		if err := json.Unmarshal(value, &text); err != nil {
			return nil, err
		}
	}
	d, err := billing.ParseDecimal(text, billing.QuantityDigits)
	return &d, err
}

// eachMember hands over the members of a JSON object one by one, and refuses
// what is no object and a key that comes twice.
func eachMember(text []byte, take func(key string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errors.New("not an object"), err)
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string) // the grammar has strings only here
		if seen[key] {
			return fmt.Errorf("key %q: twice", key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := take(key, value); err != nil {
			return err
		}
	}
	return nil
}
