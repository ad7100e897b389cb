package e2e_test

import (
	"testing"
	"time"
)

// A runner that calls everything equal would pass every case.
func TestDifferSeesWhatDiffers(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want string
		equal     bool
	}{
		{"decimals are numbers", `{"charge":"5.00"}`, `{"charge":"5"}`, true},
		{"other decimals are not", `{"charge":"5.01"}`, `{"charge":"5"}`, false},
		{"the last of many digits counts", `{"q":"0.10000000000000000001"}`, `{"q":"0.1"}`, false},
		{"a decimal is no JSON number", `{"charge":5}`, `{"charge":"5"}`, false},
		{"a count is no text", `{"rated":"1"}`, `{"rated":1}`, false},
		{"times are instants", `{"at":"2026-03-01T12:00:00+02:00"}`, `{"at":"2026-03-01T10:00:00Z"}`, true},
		{"other instants are not", `{"at":"2026-03-01T12:00:00Z"}`, `{"at":"2026-03-01T10:00:00Z"}`, false},
		{"only named fields count", `{"a":"x","b":"y"}`, `{"a":"x"}`, true},
		{"a named field must be there", `{"b":null}`, `{"a":null}`, false},
		{"null is not nothing charged", `{"charge":"0"}`, `{"charge":null}`, false},
		{"ceilings are rows among others", `{"ceilings":[{"scope":"type"},{"scope":"account","used":"1.0"}]}`, `{"ceilings":[{"used":"1","scope":"account"}]}`, true},
		{"a row must hold together", `{"ceilings":[{"scope":"type","used":"1"},{"scope":"account","used":"2"}]}`, `{"ceilings":[{"used":"1","scope":"account"}]}`, false},
		{"other lists are whole", `{"lines":[{"amount":"1"},{"amount":"2"}]}`, `{"lines":[{"amount":"1"}]}`, false},
		{"and in their order", `{"lines":[{"amount":"1"},{"amount":"2"}]}`, `{"lines":[{"amount":"2"},{"amount":"1"}]}`, false},
	} {
		var got, want any
		if err := decode(c.got, &got); err != nil {
			t.Fatal(err)
		}
		if err := decode(c.want, &want); err != nil {
			t.Fatal(err)
		}
		if wrong := differ("it", got, want); (len(wrong) == 0) != c.equal {
			t.Errorf("%s: got the differences %q", c.name, wrong)
		}
	}
}

func TestTimesOfACaseCountFromOneReadingOfTheClock(t *testing.T) {
	now := time.Date(2026, 3, 1, 10, 0, 0, 999, time.FixedZone("", 7200))
	got := atClock(`{"at":"now-1h","note":"now or never","until":"now+73h","text":"{\"at\":\"now\"}","by":"now"}`, now)
	want := `{"at":"2026-03-01T07:00:00Z","note":"now or never","until":"2026-03-04T09:00:00Z","text":"{\"at\":\"now\"}","by":"2026-03-01T08:00:00Z"}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
