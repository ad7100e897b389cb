package bench

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// services is how many services every account uses.
const services = 10

// setupFile is the price book and the accounts: ten services of five types in
// two families, and limits on service, type, family and account which are never
// reached, so that every record is judged to the end.
func setupFile(accounts int) []byte {
	var b strings.Builder
	b.WriteString("families: [{code: F0, name: F0}, {code: F1, name: F1}]\ntypes:\n")
	for i := range 5 {
		fmt.Fprintf(&b, "  - {code: T%d, name: T%d, family: F%d, unit: {code: U, name: Unit}}\n", i, i, i%2)
	}
	b.WriteString("services:\n")
	for i := range services {
		fmt.Fprintf(&b, "  - {code: service-%d, description: Service %d, type: T%d}\n", i, i, i%5)
	}
	b.WriteString("prices:\n")
	for i := range services {
		fmt.Fprintf(&b, "  - {id: p%d, service: service-%d, currency: EUR, valid_from: \"2020-01-01T00:00:00Z\", per_unit: \"0.0%d\"}\n", i, i, i+1)
	}
	b.WriteString(`account_classes:
  - {key: std, name: Standard, payment_model: prepay, financial_blocking_threshold: "100", subzero_period: -1,
     subscription_credit_limit: "0", buy_with_negative_balance: false, default: true}
customers:
  - ref: bench
    accounts:
`)
	for i := range accounts {
		fmt.Fprintf(&b, `      - {number: "%s", currency: EUR, time_zone: Europe/Athens, opening_balance: "1000000", services: [`, number(i))
		for s := range services {
			if s > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "service-%d", s)
		}
		b.WriteString(`], limits: {accumulated_maximum_rated_amount_per_day: "900000", accumulated_maximum_usage_per_month: "90000000",
          usage_services_allowance: [{service: {code: service-0}, maximum_usage_per_day: "900000"},
            {service_type: {code: T1}, maximum_rated_amount_per_month: "900000"}, {service_family: {code: F0}, maximum_usage_per_month: "90000000"},
            {service_family: {code: F1}, maximum_usage_per_transaction: "9000"}]}}
`)
	}
	return []byte(b.String())
}

func number(i int) string { return fmt.Sprintf("ACR%010d", i) }

// parcel is one batch, ready to be accepted and enqueued.
type parcel struct {
	id      uuid.UUID
	shard   int
	count   int
	records []byte
}

// workload makes records of the last two hours, spread over accounts evenly, or
// with hot nine tenths of them over one account in a hundred, and packs them by
// shard as a feed does.
func workload(o Options, from time.Time) ([]parcel, error) {
	rng := rand.New(rand.NewPCG(1, 2)) // the same records in every run
	type open struct {
		array []byte
		count int
	}
	var (
		shards  = make([]open, o.Shards)
		parcels []parcel
	)
	seal := func(shard int) error {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("make a batch id: %w", err)
		}
		s := &shards[shard]
		parcels = append(parcels, parcel{id: id, shard: shard, count: s.count, records: append(s.array, ']')})
		*s = open{}
		return nil
	}
	for i := range o.Records {
		account := rng.IntN(o.Accounts)
		if o.Hot && rng.IntN(10) > 0 {
			account = rng.IntN(max(1, o.Accounts/100))
		}
		quantity, err := billing.ParseQuantity(fmt.Sprintf("%d.%02d", rng.IntN(10), 1+rng.IntN(99)))
		if err != nil {
			return nil, err
		}
		r := billing.UsageRecord{Source: "bench", ID: fmt.Sprintf("%s-%09d", o.run, i), Account: number(account),
			Service: fmt.Sprintf("service-%d", rng.IntN(services)), Quantity: quantity,
			OccurredAt: from.Add(time.Duration(i) * 2 * time.Hour / time.Duration(o.Records))}
		shard := queue.Shard(r.Account, o.Shards)
		s := &shards[shard]
		if s.array = append(s.array, ','); s.count == 0 {
			s.array[0] = '['
		}
		s.array = billing.AppendRecord(s.array, &r)
		if s.count++; s.count == o.Batch {
			if err := seal(shard); err != nil {
				return nil, err
			}
		}
	}
	for shard := range shards {
		if shards[shard].count > 0 {
			if err := seal(shard); err != nil {
				return nil, err
			}
		}
	}
	if !json.Valid(parcels[0].records) {
		return nil, fmt.Errorf("make a workload: batch %s is no JSON", parcels[0].id)
	}
	return parcels, nil
}
