package setup_test

import (
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
)

// The file says what ActivePlatform's documents show of four accounts.
func TestVendorExample(t *testing.T) {
	f, err := setup.Parse("vendor.yaml", read(t, "testdata/vendor.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if f, err = f.Resolve(setup.Catalogue{}); err != nil {
		t.Fatal(err)
	}
	survives(t, f)
	text, err := f.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(read(t, "testdata/vendor.export.yaml"))); diff != "" {
		t.Errorf("exported (-got +want):\n%s", diff)
	}
	want := &setup.Profile{
		ID: 789, Reseller: 1, AccountType: 1, Manager: 188, Owner: 987, TechUser: 987, BillUser: 987,
		Contact: billing.Contact{
			FirstName: "Clotilde", LastName: "Ledner", Email: "ClotildeLedner@example.com", Country: "BY", Region: "Minsk",
			City: "Minsk", Street: "Mira", Building: "1", Office: "2", Zip: "220000", Phone: "+375290000000",
		},
		CustomAttributes: map[string]string{"signer_name": "Signer"},
	}
	if diff := cmp.Diff(f.Customers[3].Accounts[0].Profile, want); diff != "" {
		t.Errorf("account 789 (-got +want):\n%s", diff)
	}
}

func TestWhatIsStoredCompletesAProfile(t *testing.T) {
	stored := setup.Catalogue{
		Resellers:    []billing.Reseller{{ID: 1}, {ID: 2, Parent: 1}},
		AccountTypes: []billing.AccountType{{ID: 5, Key: "p", Attributes: []billing.Attribute{{Key: "a"}}}},
		Managers:     []string{"7"}, Users: []string{"8", "9"},
	}
	const account = `customers: [{ref: c, accounts: [{number: A1, class: k, currency: EUR, profile: `
	const class = `account_classes: [{key: k, payment_model: prepay, financial_blocking_threshold: 0, subzero_period: 0}]` + "\n"
	for _, c := range []struct{ name, text, fault string }{
		{"everything is stored", account + `{reseller: 2, account_type: 5, manager: 7, owner: 8, bill_user: 9, custom_attributes: {a: b}}}]}]`, ""},
		{"a value that the stored type has not", account + `{account_type: 5, custom_attributes: {b: c}}}]}]`,
			`setup.yaml:2: customers[0].accounts[0].profile.custom_attributes.b: "b": account type "p" has no attribute of this key`},
		{"the key of a stored type", `account_types: [{id: 6, key: p, name_pattern: x}]`,
			`setup.yaml:2: account_types[0]: account type 6 has the key "p", which account type 5 bears too: give it another`},
		{"a circle over what is stored", `resellers: [{id: 1, name: A, parent: 2}]`,
			`setup.yaml:2: resellers[0]: reseller 1 is downstream of itself: give one of those above it another parent, or none`},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := setup.Parse("setup.yaml", []byte(class+c.text))
			if err == nil {
				_, err = f.Resolve(stored)
			}
			if got := textOf(err); got != c.fault {
				t.Errorf("got %s, want %s", got, c.fault)
			}
		})
	}
	f, err := setup.Parse("setup.yaml", []byte(class+account+`{manager: 7, owner: 9, bill_user: 8}}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f.Named(setup.KindUser), []string{"8", "9"}); diff != "" {
		t.Errorf("users named (-got +want):\n%s", diff)
	}
}
