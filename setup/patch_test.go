package setup_test

import (
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
)

func TestParsePatch(t *testing.T) {
	var cleared *decimal.Decimal
	yes, no, thirty, zero := true, false, *dec("30"), *dec("0")
	var usageCleared, usageOne limits.CeilingPatch
	usageCleared[billing.Day][billing.Usage] = &cleared
	one := dec("1")
	usageOne[billing.Day][billing.Usage] = &one
	unleaded := billing.Scope{Kind: billing.OfService, Target: "Unleaded"}
	for _, c := range []struct {
		name, body string
		want       limits.Patch
	}{
		{"nothing", ``, limits.Patch{}},
		{"an empty object", `{}`, limits.Patch{}},
		{"absent stays, null clears", `{"accumulated_maximum_usage_per_day": null}`, limits.Patch{Account: usageCleared}},
		{"a bare number", `accumulated_maximum_usage_per_day: 1.0`, limits.Patch{Account: usageOne}},
		{"a percentage as number", `{"percentage_of_allowed_exceeded_usage_limit": 30}`, limits.Patch{Percentage: &thirty}},
		{"a percentage as text", `{"percentage_of_allowed_exceeded_usage_limit": "30"}`, limits.Patch{Percentage: &thirty}},
		{"no percentage any more", `{"percentage_of_allowed_exceeded_usage_limit": null}`, limits.Patch{Percentage: &zero}},
		{"blocking", `{"block_services_not_included_in_usage_allowance_limits_settings": true}`, limits.Patch{BlockNotIncluded: &yes}},
		{"no blocking any more", `{"block_services_not_included_in_usage_allowance_limits_settings": null}`, limits.Patch{BlockNotIncluded: &no}},
		{
			"entries", `{"usage_services_allowance": [
				{"action": "add", "service": {"alternative_code": "EU"}, "maximum_usage_per_day": "1"},
				{"action": "update", "service_type": {"name": "Exxon"}, "maximum_usage_per_day": null},
				{"action": "remove", "service_family": {"code": "FUEL"}}]}`,
			limits.Patch{Entries: []limits.EntryPatch{
				{Action: limits.Add, Target: unleaded, Ceilings: usageOne},
				{Action: limits.Update, Target: billing.Scope{Kind: billing.OfType, Target: "E2"}, Ceilings: usageCleared},
				{Action: limits.Remove, Target: billing.Scope{Kind: billing.OfFamily, Target: "FUEL"}},
			}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := setup.ParsePatch("limits.json", []byte(c.body), names(t))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, c.want, same...); diff != "" {
				t.Errorf("patch (-got +want):\n%s", diff)
			}
		})
	}
}

func TestParsePatchTellsFaults(t *testing.T) {
	_, err := setup.ParsePatch("limits.yaml", []byte(`
accumulated_maximum_usage_per_date: 1
percentage_of_allowed_exceeded_usage_limit: -1
usage_services_allowance:
  - {service: {code: Unleaded}, maximum_usage_per_day: 1}
  - {action: ad, service: {code: Unleaded}, maximum_usage_per_day: 1}
  - {action: null, service: {code: Unleaded}, maximum_usage_per_day: "-1"}
`), names(t))
	want := `limits.yaml:2: accumulated_maximum_usage_per_date: unknown key: did you mean accumulated_maximum_usage_per_day?
limits.yaml:3: percentage_of_allowed_exceeded_usage_limit: number "-1": below zero
limits.yaml:5: usage_services_allowance[0].action: missing: give it a value
limits.yaml:6: usage_services_allowance[1].action: "ad": not one of add, update or remove: did you mean add?
limits.yaml:7: usage_services_allowance[2].action: missing: give it a value
limits.yaml:7: usage_services_allowance[2].maximum_usage_per_day: number "-1": below zero`
	if diff := cmp.Diff(textOf(err), want); diff != "" {
		t.Errorf("faults (-got +want):\n%s", diff)
	}
	_, err = setup.ParsePatch("limits.yaml", []byte(`
usage_services_allowance:
  - {action: add, service: {code: Unleaded}, maximum_usage_per_day: 1}
  - {action: remove, service: {alternative_code: EU}}
  - {action: remove, service: {code: EU}}
`), names(t))
	want = `limits.yaml:4: usage_services_allowance[1].service: service "Unleaded" has an entry already at limits.yaml:3: make one of the two
limits.yaml:5: usage_services_allowance[2].service: no service has the code "EU"`
	if diff := cmp.Diff(textOf(err), want); diff != "" {
		t.Errorf("faults (-got +want):\n%s", diff)
	}
}

func names(t testing.TB) setup.Names {
	t.Helper()
	n, err := setup.NewNames(stored)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
