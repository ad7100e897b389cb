package api

import (
	"time"

	"github.com/chargehand/chargehand/limits"
	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
)

// accountStatus and holdReason are words of closed sets.
type (
	accountStatus string
	holdReason    string
)

// Schema is how OpenAPI describes it.
func (accountStatus) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: []any{"active", "administrative_hold", "credit_hold", "deleted"}, Examples: []any{"active"}}
}

// Schema is how OpenAPI describes it.
func (holdReason) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: []any{"threshold", "subzero", "manager"}, Examples: []any{"threshold"}}
}

// accountShape is an account.
type accountShape struct {
	ID                   uuid.UUID             `json:"id" format:"uuid"`
	Number               string                `json:"number" doc:"What records, commands and addresses call it." example:"ACR0000001526"`
	Customer             string                `json:"customer" doc:"Ref of the customer who owns it." example:"jane"`
	Class                string                `json:"class" doc:"Key of its account class." example:"default"`
	PaymentModel         string                `json:"payment_model" enum:"prepay,postpay" doc:"That of its class."`
	Currency             string                `json:"currency" doc:"ISO 4217." example:"EUR"`
	TimeZone             string                `json:"time_zone" doc:"Its days and months begin there." example:"Europe/Athens"`
	CycleDay             int                   `json:"cycle_day" minimum:"1" maximum:"31" doc:"Day of the month on which its months begin."`
	Status               accountStatus         `json:"status"`
	StatusReason         orNull[holdReason]    `json:"status_reason" doc:"Why it is on hold; null where it is not."`
	Balance              moneyText             `json:"balance"`
	CurrentDebt          moneyText             `json:"current_debt" doc:"Of a postpay account; below zero where it is paid ahead."`
	UsableBalance        moneyText             `json:"usable_balance" doc:"The balance without what is reserved."`
	ExitPayment          moneyText             `json:"exit_payment" doc:"The least payment that would end a credit hold now, else 0."`
	NegativeSince        orNull[time.Time]     `json:"negative_since" doc:"Since when the balance is below zero."`
	HoldAt               orNull[time.Time]     `json:"hold_at" doc:"When its subzero period runs out, if it will."`
	Threshold            moneyText             `json:"financial_blocking_threshold" doc:"Debt that is tolerated."`
	ThresholdUseSystem   bool                  `json:"financial_blocking_threshold_use_system" doc:"Whether that is the class's."`
	CreditLimit          moneyText             `json:"subscription_credit_limit" doc:"How far the debt of a postpay account may go; 0 is no limit."`
	CreditLimitUseSystem bool                  `json:"subscription_credit_limit_use_system" doc:"Whether that is the class's."`
	Services             array[string]         `json:"services" doc:"Codes of the linked services: only their usage is rated."`
	Applications         array[string]         `json:"applications" doc:"Names of the linked applications."`
	PeriodicServices     array[periodicLinked] `json:"periodic_services" doc:"What it is charged for by the period."`
	CreatedAt            time.Time             `json:"created_at"`
	UpdatedAt            time.Time             `json:"updated_at"`
}

// periodicLinked is a periodic service of an account.
type periodicLinked struct {
	Name      string    `json:"name" example:"Fleet card"`
	Price     moneyText `json:"price"`
	Period    string    `json:"period" enum:"daily,weekly,monthly,yearly"`
	Every     int       `json:"every" doc:"How many periods are charged as one."`
	StartsOn  dateText  `json:"starts_on"`
	AnchorDay int       `json:"anchor_day,omitempty" doc:"Day of the month on which periods begin, if not that of starts_on."`
	EndsOn    dateText  `json:"ends_on,omitempty" doc:"Exclusive."`
	Prorate   bool      `json:"prorate" doc:"Whether a period that is cut short costs its part by days."`
}

// changesShape is what a change did.
type changesShape struct {
	Account string        `json:"account" example:"ACR0000001526"`
	Changed array[string] `json:"changed" doc:"What changed, in words; empty where it was so already."`
}

// statementLineShape is a posting.
type statementLineShape struct {
	At           time.Time `json:"at"`
	Kind         string    `json:"kind" enum:"usage,periodic,payment,adjustment,reversal"`
	Amount       moneyText `json:"amount" doc:"A debit is below zero."`
	BalanceAfter moneyText `json:"balance_after" doc:"The figure that it moved: the balance, of a postpay account the current debt."`
	Description  string    `json:"description" example:"Exxon Unleaded"`
	Record       string    `json:"record,omitempty" doc:"SOURCE/ID of the record that was charged or taken back." example:"pump-7/r1"`
	Periodic     string    `json:"periodic,omitempty" doc:"Name of the periodic service."`
	Key          string    `json:"key,omitempty" doc:"Key of the payment or adjustment."`
}

// historyLineShape is a change of an account's status.
type historyLineShape struct {
	At        time.Time          `json:"at"`
	From      accountStatus      `json:"from"`
	To        accountStatus      `json:"to"`
	Reason    orNull[holdReason] `json:"status_reason" doc:"null where the new status is no hold."`
	Note      string             `json:"note"`
	Balance   moneyText          `json:"balance"`
	Threshold moneyText          `json:"threshold" doc:"In force then."`
	Actor     string             `json:"actor" example:"token shop"`
}

// postingShape is what a payment or an adjustment did.
type postingShape struct {
	At           time.Time `json:"at"`
	Kind         string    `json:"kind" enum:"payment,adjustment"`
	Amount       moneyText `json:"amount"`
	BalanceAfter moneyText `json:"balance_after" doc:"Of a postpay account the current debt."`
	Key          string    `json:"key" example:"invoice-17"`
	Repeated     bool      `json:"repeated" doc:"The key was used before: nothing happened now."`
}

// statusShape is what became of a wish for a status.
type statusShape struct {
	Account   string        `json:"account" example:"ACR0000001526"`
	From      accountStatus `json:"from"`
	To        accountStatus `json:"to"`
	Unchanged bool          `json:"unchanged" doc:"It had the status already."`
}

// limitsShape is the limits of an account. The ceilings come on top.
type limitsShape struct {
	Block      bool              `json:"block_services_not_included_in_usage_allowance_limits_settings" doc:"Whether what no entry is about is rejected."`
	Percentage numberText        `json:"percentage_of_allowed_exceeded_usage_limit" doc:"By how much every ceiling may be exceeded."`
	Entries    array[entryShape] `json:"usage_services_allowance" doc:"Ceilings of a service, a type or a family each."`
}

// TransformSchema adds the six ceilings.
func (limitsShape) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	return withNumbers(r, s, true)
}

// entryShape is one entry: it is about a service, a type or a family.
type entryShape struct {
	Service *codeShape `json:"service,omitempty"`
	Type    *codeShape `json:"service_type,omitempty"`
	Family  *codeShape `json:"service_family,omitempty"`
}

// TransformSchema adds the six ceilings.
func (entryShape) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	return withNumbers(r, s, false)
}

type codeShape struct {
	Code string `json:"code" example:"Exxon Unleaded"`
}

// withNumbers adds the six maxima as answers have them.
func withNumbers(r huma.Registry, s *huma.Schema, account bool) *huma.Schema {
	for _, name := range limits.CeilingNames(account) {
		s.Properties[name] = orNull[numberText]{}.Schema(r)
	}
	return s
}

// limitsChangeShape is a change of limits. The ceilings come on top.
type limitsChangeShape struct {
	Block      bool                    `json:"block_services_not_included_in_usage_allowance_limits_settings,omitempty" doc:"Whether what no entry is about is rejected."`
	Percentage decimalText             `json:"percentage_of_allowed_exceeded_usage_limit,omitempty" doc:"By how much every ceiling may be exceeded."`
	Entries    array[entryChangeShape] `json:"usage_services_allowance,omitempty" doc:"What becomes of the entries that are named; others stay."`
}

// TransformSchema adds the six ceilings.
func (limitsChangeShape) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	return withCeilings(r, s, true)
}

// entryChangeShape is what becomes of one entry.
type entryChangeShape struct {
	Action  string           `json:"action" enum:"add,update,remove" doc:"update merges: what it leaves out stays, null clears."`
	Service *targetShape     `json:"service,omitempty"`
	Type    *typeTargetShape `json:"service_type,omitempty"`
	Family  *namedShape      `json:"service_family,omitempty"`
}

// TransformSchema adds the six ceilings.
func (entryChangeShape) TransformSchema(r huma.Registry, s *huma.Schema) *huma.Schema {
	return withCeilings(r, s, false)
}

// remainingShape is the allowance that is left.
type remainingShape struct {
	Ceilings array[leftShape] `json:"ceilings" doc:"Every ceiling, in the order in which they are judged."`
	Next     *nextShape       `json:"next_transaction,omitempty" doc:"What the next transaction may take of the service that was asked about."`
}

type leftShape struct {
	Scope     string         `json:"scope" enum:"account,service,type,family"`
	Target    orNull[string] `json:"target" doc:"Code of the service, type or family; null for the account."`
	Window    string         `json:"window" enum:"transaction,day,month"`
	Metric    string         `json:"metric" enum:"usage,amount"`
	Ceiling   numberText     `json:"ceiling" doc:"As it was set." example:"30"`
	Effective numberText     `json:"effective" doc:"With the percentage that may be exceeded." example:"39"`
	Used      numberText     `json:"used" example:"20"`
	Remaining numberText     `json:"remaining" example:"19"`
}

type nextShape struct {
	Usage  orNull[numberText] `json:"usage" doc:"null where nothing limits."`
	Amount orNull[numberText] `json:"amount" doc:"null where nothing limits."`
}
