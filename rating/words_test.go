package rating_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/rating"
	"github.com/google/go-cmp/cmp"
)

func TestAccumulation(t *testing.T) {
	for _, tt := range []struct {
		a      rating.Accumulation
		word   string
		window billing.WindowKind
		counts bool
	}{
		{rating.ByRecord, "record", billing.Transaction, false},
		{rating.ByDay, "day", billing.Day, true},
		{rating.ByMonth, "month", billing.Month, true},
	} {
		if got := tt.a.String(); got != tt.word {
			t.Errorf("got %s, want %s", got, tt.word)
		}
		var read rating.Accumulation
		if err := read.UnmarshalText([]byte(tt.word)); err != nil || read != tt.a {
			t.Errorf("read %s: got %v, %v", tt.word, read, err)
		}
		if w, ok := tt.a.Window(); w != tt.window || ok != tt.counts {
			t.Errorf("window of %s: got %v, %v, want %v, %v", tt.word, w, ok, tt.window, tt.counts)
		}
	}
	for _, word := range []string{"", "Day", "week"} {
		var a rating.Accumulation
		if err := a.UnmarshalText([]byte(word)); err == nil || !strings.Contains(err.Error(), `"`+word+`": not one of record, day, month`) {
			t.Errorf("read %q: got %v, want an error that names it", word, err)
		}
	}
}

func TestTimeOfDay(t *testing.T) {
	for text, want := range map[string]rating.TimeOfDay{"00:00": 0, "08:00": 480, "23:59": 1439, "24:00": 1440} {
		var got rating.TimeOfDay
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want || got.String() != text {
			t.Errorf("read %s: got %v (%d), %v", text, got, got, err)
		}
	}
	for _, text := range []string{"", "8:00", "08:60", "24:01", "25:00", "08:00:00", "0800", "-1:00", "08.00", "ab:cd", "99:99", strings.Repeat("0", 99)} {
		var got rating.TimeOfDay
		if err := got.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), text[:min(len(text), 40)]) {
			t.Errorf("read %q: got %v, %v, want an error that names it", text, got, err)
		}
	}
}

func FuzzTimeOfDay(f *testing.F) {
	f.Add("08:00")
	f.Add("24:00")
	f.Fuzz(func(t *testing.T, text string) {
		var got rating.TimeOfDay
		if err := got.UnmarshalText([]byte(text)); err == nil && got.String() != text {
			t.Errorf("read %q, wrote %q", text, got)
		}
	})
}

func TestWeekdays(t *testing.T) {
	weekend := rating.WeekdaysOf(time.Sunday, time.Saturday)
	for text, want := range map[string]rating.Weekdays{
		`["sat","sun"]`: weekend,
		`[]`:            0,
		`["mon","tue","wed","thu","fri","sat","sun"]`: 127,
	} {
		var got rating.Weekdays
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("read %s: got %b, %v, want %b", text, got, err, want)
		}
		if back, err := json.Marshal(got); err != nil || string(back) != text {
			t.Errorf("write %b: got %s, %v, want %s", got, back, err, text)
		}
	}
	if weekend.Contains(time.Friday) || !weekend.Contains(time.Saturday) || !weekend.Contains(time.Sunday) || weekend.Contains(time.Monday) {
		t.Errorf("weekend contains the wrong days: %b", weekend)
	}
	if !rating.Weekdays(0).Contains(time.Monday) {
		t.Error("no days named does not mean all")
	}
	for text, want := range map[string]string{
		`["mon","mon"]`: `day "mon": named twice`,
		`["Mon"]`:       `day "Mon": not one of`,
		`["monday"]`:    `day "monday": not one of`,
		`"mon"`:         `not a list of days`,
		`[1]`:           `not a list of days`,
	} {
		var got rating.Weekdays
		if err := json.Unmarshal([]byte(text), &got); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("read %s: got %v, want %s", text, err, want)
		}
	}
}

// An entry of the set-up file, read and written, is the same entry.
func TestPriceAsJSON(t *testing.T) {
	const text = `{"id":"sms","service":"SMS","currency":"EUR","class":"gold","valid_from":"2026-01-01T00:00:00Z","valid_to":"2027-01-01T00:00:00Z",` +
		`"accumulate":"month","graduated":[{"up_to":"100","unit_price":"0"},{"unit_price":"0.04","flat":"1"}],"per_record":"0.01","digits":4,` +
		`"bands":[{"name":"peak","days":["mon","tue"],"from":"08:00","to":"19:00","per_unit":"0.06"},{"from":"19:00","to":"24:00","package":{"size":"10","price":"1"}}]}`
	var p rating.Price
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	back, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(back), text); diff != "" {
		t.Errorf("written back (-got +want):\n%s", diff)
	}
}

func TestBandRefAsJSON(t *testing.T) {
	for text, want := range map[string]rating.BandRef{
		`null`:    {Index: -1},
		`1`:       {Index: 1},
		`"night"`: {Name: "night"},
	} {
		var got rating.BandRef
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("read %s: got %+v, %v, want %+v", text, got, err, want)
		}
		if back, err := json.Marshal(want); err != nil || string(back) != text {
			t.Errorf("write %+v: got %s, %v, want %s", want, back, err, text)
		}
	}
	var got rating.BandRef
	if err := json.Unmarshal([]byte(`[1]`), &got); err == nil {
		t.Errorf("read [1]: got %+v, want an error", got)
	}
}
