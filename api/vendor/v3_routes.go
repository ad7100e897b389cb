package vendor

import (
	"net/http"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/once"
	"github.com/chargehand/chargehand/api/route"
)

const (
	v3Tag  = "ActivePlatform v3"
	v3Path = "/api/v3/resellers/{reseller_id}/accounts"
	v3Told = " Accept must name application/vnd.api+json, which the answers are (*/* does). " +
		"The reseller must be the token's or downstream of it; a token of the whole installation reaches all."
)

func (v *view) v3Routes() []route.Route {
	return []route.Route{v.v3ListRoute(), v.v3GetRoute(), v.v3CreateRoute()}
}

func (v *view) v3ListRoute() route.Route {
	return route.Route{
		Method: http.MethodGet, Pattern: v3Path, Name: "listVendorAccountsV3", Tag: v3Tag,
		Summary: "A page of a reseller's accounts, as JSON:API",
		Description: "The accounts of the reseller itself, of every status, in the order of their ids; accounts of a reseller downstream are at its own id. " +
			"Filters combine. A parameter that is unknown, empty or given twice is refused with 400; sort and fields are unknown. Needs the scope read." + v3Told,
		Token: route.HeaderToken, Handler: v.v3Handle(access.Read, v.v3List),
		Parameters: append([]route.Parameter{v3Reseller(),
			{Name: v3Number, In: "query", Description: "Number of the page, from 1, which it is where none is given.", Type: 0, Example: 1},
			{Name: v3Size, In: "query", Description: "Accounts on a page: 1 to 1000, 50 where nothing is said.", Type: 0, Example: 50},
			{Name: v3Emails, In: "query", Description: "Those whose contact person has one of these addresses: up to 100 between commas, whatever their case.", Type: "", Example: "ClotildeLedner@example.com"},
			{Name: v3Users, In: "query", Description: "Those whose owner, technical or billing user has one of these addresses.", Type: "", Example: "AlbaStehr@example.com"},
		}, v3Moments()...),
		Answers: append([]route.Answer{{Status: http.StatusOK, Description: "The accounts of the page, links to the others, and how many there are.",
			Body: route.Body{MediaType: mediaType, Type: v3List{}, Example: v3ListExample()}}}, v3Refusals()...),
	}
}

func v3Moments() (all []route.Parameter) {
	const how = " A day, which is its beginning, or a time: 2026-01-31 or 2026-01-31T12:00:00 of the platform's time zone (billing.time_zone), 2026-01-31T12:00:00Z of UTC."
	for _, of := range []struct{ name, did string }{{v3Created, "created"}, {v3Updated, "changed last"}} {
		all = append(all,
			route.Parameter{Name: of.name + "[gt]", In: "query", Description: "Those " + of.did + " after this." + how, Type: "", Example: "2021-02-11"},
			route.Parameter{Name: of.name + "[lt]", In: "query", Description: "Those " + of.did + " before this." + how, Type: "", Example: "2036-02-11T10:18:20"})
	}
	return append(all, v3IncludeParameter())
}

func v3IncludeParameter() route.Parameter {
	return route.Parameter{Name: v3Include, In: "query", Description: "subscriptions, of which there are none; nothing else can be included.", Type: "", Example: "subscriptions"}
}

func v3Reseller() route.Parameter {
	return route.Parameter{Name: "reseller_id", In: "path", Description: "ID of the reseller.", Required: true, Type: int64(0), Example: 1}
}

func (v *view) v3GetRoute() route.Route {
	return route.Route{
		Method: http.MethodGet, Pattern: v3Path + "/{id}", Name: "getVendorAccountV3", Tag: v3Tag,
		Summary:     "One account of a reseller, as JSON:API",
		Description: "An account of the reseller itself. Needs the scope read." + v3Told,
		Token:       route.HeaderToken, Handler: v.v3Handle(access.Read, v.v3Get),
		Parameters: []route.Parameter{v3Reseller(),
			{Name: "id", In: "path", Description: "ID of the account.", Required: true, Type: int64(0), Example: 789}, v3IncludeParameter()},
		Answers: append([]route.Answer{{Status: http.StatusOK, Description: "The account.",
			Body: route.Body{MediaType: mediaType, Type: v3Document{}, Example: example("v3-account")}}}, v3Refusals()...),
	}
}

func (v *view) v3CreateRoute() route.Route {
	return route.Route{
		Method: http.MethodPost, Pattern: v3Path, Name: "createVendorAccountV3", Tag: v3Tag,
		Summary: "Create an account of a reseller, as JSON:API",
		Description: "Creates an account, and its owner unless owner_id names one. The account belongs to the customer user-<id of the owner>, " +
			"has the terms of its class, the reseller's currency, and the platform's time zone; a new owner is the reseller's. A person out of the token's reach is told of like one that is not there. Null is as absent; an attribute that is unknown is refused. " +
			"The content type must be application/vnd.api+json. Needs the scope manage." + v3Told,
		Token: route.HeaderToken, Handler: v.v3Handle(access.Manage, v.v3Create),
		Parameters: []route.Parameter{v3Reseller(), v3IncludeParameter(), once.Parameter()},
		Requests:   []route.Body{{MediaType: mediaType, Type: v3Creation{}, Example: example("v3-creation")}},
		Answers: append([]route.Answer{
			{Status: http.StatusCreated, Description: "The account; Location says where it is.",
				Body: route.Body{MediaType: mediaType, Type: v3Document{}, Example: example("v3-account")}},
			v3Refusal(http.StatusConflict, "The resource is of another type, or a request with this Idempotency-Key is being carried out.", `only "accounts" are created here`, &v3Source{Pointer: "/data/type"}),
			v3Refusal(http.StatusRequestEntityTooLarge, "The body is too long.", "the body is longer than the 1048576 bytes that are taken", nil),
			v3Refusal(http.StatusUnsupportedMediaType, "The body is of another media type.",
				"bodies are application/vnd.api+json, without parameters", &v3Source{Header: "Content-Type"}),
			v3Refusal(http.StatusUnprocessableEntity, "Attributes are wrong, each fault is told; or the Idempotency-Key was used for another request.",
				"Manager to attach must be a 'sales person' and be in 'active' status", &v3Source{Pointer: v3Attribute + "/manager_id"}),
		}, v3Refusals()...),
	}
}

func v3Refusal(status int, description, detail string, source *v3Source) route.Answer {
	return route.Answer{Status: status, Description: description,
		Body: route.Body{MediaType: mediaType, Type: v3Faults{}, Example: v3Faults{Errors: []v3Fault{v3FaultOf(status, detail, source)}}}}
}

// v3Refusals are those that every endpoint may answer.
func v3Refusals() []route.Answer {
	return []route.Answer{
		v3Refusal(http.StatusBadRequest, "A parameter is wrong, or the body is no JSON:API.",
			`"0": give a whole number from 1 to 1000`, &v3Source{Parameter: v3Size}),
		v3Refusal(http.StatusUnauthorized, "The token is missing, unknown, revoked or has expired.",
			"no token was given: give one, once, as header X-Api-Token", nil),
		v3Refusal(http.StatusForbidden, "The token has not the scope, or an id was given.",
			"the token has not the scope manage: use one made with --scope manage", nil),
		v3Refusal(http.StatusNotFound, "No such reseller within the token's reach, or no such account of it.", "reseller 7: no such reseller", nil),
		v3Refusal(http.StatusNotAcceptable, "Accept does not name what is answered.",
			"answers are application/vnd.api+json, without parameters: name it", &v3Source{Header: "Accept"}),
		v3Refusal(http.StatusTooManyRequests, "The token has used up its rate: wait as long as Retry-After says.",
			"the token has used up its rate of requests: try again in 1s", nil),
		v3Refusal(http.StatusInternalServerError, "A fault of the server, which is in its log.", "something went wrong here; the log has it", nil),
		v3Refusal(http.StatusServiceUnavailable, "The database is away or takes too long: wait as long as Retry-After says.",
			"the database is away or takes too long; what was to be done was not, or all of it: look, and try again", nil),
	}
}
