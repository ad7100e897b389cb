package billing_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
)

func TestSameMeansTheSameContent(t *testing.T) {
	base := func() billing.UsageRecord {
		amount := money(t, "1.5")
		return billing.UsageRecord{
			Source: "pump-7", ID: "r1", Account: "A1", Service: "fuel", Quantity: fixed(t, "12.5"), OccurredAt: at(1),
			Amount: &amount, Directive: billing.Credit, OriginalID: "r0", Attributes: json.RawMessage(`{"pump":7}`),
		}
	}
	for _, c := range []struct {
		name   string
		change func(r *billing.UsageRecord)
		want   bool
	}{
		{"nothing changed", func(*billing.UsageRecord) {}, true},
		{"the quantity by a unit of its last place", func(r *billing.UsageRecord) { r.Quantity = fixed(t, "12.500000000001") }, false},
		{"the quantity written longer", func(r *billing.UsageRecord) { r.Quantity = fixed(t, "12.5000") }, true},
		{"the amount by a millionth", func(r *billing.UsageRecord) { *r.Amount++ }, false},
		{"an equal amount elsewhere", func(r *billing.UsageRecord) { m := *r.Amount; r.Amount = &m }, true},
		{"no amount", func(r *billing.UsageRecord) { r.Amount = nil }, false},
		{"an amount of nothing", func(r *billing.UsageRecord) { r.Amount = new(billing.Money) }, false},
		{"the same instant in another zone", func(r *billing.UsageRecord) { r.OccurredAt = r.OccurredAt.In(time.FixedZone("", 7200)) }, true},
		{"the next microsecond", func(r *billing.UsageRecord) { r.OccurredAt = r.OccurredAt.Add(time.Microsecond) }, false},
		{"the service", func(r *billing.UsageRecord) { r.Service = "Fuel" }, false},
		{"the directive", func(r *billing.UsageRecord) { r.Directive = billing.Charge }, false},
		{"the original", func(r *billing.UsageRecord) { r.OriginalID = "r00" }, false},
		{"an attribute", func(r *billing.UsageRecord) { r.Attributes = json.RawMessage(`{"pump":8}`) }, false},
		{"no attributes", func(r *billing.UsageRecord) { r.Attributes = nil }, false},
		{"attributes written otherwise", func(r *billing.UsageRecord) { r.Attributes = json.RawMessage(` { "pump" : 7.0 } `) }, true},
	} {
		a, b := base(), base()
		c.change(&b)
		if got, back := a.Same(&b), b.Same(&a); got != c.want || back != c.want {
			t.Errorf("%s: got %t, and %t the other way round, want %t", c.name, got, back, c.want)
		}
	}
}

func TestIdentityIsAccountSourceAndID(t *testing.T) {
	r := billing.UsageRecord{Source: "pump-7", ID: "r1", Account: "A1", Service: "fuel", OccurredAt: at(1)}
	same := billing.UsageRecord{Source: "pump-7", ID: "r1", Account: "A1", Service: "sms"}
	if r.Identity() != same.Identity() {
		t.Errorf("got %+v and %+v, want one", r.Identity(), same.Identity())
	}
	for _, other := range []billing.UsageRecord{
		{Source: "pump-8", ID: "r1", Account: "A1"}, {Source: "pump-7", ID: "r2", Account: "A1"}, {Source: "pump-7", ID: "r1", Account: "a1"},
		{Source: "r1", ID: "pump-7", Account: "A1"},
	} {
		if other.Identity() == r.Identity() {
			t.Errorf("got one identity of %+v and %+v", other, r)
		}
	}
}

func TestAttributesAreComparedAsJSONValues(t *testing.T) {
	deep := func(leaf string) string {
		return strings.Repeat(`{"a":[`, 30) + leaf + strings.Repeat(`]}`, 30)
	}
	for _, c := range []struct {
		name string
		a, b string
		want bool
	}{
		{"none and none", ``, ``, true},
		{"none and some", ``, `{"a":1}`, false},
		{"members in another order", `{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		{"inner members in another order", `{"a":[{"x":1,"y":2}]}`, `{"a":[{"y":2,"x":1}]}`, true},
		{"a list in another order", `{"a":[1,2]}`, `{"a":[2,1]}`, false},
		{"a longer list", `{"a":[1]}`, `{"a":[1,1]}`, false},
		{"blanks", `{"a":[1,2]}`, "{ \"a\" :\n[ 1 , 2 ] }", true},
		{"a member more", `{"a":1}`, `{"a":1,"b":null}`, false},
		{"another key", `{"a":1}`, `{"b":1}`, false},
		{"null and false", `{"a":null}`, `{"a":false}`, false},
		{"null and null", `{"a":null}`, `{ "a":null}`, true},
		{"true and true", `{"a":true}`, `{ "a":true}`, true},
		{"a number and its text", `{"a":1}`, `{"a":"1"}`, false},
		{"a list and an object", `{"a":[]}`, `{"a":{}}`, false},
		{"an object and a list", `{"a":{}}`, `{"a":[]}`, false},
		{"an escape and its letter", `{"a":"\u0041\u00e9\ud83d\ude00\/"}`, `{"a":"Aé😀/"}`, true},
		{"an escaped key", `{"\u0061":1}`, `{"a":1}`, true},
		{"letters of another case", `{"a":"x"}`, `{"a":"X"}`, false},
		{"one letter in two forms", `{"a":"\u00e9"}`, `{"a":"e\u0301"}`, false},

		{"a whole number and its point", `{"a":1}`, `{"a":1.0}`, true},
		{"exponents", `{"a":1000000000}`, `{"a":1E+9}`, true},
		{"a small exponent", `{"a":0.001}`, `{"a":1e-3}`, true},
		{"zero and its negative", `{"a":0}`, `{"a":-0.0e9}`, true},
		{"a sign", `{"a":1}`, `{"a":-1}`, false},
		{"what a float makes one", `{"a":0.1}`, `{"a":0.10000000000000001}`, false},
		{"integers past a float's", `{"a":9007199254740993}`, `{"a":9007199254740992}`, false},
		{"past a float's range", `{"a":1e400}`, `{"a":10e399}`, true},
		{"past it and another", `{"a":1e400}`, `{"a":1e401}`, false},
		{"under a float's range", `{"a":1e-400}`, `{"a":0}`, false},
		{"an exponent without end", `{"a":1e99999999999999999999}`, `{"a": 1e99999999999999999999}`, true},
		{"two exponents without end", `{"a":1e99999999999999999999}`, `{"a":1e99999999999999999998}`, false},
		{"one up and one down", `{"a":1e99999999999999999999}`, `{"a":1e-99999999999999999999}`, false},

		{"deep and equal", deep(`1`), deep(` 1.0 `), true},
		{"deep and another", deep(`1`), deep(`2`), false},
		{"deep and not so deep", deep(`[1]`), deep(`1`), false},
		{"an object in an object", `{"a":{"a":{}}}`, `{"a":{"a":{"a":1}}}`, false},
		{"a doubled key has its last value", `{"a":1,"a":2}`, `{"a":2}`, true},
		{"not its first", `{"a":1,"a":2}`, `{"a":1}`, false},

		{"text that is no JSON", `{"a":1`, `{"a":1 `, false},
		{"text behind it", `{"a":1}`, `{"a":1} x`, false},
		{"a value behind it", `{"a":1}`, `{"a":1} {"b":2}`, false},
	} {
		a := billing.UsageRecord{Attributes: json.RawMessage(c.a)}
		b := billing.UsageRecord{Attributes: json.RawMessage(c.b)}
		if got, back := a.Same(&b), b.Same(&a); got != c.want || back != c.want {
			t.Errorf("%s: got %t, and %t the other way round, want %t", c.name, got, back, c.want)
		}
	}
}

func BenchmarkSameOfAttributesWrittenOtherwise(b *testing.B) {
	a := billing.UsageRecord{Attributes: json.RawMessage(`{"pump":7,"card":"5412","driver":{"name":"Jane","km":120345}}`)}
	o := billing.UsageRecord{Attributes: json.RawMessage(`{"driver":{"km":120345,"name":"Jane"},"card":"5412","pump":7}`)}
	b.ReportAllocs()
	for b.Loop() {
		if !a.Same(&o) {
			b.Fatal("got another, want the same")
		}
	}
}
