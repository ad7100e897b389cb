package api

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/scheduler"
)

// The tests of this file are rows 1 to 14 of the Mitto document (E.1 of the
// acceptance list), by their numbers.

// got gets a path and decodes what is answered.
func (s *site) got(path string, v any) {
	s.t.Helper()
	got := s.do(access.Read, "GET", path, "")
	if got.status != 200 {
		s.t.Fatalf("GET %s: got %d %s", path, got.status, got.body)
	}
	got.decode(s.t, v)
}

// change sends a change that must have a status.
func (s *site) change(status int, method, path, body string, head ...string) answer {
	s.t.Helper()
	got := s.do(access.Manage, method, path, body, head...)
	if got.status != status {
		s.t.Fatalf("%s %s %s: got %d %s, want %d; %s", method, path, body, got.status, got.body, status, s.log)
	}
	return got
}

// account is an account as the API shows it.
func (s *site) account(number string) (v struct {
	Number, Customer, Balance, Status, Currency, Class string
	Services, Applications                             []string
	Periodic                                           []struct{ Name, Price string } `json:"periodic_services"`
}) {
	s.t.Helper()
	s.got("/v1/accounts/"+number, &v)
	return v
}

// addAccount adds an account to a customer with no body at all.
func (s *site) addAccount(customer string) string {
	s.t.Helper()
	got := s.change(201, "POST", "/v1/customers/"+customer+"/accounts", "")
	var v struct{ Number, Balance string }
	got.decode(s.t, &v)
	if v.Balance != "0" || got.head.Get("Location") != "/v1/accounts/"+v.Number {
		s.t.Errorf("got %s at %s, want balance 0 and its address", got.body, got.head.Get("Location"))
	}
	return v.Number
}

// numbers are those of a list.
func (s *site) numbers(path string) (all []string) {
	s.t.Helper()
	var list struct{ Items []struct{ Number string } }
	s.got(path, &list)
	for _, v := range list.Items {
		all = append(all, v.Number)
	}
	return all
}

func TestRows5To7ACustomerHasNoAccountUntilOneIsAdded(t *testing.T) {
	s := openSite(t, village, nil)
	got := s.change(201, "POST", "/v1/customers", `{"ref": "mia", "name": "Mia Miller"}`)
	var mia postgres.CustomerView
	got.decode(t, &mia)
	if mia.Accounts != 0 || got.head.Get("Location") != "/v1/customers/mia" || len(s.numbers("/v1/customers/mia/accounts")) != 0 {
		t.Errorf("row 5: got %s at %s, want no account", got.body, got.head.Get("Location"))
	}
	first := s.addAccount("mia")
	var v struct{ Number string }
	s.change(201, "POST", "/v1/customers/mia/accounts", "{}").decode(t, &v)
	third := s.addAccount("mia")
	if first == v.Number || third == first || third == v.Number {
		t.Errorf("rows 6 and 7: got %s, %s and %s, want three numbers", first, v.Number, third)
	}
	if all := s.numbers("/v1/customers/mia/accounts"); len(all) != 3 {
		t.Errorf("row 8: got %v", all)
	}
	s.got("/v1/customers/mia", &mia)
	if mia.Accounts != 3 {
		t.Errorf("got %+v", mia)
	}
	if got := s.change(200, "POST", "/v1/customers", `{"ref": "mia", "name": "Mia Miller"}`); got.head.Get("Location") != "" {
		t.Errorf("the same customer again: got %v", got.head)
	}
	s.change(422, "POST", "/v1/customers", `{"ref": "mia", "name": "Max"}`)
	s.change(404, "POST", "/v1/customers/nobody/accounts", "")
	if got := s.do(access.Read, "GET", "/v1/customers/nobody", ""); got.status != 404 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

// Row 66: who made an account is kept under its number, whether the request named
// the number or had it chosen, and CRM.COM's shape tells it.
func TestWhoMadeAnAccountIsKeptUnderItsNumber(t *testing.T) {
	s := openSite(t, village, nil)
	s.change(201, "POST", "/v1/customers", `{"ref": "mia"}`)
	named, chosen := "MIA 1", s.addAccount("mia")
	s.change(201, "POST", "/v1/customers/mia/accounts", `{"number": "MIA 1"}`)
	for _, number := range []string{named, chosen} {
		var made []string
		if err := s.store.Deeds(t.Context(), postgres.DeedFilter{Account: number}, func(l *postgres.DeedLine) error {
			made = append(made, l.Actor+" "+l.Action)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(made, ", "); got != "token manage POST /v1/customers/{ref}/accounts" {
			t.Errorf("of account %s the audit log has %q", number, got)
		}
		body := fmt.Sprintf(`{"token":%q,"accounts_receivable_identifier":{"number":%q},"fields_set":"log_information"}`, s.token(access.Manage), number)
		var shown struct {
			Data struct {
				Log struct {
					CreatedBy *struct{ Username string } `json:"created_by_user"`
				} `json:"log_information"`
			}
		}
		s.do(0, "POST", "/crm/v1/accounts_receivable/usage_allowance_limits", body, "Content-Type", "application/json").decode(t, &shown)
		if by := shown.Data.Log.CreatedBy; by == nil || by.Username != "token manage" {
			t.Errorf("account %s was created by %+v", number, by)
		}
	}
}

func TestRows1To4And13EachAccountHasItsBalanceAndItsServices(t *testing.T) {
	s := openSite(t, village, nil)
	s.change(201, "POST", "/v1/customers", `{"ref": "mia"}`)
	a, b, c := s.addAccount("mia"), s.addAccount("mia"), s.addAccount("mia")
	for _, number := range []string{a, c} {
		got := s.change(201, "POST", "/v1/accounts/"+number+"/services", `{"code": "Exxon Unleaded"}`)
		if want := fmt.Sprintf(`{"account":"%s","changed":["service Exxon Unleaded linked"]}`+"\n", number); string(got.body) != want {
			t.Errorf("row 13: got %s, want %s", got.body, want)
		}
	}
	s.change(200, "POST", "/v1/accounts/"+a+"/services", `{"code": "Exxon Unleaded"}`)
	const used = `{"source":"pump","id":%q,"account":%q,"service":"Exxon Unleaded","quantity":"10","occurred_at":"2026-03-10T10:00:00Z"}` + "\n"
	s.judge(s.feed(fmt.Sprintf(used+used, "1", a, "2", b)))
	for number, want := range map[string]string{a: "-15.5", b: "0", c: "0"} {
		if got := s.account(number); got.Balance != want || len(got.Services) != map[string]int{a: 1, b: 0, c: 1}[number] {
			t.Errorf("rows 1 to 4: got %+v, want balance %s", got, want)
		}
	}
	var record struct{ Outcome, Reason string }
	s.got("/v1/records/pump/2", &record)
	if record.Outcome != "rejected" || record.Reason != "service_not_linked" {
		t.Errorf("row 4: got %+v", record)
	}
	s.change(200, "DELETE", "/v1/accounts/"+a+"/services/Exxon%20Unleaded", "")
	if got := s.account(a); len(got.Services) != 0 {
		t.Errorf("taken off: got %v", got.Services)
	}
}

func TestRows8To11AccountsAreListedAndOpened(t *testing.T) {
	s := openSite(t, village, nil)
	s.change(201, "POST", "/v1/customers", `{"ref": "mia"}`)
	mine := s.addAccount("mia")
	if got := s.numbers("/v1/accounts"); len(got) != 2 {
		t.Errorf("row 9: got %v, want those of both customers", got)
	}
	if got := s.numbers("/v1/accounts?customer=mia"); len(got) != 1 || got[0] != mine {
		t.Errorf("row 8: got %v, want %s", got, mine)
	}
	var list struct{ Items []map[string]any }
	s.got("/v1/accounts?customer=jane", &list)
	var one map[string]any
	s.got("/v1/accounts/ACR0000001526", &one)
	if fmt.Sprint(list.Items[0]) != fmt.Sprint(one) {
		t.Errorf("row 10: got %v in the list and %v alone", list.Items[0], one)
	}
	if one["balance"] != "50" || one["status"] != "active" {
		t.Errorf("row 11: got %v", one)
	}
}

func TestRows12And14ApplicationsAndPeriodicServicesAreAdded(t *testing.T) {
	s := openSite(t, village, nil)
	const account = "/v1/accounts/ACR0000001526"
	got := s.change(201, "POST", account+"/applications", `{"name": "Fleet app"}`)
	if place := got.head.Get("Location"); place != account+"/applications/Fleet%20app" {
		t.Errorf("row 12: got %s", place)
	}
	s.change(201, "POST", account+"/periodic-services", `{"name": "Fleet card", "price": "5", "period": "monthly", "starts_on": "2026-03-01"}`)
	s.change(200, "POST", account+"/periodic-services", `{"name": "Fleet card", "price": 5.00, "period": "monthly", "starts_on": "2026-03-01"}`)
	v := s.account("ACR0000001526")
	if len(v.Applications) != 1 || v.Applications[0] != "Fleet app" || len(v.Periodic) != 1 || v.Periodic[0].Name != "Fleet card" || v.Periodic[0].Price != "5" {
		t.Errorf("rows 12 and 14: got %+v", v)
	}
	s.charge()
	if got := s.account("ACR0000001526"); got.Balance != "45" {
		t.Errorf("row 14: got a balance of %s after the run, want 45", got.Balance)
	}
	s.charge()
	if got := s.account("ACR0000001526"); got.Balance != "45" {
		t.Errorf("row 14: got a balance of %s after another run, want 45", got.Balance)
	}
	s.change(200, "DELETE", account+"/periodic-services/Fleet%20card", "")
	s.change(200, "DELETE", account+"/applications/Fleet%20app", "")
	if v := s.account("ACR0000001526"); len(v.Applications) != 0 || len(v.Periodic) != 0 {
		t.Errorf("taken off: got %+v", v)
	}
}

// charge runs the periodic charging once.
func (s *site) charge() {
	s.t.Helper()
	r := scheduler.Runner{Store: s.store, Clock: s.server.Clock, Log: slog.New(slog.DiscardHandler)}
	if _, err := r.Charge(s.t.Context(), scheduler.Order{At: now, Actor: "test"}, 31); err != nil {
		s.t.Fatal(err)
	}
}
