package verify_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/verify"
	"github.com/chargehand/chargehand/worker"
	"github.com/google/uuid"
)

// BenchmarkRun verifies records as they mostly are: ten services, of which each
// is priced by the unit, held against half a dozen ceilings of an account.
// VERIFY_RECORDS says how many; a hundred records an account.
func BenchmarkRun(b *testing.B) {
	records := 100_000
	if n, err := strconv.Atoi(os.Getenv("VERIFY_RECORDS")); err == nil {
		records = n
	}
	accounts := records / 100
	h := newHouse(b, city(accounts), worker.Settings{FutureTolerance: 5 * time.Minute})
	h.fill(records, accounts, 2000)
	b.ResetTimer()
	for b.Loop() {
		r, err := verify.Run(b.Context(), h.store, verify.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if !r.Sound() || r.Checked.Records != int64(records) {
			b.Fatalf("got %+v", r)
		}
	}
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// fill sends records of the last two months, in batches of so many, and waits
// until they are judged.
func (h *house) fill(records, accounts, perBatch int) {
	h.t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	start := time.Now().Add(-60 * 24 * time.Hour)
	var ids []uuid.UUID
	var batch []string
	for i := range records {
		at := start.Add(time.Duration(i) * 59 * 24 * time.Hour / time.Duration(records))
		batch = append(batch, use(fmt.Sprintf("r%09d", i), cityAccount(rng.IntN(accounts)), fmt.Sprintf("service-%d", rng.IntN(10)),
			fmt.Sprintf("%d.%02d", rng.IntN(10), 1+rng.IntN(99)), at.UTC().Format(time.RFC3339)))
		if len(batch) == perBatch || i == records-1 {
			ids = append(ids, h.accept(batch...))
			batch = batch[:0]
		}
	}
	h.wait(ids...)
}

func cityAccount(i int) string { return fmt.Sprintf("ACR%010d", i) }

// city is a set-up with many accounts in several zones.
func city(accounts int) string {
	var b strings.Builder
	b.WriteString("families: [{code: F0, name: F0}, {code: F1, name: F1}]\ntypes:\n")
	for i := range 5 {
		fmt.Fprintf(&b, "  - {code: T%d, name: T%d, family: F%d, unit: {code: U, name: Unit}}\n", i, i, i%2)
	}
	b.WriteString("services:\n")
	for i := range 10 {
		fmt.Fprintf(&b, "  - {code: service-%d, description: Service %d, type: T%d}\n", i, i, i%5)
	}
	b.WriteString("prices:\n")
	for i := range 10 {
		fmt.Fprintf(&b, "  - {id: p%d, service: service-%d, currency: EUR, valid_from: \"2020-01-01T00:00:00Z\", per_unit: \"0.0%d\"}\n", i, i, i+1)
	}
	b.WriteString(`account_classes:
  - {key: std, name: Standard, payment_model: prepay, financial_blocking_threshold: "100", subzero_period: -1,
     subscription_credit_limit: "0", buy_with_negative_balance: false, default: true}
customers:
  - ref: city
    accounts:
`)
	zones := []string{"Europe/Athens", "UTC", "America/New_York", "Asia/Kathmandu"}
	for i := range accounts {
		fmt.Fprintf(&b, `      - {number: "%s", currency: EUR, time_zone: %s, cycle_day: %d, opening_balance: "1000000",
          services: [service-0, service-1, service-2, service-3, service-4, service-5, service-6, service-7, service-8, service-9],
          limits: {accumulated_maximum_rated_amount_per_day: "900000", accumulated_maximum_usage_per_month: "90000000",
          usage_services_allowance: [{service: {code: service-0}, maximum_usage_per_day: "900000"},
            {service_type: {code: T1}, maximum_rated_amount_per_month: "900000"}, {service_family: {code: F0}, maximum_usage_per_month: "90000000"},
            {service_family: {code: F1}, maximum_usage_per_transaction: "9000"}]}}
`, cityAccount(i), zones[i%len(zones)], 1+i%31)
	}
	return b.String()
}
