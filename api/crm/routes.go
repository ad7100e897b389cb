package crm

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/once"
	"github.com/chargehand/chargehand/api/route"
)

const (
	limitsPath    = "/crm/v1/accounts_receivable/usage_allowance_limits"
	remainingPath = "/crm/v1/accounts_receivable/remaining_usage_allowance"
	tag           = "CRM.COM"
	mediaType     = "application/json"
)

// The examples of the documentation; tests send them and hold the answers
// against these.
var (
	//go:embed examples/set_request.json
	setRequest json.RawMessage
	//go:embed examples/set_answer.json
	setAnswer json.RawMessage
	//go:embed examples/remaining_request.json
	remainingRequest json.RawMessage
	//go:embed examples/remaining_answer.json
	remainingAnswer json.RawMessage
	//go:embed examples/refused_answer.json
	refusedAnswer json.RawMessage
)

// Routes are the methods as a server mounts them.
func Routes(o Options) []route.Route {
	v := &view{o}
	remaining := route.Route{
		Pattern: remainingPath, Tag: tag, Token: route.BodyToken,
		Summary: "What is left of an account's allowance",
		Description: "Figures are those of this moment: of the day and the month that it is in the account's time zone. " +
			"What is left of a day or a month is that of the ceiling with the percentage by which it may be exceeded.",
		Requests: []route.Body{{MediaType: mediaType, Type: RemainingRequest{}, Example: remainingRequest}},
		Answers: append([]route.Answer{{Status: http.StatusOK, Description: "What is left.",
			Body: route.Body{MediaType: mediaType, Type: RemainingAnswer{}, Example: remainingAnswer}}}, refusals(remainingCodes())...),
		Handler: v.door(access.Read, v.remaining),
	}
	get, post := remaining, remaining
	get.Method, get.Name = http.MethodGet, "crm-remaining-usage-allowance"
	get.Requests, get.Parameters = nil, queryParameters()
	post.Method, post.Name = http.MethodPost, "crm-remaining-usage-allowance-by-post"
	return []route.Route{{
		Method: http.MethodPost, Pattern: limitsPath, Name: "crm-set-usage-allowance-limits", Tag: tag, Token: route.BodyToken,
		Summary: "Set or update an account's usage allowance limits",
		Description: "What the request does not name stays, null clears. All of it is carried out, or nothing is; it holds from the next " +
			"record on. A request that names nothing to change answers the limits in force.",
		Parameters: []route.Parameter{once.Parameter()},
		Requests:   []route.Body{{MediaType: mediaType, Type: LimitsRequest{}, Example: setRequest}},
		Answers: append([]route.Answer{{Status: http.StatusOK, Description: "The account, with the limits that are in force now.",
			Body: route.Body{MediaType: mediaType, Type: ReceivableAnswer{}, Example: setAnswer}}}, refusals(Codes())...),
		Handler: v.door(access.Manage, v.setLimits),
	}, get, post}
}

func queryParameters() []route.Parameter {
	return []route.Parameter{
		{Name: tokenKey, In: "query", Required: true, Type: "", Description: "A token with the scope read."},
		{Name: "number", In: "query", Type: "", Example: "ACR0000001526", Description: "The account's number: exactly one of number, id and name."},
		{Name: "id", In: "query", Type: "", Description: "The account's id, as answers print it."},
		{Name: "name", In: "query", Type: "", Description: "The account's name, as answers print it."},
		{Name: identifierKey, In: "query", Type: "", Description: "The account as a JSON object, in place of the three before."},
		{Name: fieldsKey, In: "query", Type: "", Description: "Keys of data that the answer is cut down to, with commas between."},
	}
}

// remainingCodes are those that a request may end with which changes nothing.
func remainingCodes() []Code {
	changes := []Code{notSupported, unknownTarget, invalidEntry, entryExists, entryNotFound, limitsGlobal, keyReused, inProgress}
	return slices.DeleteFunc(Codes(), func(c Code) bool { return slices.Contains(changes, c) })
}

// refusals are the answers of codes, one for each HTTP status.
func refusals(codes []Code) []route.Answer {
	texts, first := map[int][]string{}, map[int]Code{}
	for _, c := range codes {
		if c == succeeded {
			continue
		}
		if texts[c.HTTP] == nil {
			first[c.HTTP] = c
		}
		texts[c.HTTP] = append(texts[c.HTTP], fmt.Sprintf("%s: %s", c.Name, c.Meaning))
	}
	var all []route.Answer
	for _, status := range slices.Sorted(maps.Keys(texts)) {
		body := route.Body{MediaType: mediaType, Type: Refused{},
			Example: Refused{Status: Status{Code: first[status].Name, Message: first[status].Meaning}}}
		if status == entryExists.HTTP {
			body.Example = refusedAnswer
		}
		all = append(all, route.Answer{Status: status, Description: strings.Join(texts[status], " "), Body: body})
	}
	return all
}
