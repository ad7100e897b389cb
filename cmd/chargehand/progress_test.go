package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// toldOf is what a progress says on what is no terminal, of steps that take as long
// as is given: to how much is done, of how much.
func toldOf(json bool, size int64, steps ...time.Duration) string {
	var out strings.Builder
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	s := &session{environment: environment{stderr: &out, now: func() time.Time { return now }}, json: json}
	p := s.progress("re-rating", size, recordsUnit)
	for i, took := range steps {
		now = now.Add(took)
		p.set(int64(i+1) * 1500)
	}
	p.end()
	return out.String()
}

func TestProgressIsALineNowAndThenWhereNobodyWatches(t *testing.T) {
	const moment = time.Nanosecond
	for _, c := range []struct {
		name string
		got  string
		want string
	}{
		{"work that is done soon", toldOf(false, 6000, lineEvery-moment, moment), ""},
		{"as soon as it is long", toldOf(false, 6000, lineEvery, moment), "re-rating: 3,000 records (50 % of 6,000)\n"},
		{"and from then on", toldOf(false, 6000, lineEvery+moment, lineEvery, moment), "re-rating: 1,500 records (25 % of 6,000)\n" +
			"re-rating: 4,500 records (75 % of 6,000)\n"},
		{"of what has no known size", toldOf(false, -1, lineEvery+moment), "re-rating: 1,500 records\n"},
		{"for programs nothing", toldOf(true, 6000, lineEvery+moment), ""},
	} {
		if diff := cmp.Diff(c.got, c.want); diff != "" {
			t.Errorf("%s: (-got +want)\n%s", c.name, diff)
		}
	}
}
