package postgres

import (
	"encoding/json"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/rating"
	"github.com/google/go-cmp/cmp"
)

// The prices and limits that the explanations below were judged by.
const (
	perUnit = `{"id":"u","service":"s","currency":"EUR","valid_from":"2025-01-01T00:00:00Z","per_unit":"1.555","per_record":"0.1",
		"bands":[{"name":"night","from":"22:00","to":"06:00","per_unit":"1"},{"from":"06:00","to":"07:00","per_unit":"2"}]}`
	byMonth = `{"id":"m","service":"s","currency":"EUR","valid_from":"2025-01-01T00:00:00Z","accumulate":"month",
		"volume":[{"up_to":"100","unit_price":"1"},{"unit_price":"0.9"}]}`
	twoCeilings = `{"percentage_of_allowed_exceeded_usage_limit":"10","accumulated_maximum_rated_amount_per_day":"50",
		"usage_services_allowance":[{"service":{"code":"s"},"maximum_usage_per_month":"30"}]}`
)

// TestJudgementsAreExplained, rejected ones as far as they came (SPEC R3.6, R4.5).
func TestJudgementsAreExplained(t *testing.T) {
	const (
		nothing    = `"price":null,"lines":[],"exact":null,"accumulated":null,"charge":null,"ceilings":[],`
		noBalances = `"balance_before":null,"balance_after":null}`
	)
	figure := func(m billing.Money) Trace { return Trace{Figure: m * billing.MoneyUnit, HasFigure: true} }
	money := func(m billing.Money) *billing.Money { return &m }
	rated := func(charge billing.Money, band int, tr Trace) StoredJudgement {
		return StoredJudgement{Outcome: billing.Rated, Charge: charge, Band: band, Trace: tr}
	}
	rejected := func(r billing.Reason, tr Trace) StoredJudgement {
		return StoredJudgement{Outcome: billing.Rejected, Reason: r, Band: -1, Trace: tr}
	}
	judged := figure(20)
	judged.Judged, judged.Limits, judged.Used = true, 1, []billing.Fixed{billing.FixedInt(40), billing.FixedInt(3)}
	onlyJudged := Trace{Judged: true, Limits: 1, Used: judged.Used}
	counted := figure(20)
	counted.Before = billing.FixedInt(90)
	shared := figure(20)
	shared.Rest, shared.RestAmount, shared.HasRest = billing.FixedInt(3), 10*billing.MoneyUnit, true

	for _, c := range []struct {
		name   string
		record billing.UsageRecord
		judged StoredJudgement
		price  string
		model  billing.PaymentModel
		limits bool
		of     *StoredOriginal
		want   string
	}{
		{
			name: "a price by the unit with a fee", record: billing.UsageRecord{Quantity: billing.FixedInt(2)},
			judged: rated(3_210_000, -1, figure(20)), price: perUnit,
			want: `{"price":{"id":"u","band":null},"lines":[{"quantity":"2","unit_price":"1.555","amount":"3.11"},` +
				`{"quantity":"1","unit_price":"0.1","amount":"0.1"}],"exact":"3.21","accumulated":null,"charge":"3.21","ceilings":[],` +
				`"original":null,"balance_before":"20","balance_after":"16.79"}`,
		},
		{
			name: "a band with a name, and a debt, which a charge raises", record: billing.UsageRecord{Quantity: billing.FixedInt(2)},
			judged: rated(2_100_000, 0, figure(20)), price: perUnit, model: billing.Postpay,
			want: `{"price":{"id":"u","band":"night"},"lines":[{"quantity":"2","unit_price":"1","amount":"2"},` +
				`{"quantity":"1","unit_price":"0.1","amount":"0.1"}],"exact":"2.1","accumulated":null,"charge":"2.1","ceilings":[],` +
				`"original":null,"balance_before":"20","balance_after":"22.1"}`,
		},
		{
			name: "a band without one", record: billing.UsageRecord{Quantity: billing.FixedInt(2)},
			judged: rated(4_100_000, 1, figure(20)), price: perUnit,
			want: `{"price":{"id":"u","band":1},"lines":[{"quantity":"2","unit_price":"2","amount":"4"},` +
				`{"quantity":"1","unit_price":"0.1","amount":"0.1"}],"exact":"4.1","accumulated":null,"charge":"4.1","ceilings":[],` +
				`"original":null,"balance_before":"20","balance_after":"15.9"}`,
		},
		{
			name: "a price that counts over a month, and a tier that gives back", record: billing.UsageRecord{Quantity: billing.FixedInt(11)},
			judged: rated(900_000, -1, counted), price: byMonth,
			want: `{"price":{"id":"m","band":null},"lines":[{"quantity":"101","unit_price":"0.9","amount":"90.9"},` +
				`{"quantity":"-90","unit_price":"1","amount":"-90"}],"exact":"0.9",` +
				`"accumulated":{"before":"90","price_before":"90","price_after":"90.9"},"charge":"0.9","ceilings":[],` +
				`"original":null,"balance_before":"20","balance_after":"19.1"}`,
		},
		{
			name: "ceilings", record: billing.UsageRecord{Quantity: billing.FixedInt(2)},
			judged: rated(3_210_000, -1, judged), price: perUnit, limits: true,
			want: `{"price":{"id":"u","band":null},"lines":[{"quantity":"2","unit_price":"1.555","amount":"3.11"},` +
				`{"quantity":"1","unit_price":"0.1","amount":"0.1"}],"exact":"3.21","accumulated":null,"charge":"3.21","ceilings":[` +
				`{"scope":"account","target":null,"window":"day","metric":"amount","ceiling":"50","effective":"55","used":"40","requested":"3.21","breached":false},` +
				`{"scope":"service","target":"s","window":"month","metric":"usage","ceiling":"30","effective":"33","used":"3","requested":"2","breached":false}],` +
				`"original":null,"balance_before":"20","balance_after":"16.79"}`,
		},
		{
			name: "a breach, with the charge that would have been", record: billing.UsageRecord{Quantity: billing.FixedInt(31)},
			judged: rejected(billing.LimitMonthUsage, onlyJudged), price: perUnit, limits: true,
			want: `{"price":{"id":"u","band":null},"lines":[{"quantity":"31","unit_price":"1.555","amount":"48.205"},` +
				`{"quantity":"1","unit_price":"0.1","amount":"0.1"}],"exact":"48.305","accumulated":null,"charge":"48.31","ceilings":[` +
				`{"scope":"account","target":null,"window":"day","metric":"amount","ceiling":"50","effective":"55","used":"40","requested":"48.31","breached":true},` +
				`{"scope":"service","target":"s","window":"month","metric":"usage","ceiling":"30","effective":"33","used":"3","requested":"31","breached":true}],` +
				`"original":null,` + noBalances,
		},
		{
			name: "want of money, with what would have been left", record: billing.UsageRecord{Quantity: billing.FixedInt(20)},
			judged: rejected(billing.InsufficientFunds, figure(20)), price: perUnit,
			want: `{"price":{"id":"u","band":null},"lines":[{"quantity":"20","unit_price":"1.555","amount":"31.1"},` +
				`{"quantity":"1","unit_price":"0.1","amount":"0.1"}],"exact":"31.2","accumulated":null,"charge":"31.2","ceilings":[],` +
				`"original":null,"balance_before":"20","balance_after":"-11.2"}`,
		},
		{
			name: "a charge past all money", record: billing.UsageRecord{Quantity: quantity("999999999999")},
			judged: rejected(billing.OutOfRange, Trace{}), price: perUnit,
			want: `{"price":{"id":"u","band":null},"lines":[{"quantity":"999999999999","unit_price":"1.555","amount":"1554999999998.445"},` +
				`{"quantity":"1","unit_price":"0.1","amount":"0.1"}],"exact":"1554999999998.545","accumulated":null,"charge":null,"ceilings":[],` +
				`"original":null,` + noBalances,
		},
		{
			name: "no price", record: billing.UsageRecord{Quantity: billing.FixedInt(1)},
			judged: rejected(billing.NoPrice, Trace{}),
			want:   `{` + nothing + `"original":null,` + noBalances,
		},
		{
			name:   "a service that is not linked, of a record that brings its charge",
			record: billing.UsageRecord{Quantity: billing.FixedInt(1), Amount: money(5)},
			judged: rejected(billing.ServiceNotLinked, Trace{}),
			want:   `{` + nothing + `"original":null,` + noBalances,
		},
		{
			name: "an amount of its own", record: billing.UsageRecord{Quantity: billing.FixedInt(4), Amount: money(1_234_567)},
			judged: rated(1_234_567, -1, figure(20)),
			want: `{"price":null,"lines":[{"quantity":"1","unit_price":"1.234567","amount":"1.234567"}],"exact":"1.234567","accumulated":null,` +
				`"charge":"1.234567","ceilings":[],"original":null,"balance_before":"20","balance_after":"18.765433"}`,
		},
		{
			name: "no charge, by order", record: billing.UsageRecord{Quantity: billing.FixedInt(4), Directive: billing.NoCharge},
			judged: rated(0, -1, figure(20)),
			want: `{"price":null,"lines":[],"exact":"0","accumulated":null,"charge":"0","ceilings":[],"original":null,` +
				`"balance_before":"20","balance_after":"20"}`,
		},
		{
			name:   "a share of what is left",
			record: billing.UsageRecord{Quantity: billing.FixedInt(2), Directive: billing.Credit, OriginalID: "o"},
			judged: rated(-6_670_000, 0, shared), price: perUnit,
			want: `{"price":{"id":"u","band":"night"},"lines":[{"quantity":"-1","unit_price":"6.67","amount":"-6.67"}],"exact":"-6.67","accumulated":null,` +
				`"charge":"-6.67","ceilings":[],"original":"o","balance_before":"20","balance_after":"26.67"}`,
		},
		{
			name:   "a share of an amount with more digits than its currency",
			record: billing.UsageRecord{Quantity: billing.FixedInt(2), Directive: billing.Credit, OriginalID: "o"},
			judged: rated(-6_667_000, -1, shared), of: &StoredOriginal{Amount: money(10_001_000)},
			want: `{"price":null,"lines":[{"quantity":"-1","unit_price":"6.667","amount":"-6.667"}],"exact":"-6.667","accumulated":null,` +
				`"charge":"-6.667","ceilings":[],"original":"o","balance_before":"20","balance_after":"26.667"}`,
		},
		{
			name:   "what a price that counts takes off",
			record: billing.UsageRecord{Quantity: billing.FixedInt(15), Directive: billing.Credit, OriginalID: "o"},
			judged: rated(-15_000_000, -1, counted), price: byMonth,
			want: `{"price":{"id":"m","band":null},"lines":[{"quantity":"75","unit_price":"1","amount":"75"},` +
				`{"quantity":"-90","unit_price":"1","amount":"-90"}],"exact":"-15",` +
				`"accumulated":{"before":"90","price_before":"90","price_after":"75"},"charge":"-15","ceilings":[],` +
				`"original":"o","balance_before":"20","balance_after":"35"}`,
		},
		{
			name:   "a credit of more than there was",
			record: billing.UsageRecord{Quantity: billing.FixedInt(9), Directive: billing.Credit, OriginalID: "o"},
			judged: rejected(billing.CreditExceedsOriginal, Trace{}),
			want:   `{` + nothing + `"original":"o",` + noBalances,
		},
		{
			name:   "a credit of nothing that is there",
			record: billing.UsageRecord{Quantity: billing.FixedInt(9), Directive: billing.Credit, OriginalID: "o"},
			judged: rejected(billing.OriginalNotFound, Trace{}),
			want:   `{` + nothing + `"original":null,` + noBalances,
		},
		{
			name: "a cancelled record, as it was", record: billing.UsageRecord{Quantity: billing.FixedInt(2)},
			judged: StoredJudgement{Outcome: billing.Cancelled, Band: -1, Trace: figure(20)}, price: perUnit,
			want: `{"price":{"id":"u","band":null},"lines":[{"quantity":"2","unit_price":"1.555","amount":"3.11"},` +
				`{"quantity":"1","unit_price":"0.1","amount":"0.1"}],"exact":"3.21","accumulated":null,"charge":"3.21","ceilings":[],` +
				`"original":null,"balance_before":"20","balance_after":"16.79"}`,
		},
		{
			name: "a price that is gone", record: billing.UsageRecord{Quantity: billing.FixedInt(2)},
			judged: rated(3_210_000, -1, Trace{}),
			want:   `{"price":null,"lines":[],"exact":null,"accumulated":null,"charge":"3.21","ceilings":[],"original":null,` + noBalances,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := Basis{Price: priceOf(t, c.price), Model: c.model, Currency: "EUR", Place: &billing.Place{}}
			if c.limits {
				var l limits.Settings
				if err := json.Unmarshal([]byte(twoCeilings), &l); err != nil {
					t.Fatal(err)
				}
				b.Rules = limits.Open(l).For(billing.Placement{Service: "s", Type: "t"})
			}
			got, err := json.Marshal(Explain(&StoredRecord{UsageRecord: c.record, Judged: c.judged, Original: c.of}, b))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(got), c.want); d != "" {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

func priceOf(t *testing.T, text string) *rating.Price {
	t.Helper()
	if text == "" {
		return nil
	}
	var p rating.Price
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	book, err := rating.Open([]rating.Price{p})
	if err != nil {
		t.Fatal(err)
	}
	return book.Price(p.ID)
}

func quantity(text string) billing.Fixed {
	q, err := billing.ParseQuantity(text)
	if err != nil {
		panic(err) // the test's own text
	}
	return q
}
