package api

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/chargehand/chargehand/api/vendor"
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/chargehand/chargehand/worker"
	"github.com/danielgtaylor/huma/v2"
)

// shapes are what OpenAPI says of types of other rooms: their JSON, with a word
// on each member, and null where it may be. Every answer of the tests is held
// against them.
var shapes = map[reflect.Type]reflect.Type{
	reflect.TypeFor[postgres.RecordView]():     reflect.TypeFor[recordShape](),
	reflect.TypeFor[postgres.Applied]():        reflect.TypeFor[appliedShape](),
	reflect.TypeFor[postgres.DeadLetterView](): reflect.TypeFor[deadLetterShape](),
	reflect.TypeFor[postgres.Outcomes]():       reflect.TypeFor[outcomesShape](),
	reflect.TypeFor[postgres.BatchStats]():     reflect.TypeFor[batchesShape](),
	reflect.TypeFor[postgres.JobStats]():       reflect.TypeFor[jobShape](),
	reflect.TypeFor[queuesBody]():              reflect.TypeFor[queuesShape](),
	reflect.TypeFor[postgres.NoticeStats]():    reflect.TypeFor[noticesShape](),
	reflect.TypeFor[queue.Stats]():             reflect.TypeFor[queueShape](),
	reflect.TypeFor[feed.Redriven]():           reflect.TypeFor[redrivenShape](),

	reflect.TypeFor[vendor.Number]():          reflect.TypeFor[numberShape](),
	reflect.TypeFor[postgres.AccountView]():   reflect.TypeFor[accountShape](),
	reflect.TypeFor[postgres.Changes]():       reflect.TypeFor[changesShape](),
	reflect.TypeFor[postgres.StatementLine](): reflect.TypeFor[statementLineShape](),
	reflect.TypeFor[postgres.HistoryLine]():   reflect.TypeFor[historyLineShape](),
	reflect.TypeFor[postgres.PostingAnswer](): reflect.TypeFor[postingShape](),
	reflect.TypeFor[postgres.StatusAnswer]():  reflect.TypeFor[statusShape](),
	reflect.TypeFor[limits.Settings]():        reflect.TypeFor[limitsShape](),
	reflect.TypeFor[limits.Remaining]():       reflect.TypeFor[remainingShape](),

	reflect.TypeFor[worker.SimulatedAccount](): reflect.TypeFor[simulatedAccountShape](),
	reflect.TypeFor[worker.SimulatedTotal]():   reflect.TypeFor[simulatedTotalShape](),
}

// schemaName is what the document calls a type.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if t.PkgPath() != reflect.TypeFor[Server]().PkgPath() {
		return name
	}
	for _, end := range []string{"Shape", "Body"} {
		name = strings.TrimSuffix(name, end)
	}
	return name
}

// orNull is a value that may be null; array is a list that never is.
type (
	orNull[T any] struct{}
	array[T any]  []T
)

// Schema is how OpenAPI describes it.
func (orNull[T]) Schema(r huma.Registry) *huma.Schema {
	s := r.Schema(reflect.TypeFor[T](), true, "")
	if s.Ref == "" && s.Type != "" {
		s.Nullable = true
		if len(s.Enum) > 0 {
			s.Enum = append(s.Enum, nil)
		}
		return s
	}
	return &huma.Schema{AnyOf: []*huma.Schema{s, {Type: "null"}}}
}

// Schema is how OpenAPI describes it.
func (array[T]) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: r.Schema(reflect.TypeFor[T](), true, "")}
}

// The scalars of answers.
type (
	// numberText is any decimal.
	numberText string
	// reasonWord is why a record was rejected.
	reasonWord string
	// bandName is which band of a price applied.
	bandName struct{}
)

// Schema is how OpenAPI describes it.
func (numberText) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "decimal", Pattern: `^-?[0-9]+(\.[0-9]+)?$`, Description: "A decimal.", Examples: []any{"12.5"}}
}

// Schema is how OpenAPI describes it.
func (reasonWord) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString, Examples: []any{billing.LimitDayUsage.String()}}
	for _, word := range billing.Reasons() {
		s.Enum = append(s.Enum, word)
	}
	return s
}

// Schema is how OpenAPI describes it.
func (bandName) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{{Type: huma.TypeString}, {Type: huma.TypeInteger}, {Type: "null"}}}
}

// instant is a time in a query or a body (SPEC R2.4).
type instant struct{ time time.Time }

// UnmarshalText reads RFC 3339 with an offset.
func (i *instant) UnmarshalText(text []byte) (err error) {
	switch i.time, err = billing.ParseTime(string(text)); {
	case err == nil:
		return nil
	case bytes.ContainsRune(text, ' '):
		return fmt.Errorf("%w: write the + of its offset as %%2B in a URL", err)
	}
	return fmt.Errorf("%w: write it like 2026-03-01T10:00:00Z", err)
}

// Schema is how OpenAPI describes it.
func (instant) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Examples: []any{"2026-03-01T00:00:00Z"}}
}

// recordShape is a usage record with what became of it.
type recordShape struct {
	Source      string              `json:"source" doc:"Who reported it." example:"pump-7"`
	ID          string              `json:"id" doc:"Its id among those of its source and account." example:"r1"`
	Account     string              `json:"account" doc:"Number of the account, as it was sent." example:"ACR0000001526"`
	Service     string              `json:"service" doc:"Code of the service." example:"Exxon Unleaded"`
	Quantity    numberText          `json:"quantity" doc:"How much was used, in the unit of the service's type." example:"12.5"`
	OccurredAt  time.Time           `json:"occurred_at" doc:"When it was used." example:"2026-03-01T08:00:00Z"`
	Directive   string              `json:"directive" enum:"charge,credit,no_charge" doc:"What it asks for." example:"charge"`
	Outcome     string              `json:"outcome" enum:"rated,rejected,cancelled" doc:"What it is now." example:"rated"`
	Reason      orNull[reasonWord]  `json:"reason" doc:"Why it was rejected; null unless it is."`
	Charge      orNull[moneyText]   `json:"charge" doc:"What it cost; below zero for a credit, null unless rated."`
	Currency    orNull[string]      `json:"currency" doc:"Currency of the account; null where there is no such account."`
	RatedAt     time.Time           `json:"rated_at" doc:"When it was judged." example:"2026-03-01T08:00:02.123456Z"`
	Explanation explanationShape    `json:"explanation"`
	Judgements  array[judgementOld] `json:"judgements,omitempty" doc:"Judgements that a cancel or a re-rate replaced, the first one first. Only where one record is asked for."`
}

// explanationShape is how a record came to its charge.
type explanationShape struct {
	Price         orNull[priceShape]       `json:"price" doc:"The price that was chosen."`
	Lines         array[lineShape]         `json:"lines" doc:"Parts of the charge, unrounded. They sum to exact."`
	Exact         orNull[numberText]       `json:"exact" doc:"The charge before it was rounded."`
	Accumulated   orNull[accumulatedShape] `json:"accumulated" doc:"Where the price counts over a day or a month: what was counted before, and what it is worth."`
	Charge        orNull[moneyText]        `json:"charge" doc:"The charge; of a record that was rejected after it was priced, what it would have cost."`
	Ceilings      array[ceilingShape]      `json:"ceilings" doc:"Every ceiling that was looked at."`
	Original      orNull[string]           `json:"original" doc:"Id of the record that a credit is of."`
	BalanceBefore orNull[moneyText]        `json:"balance_before" doc:"The balance before it (postpay: current_debt)."`
	BalanceAfter  orNull[moneyText]        `json:"balance_after" doc:"The balance with it."`
}

type priceShape struct {
	ID   string   `json:"id" doc:"Id of the price." example:"eu"`
	Band bandName `json:"band" doc:"Name of the time band, else its index from 0; null for the price's own model."`
}

type lineShape struct {
	Quantity  numberText `json:"quantity" example:"12.5"`
	UnitPrice numberText `json:"unit_price" example:"1.55"`
	Amount    numberText `json:"amount" doc:"Quantity × unit price." example:"19.375"`
}

type accumulatedShape struct {
	Before      numberText `json:"before" doc:"Quantity that was counted before."`
	PriceBefore numberText `json:"price_before" doc:"What that is worth, rounded."`
	PriceAfter  numberText `json:"price_after" doc:"What it is worth with this record, rounded."`
}

// ceilingShape is one ceiling that a record was held against.
type ceilingShape struct {
	Scope     string         `json:"scope" enum:"account,service,type,family"`
	Target    orNull[string] `json:"target" doc:"Code of the service, type or family; null for the account."`
	Window    string         `json:"window" enum:"transaction,day,month"`
	Metric    string         `json:"metric" enum:"usage,amount"`
	Ceiling   numberText     `json:"ceiling" doc:"As it was set." example:"30"`
	Effective numberText     `json:"effective" doc:"With the percentage that may be exceeded." example:"39"`
	Used      numberText     `json:"used" doc:"Counted before the record." example:"20"`
	Requested numberText     `json:"requested" doc:"What the record takes." example:"12.5"`
	Breached  bool           `json:"breached" doc:"Whether it would pass the ceiling."`
}

// judgementOld is a judgement that is no longer in force.
type judgementOld struct {
	Outcome     string             `json:"outcome" enum:"rated,rejected,cancelled"`
	Reason      orNull[reasonWord] `json:"reason"`
	Charge      orNull[moneyText]  `json:"charge"`
	RatedAt     time.Time          `json:"rated_at"`
	Explanation explanationShape   `json:"explanation"`
	EndedAt     time.Time          `json:"ended_at" doc:"When it was replaced."`
	Actor       string             `json:"actor" doc:"By whom." example:"token back-office"`
	Note        string             `json:"note" doc:"And why." example:"wrong price"`
}

// numberShape is an amount that a view prints as a number.
type numberShape struct{}

// Schema is how OpenAPI describes it.
func (numberShape) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeNumber} }
