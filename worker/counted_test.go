package worker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// TestLateRecordsFindTheirWindows counts days and months that are over, some of
// them never met before (SPEC R2.6).
func TestLateRecordsFindTheirWindows(t *testing.T) {
	h := newHouse(t, plain("A1", "100", `limits: {accumulated_maximum_usage_per_day: "3"}`))
	f := h.flow(eager, 10)
	at := func(days int) string { return noon.AddDate(0, 0, -days).Format(time.RFC3339) }
	h.commit(f, h.accept(use("1", "A1", "sms", "2", at(40)), use("2", "A1", "sms", "2", at(0))))
	h.commit(f, h.accept(use("3", "A1", "sms", "2", at(40)), use("4", "A1", "sms", "1", at(40)), use("5", "A1", "sms", "2", at(400))))
	h.commit(h.flow(eager, 0), h.accept(use("6", "A1", "sms", "2", at(400)), use("7", "A1", "sms", "9", "0001-01-01T00:00:00Z"),
		use("8", "A1", "sms", "3", "2019-12-31T23:59:59Z")))
	var got []string
	for i := 1; i <= 8; i++ {
		got = append(got, h.judged("A1", fmt.Sprint(i)))
	}
	if got, want := strings.Join(got, " "), "0 0 limit_day_usage 0 0 limit_day_usage no_price no_price"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got := h.recount(); got != "" {
		t.Errorf("counters differ from their records:\n%s", got)
	}
	if h.query(`select count(*)::text from closed_counters`) == "0" {
		t.Error("no window was closed")
	}
}

// TestCredits gives back by share, by amount and by an accumulating price, in one
// batch with the originals and later (SPEC R5.9).
func TestCredits(t *testing.T) {
	at := day(20, "10:00:00")
	originals := []string{
		use("u", "A1", "unleaded", "3", at),                     // 6
		use("p", "A1", "unleaded", "3", at, `"amount":"1.005"`), // three digits of its own
		use("m1", "A1", "mms", "9", at),                         // 9 at 1
		use("m2", "A1", "mms", "3", at),                         // 12 at 0.5: gives back 3
		use("n", "A1", "unleaded", "5", at, `"directive":"no_charge"`),
		use("r", "A1", "unleaded", "1", "2019-01-01T00:00:00Z"), // no price
	}
	credits := []string{
		credit("u1", "u", "A1", "unleaded", "1", at),
		credit("u2", "u", "A1", "unleaded", "1", at, `"amount":"3.5"`),
		credit("u3", "u", "A1", "unleaded", "1", at, `"amount":"0.51"`), // 0.50 is left
		credit("u4", "u", "A1", "unleaded", "1.1", at),                  // 1 is left
		credit("u5", "u", "A1", "unleaded", "1", at),
		credit("u6", "u", "A1", "unleaded", "0.001", at),
		credit("p1", "p", "A1", "unleaded", "1", at),
		credit("m3", "m1", "A1", "mms", "5", at), // 12 → 7: 6 → 7
		credit("m4", "m1", "A1", "mms", "4", at), // 7 → 3: 7 → 3
		credit("n1", "n", "A1", "unleaded", "5", at),
		credit("r1", "r", "A1", "unleaded", "1", at),
		credit("u7", "u1", "A1", "unleaded", "1", at),
		credit("u8", "u", "A1", "diesel", "1", at),
		credit("u9", "u9", "A1", "unleaded", "1", at),
	}
	want := "-2 -3.5 credit_exceeds_original credit_exceeds_original -0.5 credit_exceeds_original -0.335 1 -4 0 " +
		"original_not_found original_not_found original_not_found original_not_found"
	judged := func(h *house) string {
		var got []string
		for _, id := range []string{"u1", "u2", "u3", "u4", "u5", "u6", "p1", "m3", "m4", "n1", "r1", "u7", "u8", "u9"} {
			got = append(got, h.judged("A1", id))
		}
		return strings.Join(got, " ")
	}
	for _, tc := range []struct {
		name string
		send func(h *house, f *flow)
	}{
		{"in one batch", func(h *house, f *flow) { h.commit(f, h.accept(append(slices.Clone(originals), credits...)...)) }},
		{"in one group", func(h *house, f *flow) { h.commit(f, h.accept(originals...), h.accept(credits...)) }},
		{"later", func(h *house, f *flow) {
			h.commit(f, h.accept(originals...))
			for _, c := range credits {
				h.commit(f, h.accept(c))
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHouse(t, plain("A1", "100"))
			tc.send(h, h.flow(eager, 10))
			if got := judged(h); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			// 6 + 1.005 + 9 − 3 less 2, 3.5, 0.5, 0.335 and 3.
			if got, want := h.view("A1").Balance, money("96.33"); got != want {
				t.Errorf("balance: got %s, want %s", got, want)
			}
			if got := h.recount(); got != "" {
				t.Errorf("counters differ from their records:\n%s", got)
			}
		})
	}
}

// TestAServiceThatMovedKeepsWhatWasCounted: what was counted stays counted where
// it was, and is credited there (SPEC R4.6).
func TestAServiceThatMovedKeepsWhatWasCounted(t *testing.T) {
	when := day(20, "10:00:00")
	h := newHouse(t, plain("A1", "100", `limits: {usage_services_allowance: [{service_type: {code: MESSAGE}, maximum_usage_per_day: "5"}]}`))
	f := h.flow(eager, 10)
	h.commit(f, h.accept(use("1", "A1", "unleaded", "4", when)))
	h.apply(noon, `services: [{code: unleaded, description: Unleaded 95, type: MESSAGE}]`)
	h.commit(f, h.accept(use("2", "A1", "unleaded", "5", when), credit("3", "1", "A1", "unleaded", "4", when), use("4", "A1", "unleaded", "1", when)))
	if got := h.judged("A1", "2") + " " + h.judged("A1", "3") + " " + h.judged("A1", "4"); got != "10 -8 limit_day_usage" {
		t.Errorf("got %s, want the new type to count from zero, and the credit to count in the old one", got)
	}
	if got := h.recount(); got != "" {
		t.Errorf("counters differ from their records:\n%s", got)
	}
}

// TestRecordsOfNoAccountKeepTheirOrder: they have no account that counts their
// places, and may be rated again when it has come to be.
func TestRecordsOfNoAccountKeepTheirOrder(t *testing.T) {
	h := newHouse(t, plain("A1", "0"))
	f := h.flow(eager, 10)
	for _, id := range []string{"b", "a", "d", "c"} {
		h.commit(f, h.accept(use(id+"2", "NONE", "sms", "1", day(20, "10:00:00")), use(id+"1", "NONE", "sms", "1", day(20, "10:00:00"))))
	}
	got := h.query(`select string_agg(id, ' ' order by arrival) || ' ' || count(distinct arrival) from records`)
	if want := "b2 b1 a2 a1 d2 d1 c2 c1 8"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestMoneyHasARange: what cannot be held is refused before credit is asked
// (SPEC R2.2).
func TestMoneyHasARange(t *testing.T) {
	at := day(20, "10:00:00")
	h := newHouse(t, plain("A1", "-999999999999"), "{number: P1, class: post, currency: EUR, services: [unleaded]}")
	h.commit(h.flow(eager, 10), h.accept(
		use("1", "A1", "unleaded", "1", at, `"amount":"0.999999"`),
		use("2", "A1", "unleaded", "1", at, `"amount":"0.000001"`),
		use("3", "A1", "unleaded", "999999999999", at), // 2 × that
		use("4", "P1", "unleaded", "1", at, `"amount":"999999999999"`),
		use("5", "A1", "unleaded", "1", at, `"directive":"no_charge"`)))
	var got []string
	for _, r := range [][2]string{{"A1", "1"}, {"A1", "2"}, {"A1", "3"}, {"P1", "4"}, {"A1", "5"}} {
		got = append(got, h.judged(r[0], r[1]))
	}
	if got, want := strings.Join(got, " "), "0.999999 out_of_range out_of_range subscription_credit_limit 0"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := h.view("A1").Balance, -billing.MoneyMax; got != want {
		t.Errorf("balance: got %s, want %s", got, want)
	}
}
