package vendor

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/postgres"
)

// rows 75–107, 136–159, 173: each field from its own value. In the documents'
// examples much is the same or empty (owner, technical and billing user; both
// statuses of a user; what a class says of subscriptions), so that one printed for
// another would be seen by nobody.
func TestEveryFieldIsPrintedFromItsOwnValue(t *testing.T) {
	s := openSite(t, read(t, "every-field.yaml"))
	hold := postgres.StatusRequest{Account: "E", Action: postgres.HoldAccount, Note: "why", At: s.now, Actor: "test"}
	if _, err := s.store.SetStatus(t.Context(), hold); err != nil {
		t.Fatal(err)
	}
	s.exec(`update account_states set current_debt = 1.5`)
	s.exec(`update accounts set created_at = '2018-03-04T05:06:07.089+03:00', updated_at = '2019-10-11T12:13:14.150+03:00'`)
	for year, table := range map[int]string{2011: "managers", 2013: "users", 2015: "account_types", 2017: "classes"} {
		s.exec(fmt.Sprintf(`update %s set created_at = '%d-01-01T00:00:00Z', updated_at = '%d-01-01T00:00:00Z'`, table, year, year+1))
	}
	v1 := read(t, "every-field-v1.json")
	wantJSON(t, s.v1("/701.json"), 200, v1)
	before, _, _ := strings.Cut(v1, `[{"name"`)
	_, after, _ := strings.Cut(v1, `"value": "3"}]`)
	listed := before + `{"second": "two", "first": "1", "nameless": "3"}` + after
	wantJSON(t, s.v1(".json"), 200, "["+listed+"]")
	wantJSON(t, s.v3("20/accounts/701"), 200, read(t, "every-field-v3.json"))
}

// rows 76, 79–86, 94, 103, 104, 106, 141, 144–146: an account of which nothing is
// known but its customer is printed whole, in the same types.
func TestAnAccountWithoutAProfileHasEveryField(t *testing.T) {
	s := openSite(t, `
account_classes: [{key: k, name: K, payment_model: prepay, financial_blocking_threshold: 0, subzero_period: -1, default: true}]
customers: [{ref: c, name: Cee, accounts: [{number: A, currency: EUR}]}]`)
	const no = `"primary_name":"","first_name":"","middle_name":"","last_name":"","country":"","region":"","city":"","street":"","building":"","office":"",
		"zip":"","phone":"","email":"","status":"active","balance":"0.0","default_payment_model":"prepay","current_debt":0.0,"financial_blocking_threshold":0.0,
		"subscription_credit_limit":0.0,"account_type_id":null,"manager_id":null,"owner_id":null,"tech_user_id":null,"bill_user_id":null,
		"created_at":"2017-01-01T03:00:00.000+03:00","updated_at":"2017-01-01T03:00:00.000+03:00","name":"Cee","account_class_id":1,`
	const v1 = no + `"id":1,"account_class":"K","account_type":null,"financial_blocking_threshold_use_system":true,"subscription_credit_limit_use_system":true,
		"new_owner_first_name":null,"new_owner_last_name":null,"new_owner_middle_name":null,"new_owner_email":null,"custom_attributes":`
	wantJSON(t, s.v1("/1.json"), 200, "{"+v1+"[]}")
	wantJSON(t, s.v1(".json"), 200, "[{"+v1+"{}}]")
}

// read is a file of testdata.
func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
