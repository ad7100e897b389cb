package vendor

import (
	"net/http"

	"github.com/chargehand/chargehand/api/route"
)

const (
	v1Tag = "ActivePlatform v1"
	// v1Media is what version 1 answers.
	v1Media = "application/json"
)

func (v *view) v1Routes() []route.Route {
	return []route.Route{
		{
			Method: http.MethodGet, Pattern: "/api/vendor/v1/accounts.json", Name: "listVendorAccountsV1", Tag: v1Tag,
			Summary: "A page of accounts, in ActivePlatform's shape",
			Description: "A bare array of the accounts within the token's reach, of every status unless one is asked for: deleted ones too. " +
				"They are filtered, then sorted, then paged; equal ones stand in the order of their ids, and beyond the end the array is empty. " +
				"A parameter that is unknown, empty or given twice is refused. Needs the scope read.",
			Token: route.QueryToken, Parameters: v1Parameters(), Handler: v.v1Handle(v.v1List),
			Answers: append([]route.Answer{{Status: http.StatusOK, Description: "The accounts of the page.",
				Body: route.Body{MediaType: v1Media, Type: []v1ListedAccount{}, Example: example("v1-accounts")}}}, v1Refusals()...),
		},
		{
			Method: http.MethodGet, Pattern: "/api/vendor/v1/accounts/{file}", Path: "/api/vendor/v1/accounts/{account_id}.json",
			Name: "getVendorAccountV1", Tag: v1Tag, Summary: "One account by its id, in ActivePlatform's shape",
			Description: "One flat object. Custom attributes are an array of names and values here, and an object of values by key in the list. Needs the scope read.",
			Token:       route.QueryToken, Handler: v.v1Handle(v.v1Get),
			Parameters: []route.Parameter{{Name: "account_id", In: "path", Description: "ID of the account.", Required: true, Type: int64(0), Example: 431}},
			Answers: append([]route.Answer{
				{Status: http.StatusOK, Description: "The account.", Body: route.Body{MediaType: v1Media, Type: v1Account{}, Example: example("v1-account")}},
				v1Refusal(http.StatusNotFound, "No account within the token's reach has this id.", v1Fault{Message: "account 7: no such account"}),
			}, v1Refusals()...),
		},
	}
}

func v1Parameters() []route.Parameter {
	return []route.Parameter{
		{Name: v1Page, In: "query", Description: "Number of the page, from 1, which it is where none is given.", Type: 0, Example: 4},
		{Name: v1PerPage, In: "query", Description: "Accounts on a page: 1 to 1000, 50 where nothing is said.", Type: 0, Example: 2},
		{Name: v1Sorted, In: "query", Description: "Field of the answer to sort by; id where none is given.", Type: "", Example: "id"},
		{Name: v1Reversed, In: "query", Description: "true for descending; false, as without it, for ascending.", Type: "", Example: "true"},
		{Name: v1Created, In: "query", Description: "Those created on this day of the platform's time zone (billing.time_zone), or at this time, as it is printed.", Type: "", Example: "2019-12-04"},
		{Name: v1Updated, In: "query", Description: "Those changed last on this day of the platform's time zone, or at this time, as it is printed.", Type: "", Example: "2019-08-19"},
		{Name: v1Status, In: "query", Description: "Those of a status: active, administrative_hold, credit_hold or deleted; a blank does for the underscore.", Type: "", Example: "deleted"},
		{Name: v1Email, In: "query", Description: "Those whose contact person has this address, whatever its case.", Type: "", Example: "test@example.com"},
	}
}

func v1Refusal(status int, description string, fault v1Fault) route.Answer {
	return route.Answer{Status: status, Description: description,
		Body: route.Body{MediaType: v1Media, Type: v1Faults{}, Example: v1Faults{Errors: []v1Fault{fault}}}}
}

// v1Refusals are those that both endpoints may answer.
func v1Refusals() []route.Answer {
	return []route.Answer{
		v1Refusal(http.StatusBadRequest, "A parameter is wrong; each fault is told.",
			v1Fault{Parameter: v1PerPage, Message: `"0": give a whole number from 1 to 1000`}),
		v1Refusal(http.StatusUnauthorized, "The token is missing, unknown, revoked or has expired.",
			v1Fault{Message: "no token was given: give one, once, as api_token in the query"}),
		v1Refusal(http.StatusForbidden, "The token has not the scope read.",
			v1Fault{Message: "the token has not the scope read: use one made with --scope read"}),
		v1Refusal(http.StatusTooManyRequests, "The token has used up its rate: wait as long as Retry-After says.",
			v1Fault{Message: "the token has used up its rate of requests: try again in 1s"}),
		v1Refusal(http.StatusInternalServerError, "A fault of the server, which is in its log.",
			v1Fault{Message: "something went wrong here; the log has it"}),
		v1Refusal(http.StatusServiceUnavailable, "The database is away or takes too long: wait as long as Retry-After says.",
			v1Fault{Message: "the database is away or takes too long; what was to be done was not, or all of it: look, and try again"}),
	}
}
