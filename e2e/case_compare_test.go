package e2e_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// expectation is what must be true after a step, or at the end.
type expectation struct {
	Refused         bool
	Outcomes        map[string]any
	Answer          map[string]any
	Remaining       []any
	NextTransaction map[string]any `json:"next_transaction"`
	Records         map[string]any
	Accounts        map[string]any
}

// expected reads after_step_N, or with an empty key what stands beside these.
func (c *caseRun) expected(key string) (want expectation) {
	c.t.Helper()
	rest := map[string]json.RawMessage{}
	for name, part := range c.Expect {
		if !strings.HasPrefix(name, "after_step_") {
			rest[name] = part
		}
	}
	part, named := c.Expect[key]
	if key == "" {
		var err error
		if part, err = json.Marshal(rest); err != nil {
			c.t.Fatal(err)
		}
	} else if !named {
		return want
	}
	d := json.NewDecoder(strings.NewReader(string(part)))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&want); err != nil {
		c.t.Fatalf("expect %s: %v", key, err)
	}
	return want
}

// compare holds what a step printed and the state after it against what is
// expected.
func (c *caseRun) compare(when string, want expectation, printed told) {
	c.t.Helper()
	var wrong []string
	say := func(lines []string) { wrong = append(wrong, lines...) }
	if want.Outcomes != nil {
		say(differ("outcomes", c.object(printed.stdout), want.Outcomes))
	}
	if want.Answer != nil {
		say(differ("answer", c.object(printed.stdout), want.Answer))
	}
	if want.Remaining != nil {
		say(differ("remaining.ceilings", c.object(printed.stdout)["ceilings"], want.Remaining))
	}
	if want.NextTransaction != nil {
		say(differ("next_transaction", c.object(printed.stdout)["next_transaction"], want.NextTransaction))
	}
	if want.Records != nil {
		say(c.recordsDiffer(want.Records))
	}
	for _, number := range slices.Sorted(maps.Keys(want.Accounts)) {
		account := c.answer("account", "show", number)
		say(shapes["account"].faults("account "+number, account))
		say(differ("account "+number, account, want.Accounts[number]))
	}
	if len(wrong) > 0 {
		c.t.Errorf("%s:\n%s", when, strings.Join(wrong, "\n"))
	}
}

func (c *caseRun) recordsDiffer(want map[string]any) (wrong []string) {
	c.t.Helper()
	found := map[string][]any{}
	for _, r := range c.list("record", "list") {
		short := fmt.Sprintf("%v/%v", r["source"], r["id"])
		wrong = append(wrong, shapes["record"].faults("record "+short, r)...)
		found[short] = append(found[short], r)
		long := fmt.Sprintf("%v/%s", r["account"], short)
		found[long] = append(found[long], r)
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		there := found[key]
		switch {
		case want[key] == nil && len(there) > 0:
			wrong = append(wrong, fmt.Sprintf("record %s: got %v, want none", key, there))
		case want[key] == nil:
		case len(there) != 1:
			wrong = append(wrong, fmt.Sprintf("record %s: got %d of it, want 1", key, len(there)))
		default:
			wrong = append(wrong, differ("record "+key, there[0], want[key])...)
		}
	}
	return wrong
}

// differ names where got is not what is wanted: of objects the named fields, of
// ceilings the rows that must be among those there, of other lists every item.
func differ(path string, got, want any) (wrong []string) {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: got %v, want %v", path, got, want)}
		}
		for _, key := range slices.Sorted(maps.Keys(want)) {
			value, there := object[key]
			if !there {
				wrong = append(wrong, fmt.Sprintf("%s.%s: is not printed, want %v", path, key, want[key]))
				continue
			}
			wrong = append(wrong, differ(path+"."+key, value, want[key])...)
		}
		return wrong
	case []any:
		return listsDiffer(path, got, want)
	}
	if !same(got, want) {
		return []string{fmt.Sprintf("%s: got %s, want %s", path, shown(got), shown(want))}
	}
	return nil
}

func listsDiffer(path string, got any, want []any) (wrong []string) {
	list, ok := got.([]any)
	if !ok {
		return []string{fmt.Sprintf("%s: got %s, want a list", path, shown(got))}
	}
	if strings.HasSuffix(path, ".ceilings") {
		for _, row := range want {
			if !slices.ContainsFunc(list, func(there any) bool { return len(differ(path, there, row)) == 0 }) {
				wrong = append(wrong, fmt.Sprintf("%s: got %s, want among them %s", path, shown(list), shown(row)))
			}
		}
		return wrong
	}
	if len(list) != len(want) {
		return []string{fmt.Sprintf("%s: got %s, want %s", path, shown(list), shown(want))}
	}
	for i := range want {
		wrong = append(wrong, differ(fmt.Sprintf("%s[%d]", path, i), list[i], want[i])...)
	}
	return wrong
}

// decimal is a number as the product writes it.
var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)

// same compares values: decimals as numbers, times as instants, numbers with
// numbers and texts with texts only.
func same(got, want any) bool {
	switch want := want.(type) {
	case string:
		got, ok := got.(string)
		return ok && (got == want || sameDecimal(got, want) || sameInstant(got, want))
	case json.Number:
		got, ok := got.(json.Number)
		return ok && sameDecimal(got.String(), want.String())
	}
	return got == want
}

func sameDecimal(got, want string) bool {
	if !decimal.MatchString(got) || !decimal.MatchString(want) {
		return false
	}
	return rat(got).Cmp(rat(want)) == 0
}

func sameInstant(got, want string) bool {
	g, err := time.Parse(time.RFC3339, got)
	w, otherErr := time.Parse(time.RFC3339, want)
	return err == nil && otherErr == nil && g.Equal(w)
}

// rat is a decimal as an exact fraction.
func rat(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(fmt.Sprintf("%q is no number", text))
	}
	return r
}

func shown(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
