package billing_test

import (
	"fmt"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
)

var personal = billing.AccountType{Key: "personal", Attributes: []billing.Attribute{
	{Key: "signer", Required: true},
	{Key: "invoice", Kind: billing.CheckboxAttribute},
	{Key: "birth", Kind: billing.DateAttribute},
	{Key: "region", Kind: billing.ListAttribute, Elements: []billing.Element{{Key: "n", Name: "North"}, {Key: "s", Name: "South"}}},
}}

func TestValuesOfCustomAttributes(t *testing.T) {
	for _, c := range []struct {
		name, key, value string
		want             []string
	}{
		{"any text is a text", "signer", "Γιάννης\n", nil},
		{"an empty value is none", "birth", "", nil},
		{"a checkbox that is checked", "invoice", "1", nil},
		{"a checkbox that is not", "invoice", "0", nil},
		{"a checkbox in words", "invoice", "true", []string{`invoice: "true": give 1 for true or 0 for false`}},
		{"a date", "birth", "29.02.2024", nil},
		{"a date that does not exist", "birth", "29.02.2023", []string{`birth: "29.02.2023": not a date like 31.01.2026`}},
		{"a date the other way round", "birth", "2024-02-29", []string{`birth: "2024-02-29": not a date like 31.01.2026`}},
		{"a date without zeros", "birth", "1.2.2024", []string{`birth: "1.2.2024": not a date like 31.01.2026`}},
		{"an element's key", "region", "s", nil},
		{"an element's name", "region", "South", []string{`region: "South": not the key of an element: give one of n, s`}},
		{"what no account of the type has", "shoe", "44", []string{`shoe: "shoe": account type "personal" has no attribute of this key`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			personal.Check(map[string]string{c.key: c.value}, func(key string, err error) { got = append(got, fmt.Sprintf("%s: %v", key, err)) })
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

func TestWhatIsRequiredOfNewAccounts(t *testing.T) {
	for _, values := range []map[string]string{nil, {"signer": ""}} {
		var got []string
		personal.CheckNew(values, func(key string, err error) { got = append(got, fmt.Sprintf("%s: %v", key, err)) })
		if diff := cmp.Diff(got, []string{`signer: "signer" is missing: account type "personal" requires it`}); diff != "" {
			t.Errorf("%v (-got +want):\n%s", values, diff)
		}
	}
	personal.CheckNew(map[string]string{"signer": "Ann"}, func(key string, err error) { t.Errorf("%s: %v", key, err) })
}
