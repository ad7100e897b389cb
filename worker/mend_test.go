package worker

import (
	"fmt"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// strict are settings under which every reason can be met.
var strict = Settings{FutureTolerance: 5 * time.Minute, Lateness: 30 * 24 * time.Hour, EnforceThreshold: true}

// changed is the set-up of an account with other members.
func changed(account string) string {
	return "customers:\n  - ref: jane\n    accounts:\n      - " + account + "\n"
}

const march10 = "2026-03-10T10:00:00Z"

// Every reason of SPEC R5.2 that can be mended: what is sent, why it is rejected,
// what mends it, and the charge at last.
func TestWhatIsMendedIsRatedByAReRate(t *testing.T) {
	some := func(id, account, service string) []string { return []string{use(id, account, service, "4", march10)} }
	limited := func(account, ceiling string) string { return plain(account, "100", "limits: {"+ceiling+"}") }
	tests := []struct {
		reason  billing.Reason
		account string // as it is set up; empty: plain
		records []string
		mend    func(h *house)
		charge  string
	}{
		{billing.AccountNotFound, "-", some("r", "A", "unleaded"), func(h *house) { h.apply(noon, changed(plain("A", "100"))) }, "8"},
		{billing.AccountAdministrativeHold, "", some("r", "A", "unleaded"), nil, "8"},
		{billing.AccountCreditHold, "", some("r", "A", "unleaded"), nil, "8"},
		{billing.ServiceNotFound, "", some("r", "A", "toll"), func(h *house) {
			h.apply(noon, "services: [{code: toll, description: Road toll, type: PETROL}]\n"+
				"prices: [{id: t, service: toll, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: \"3\"}]\n"+
				changed("{number: A, class: pre, currency: EUR, time_zone: UTC, services: [toll]}"))
		}, "12"},
		{billing.ServiceNotLinked, "{number: A, class: pre, currency: EUR, time_zone: UTC, services: [diesel]}", some("r", "A", "unleaded"),
			func(h *house) {
				h.apply(noon, changed("{number: A, class: pre, currency: EUR, time_zone: UTC, services: [diesel, unleaded]}"))
			}, "8"},
		{billing.TooLate, "", []string{use("r", "A", "unleaded", "4", "2026-01-10T10:00:00Z")}, nil, "8"},
		{billing.InFuture, "", []string{use("r", "A", "unleaded", "4", "2026-03-21T12:06:00Z")}, nil, "8"},
		{billing.NoPrice, "", []string{use("r", "A", "unleaded", "4", march10)}, func(h *house) {
			h.apply(noon, "prices: [{id: u2, service: unleaded, currency: EUR, valid_from: 2026-03-10T00:00:00Z, per_unit: \"5\"}]\n")
		}, "20"},
		{billing.CurrencyMismatch, "{number: A, class: pre, currency: USD, time_zone: UTC, services: [unleaded]}", some("r", "A", "unleaded"),
			func(h *house) {
				h.apply(noon, "prices: [{id: us, service: unleaded, currency: USD, valid_from: 2020-01-01T00:00:00Z, per_unit: \"2.5\"}]\n")
			}, "10"},
		{billing.OutOfRange, "", []string{use("r", "A", "unleaded", "900000000000", march10)}, func(h *house) {
			h.exec("update prices set rated = false where id = 'u'")
			h.apply(noon, "prices: [{id: u, service: unleaded, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: \"0\"}]\n")
		}, "0"},
		{billing.ServiceNotIncluded, limited("A", "block_services_not_included_in_usage_allowance_limits_settings: true"), some("r", "A", "unleaded"),
			func(h *house) {
				h.apply(noon, changed(limited("A", "block_services_not_included_in_usage_allowance_limits_settings: true, "+
					"usage_services_allowance: [{service: {code: unleaded}, maximum_usage_per_day: \"9\"}]")))
			}, "8"},
		{billing.InsufficientFunds, plain("A", "-93"), some("r", "A", "unleaded"), func(h *house) { h.pay("A", "1", "k") }, "8"},
		{billing.SubscriptionCreditLimit, "{number: A, class: post, currency: EUR, time_zone: UTC, services: [unleaded]}",
			[]string{use("r", "A", "unleaded", "26", march10)}, func(h *house) { h.pay("A", "2", "k") }, "52"},
		{billing.OriginalNotFound, "", []string{credit("r", "o", "A", "unleaded", "1", march10)}, func(h *house) {
			h.commit(h.flow(strict, 0), h.accept(use("o", "A", "unleaded", "4", march10)))
		}, "-2"},
		{billing.CreditExceedsOriginal, "", []string{use("o", "A", "unleaded", "4", march10), credit("c", "o", "A", "unleaded", "4", march10),
			credit("r", "o", "A", "unleaded", "1", march10)}, func(h *house) {
			h.correctBy(strict, Correction{Cancel: true, Filter: postgres.CorrectionFilter{Record: &billing.Identity{Account: "A", Source: "feed", ID: "c"}}})
		}, "-2"},
	}
	for _, window := range []string{"transaction", "day", "month"} {
		for _, metric := range []string{"usage", "rated_amount"} {
			var reason billing.Reason
			if err := reason.UnmarshalText([]byte("limit_" + window + "_" + map[string]string{"usage": "usage", "rated_amount": "amount"}[metric])); err != nil {
				t.Fatal(err)
			}
			ceiling := fmt.Sprintf("accumulated_maximum_%s_per_%s", metric, window)
			tests = append(tests, struct {
				reason  billing.Reason
				account string
				records []string
				mend    func(h *house)
				charge  string
			}{reason, limited("A", ceiling+`: "3"`), some("r", "A", "unleaded"),
				func(h *house) { h.apply(noon, changed(limited("A", ceiling+`: "8"`))) }, "8"})
		}
	}
	for _, tt := range tests {
		t.Run(tt.reason.String(), func(t *testing.T) {
			var h *house
			switch tt.account {
			case "-":
				h = newHouse(t, plain("X", "0"))
			case "":
				h = newHouse(t, plain("A", "100"))
			default:
				h = newHouse(t, tt.account)
			}
			switch tt.reason {
			case billing.AccountAdministrativeHold:
				h.hold("A", noon.Add(-30*24*time.Hour))
			case billing.AccountCreditHold:
				h.exec("update account_states set status = 2, status_reason = 1, inactive_since = '2026-02-01T00:00:00Z'")
			case billing.NoPrice:
				h.exec("update prices set valid_to = '2026-03-01T00:00:00Z', body = (body::jsonb || '{\"valid_to\": \"2026-03-01T00:00:00Z\"}')::json where id = 'u'")
			}
			h.commit(h.flow(strict, 0), h.accept(tt.records...))
			if got := h.judged("A", "r"); got != tt.reason.String() {
				t.Fatalf("at first: got %s", got)
			}
			if tt.mend != nil {
				again := h.correctBy(strict, Correction{Filter: postgres.CorrectionFilter{Reason: tt.reason}})
				if again.Rejected != 1 || again.Changed != 0 || again.Reasons[tt.reason.String()] != 1 {
					t.Errorf("re-rated before it is mended: got %+v", again)
				}
				tt.mend(h)
			}
			done := h.correctBy(strict, Correction{Filter: postgres.CorrectionFilter{Reason: tt.reason}})
			if done.Rated-done.Widened != 1 || done.Rejected != 0 {
				t.Errorf("re-rated: got %+v", done)
			}
			if got := h.judged("A", "r"); got != tt.charge {
				t.Errorf("got %s, want %s", got, tt.charge)
			}
			if tt.reason != billing.AccountCreditHold { // held behind verify's back
				h.sound("")
			}
		})
	}
}

func TestADeletedAccountKeepsWhatItHadAndTakesNoMore(t *testing.T) {
	h := newHouse(t, plain("A", "100"))
	f := h.flow(strict, 0)
	h.commit(f, h.accept(use("1", "A", "unleaded", "4", march10)))
	if _, err := h.store.SetStatus(t.Context(), postgres.StatusRequest{Account: "A", Action: postgres.DeleteAccount, Note: "n", At: noon, Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	h.commit(f, h.accept(use("2", "A", "unleaded", "4", march10)))
	done := h.correctBy(strict, Correction{Filter: postgres.CorrectionFilter{Account: "A", Rejected: true}})
	if done.Rated != 1 || done.Reasons["account_deleted"] != 1 || done.Changed != 0 {
		t.Errorf("got %+v", done)
	}
}
