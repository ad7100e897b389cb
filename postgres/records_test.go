package postgres

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

const village = `
types: [{code: T, name: Type, unit: {code: U, name: Unit}}]
services: [{code: s, description: Service, type: T}, {code: other, description: Other, type: T}]
prices: [{id: p, service: s, currency: EUR, valid_from: "2020-01-01T00:00:00Z", per_unit: "2"}]
account_classes:
  - {key: std, name: Standard, payment_model: prepay, financial_blocking_threshold: "100", subzero_period: 3,
     subscription_credit_limit: "0", buy_with_negative_balance: false, default: true}
  - {key: corp, name: Corporate, payment_model: postpay, financial_blocking_threshold: "0", subzero_period: -1,
     subscription_credit_limit: "0", buy_with_negative_balance: false}
customers:
  - ref: c
    accounts:
      - {number: A, currency: EUR, opening_balance: "10", services: [s], limits: {accumulated_maximum_usage_per_day: "5"}}
      - {number: B, class: corp, currency: EUR, services: [s]}
`

// stored is a record's row in short; the rest of it is as the village has it.
type stored struct {
	account, source, id string
	arrival             int64
	service, at         string
	quantity            int64
	directive           billing.Directive
	original            string
	outcome             billing.Outcome
	reason              billing.Reason
	charge              string // empty: none
	trace               Trace
}

func (s *Store) keep(t *testing.T, all ...stored) {
	t.Helper()
	for _, r := range all {
		price := 0
		if r.charge != "" || r.trace.Judged {
			price = 1
		}
		_, err := s.pool.Exec(t.Context(), `
			insert into records (account, source, id, arrival, batch, service, quantity, occurred_at, directive, original_id, outcome,
			                     reason, charge, price, band, placement, trace, rated_at)
			values ($1, $2, $3, $4::bigint, '00000000-0000-0000-0000-000000000001', $5, $6, $7, $8, $9, $10, $11, $12::text::numeric, $13, -1, 1,
			        $14, timestamptz '2025-06-01 00:00:00+00' + $4::bigint * interval '1 second')`,
			r.account, r.source, r.id, r.arrival, r.service, r.quantity, at(r.at), int16(r.directive), nullText(r.original),
			int16(r.outcome), int16(r.reason), nullText(r.charge), price, r.trace.AppendBinary(nil))
		if err != nil {
			t.Fatal(err)
		}
	}
}

func figure(m billing.Money) Trace { return Trace{Figure: m * billing.MoneyUnit, HasFigure: true} }

func (s *Store) keepVillage(t *testing.T) {
	t.Helper()
	s.keep(t,
		stored{account: "A", source: "f", id: "2", arrival: 20, service: "s", at: "2025-01-02T00:00:00Z", quantity: 1, outcome: billing.Rated,
			charge: "2", trace: figure(6)},
		stored{account: "A", source: "f", id: "1", arrival: 10, service: "s", at: "2025-01-01T00:00:00Z", quantity: 2, outcome: billing.Rated,
			charge: "4", trace: figure(10)},
		stored{account: "B", source: "f", id: "1", arrival: 20, service: "s", at: "2025-01-03T00:00:00Z", quantity: 3, outcome: billing.Rated,
			charge: "6", trace: figure(0)},
		stored{account: "A", source: "g", id: "1", arrival: 30, service: "s", at: "2025-01-02T12:00:00Z", quantity: 9, outcome: billing.Rejected,
			reason: billing.LimitDayUsage, trace: Trace{Judged: true, Limits: 1, Used: []billing.Fixed{billing.FixedInt(1)}}},
		stored{account: "nobody", source: "f", id: "1", arrival: 15, service: "other", at: "2025-01-01T00:00:00Z", quantity: 1,
			outcome: billing.Rejected, reason: billing.AccountNotFound},
		stored{account: "A", source: "f", id: "c", arrival: 40, service: "s", at: "2025-01-04T00:00:00Z", quantity: 1, directive: billing.Credit,
			original: "1", outcome: billing.Rated, charge: "-2",
			trace: Trace{Figure: 4 * billing.MoneyUnit, HasFigure: true, Rest: billing.FixedInt(2), RestAmount: 4 * billing.MoneyUnit, HasRest: true}},
	)
}

// Of an account in the order of arrival, of all in the order of their identity.
func TestRecordsAreListedInTheirOrder(t *testing.T) {
	s := newStore(t, village)
	s.keepVillage(t)
	for _, c := range []struct {
		name string
		RecordFilter
		want string
	}{
		{"all, each account's as they arrived", RecordFilter{}, "A/f/1 A/f/2 A/g/1 A/f/c B/f/1 nobody/f/1"},
		{"a page of all, by identity", RecordFilter{Limit: 5}, "A/f/1 A/f/2 A/f/c A/g/1 B/f/1"},
		{"of an account", RecordFilter{Account: "A"}, "A/f/1 A/f/2 A/g/1 A/f/c"},
		{"of an account that never was", RecordFilter{Account: "nobody"}, "nobody/f/1"},
		{"of a service", RecordFilter{Service: "other"}, "nobody/f/1"},
		{"rated", RecordFilter{Outcome: billing.Rated}, "A/f/1 A/f/2 A/f/c B/f/1"},
		{"rejected", RecordFilter{Outcome: billing.Rejected}, "A/g/1 nobody/f/1"},
		{"rejected by a reason", RecordFilter{Reason: billing.LimitDayUsage}, "A/g/1"},
		{"from an instant on", RecordFilter{From: at("2025-01-02T12:00:00Z")}, "A/g/1 A/f/c B/f/1"},
		{"before an instant", RecordFilter{To: at("2025-01-02T12:00:00Z")}, "A/f/1 A/f/2 nobody/f/1"},
		{"between two", RecordFilter{From: at("2025-01-02T00:00:00Z"), To: at("2025-01-02T12:00:00.000001Z")}, "A/f/2 A/g/1"},
		{"the first two", RecordFilter{Limit: 2}, "A/f/1 A/f/2"},
		{"after one in the middle", RecordFilter{After: RecordPlace{20, "A", "f", "2"}}, "A/f/c A/g/1 B/f/1 nobody/f/1"},
		{"of an account after one", RecordFilter{Account: "A", After: RecordPlace{20, "A", "f", "2"}}, "A/g/1 A/f/c"},
		{"of an account after one of two that came at once", RecordFilter{Account: "A", After: RecordPlace{20, "A", "f", "1"}}, "A/f/2 A/g/1 A/f/c"},
		{"none", RecordFilter{Account: "B", Service: "other"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for v, err := range s.Records(t.Context(), c.RecordFilter) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, v.Account+"/"+v.Source+"/"+v.ID)
			}
			if list := strings.Join(got, " "); list != c.want {
				t.Errorf("got %s, want %s", list, c.want)
			}
		})
	}
}

func TestACursorGoesOnWhereAPageEnded(t *testing.T) {
	s := newStore(t, village)
	s.keepVillage(t)
	var got []string
	for cursor := ""; ; {
		after, err := ParseRecordPlace(cursor)
		if err != nil {
			t.Fatal(err)
		}
		n := len(got)
		for v, err := range s.Records(t.Context(), RecordFilter{After: after, Limit: 2}) {
			if err != nil {
				t.Fatal(err)
			}
			got, cursor = append(got, v.Account+"/"+v.Source+"/"+v.ID), v.Place.Cursor()
		}
		if len(got) == n {
			break
		}
	}
	if want := "A/f/1 A/f/2 A/f/c A/g/1 B/f/1 nobody/f/1"; strings.Join(got, " ") != want {
		t.Errorf("got %s, want %s", got, want)
	}
	of := LetterPlace{march, uuid.New()}.Cursor()
	for _, bad := range []string{"%", "e30x", "W10", "e30", of, base64.RawURLEncoding.EncodeToString([]byte(`{"n":"A"}`)), RecordPlace{ID: "\x00"}.Cursor()} {
		if _, err := ParseRecordPlace(bad); !errors.Is(err, ErrNotCursor) {
			t.Errorf("cursor %q: got %v, want %v", bad, err, ErrNotCursor)
		}
	}
}

func TestARecordPrintsAsTheContractHasIt(t *testing.T) {
	s := newStore(t, village)
	s.keepVillage(t)
	want := map[string]string{
		"A/f/2": `{"source":"f","id":"2","account":"A","service":"s","quantity":"1","occurred_at":"2025-01-02T00:00:00Z","directive":"charge",` +
			`"outcome":"rated","reason":null,"charge":"2","currency":"EUR","rated_at":"2025-06-01T00:00:20Z","explanation":` +
			`{"price":{"id":"p","band":null},"lines":[{"quantity":"1","unit_price":"2","amount":"2"}],"exact":"2","accumulated":null,"charge":"2",` +
			`"ceilings":[],"original":null,"balance_before":"6","balance_after":"4"}}`,
		"B/f/1": `{"source":"f","id":"1","account":"B","service":"s","quantity":"3","occurred_at":"2025-01-03T00:00:00Z","directive":"charge",` +
			`"outcome":"rated","reason":null,"charge":"6","currency":"EUR","rated_at":"2025-06-01T00:00:20Z","explanation":` +
			`{"price":{"id":"p","band":null},"lines":[{"quantity":"3","unit_price":"2","amount":"6"}],"exact":"6","accumulated":null,"charge":"6",` +
			`"ceilings":[],"original":null,"balance_before":"0","balance_after":"6"}}`,
		"A/g/1": `{"source":"g","id":"1","account":"A","service":"s","quantity":"9","occurred_at":"2025-01-02T12:00:00Z","directive":"charge",` +
			`"outcome":"rejected","reason":"limit_day_usage","charge":null,"currency":"EUR","rated_at":"2025-06-01T00:00:30Z","explanation":` +
			`{"price":{"id":"p","band":null},"lines":[{"quantity":"9","unit_price":"2","amount":"18"}],"exact":"18","accumulated":null,"charge":"18",` +
			`"ceilings":[{"scope":"account","target":null,"window":"day","metric":"usage","ceiling":"5","effective":"5","used":"1","requested":"9",` +
			`"breached":true}],"original":null,"balance_before":null,"balance_after":null}}`,
		"nobody/f/1": `{"source":"f","id":"1","account":"nobody","service":"other","quantity":"1","occurred_at":"2025-01-01T00:00:00Z",` +
			`"directive":"charge","outcome":"rejected","reason":"account_not_found","charge":null,"currency":null,"rated_at":"2025-06-01T00:00:15Z",` +
			`"explanation":{"price":null,"lines":[],"exact":null,"accumulated":null,"charge":null,"ceilings":[],"original":null,` +
			`"balance_before":null,"balance_after":null}}`,
		"A/f/c": `{"source":"f","id":"c","account":"A","service":"s","quantity":"1","occurred_at":"2025-01-04T00:00:00Z","directive":"credit",` +
			`"outcome":"rated","reason":null,"charge":"-2","currency":"EUR","rated_at":"2025-06-01T00:00:40Z","explanation":` +
			`{"price":{"id":"p","band":null},"lines":[{"quantity":"-1","unit_price":"2","amount":"-2"}],"exact":"-2","accumulated":null,"charge":"-2",` +
			`"ceilings":[],"original":"1","balance_before":"4","balance_after":"6"}}`,
	}
	for v, err := range s.Records(t.Context(), RecordFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		key := v.Account + "/" + v.Source + "/" + v.ID
		if w := want[key]; w != "" && string(got) != w {
			t.Errorf("%s: got %s\nwant %s", key, got, w)
		}
	}
}

// What is listed does not change when the next page takes its place.
func TestManyRecordsAreListedWhole(t *testing.T) {
	s := newStore(t, village)
	const many = 2*fetchRows + 500
	s.do(t, fmt.Sprintf(`
		insert into records (account, source, id, arrival, batch, service, quantity, occurred_at, directive, outcome, reason, charge, price,
		                     band, placement, trace, rated_at)
		select 'A', 'f', n::text, n, '00000000-0000-0000-0000-000000000001', 's', n, timestamptz '2025-01-01 00:00:00+00', 0, 1, 0, 2 * n, 1,
		       -1, 1, '\x00', now()
		from   generate_series(1, %d) n`, many))
	var all []*RecordView
	for v, err := range s.Records(t.Context(), RecordFilter{Account: "A"}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	if len(all) != many {
		t.Fatalf("got %d records, want %d", len(all), many)
	}
	for i, v := range all {
		n := billing.FixedInt(int64(i + 1))
		if v.Quantity != n || v.Charge.Fixed() != n.Add(n) || v.Explanation.Charge.Fixed() != n.Add(n) || *v.Currency != "EUR" || v.ID != n.String() {
			t.Fatalf("record %d: got %+v", i, v)
		}
	}
	for range 5 { // more often than there are connections: breaking off gives them back
		for v, err := range s.Records(t.Context(), RecordFilter{Account: "A"}) {
			if err != nil || v.ID != "1" {
				t.Fatalf("got %v, %v; want the first record", v, err)
			}
			break
		}
	}
}

func TestARecordIsShownWithWhatWasJudgedBefore(t *testing.T) {
	s := newStore(t, village)
	s.keepVillage(t)
	s.do(t, `insert into judgements
		select account, source, id, arrival, outcome, reason, charge + 1, price, band, placement, trace, rated_at,
		       timestamptz '2025-07-01 00:00:00+00', 100, 'jane', 'a wrong price'
		from   records where account = 'A' and source = 'f' and id = '1'`,
		`update records set seq = 101 where account = 'A' and source = 'f' and id = '1'`)
	for _, c := range []struct {
		RecordKey
		want string
	}{
		{RecordKey{Source: "f", ID: "1"}, "A B nobody"},
		{RecordKey{Source: "f", ID: "1", Account: "B"}, "B"},
		{RecordKey{Source: "f", ID: "1", Account: "nobody"}, "nobody"},
		{RecordKey{Source: "g", ID: "1"}, "A"},
		{RecordKey{Source: "g", ID: "1", Account: "B"}, ""},
		{RecordKey{Source: "g", ID: "9"}, ""},
	} {
		found, err := s.Record(t.Context(), c.RecordKey)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range found {
			got = append(got, v.Account)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%+v: got %s, want %s", c.RecordKey, got, c.want)
		}
	}
	found, err := s.Record(t.Context(), RecordKey{Source: "f", ID: "1", Account: "A"})
	if err != nil || len(found) != 1 || len(found[0].Judgements) != 1 {
		t.Fatalf("got %+v, %v; want one record with one judgement before", found, err)
	}
	j := found[0].Judgements[0]
	charge, before, after := 5*billing.MoneyUnit, 10*billing.MoneyUnit, 5*billing.MoneyUnit
	want := ReplacedJudgement{Outcome: billing.Rated, Charge: &charge, RatedAt: at("2025-06-01T00:00:10Z"), EndedAt: at("2025-07-01T00:00:00Z"),
		Actor: "jane", Note: "a wrong price", Explanation: Explanation{Charge: &charge, BalanceBefore: &before, BalanceAfter: &after}}
	j.Explanation.Price, j.Explanation.Lines, j.Explanation.Exact, j.Explanation.Ceilings = nil, nil, nil, nil
	if d := cmp.Diff(j, want); d != "" {
		t.Errorf("judgement before (-got +want):\n%s", d)
	}
}

// The source of a CloudEvent is a URI, and account numbers may have slashes, too:
// such records could not be named for a correction.
func TestARecordIsNamedWhereverItsSlashesAre(t *testing.T) {
	s := newStore(t, village)
	for i, id := range []billing.Identity{
		{Account: "A", Source: "f", ID: "1"},
		{Account: "A", Source: "https://x.org/m", ID: "1"},
		{Account: "x/y", Source: "f", ID: "2/3"},
		{Account: "A", Source: "u/v", ID: "w"},
		{Account: "A", Source: "u", ID: "v/w"},
	} {
		s.keep(t, stored{account: id.Account, source: id.Source, id: id.ID, arrival: int64(i + 1), service: "s",
			at: "2025-06-01T10:00:00Z", quantity: 1, outcome: billing.Rejected, reason: billing.NoPrice})
	}
	for _, tt := range []struct {
		name string
		want []billing.Identity
	}{
		{"A/f/1", []billing.Identity{{Account: "A", Source: "f", ID: "1"}}},
		{"A/https://x.org/m/1", []billing.Identity{{Account: "A", Source: "https://x.org/m", ID: "1"}}},
		{"x/y/f/2/3", []billing.Identity{{Account: "x/y", Source: "f", ID: "2/3"}}},
		{"A/u/v/w", []billing.Identity{{Account: "A", Source: "u", ID: "v/w"}, {Account: "A", Source: "u/v", ID: "w"}}},
		{"A/f/2", []billing.Identity{}},
		{"A//1", []billing.Identity{}},
		{"///", []billing.Identity{}},
		{"A", []billing.Identity{}},
		{strings.Repeat("/", 2000), []billing.Identity{}},
	} {
		got, err := s.RecordsNamed(t.Context(), tt.name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, tt.want); diff != "" {
			t.Errorf("%.30s: got, want: %s", tt.name, diff)
		}
	}
}

func TestListingEndsWithItsContext(t *testing.T) {
	s := newStore(t, village)
	s.keepVillage(t)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	faults := 0
	for v, err := range s.Records(ctx, RecordFilter{}) {
		if v != nil || err == nil {
			t.Errorf("got %v, %v; want a fault only", v, err)
		}
		faults++
	}
	if faults != 1 {
		t.Errorf("got %d faults, want 1", faults)
	}
}
