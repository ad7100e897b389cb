package crm

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/postgres"
)

var update = flag.Bool("update", false, "write the examples of the documentation anew")

// differences compares JSON by value. A wanted "*" is any id: 32 hexadecimal
// digits.
func differences(path string, got, want any) []string {
	switch w := want.(type) {
	case string:
		if w == "*" && anyID.MatchString(fmt.Sprint(got)) {
			return nil
		}
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		var all []string
		for key := range w {
			if _, ok := g[key]; !ok {
				all = append(all, path+"."+key+": missing")
				continue
			}
			all = append(all, differences(path+"."+key, g[key], w[key])...)
		}
		for key := range g {
			if _, ok := w[key]; !ok {
				all = append(all, path+"."+key+": not wanted")
			}
		}
		return all
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			break
		}
		var all []string
		for i := range w {
			all = append(all, differences(fmt.Sprintf("%s[%d]", path, i), g[i], w[i])...)
		}
		return all
	}
	if !reflect.DeepEqual(got, want) {
		return []string{fmt.Sprintf("%s: got %v, want %v", path, got, want)}
	}
	return nil
}

var anyID = regexp.MustCompile(`^[0-9A-F]{32}$`)

// decoded is JSON with its numbers as they are written.
func decoded(t *testing.T, text []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func (a answer) matches(t *testing.T, file string) {
	t.Helper()
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, difference := range differences("", decoded(t, a.body), decoded(t, want)) {
		t.Error(difference)
	}
}

// example holds an answer against an example of the documentation.
func (a answer) example(t *testing.T, file string) {
	t.Helper()
	if *update {
		var text bytes.Buffer
		if err := json.Indent(&text, a.body, "", "  "); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a.matches(t, file)
}

// Rows 16, 21, 23–29, 32–35, 53–62, 64: the documents' newer request and its
// answer, of which the daily usage alone is another: sent by its older name, it
// came back as null there.
func TestTheDocumentsNewerRequestGetsTheirNewerAnswer(t *testing.T) {
	h := newHouse(t, documented)
	body := strings.Replace(string(setRequest), "{{token}}", h.manager, 1)
	a := h.wants("OK", h.send(http.MethodPost, limitsPath, body))
	a.matches(t, "testdata/newer_answer.json")
	a.example(t, "examples/set_answer.json")

	refused := h.wants("ENTRY_EXISTS", h.send(http.MethodPost, limitsPath, body))
	refused.matches(t, "examples/refused_answer.json")

	ask := strings.Replace(string(remainingRequest), "{{token}}", h.reader, 1)
	h.wants("OK", h.send(http.MethodPost, remainingPath, ask)).example(t, "examples/remaining_answer.json")
}

// Rows 63, 65–68: an account whole, with a name that is not Latin.
func TestWithoutFieldsTheWholeAccountIsAnswered(t *testing.T) {
	h := newHouse(t, documented)
	h.apply(`
account_types: [{id: 1, key: person, name: Person, name_pattern: "%first_name %last_name"}]
customers: [{ref: k, name: Κ., accounts: [{number: ACR0000001392, currency: EUR, profile: {account_type: 1,
  contact: {first_name: Κατερίνα, middle_name: νΊΚοΥ, last_name: Τζιηρτζιηπή}}}]}]`)
	members := []string{
		`"accumulated_maximum_rated_amount_per_day":100`, `"accumulated_maximum_rated_amount_per_month":"1000.00"`,
		`"accumulated_maximum_usage_per_date":10`, `"accumulated_maximum_usage_per_month":25`, `"accumulated_maximum_usage_per_transaction":5`,
		entry(`"action":"add"`, `"service_family":{"code":"CH"}`, `"maximum_usage_per_transaction":"2.0"`),
	}
	h.set("OK", "ACR0000001392", members...).matches(t, "testdata/full_answer.json")
	h.set("OK", "ACR0000001392", `"fields_set":""`).matches(t, "testdata/full_answer.json")
	h.set("OK", "ACR0000001392", `"fields_set":null`).matches(t, "testdata/full_answer.json")
}

// Row 65: whose account it is, as far as that is known.
func TestContacts(t *testing.T) {
	h := newHouse(t, line("A1"), line("A2", "profile: {contact: {primary_name: Exxon Ltd, first_name: Ann}}"), line("A3", "profile: {contact: {last_name: Lane}}"))
	for number, want := range map[string]string{
		"A1": `A1 John CN UAL: PERSON "John CN UAL" null null null null`,
		"A2": `A2 Exxon Ltd: COMPANY "Exxon Ltd" "Ann" null null "Exxon Ltd"`,
		"A3": `A3 Lane: PERSON null null null "Lane" null`,
	} {
		a := h.set("OK", number, `"fields_set":"contact_information,name"`)
		var data struct {
			Name    string
			Contact map[string]json.RawMessage `json:"contact_information"`
		}
		if err := json.Unmarshal(a.Data, &data); err != nil {
			t.Fatal(err)
		}
		got := data.Name + ": " + strings.Trim(string(data.Contact["type"]), `"`)
		for _, key := range []string{"name", "first_name", "middle_name", "last_name", "company_name"} {
			got += " " + string(data.Contact[key])
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// Row 67: a number may be any text, and is found by the name that it is printed
// under.
func TestNamesGoRoundInUTF8(t *testing.T) {
	h := newHouse(t, line("Λ 1"))
	a := h.wants("OK", h.send(http.MethodPost, limitsPath, h.asks("Λ 1", `"fields_set":"name, id"`)))
	var data struct{ ID, Name string }
	if err := json.Unmarshal(a.Data, &data); err != nil {
		t.Fatal(err)
	}
	if data.Name != "Λ 1 John CN UAL" || !anyID.MatchString(data.ID) || strings.Count(string(a.Data), ":") != 2 {
		t.Errorf("got %s, want the name and the id alone", a.Data)
	}
	for _, identifier := range []string{fmt.Sprintf(`{"name":%q}`, data.Name), `{"number":"\u039b 1"}`, fmt.Sprintf(`{"id":%q}`, data.ID)} {
		body := fmt.Sprintf(`{"token":%q,"accounts_receivable_identifier":%s,"fields_set":"id,name"}`, h.manager, identifier)
		if again := h.wants("OK", h.send(http.MethodPost, limitsPath, body)); !bytes.Equal(again.Data, a.Data) {
			t.Errorf("by %s: got %s, want %s", identifier, again.Data, a.Data)
		}
	}
}

// Row 65: what of an account's life and family is printed.
func TestStateAndPrimaryAccount(t *testing.T) {
	h := newHouse(t, line("A1"), line("A2"), line("A3"), line("A4", "class: invoice"))
	for number, action := range map[string]postgres.StatusAction{"A2": postgres.HoldAccount, "A3": postgres.DeleteAccount} {
		r := postgres.StatusRequest{Account: number, Action: action, Note: "n", At: noon, Actor: "test"}
		if _, err := h.store.SetStatus(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for number, want := range map[string]string{
		"A1": `{"classification":"gold","life_cycle_state":"ACTIVE","primary_account":true}`,
		"A2": `{"classification":"gold","life_cycle_state":"SUSPENDED","primary_account":false}`,
		"A3": `{"classification":"gold","life_cycle_state":"TERMINATED","primary_account":false}`,
		"A4": `{"classification":"invoice","life_cycle_state":"ACTIVE","primary_account":false}`,
	} {
		a := h.set("OK", number, `"fields_set":"life_cycle_state,primary_account,classification"`)
		got := regexp.MustCompile(`\{"id".*?"alternative_code":("\w+")\}`).ReplaceAllString(string(a.Data), "$1")
		if got != want {
			t.Errorf("%s: got %s, want %s", number, got, want)
		}
	}
}

// Row 58: currencies that are usual, and one of which nothing is known.
func TestCurrencies(t *testing.T) {
	for code, want := range map[string]string{
		"EUR": `"code":"EUR","prefix_symbol":"€","suffix_symbol":"N/A","integer_part_name":"euro","decimal_part_name":"cents"}`,
		"GBP": `"code":"GBP","prefix_symbol":"£","suffix_symbol":"N/A","integer_part_name":"pound","decimal_part_name":"pence"}`,
		"XOF": `"code":"XOF","prefix_symbol":null,"suffix_symbol":"N/A","integer_part_name":null,"decimal_part_name":null}`,
	} {
		got, err := json.Marshal(currencyOf(code))
		if err != nil || !strings.HasSuffix(string(got), want) {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

// Row 68: what is printed as an id is taken as one, whatever it names.
func TestIdsOfAnswersNameTargets(t *testing.T) {
	h := newHouse(t, line(one))
	for _, c := range []struct{ key, id, want string }{
		{"service", idOf(serviceID, "CREED"), "service CREED"},
		{"service_type", strings.ToLower(idOf(typeID, "V")), "service_type V"},
		{"service_family", idOf(familyID, "CH"), "service_family CH"},
	} {
		a := h.set("OK", one, entry(`"action":"add"`, fmt.Sprintf(`%q:{"id":%q}`, c.key, c.id), `"maximum_usage_per_day":1`))
		if got := a.limits(t); !strings.Contains(got, c.want+": usage/day") || !strings.Contains(string(a.Data), strings.ToUpper(c.id)) {
			t.Errorf("%s: got %s", c.key, got)
		}
	}
}
