package vendor

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/go-cmp/cmp"
)

func TestV1QueriesAreRead(t *testing.T) {
	minsk, deleted, held := zone(t, "Europe/Minsk"), billing.Deleted, billing.CreditHold
	for _, c := range []struct {
		query string
		want  postgres.VendorFilter
	}{
		{"api_token=x", postgres.VendorFilter{Sort: "id", Most: 50}},
		{"per_page=2&page=4&sorting[field]=id&sorting[reversed]=true&filters[status]=deleted",
			postgres.VendorFilter{Sort: "id", Descending: true, Status: &deleted, Most: 2, Offset: 6}},
		{"page=1000000000&per_page=1000", postgres.VendorFilter{Sort: "id", Most: 1000, Offset: 999_999_999_000}},
		{"page=1000000001&per_page=1000", postgres.VendorFilter{Sort: "id", Most: 1000, Offset: 999_999_999_000}}, // as far beyond the end
		{"page=99999999999999999999&per_page=1000", postgres.VendorFilter{Sort: "id", Most: 1000, Offset: 999_999_999_000}},
		{"filters[status]=credit hold", postgres.VendorFilter{Sort: "id", Most: 50, Status: &held}},
		{"filters[status]=credit_hold", postgres.VendorFilter{Sort: "id", Most: 50, Status: &held}},
		{"filters[created_at]=2019-12-04T13:55:12.585%2B03:00&filters[updated_at]=2019-12-04T13:55:12", postgres.VendorFilter{Sort: "id", Most: 50,
			Created: postgres.Span{From: at(t, "2019-12-04T10:55:12.585Z"), To: at(t, "2019-12-04T10:55:12.586Z")},
			Updated: postgres.Span{From: at(t, "2019-12-04T10:55:12Z"), To: at(t, "2019-12-04T10:55:13Z")}}},
		{"filters[created_at]=2019-12-04T10:55:12.5859999Z", postgres.VendorFilter{Sort: "id", Most: 50, // microseconds are kept
			Created: postgres.Span{From: at(t, "2019-12-04T10:55:12.585999Z"), To: at(t, "2019-12-04T10:55:12.586Z")}}},
		{"filters%5Bemail%5D=a%40b&filters[created_at]=2019-12-04", postgres.VendorFilter{Sort: "id", Most: 50, Emails: []string{"a@b"},
			Created: postgres.Span{From: at(t, "2019-12-03T21:00:00Z"), To: at(t, "2019-12-04T21:00:00Z")}}},
	} {
		got, err := v1Filter(c.query, minsk)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
		}
		if diff := cmp.Diff(got, c.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", c.query, diff)
		}
	}
	// A midnight that does not exist: the day begins an hour later, and is shorter.
	got, err := v1Filter("filters[updated_at]=2018-11-04", zone(t, "America/Sao_Paulo"))
	want := postgres.Span{From: at(t, "2018-11-04T03:00:00Z"), To: at(t, "2018-11-05T02:00:00Z")}
	if err != nil || cmp.Diff(got.Updated, want) != "" {
		t.Errorf("got %v, %v, want %v", got.Updated, err, want)
	}
}

// rows 163–171, 178: what is wrong is told, all of it.
func TestV1QueriesThatAreWrong(t *testing.T) {
	const day = `give a day like 2026-01-31, or a time as answers have it, the + of its offset written %2B`
	for query, want := range map[string]string{
		"filters[created_at]=2019-12-04T13:55:12.585+03:00": `filters[created_at]: "2019-12-04T13:55:12.585 03:00": ` + day,

		"page=0":                         `page: "0": give a whole number, 1 or above`,
		"page=-1":                        `page: "-1": give a whole number, 1 or above`,
		"page=%2B1":                      `page: "+1": give a whole number, 1 or above`,
		"page=1e3":                       `page: "1e3": give a whole number, 1 or above`,
		"page=٣":                         `page: "٣": give a whole number, 1 or above`,
		"per_page=0":                     `per_page: "0": give a whole number from 1 to 1000`,
		"per_page=1001":                  `per_page: "1001": give a whole number from 1 to 1000`,
		"per_page=":                      `per_page: it is empty: give it a value, or leave it out`,
		"page=1&page=2":                  `page: it stands here 2 times, give it once`,
		"sorting[reversed]=yes":          `sorting[reversed]: "yes": give true or false`,
		"filters[status]=gone":           `filters[status]: "gone": give one of active, administrative_hold, credit_hold, deleted`,
		"filters[status]=credit-hold":    `filters[status]: "credit-hold": give one of active, administrative_hold, credit_hold, deleted`,
		"filters[created_at]=04.12.2019": `filters[created_at]: "04.12.2019": ` + day,
		"filters[updated_at]=2019-02-29": `filters[updated_at]: "2019-02-29": ` + day,
		"filters[email]=a%00b":           `filters[email]: it must be UTF-8 without NUL`,
		"filters[email]=%ff":             `filters[email]: it must be UTF-8 without NUL`,
		"filters[email]=":                `filters[email]: it is empty: give it a value, or leave it out`,
		"filters[name]=x":                `filters[name]: there is no such parameter here`,
		"filter[email]=x":                `filter[email]: there is no such parameter here`,
		"page=1;per_page=2":              `the query cannot be read: separate parameters by & and write special characters as %XX`,
		"page=%zz":                       `the query cannot be read: separate parameters by & and write special characters as %XX`,
		"page=x&per_page=y&sorting[reversed]=z": `page: "x": give a whole number, 1 or above; per_page: "y": give a whole number from 1 to 1000; ` +
			`sorting[reversed]: "z": give true or false`,
	} {
		_, err := v1Filter(query, time.UTC)
		var r *refusal
		if !errors.As(err, &r) || r.status != 400 || r.Error() != "400: "+want {
			t.Errorf("%s: got %v, want 400: %s", query, err, want)
		}
	}
	for query, begin := range map[string]string{
		"sorting[field]=number":                       `400: sorting[field]: "number": give a field of the answer: id, name, `,
		"sorting[field]=usable_balance":               `400: sorting[field]: "usable_balance": give a field of the answer: id, name, `,
		"sorting[field]=id;drop":                      `400: the query cannot be read`,
		"sorting[field]=id%3B drop table accounts":    `400: sorting[field]: "id; drop table accounts": give a field`,
		"filters[email]=" + strings.Repeat("a", 5000): `400: filters[email]: 5000 bytes, at most 4096 are taken`,
		strings.Repeat("x", 5000) + "=1":              `400: ` + strings.Repeat("x", 40) + `…: there is no such parameter here`,
		"a=1&" + url.Values{"b\x00": {"1"}}.Encode():  "400: a: there is no such parameter here; b\x00: there is no such parameter here",
	} {
		if _, err := v1Filter(query, time.UTC); err == nil || !strings.HasPrefix(err.Error(), begin) {
			t.Errorf("%.60s: got %v, want %s", query, err, begin)
		}
	}
}

// Whoever sends a thousand wrong parameters is told of twenty.
func TestFaultsAreBounded(t *testing.T) {
	query := url.Values{}
	for i := range 1000 {
		query.Set("x"+strings.Repeat("y", i), "1")
	}
	_, err := v1Filter(query.Encode(), time.UTC)
	var r *refusal
	if !errors.As(err, &r) || len(r.faults) != 21 || r.faults[20].text != "and 980 faults more: mend these first" {
		t.Errorf("got %v", err)
	}
}

func TestV3QueriesAreRead(t *testing.T) {
	minsk := zone(t, "Europe/Minsk")
	for _, c := range []struct {
		query string
		want  v3Asked
	}{
		{"", v3Asked{page: 1, VendorFilter: postgres.VendorFilter{Most: 50}}},
		{"page[size]=1000&page[number]=3&include=subscriptions", v3Asked{page: 3, included: true, VendorFilter: postgres.VendorFilter{Most: 1000, Offset: 2000}}},
		{"include=", v3Asked{page: 1, included: true, VendorFilter: postgres.VendorFilter{Most: 50}}},
		{"page[number]=99999999999999999999", v3Asked{page: 1_000_000_000, VendorFilter: postgres.VendorFilter{Most: 50, Offset: 49_999_999_950}}},
		{"filter[email]=a@x,b@x&filter[user_email]=c@x", v3Asked{page: 1, VendorFilter: postgres.VendorFilter{Most: 50, Emails: []string{"a@x", "b@x"}, UserEmails: []string{"c@x"}}}},
		{"filter[email]=a@x, b@x", v3Asked{page: 1, VendorFilter: postgres.VendorFilter{Most: 50, Emails: []string{"a@x", "b@x"}}}},
		{"filter[created_at][gt]=2021-02-11&filter[created_at][lt]=2021-02-11T10:18:20", v3Asked{page: 1, VendorFilter: postgres.VendorFilter{Most: 50,
			Created: postgres.Span{From: at(t, "2021-02-10T21:00:00.000001Z"), To: at(t, "2021-02-11T07:18:20Z")}}}},
		{"filter[updated_at][gt]=2021-02-11T10:18:20Z&filter[updated_at][lt]=2021-02-11T10:18:20.5%2B03:00", v3Asked{page: 1, VendorFilter: postgres.VendorFilter{Most: 50,
			Updated: postgres.Span{From: at(t, "2021-02-11T10:18:20.000001Z"), To: at(t, "2021-02-11T07:18:20.5Z")}}}},
		// The first instant of all is no absent bound.
		{"filter[updated_at][lt]=0001-01-01T00:00:00Z", v3Asked{page: 1, VendorFilter: postgres.VendorFilter{Most: 50,
			Updated: postgres.Span{To: at(t, "0001-01-01T00:00:00.000001Z")}}}},
	} {
		got, err := v3Filter(c.query, minsk)
		if err != nil {
			t.Errorf("%s: %v", c.query, err)
		}
		if diff := cmp.Diff([]any{got.page, got.included, got.VendorFilter}, []any{c.want.page, c.want.included, c.want.VendorFilter}); diff != "" {
			t.Errorf("%s (-got +want):\n%s", c.query, diff)
		}
	}
}

func TestV3QueriesThatAreWrong(t *testing.T) {
	const when = `give 2026-01-31 or 2026-01-31T12:00:00, of the platform's zone, or 2026-01-31T12:00:00Z`
	for query, want := range map[string]string{
		"page[number]=0":                `page[number]: "0": give a whole number, 1 or above`,
		"page[size]=1001":               `page[size]: "1001": give a whole number from 1 to 1000`,
		"page[size]=many":               `page[size]: "many": give a whole number from 1 to 1000`,
		"page=1":                        `page: there is no such parameter here`,
		"page[offset]=1":                `page[offset]: there is no such parameter here`,
		"sort=id":                       `sort: there is no such parameter here`,
		"fields[accounts]=name":         `fields[accounts]: there is no such parameter here`,
		"filter[inn]=1":                 `filter[inn]: there is no such parameter here`,
		"filter[created_at]=2021-02-11": `filter[created_at]: there is no such parameter here`,
		"include=owner":                 `include: "owner": only subscriptions can be included`,
		"include=subscriptions,owner":   `include: "subscriptions,owner": only subscriptions can be included`,
		"filter[email]=a@x,,b@x":        `filter[email]: a value between commas is empty`,
		"filter[email]=" + strings.Repeat(",", 100): `filter[email]: 101 values, at most 100 are taken`,
		"filter[created_at][gt]=yesterday":          `filter[created_at][gt]: "yesterday": ` + when,
		"filter[created_at][lt]=2021-02-30":         `filter[created_at][lt]: "2021-02-30": ` + when,
		"filter[updated_at][gt]=1612977499":         `filter[updated_at][gt]: "1612977499": ` + when,
		"filter[updated_at][eq]=2021-02-11":         `filter[updated_at][eq]: there is no such parameter here`,
	} {
		_, err := v3Filter(query, time.UTC)
		var r *refusal
		if !errors.As(err, &r) || r.status != 400 || r.Error() != "400: "+want {
			t.Errorf("%s: got %v, want 400: %s", query, err, want)
		}
	}
}

func TestV3PagesAreLinked(t *testing.T) {
	const path = "/api/v3/resellers/1/accounts"
	page := func(n string) string {
		return path + "?filter%5Bemail%5D=a%40x&page%5Bnumber%5D=" + n + "&page%5Bsize%5D=2"
	}
	link := func(n string) *string { l := page(n); return &l }
	for _, c := range []struct {
		number string
		total  int64
		want   v3Links
		pages  int64
	}{
		{"1", 0, v3Links{Self: page("1"), First: page("1"), Last: page("1")}, 1},
		{"1", 2, v3Links{Self: page("1"), First: page("1"), Last: page("1")}, 1},
		{"1", 3, v3Links{Self: page("1"), First: page("1"), Next: link("2"), Last: page("2")}, 2},
		{"2", 5, v3Links{Self: page("2"), First: page("1"), Prev: link("1"), Next: link("3"), Last: page("3")}, 3},
		{"3", 5, v3Links{Self: page("3"), First: page("1"), Prev: link("2"), Last: page("3")}, 3},
		{"9", 5, v3Links{Self: page("9"), First: page("1"), Prev: link("3"), Last: page("3")}, 3},
	} {
		asked, err := v3Filter("page[size]=2&filter[email]=a@x&page[number]="+c.number, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		links, meta := asked.around(path, c.total)
		if diff := cmp.Diff(links, c.want); diff != "" || meta != (v3Meta{Total: c.total, Pages: c.pages}) {
			t.Errorf("page %s of %d accounts: got %+v (-got +want):\n%s", c.number, c.total, meta, diff)
		}
	}
}
