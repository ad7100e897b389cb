package api

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/chargehand/chargehand/limits"
	"github.com/danielgtaylor/huma/v2"
)

// setupText is a set-up inside of a body. What is in it package setup judges,
// with better words than a schema has; the document says what it may be.
type setupText json.RawMessage

// UnmarshalJSON takes the text as it is.
func (t *setupText) UnmarshalJSON(text []byte) error {
	*t = append((*t)[:0], text...)
	return nil
}

// Schema is how OpenAPI describes it.
func (setupText) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Extensions: map[string]any{"$ref": r.Schema(reflect.TypeFor[setupShape](), true, "").Ref}}
}

// setupShape is a set-up file (CONTRACT §2). A test holds what is exported
// against it, and the keys against those that are read.
type setupShape struct {
	Families     array[familyShape]      `json:"families,omitempty"`
	Types        array[typeShape]        `json:"types,omitempty" doc:"Service types. Each has the unit of its services."`
	Services     array[serviceShape]     `json:"services,omitempty"`
	Prices       array[setPriceShape]    `json:"prices,omitempty"`
	Resellers    array[resellerShape]    `json:"resellers,omitempty"`
	Managers     array[managerShape]     `json:"managers,omitempty"`
	Users        array[userShape]        `json:"users,omitempty"`
	AccountTypes array[accountTypeShape] `json:"account_types,omitempty"`
	Classes      array[classShape]       `json:"account_classes,omitempty"`
	Customers    array[customerShape]    `json:"customers,omitempty"`
	Limits       *limitsFileShape        `json:"limits,omitempty" doc:"Limits of all accounts, where limits.scope is all_accounts."`
}

type familyShape struct {
	Code string `json:"code" example:"FUEL"`
	Name string `json:"name,omitempty" example:"Fuel"`
}

type typeShape struct {
	Code   string     `json:"code" doc:"In limits and records also called alternative_code." example:"E2"`
	Name   string     `json:"name,omitempty" example:"Exxon"`
	Family string     `json:"family,omitempty" doc:"Code of its family." example:"FUEL"`
	Unit   *unitShape `json:"unit,omitempty"`
}

type unitShape struct {
	Code string `json:"code" example:"L"`
	Name string `json:"name,omitempty" example:"Litre"`
}

type serviceShape struct {
	Code            string `json:"code" doc:"What usage records name it by." example:"Exxon Unleaded"`
	AlternativeCode string `json:"alternative_code,omitempty" example:"EU"`
	Description     string `json:"description,omitempty" example:"Unleaded 95"`
	Type            string `json:"type" doc:"Code of its type." example:"E2"`
}

// setPriceShape is what a service costs, over an interval.
type setPriceShape struct {
	ID         string                `json:"id" example:"eu"`
	Service    string                `json:"service" doc:"Code of the service." example:"Exxon Unleaded"`
	Currency   string                `json:"currency" doc:"ISO 4217." example:"EUR"`
	Class      string                `json:"class,omitempty" doc:"For accounts of this class; without class and account for all."`
	Account    string                `json:"account,omitempty" doc:"For this account only."`
	ValidFrom  time.Time             `json:"valid_from" doc:"From this time on." example:"2026-01-01T00:00:00Z"`
	ValidTo    *time.Time            `json:"valid_to,omitempty" doc:"Before this time; the same as valid_from voids it."`
	Accumulate string                `json:"accumulate,omitempty" enum:"record,day,month" doc:"Over what the model counts; record unless told."`
	PerUnit    decimalText           `json:"per_unit,omitempty" doc:"Price of a unit. Of per_unit, graduated, volume and package there is one."`
	Graduated  array[tierShape]      `json:"graduated,omitempty" doc:"Each part of the quantity at its own tier's price."`
	Volume     array[tierShape]      `json:"volume,omitempty" doc:"The whole quantity at the price of the tier that it falls in."`
	Package    *packageShape         `json:"package,omitempty" doc:"A price for each package that is begun."`
	Step       decimalText           `json:"step,omitempty" doc:"The quantity is rounded up to a multiple of it."`
	PerRecord  decimalText           `json:"per_record,omitempty" doc:"Added for each record."`
	Minimum    decimalText           `json:"minimum,omitempty"`
	Maximum    decimalText           `json:"maximum,omitempty"`
	Digits     int                   `json:"digits,omitempty" minimum:"0" maximum:"6" doc:"To which the charge is rounded; those of the currency unless told."`
	Bands      array[priceBandShape] `json:"bands,omitempty" doc:"Other models at times of the week, in local time."`
}

type tierShape struct {
	UpTo      decimalText `json:"up_to,omitempty" doc:"Inclusive; the last tier has none."`
	UnitPrice decimalText `json:"unit_price"`
	Flat      decimalText `json:"flat,omitempty" doc:"Added when the tier is entered."`
}

type packageShape struct {
	Size  decimalText `json:"size"`
	Price decimalText `json:"price"`
}

type priceBandShape struct {
	Name      string           `json:"name,omitempty" example:"peak"`
	Days      array[string]    `json:"days,omitempty" doc:"mon to sun; all unless told."`
	From      string           `json:"from" example:"08:00"`
	To        string           `json:"to" example:"19:00"`
	PerUnit   decimalText      `json:"per_unit,omitempty"`
	Graduated array[tierShape] `json:"graduated,omitempty"`
	Volume    array[tierShape] `json:"volume,omitempty"`
	Package   *packageShape    `json:"package,omitempty"`
}

// classShape is terms that accounts share.
type classShape struct {
	Key             string      `json:"key" example:"default"`
	Name            string      `json:"name,omitempty" example:"Default"`
	PaymentModel    string      `json:"payment_model" enum:"prepay,postpay"`
	Threshold       decimalText `json:"financial_blocking_threshold,omitempty" doc:"The debt that is tolerated."`
	SubzeroPeriod   int         `json:"subzero_period,omitempty" doc:"Days that a balance may stay negative within the threshold; -1: for ever."`
	CreditLimit     decimalText `json:"subscription_credit_limit,omitempty" doc:"Most debt of a postpay account; 0: none."`
	BuyWithNegative bool        `json:"buy_with_negative_balance,omitempty" doc:"Whether a periodic service may be linked on credit."`
	Default         bool        `json:"default,omitempty" doc:"Whether accounts that name no class have this one."`

	// What other products' APIs show of it.
	ID               int64       `json:"id,omitempty" doc:"The number that other products' APIs know it by."`
	Reseller         int64       `json:"reseller,omitempty" doc:"Id of the reseller that it is of; without it of all."`
	Color            string      `json:"color,omitempty"`
	DueOrder         int         `json:"due_order_period,omitempty" doc:"Days."`
	DuePayment       int         `json:"due_payment_period,omitempty" doc:"Days."`
	GuaranteedLimit  decimalText `json:"guaranteed_payment_limit,omitempty"`
	GuaranteedPeriod int         `json:"guaranteed_payment_period,omitempty" doc:"Days."`
	Stop             string      `json:"stop_subscription_type,omitempty"`
	Delete           string      `json:"delete_subscription_type,omitempty"`
	Denominated      bool        `json:"denominated,omitempty"`
	ReceiptDay       int         `json:"receipt_day,omitempty"`
}

type customerShape struct {
	Ref      string                 `json:"ref" example:"jane"`
	Name     string                 `json:"name,omitempty" example:"Jane Lane"`
	Accounts array[setAccountShape] `json:"accounts,omitempty"`
}

// setAccountShape is an account as a set-up has it.
type setAccountShape struct {
	Number           string                  `json:"number" example:"ACR0000001526"`
	Class            string                  `json:"class,omitempty" example:"default"`
	Currency         string                  `json:"currency" example:"EUR"`
	TimeZone         string                  `json:"time_zone,omitempty" example:"Europe/Athens"`
	CycleDay         int                     `json:"cycle_day,omitempty" minimum:"1" maximum:"31" doc:"Day on which its months begin."`
	OpeningBalance   decimalText             `json:"opening_balance,omitempty" doc:"Of a new account; never changes."`
	Threshold        decimalText             `json:"financial_blocking_threshold,omitempty" doc:"Its own; without it its class's."`
	CreditLimit      decimalText             `json:"subscription_credit_limit,omitempty" doc:"Its own; without it its class's."`
	Services         array[string]           `json:"services,omitempty" doc:"Codes; they replace those that it has."`
	Applications     array[applicationShape] `json:"applications,omitempty"`
	PeriodicServices array[periodicShape]    `json:"periodic_services,omitempty" doc:"They replace those that it has."`
	Profile          *profileShape           `json:"profile,omitempty" doc:"What other products' APIs show of it."`
	Limits           *limitsFileShape        `json:"limits,omitempty" doc:"They replace those that it has."`
}

type applicationShape struct {
	Name string `json:"name" example:"Fleet app"`
}

// periodicShape is what is charged every so often.
type periodicShape struct {
	Name      string      `json:"name" example:"Fleet card"`
	Price     decimalText `json:"price"`
	Period    string      `json:"period" enum:"daily,weekly,monthly,yearly"`
	Every     int         `json:"every,omitempty" minimum:"1" doc:"Every so many periods; 1 unless told."`
	StartsOn  string      `json:"starts_on" format:"date" example:"2026-01-31"`
	AnchorDay int         `json:"anchor_day,omitempty" minimum:"1" maximum:"31" doc:"Day on which periods begin, if not that of starts_on."`
	EndsOn    string      `json:"ends_on,omitempty" format:"date" doc:"Exclusive."`
	Prorate   bool        `json:"prorate,omitempty" doc:"Whether a partial period is charged by its days."`
}

// limitsFileShape is limits as a set-up has them. The ceilings come on top.
type limitsFileShape struct {
	Block      bool                  `json:"block_services_not_included_in_usage_allowance_limits_settings,omitempty" doc:"Whether what no entry is about is rejected."`
	Percentage decimalText           `json:"percentage_of_allowed_exceeded_usage_limit,omitempty" doc:"By how much every ceiling may be exceeded."`
	Entries    array[entryFileShape] `json:"usage_services_allowance,omitempty" doc:"Ceilings of a service, a type or a family each."`
}

// TransformSchema adds the six ceilings.
func (limitsFileShape) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	return withCeilings(r, s, true)
}

// entryFileShape is one entry: it is about a service, a type or a family.
type entryFileShape struct {
	Service *targetShape     `json:"service,omitempty"`
	Type    *typeTargetShape `json:"service_type,omitempty"`
	Family  *namedShape      `json:"service_family,omitempty"`
}

// TransformSchema adds the six ceilings.
func (entryFileShape) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	return withCeilings(r, s, false)
}

type targetShape struct {
	Code            string `json:"code,omitempty" doc:"One name is given." example:"Exxon Unleaded"`
	AlternativeCode string `json:"alternative_code,omitempty"`
}

type typeTargetShape struct {
	Code            string `json:"code,omitempty" doc:"One name is given." example:"E2"`
	AlternativeCode string `json:"alternative_code,omitempty"`
	Name            string `json:"name,omitempty"`
}

type namedShape struct {
	Code string `json:"code,omitempty" doc:"One name is given." example:"FUEL"`
	Name string `json:"name,omitempty"`
}

// withCeilings adds the six maxima to a schema, by the names that they have.
func withCeilings(r huma.Registry, s *huma.Schema, account bool) *huma.Schema {
	for _, name := range limits.CeilingNames(account) {
		s.Properties[name] = orNull[decimalText]{}.Schema(r)
	}
	return s
}
