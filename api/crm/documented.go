package crm

import "encoding/json"

// LimitsRequest is what a request to set limits may say, for the OpenAPI
// document. Decoding does not use it: there an absent key, a null and a number's
// own text all matter.
type LimitsRequest struct {
	Token      string       `json:"token" doc:"A token with the scope manage."`
	Account    Identifier   `json:"accounts_receivable_identifier"`
	Block      *bool        `json:"block_services_not_included_in_usage_allowance_limits_settings,omitempty" doc:"Whether services without an entry are refused; 1, 0 and null are taken too."`
	Credit     *bool        `json:"block_usage_consumption_when_all_amounts_exceed_credit_limit,omitempty" doc:"Not supported: refused unless false or null."`
	Percentage *json.Number `json:"percentage_of_allowed_exceeded_usage_limit,omitempty" doc:"By how many percent every ceiling may be exceeded. Numbers are taken with and without quotes, by their exact text."`

	AmountPerTransaction *json.Number `json:"accumulated_maximum_rated_amount_per_transaction,omitempty" doc:"Ceilings over all services. What is absent stays, null clears."`
	AmountPerDay         *json.Number `json:"accumulated_maximum_rated_amount_per_day,omitempty"`
	AmountPerMonth       *json.Number `json:"accumulated_maximum_rated_amount_per_month,omitempty"`
	UsagePerTransaction  *json.Number `json:"accumulated_maximum_usage_per_transaction,omitempty"`
	UsagePerDay          *json.Number `json:"accumulated_maximum_usage_per_day,omitempty"`
	UsagePerDate         *json.Number `json:"accumulated_maximum_usage_per_date,omitempty" doc:"The older name of accumulated_maximum_usage_per_day."`
	UsagePerMonth        *json.Number `json:"accumulated_maximum_usage_per_month,omitempty"`

	Entries []EntryRequest `json:"usage_services_allowance,omitempty" maxItems:"1000" doc:"All of them are carried out, or nothing is."`
	Fields  string         `json:"fields_set,omitempty" doc:"Keys of data that the answer is cut down to, with commas between; absent: all."`
}

// EntryRequest changes the ceilings of one service, service type or service
// family.
type EntryRequest struct {
	Action  string      `json:"action,omitempty" enum:"add,update,remove" doc:"add makes an entry, update changes the ceilings that are given, remove takes the entry away. Without an action the entry is set: added, or replaced whole."`
	Service *ServiceRef `json:"service,omitempty" doc:"Exactly one of service, service_type and service_family."`
	Type    *TypeRef    `json:"service_type,omitempty"`
	Family  *FamilyRef  `json:"service_family,omitempty"`

	AmountPerTransaction *json.Number `json:"maximum_rated_amount_per_transaction,omitempty"`
	AmountPerDay         *json.Number `json:"maximum_rated_amount_per_day,omitempty"`
	AmountPerMonth       *json.Number `json:"maximum_rated_amount_per_month,omitempty"`
	UsagePerTransaction  *json.Number `json:"maximum_usage_per_transaction,omitempty"`
	UsagePerDay          *json.Number `json:"maximum_usage_per_day,omitempty"`
	UsagePerMonth        *json.Number `json:"maximum_usage_per_month,omitempty"`
}

// Identifier names an account in exactly one way.
type Identifier struct {
	Number string `json:"number,omitempty"`
	ID     string `json:"id,omitempty" doc:"As answers print it."`
	Name   string `json:"name,omitempty" doc:"As answers print it: the number and whose account it is."`
}

// ServiceRef names a service in exactly one way.
type ServiceRef struct {
	Code            string `json:"code,omitempty"`
	AlternativeCode string `json:"alternative_code,omitempty"`
	ID              string `json:"id,omitempty"`
}

// TypeRef names a service type in exactly one way.
type TypeRef struct {
	Name            string `json:"name,omitempty"`
	AlternativeCode string `json:"alternative_code,omitempty"`
	Code            string `json:"code,omitempty"`
	ID              string `json:"id,omitempty"`
}

// FamilyRef names a service family in exactly one way.
type FamilyRef struct {
	Code string `json:"code,omitempty"`
	Name string `json:"name,omitempty"`
	ID   string `json:"id,omitempty"`
}

// RemainingRequest asks what is left of an account's limits.
type RemainingRequest struct {
	Token   string     `json:"token" doc:"A token with the scope read."`
	Account Identifier `json:"accounts_receivable_identifier"`
	Fields  string     `json:"fields_set,omitempty" doc:"Keys of data that the answer is cut down to, with commas between; absent: all."`
}

// ReceivableAnswer is the answer to a request to set limits.
type ReceivableAnswer struct {
	Data   *Receivable `json:"data" cut:"fields_set"`
	Status Status      `json:"status"`
}

// RemainingAnswer is the answer to a request for what remains.
type RemainingAnswer struct {
	Data   *Remaining `json:"data" cut:"fields_set"`
	Status Status     `json:"status"`
}

// Refused is the answer to a request that was not carried out.
type Refused struct {
	Data   any    `json:"data"`
	Status Status `json:"status"`
}
