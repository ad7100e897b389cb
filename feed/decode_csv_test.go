package feed_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/feed"
	"github.com/google/go-cmp/cmp"
)

func TestTheHeaderIsJudgedOnce(t *testing.T) {
	const all = "source,id,account,service,quantity,occurred_at"
	mapped := feed.Fields{billing.QuantityField: "Qty"}
	for _, c := range []struct {
		name, header string
		opts         feed.Options
		want         string
	}{
		{"an unknown column", all + ",Tags", feed.Options{}, `column "Tags" is no field of a usage record ("source", `},
		{"a column in capitals", strings.Replace(all, "id", "ID", 1), feed.Options{}, `column "ID" is no field`},
		{"a column twice", all + ",id", feed.Options{}, `column "id" stands twice in the header`},
		{"a column missing", "source,id,account,service,occurred_at", feed.Options{}, `no column gives "quantity": map one to it or set it; there are "source", "id"`},
		{"two missing, one set", "source,account,service,quantity", feed.Options{Set: feed.Fields{billing.IDField: "1"}}, `no column gives "occurred_at"`},
		{"a mapped column missing", all, feed.Options{Map: mapped}, `map quantity to "Qty": no such column, only "source"`},
		{"semicolons", strings.ReplaceAll(all, ",", ";"), feed.Options{Format: feed.CSV}, `is no field of a usage record`},
		{"a quote inside", all + `,a"b`, feed.Options{}, `read the header: a quote inside a cell`},
		{"a record for a header", "s,2,A1,x,1,2026-03-01T10:00:00Z", feed.Options{Format: feed.CSV}, `column "s" is no field`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := transcript(strings.NewReader(c.header+"\n"), c.opts)
			if !strings.HasPrefix(got, "error: read usage records: line 1: ") || !strings.Contains(got, c.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("got %s, want … %s …", got, c.want)
			}
		})
	}
}

func TestAColumnByAFieldsNameIsTheFieldUnlessAnotherIsMapped(t *testing.T) {
	const in = "source,id,account,service,quantity,Qty,occurred_at,note\ns,1,A1,x,7,1,2026-03-01T10:00:00Z,hello\n"
	opts := feed.Options{Map: feed.Fields{billing.QuantityField: "Qty", billing.AttributesField: "note"}}
	want := "2 dead: attributes: not JSON"
	if got := transcript(strings.NewReader(in), opts); !strings.HasPrefix(got, "2 dead: attributes ") {
		t.Errorf("got %s, want %s …", got, want)
	}
	delete(opts.Map, billing.AttributesField)
	want = "2 " + good + "\n"
	if got := transcript(strings.NewReader(in), opts); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTimesWithoutOffset(t *testing.T) {
	athens, err := billing.LoadZone("Europe/Athens")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, cell string
		zone       *time.Location
		want       string
	}{
		{"are refused", "2026-03-01T10:00:00", nil, "not an RFC 3339 time with an offset"},
		{"are refused with a blank too", "2026-03-01 10:00:00", nil, "not an RFC 3339 time with an offset"},
		{"are local where a zone is given", "2026-03-01T10:00:00.5", athens, `"2026-03-01T08:00:00.5Z"`},
		{"may have a blank", "2026-07-01 10:00:00", athens, `"2026-07-01T07:00:00Z"`},
		{"the last that is before the change", "2026-03-29 02:59:59", athens, `"2026-03-29T00:59:59Z"`},
		{"the first that is skipped", "2026-03-29 03:00:00", athens, "the clock skips this time"},
		{"the first that is not", "2026-03-29 04:00:00", athens, `"2026-03-29T01:00:00Z"`},
		{"the last that is not doubled", "2026-10-25 02:59:59", athens, `"2026-10-24T23:59:59Z"`},
		{"the first that is", "2026-10-25 03:00:00", athens, "the clock shows this time twice"},
		{"the last that is", "2026-10-25 03:59:59", athens, "the clock shows this time twice"},
		{"the first after", "2026-10-25 04:00:00", athens, `"2026-10-25T02:00:00Z"`},
		{"from before there were zones", "1890-01-01 00:00:00", athens, `"1889-12-31T22:25:08Z"`},
		{"an offset stands", "2026-03-01T10:00:00+05:00", athens, `"2026-03-01T05:00:00Z"`},
		{"a blank does not stand with an offset", "2026-03-01 10:00:00Z", athens, "not an RFC 3339 time"},
		{"a day alone", "2026-03-01", athens, "not an RFC 3339 time"},
		{"a day that is not", "2026-02-29 10:00:00", athens, "there is no such day"},
		{"a point alone", "2026-03-01 10:00:00.", athens, "not an RFC 3339 time"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := "source,id,account,service,quantity,occurred_at\ns,1,A1,x,1," + c.cell + "\n"
			if got := transcript(strings.NewReader(in), feed.Options{Zone: c.zone}); !strings.Contains(got, c.want) {
				t.Errorf("got %s, want … %s …", got, c.want)
			}
		})
	}
}

// The two tables of testdata/real are the first rows of public data sets; their
// README names origin and licence.
func TestRealTablesAreReadWithMapAndSet(t *testing.T) {
	for _, c := range []struct {
		file string
		opts feed.Options
		want string
	}{
		{"testdata/real/azure_code.csv", feed.Options{
			Map:  feed.Fields{billing.IDField: "TIMESTAMP", billing.OccurredAtField: "TIMESTAMP", billing.QuantityField: "ContextTokens"},
			Set:  feed.Fields{billing.SourceField: "azure-in", billing.AccountField: "Z000", billing.ServiceField: "tokens-in"},
			Zone: time.UTC,
		}, `2 {"source":"azure-in","id":"2023-11-16 18:17:03.9799600","account":"Z000","service":"tokens-in","quantity":"4808","occurred_at":"2023-11-16T18:17:03.97996Z"}
3 {"source":"azure-in","id":"2023-11-16 18:17:04.0319600","account":"Z000","service":"tokens-in","quantity":"3180","occurred_at":"2023-11-16T18:17:04.03196Z"}
`},
		{"testdata/real/focus_sample.csv", feed.Options{
			Map: feed.Fields{billing.IDField: "Id", billing.AccountField: "SubAccountId", billing.ServiceField: "ServiceName",
				billing.QuantityField: "PricingQuantity", billing.OccurredAtField: "ChargePeriodStart"},
			Set:  feed.Fields{billing.SourceField: "focus"},
			Zone: time.UTC,
		}, `2 {"source":"focus","id":"11472","account":"51738928782","service":"Amazon Simple Queue Service","quantity":"2","occurred_at":"2024-09-18T22:00:00Z"}
3 {"source":"focus","id":"19384","account":"43883916739","service":"Elastic Load Balancing","quantity":"0.00200749","occurred_at":"2024-09-30T22:00:00Z"}
`},
	} {
		t.Run(c.file, func(t *testing.T) {
			f, err := os.Open(c.file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if diff := cmp.Diff(transcript(f, c.opts), c.want); diff != "" {
				t.Errorf("got -, want +:\n%s", diff)
			}
		})
	}
}
