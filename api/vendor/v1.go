package vendor

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
)

// v1Faults is how version 1 tells what is wrong. The documents show no errors of
// it; this shape is ours.
type v1Faults struct {
	Errors []v1Fault `json:"errors"`
}

// v1Fault is one thing that is wrong.
type v1Fault struct {
	Parameter string `json:"parameter,omitempty" doc:"The parameter that is wrong, where it is one."`
	Message   string `json:"message" doc:"What is wrong, and what to do."`
}

// v1Handle makes a handler: do gets the request of an admitted caller, and what
// it answers goes out as it is.
func (v *view) v1Handle(do func(*http.Request, access.Caller) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := v.Gate.Admit(r.Context(), v1TokenOf(r), access.Read)
		var body any
		if err == nil {
			body, err = do(r.WithContext(access.With(r.Context(), caller)), caller)
		}
		if err != nil {
			v.v1Refuse(w, r, err)
			return
		}
		answer(w, http.StatusOK, v1Media, body)
	})
}

// v1TokenOf is the token of a request; none where it has two.
func v1TokenOf(r *http.Request) string {
	values, _ := url.ParseQuery(r.URL.RawQuery) // who can be admitted is told what is wrong with it
	if all := values[v1Token]; len(all) == 1 {
		return all[0]
	}
	return ""
}

func (v *view) v1Refuse(w http.ResponseWriter, r *http.Request, err error) {
	why := refusalOf(err, "api_token in the query")
	v.told(r.Context(), why, err)
	why.headers(w, "ApiToken")
	var body v1Faults
	for _, f := range why.faults {
		body.Errors = append(body.Errors, v1Fault{Parameter: f.parameter, Message: f.text})
	}
	answer(w, why.status, v1Media, body)
}

// v1Get answers an account by its id.
func (v *view) v1Get(r *http.Request, caller access.Caller) (any, error) {
	name, is := strings.CutSuffix(r.PathValue("file"), ".json")
	if !is {
		return nil, refuse(http.StatusNotFound, "there is nothing at this path: an account is at its id with .json")
	}
	id, err := idOf(name, "account")
	if err != nil {
		return nil, err
	}
	if err := parseQuery(r.URL.RawQuery, []string{v1Token}).err(); err != nil {
		return nil, err
	}
	a, err := v.Store.VendorAccount(r.Context(), id, reach(caller))
	if err != nil {
		return nil, err
	}
	return v1One(a, v.TimeZone), nil
}

// v1List answers a page of accounts: a bare array, empty beyond the end.
func (v *view) v1List(r *http.Request, caller access.Caller) (any, error) {
	f, err := v1Filter(r.URL.RawQuery, v.TimeZone)
	if err != nil {
		return nil, err
	}
	f.Within = reach(caller)
	page, err := v.Store.VendorAccounts(r.Context(), f)
	return listed(page, func(a *postgres.VendorAccount) v1ListedAccount { return v1Listed(a, v.TimeZone) }), err
}

// listed makes each account of a page what is printed of it.
func listed[T any](page []postgres.VendorAccount, one func(*postgres.VendorAccount) T) []T {
	all := make([]T, len(page))
	for i := range page {
		all[i] = one(&page[i])
	}
	return all
}
