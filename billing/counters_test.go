package billing_test

import (
	"bytes"
	"errors"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Counters compare by what they hold.
var byCounters = cmp.AllowUnexported(billing.Fixed{})

// drawDate draws a date from one on, often a near one.
func drawDate(t *rapid.T, from billing.Date) billing.Date {
	last := int64(math.MaxInt32)
	if rapid.Bool().Draw(t, "near") {
		last = min(last, int64(from)+40)
	}
	return billing.Date(rapid.Int64Range(int64(from), last).Draw(t, "date"))
}

func drawCounters(t *rapid.T) billing.Counters {
	c := billing.NewCounters()
	if rapid.Bool().Draw(t, "closed some") {
		c.OpenDay, c.OpenMonth = drawDate(t, billing.Earliest), drawDate(t, billing.Earliest)
	}
	for range rapid.IntRange(0, 20).Draw(t, "counters") {
		k := billing.CounterKey{
			Kind:   billing.ScopeKind(rapid.Uint8Range(0, 3).Draw(t, "scope")),
			Window: billing.WindowKind(rapid.Uint8Range(1, 2).Draw(t, "window")),
			Target: rapid.SampledFrom([]billing.TargetID{0, 1, 2, 127, 128, 1<<28 - 1, 1 << 28, 1<<28 + 1, math.MaxInt32}).Draw(t, "target"),
			Start:  c.OpenMonth,
		}
		if k.Window == billing.Day {
			k.Start = c.OpenDay
		}
		k.Start = drawDate(t, k.Start)
		quantity, _ := drawFixed(t)
		amount, _ := drawFixed(t)
		c.Set(k, billing.Counter{Quantity: quantity, Amount: amount})
	}
	return c
}

// content is what counters hold: where they begin, and what is not zero.
type content struct {
	OpenDay, OpenMonth billing.Date
	Open               map[billing.CounterKey]billing.Counter
}

// countersOf holds these open counters.
func countersOf(day, month billing.Date, open map[billing.CounterKey]billing.Counter) billing.Counters {
	c := billing.Counters{OpenDay: day, OpenMonth: month}
	for k, v := range open {
		c.Set(k, v)
	}
	return c
}

func contentOf(c billing.Counters) content {
	return content{c.OpenDay, c.OpenMonth, maps.Collect(c.All())}
}

func TestCountersAreTheSameWhenStored(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCounters(t)
		stored := c.AppendBinary(nil)
		got, err := billing.ReadCounters(stored)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(contentOf(got), contentOf(c), byCounters); diff != "" {
			t.Errorf("got -, want +:\n%s", diff)
		}
		if again := got.AppendBinary([]byte("x")); !bytes.Equal(again[1:], stored) {
			t.Errorf("stored again: got %x, want %x", again[1:], stored)
		}
	})
}

// Targets of 2^28 and more ran into the scope once, and two counters had no order.
func TestEqualCountersAreEqualBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCounters(t)
		keys := slices.Collect(maps.Keys(maps.Collect(c.All())))
		other := billing.Counters{OpenDay: c.OpenDay, OpenMonth: c.OpenMonth}
		zero := billing.CounterKey{Kind: billing.OfType, Window: billing.Day, Target: 99, Start: c.OpenDay}
		other.Set(zero, billing.Counter{}) // as an absent one
		for _, k := range rapid.Permutation(keys).Draw(t, "order") {
			other.Set(k, c.At(k))
		}
		if got, want := other.AppendBinary(nil), c.AppendBinary(nil); !bytes.Equal(got, want) {
			t.Errorf("got %x, want %x", got, want)
		}
	})
	one := billing.Counter{Quantity: billing.FixedInt(1)}
	for range 50 { // a map's order is another each time
		c := countersOf(0, 0, map[billing.CounterKey]billing.Counter{
			{Kind: billing.OfService, Window: billing.Day, Target: 1 << 28}: one,
			{Kind: billing.OfType, Window: billing.Day, Target: 0}:          one,
		})
		want := []byte{1, 0, 0, 4, 128, 128, 128, 128, 1, 0, 0, 1, 0, 0, 5, 0, 0, 0, 1, 0, 0}
		if got := c.AppendBinary(nil); !bytes.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}

// The database reads these bytes by counters_of, so they stay as they are.
func TestStoredCountersKeepTheirForm(t *testing.T) {
	c := countersOf(20525, 20513, map[billing.CounterKey]billing.Counter{
		{Kind: billing.OfService, Window: billing.Day, Target: 7, Start: 20526}: {Quantity: fixed(t, "12.5"), Amount: fixed(t, "-0.25")},
		{Kind: billing.OfAccount, Window: billing.Month, Start: 20513}:          {Quantity: fixed(t, "0.000000000001"), Amount: fixed(t, "20000000000")},
		{Kind: billing.OfAccount, Window: billing.Month, Start: 20544}:          {Quantity: fixed(t, "0.000001"), Amount: fixed(t, largest)},
	})
	want := []byte{
		1,             // version
		0xda, 0xc0, 2, // 2026-03-13
		0xc2, 0xc0, 2, // 2026-03-01
		4, 7, 1, // the service's day, target 7, one day on
		2 << 2, 0xe2, 9, // 12.50
		2<<2 | 1, 25, // -0.25
		11, 0, 0, // the account's month
		12 << 2, 1, // the last of twelve places
		0, 0x80, 0x90, 0xdf, 0xc0, 0x4a, // 20000000000
		11, 0, 31, // its next month
		6 << 2, 1, // 0.000001
		12<<2 | 2, // 2^127 − 1, of which these are the low 64 bits and the high ones
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
	}
	if got := c.AppendBinary(nil); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestReadCountersOfAnAccountThatUsedNothing(t *testing.T) {
	none := billing.NewCounters()
	for _, stored := range [][]byte{nil, {}, none.AppendBinary(nil)} {
		got, err := billing.ReadCounters(stored)
		if diff := cmp.Diff(contentOf(got), contentOf(none), byCounters); err != nil || diff != "" {
			t.Errorf("%x: %v, got -, want +:\n%s", stored, err, diff)
		}
	}
	if !none.IsOpen(billing.Day, billing.Earliest) || !none.IsOpen(billing.Month, billing.Earliest) {
		t.Error("the earliest windows are not open")
	}
}

func TestReadCountersRefusesWhatIsCutShort(t *testing.T) {
	c := countersOf(20525, 20513, map[billing.CounterKey]billing.Counter{
		{Kind: billing.OfAccount, Window: billing.Month, Start: 20543}: {Quantity: fixed(t, "12.5"), Amount: fixed(t, largest)},
	})
	stored := c.AppendBinary(nil)
	const head = 7 // version and the first open windows: with no counter behind them they are whole
	for n := 1; n < len(stored); n++ {
		if _, err := billing.ReadCounters(stored[:n]); n != head && !errors.Is(err, billing.ErrTruncated) {
			t.Errorf("%d of %d bytes: got %v, want %v", n, len(stored), err, billing.ErrTruncated)
		}
	}
	if _, err := billing.ReadCounters([]byte{2}); err == nil {
		t.Error("version 2: got no fault")
	}
}

// FuzzReadCounters looks for bytes that cannot be read without panic, or that are
// other counters once they were written again.
func FuzzReadCounters(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{2})
	f.Add([]byte{1, 0, 0, 4, 128, 128, 128, 128, 1, 0, 0, 1, 0, 0})
	f.Add(append([]byte{1}, bytes.Repeat([]byte{0xff}, 40)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := billing.ReadCounters(b)
		if err != nil {
			return
		}
		again, err := billing.ReadCounters(c.AppendBinary(nil))
		if diff := cmp.Diff(contentOf(again), contentOf(c), byCounters); err != nil || diff != "" {
			t.Errorf("%x: %v, read again got -, want +:\n%s", b, err, diff)
		}
	})
}

func TestCloseTakesOutWindowsThatAreOver(t *testing.T) {
	day := func(start billing.Date) billing.CounterKey {
		return billing.CounterKey{Window: billing.Day, Start: start}
	}
	month := func(start billing.Date) billing.CounterKey {
		return billing.CounterKey{Window: billing.Month, Start: start}
	}
	all := []billing.CounterKey{day(9), day(10), day(11), month(9), month(10), month(11)}
	for _, c := range []struct {
		name       string
		day, month billing.Date
		closed     []billing.CounterKey
		openDay    billing.Date
		openMonth  billing.Date
	}{
		{"as they are", 9, 9, nil, 9, 9},
		{"earlier than they are: nothing opens again", 1, 1, nil, 9, 9},
		{"days before the 10th", 10, 9, all[:1], 10, 9},
		{"months before the 10th", 9, 10, all[3:4], 9, 10},
		{"both, each by its own", 11, 10, []billing.CounterKey{day(9), day(10), month(9)}, 11, 10},
		{"days on, months back", 10, 1, all[:1], 10, 9},
		{"days back, months on", 1, 11, all[3:5], 9, 11},
		{"all", math.MaxInt32, math.MaxInt32, all, math.MaxInt32, math.MaxInt32},
	} {
		t.Run(c.name, func(t *testing.T) {
			counters := billing.Counters{OpenDay: 9, OpenMonth: 9}
			closed, open := map[billing.CounterKey]billing.Counter{}, map[billing.CounterKey]billing.Counter{}
			for i, k := range all {
				v := billing.Counter{Quantity: billing.FixedInt(int64(i + 1))}
				counters.Set(k, v)
				if slices.Contains(c.closed, k) {
					closed[k] = v
				} else {
					open[k] = v
				}
			}
			got := counters.Close(c.day, c.month)
			if diff := cmp.Diff(got, closed, byCounters); len(got)+len(closed) > 0 && diff != "" {
				t.Errorf("closed: got -, want +:\n%s", diff)
			}
			want := content{c.openDay, c.openMonth, open}
			if diff := cmp.Diff(contentOf(counters), want, byCounters); diff != "" {
				t.Errorf("open: got -, want +:\n%s", diff)
			}
			if again := counters.Close(c.day, c.month); again != nil {
				t.Errorf("closed once more: got %v, want nothing", again)
			}
			for _, k := range all {
				if got, want := counters.IsOpen(k.Window, k.Start), !slices.Contains(c.closed, k); got != want {
					t.Errorf("%s %d: got open %t, want %t", k.Window, k.Start, got, want)
				}
			}
		})
	}
}

func TestCountAddsToEveryScopeAndWindow(t *testing.T) {
	fuel := billing.Place{
		Placement: billing.Placement{Service: "unleaded", Type: "PETROL", Family: "FUEL"},
		Targets:   [4]billing.TargetID{billing.OfService: 3, billing.OfType: 4, billing.OfFamily: 5},
	}
	lone := billing.Place{
		Placement: billing.Placement{Service: "lone", Type: "LONE"},
		Targets:   [4]billing.TargetID{billing.OfService: 6, billing.OfType: 7},
	}
	day := billing.Window{Kind: billing.Day, Start: 20526}
	month := billing.Window{Kind: billing.Month, Start: 20513}
	c := billing.NewCounters()
	c.Count(&fuel, day, month, billing.FixedInt(5), billing.FixedInt(1))
	c.Count(&lone, day, month, billing.FixedInt(2), billing.FixedInt(-3))

	want := map[billing.CounterKey]billing.Counter{}
	for scope, sums := range map[[2]int][2]int64{
		{int(billing.OfService), 3}: {5, 1}, {int(billing.OfType), 4}: {5, 1}, {int(billing.OfFamily), 5}: {5, 1},
		{int(billing.OfService), 6}: {2, -3}, {int(billing.OfType), 7}: {2, -3},
		{int(billing.OfAccount), 0}: {7, -2},
	} {
		for _, w := range []billing.Window{day, month} {
			k := billing.CounterKey{Kind: billing.ScopeKind(scope[0]), Window: w.Kind, Target: billing.TargetID(scope[1]), Start: w.Start}
			want[k] = billing.Counter{Quantity: billing.FixedInt(sums[0]), Amount: billing.FixedInt(sums[1])}
		}
	}
	if diff := cmp.Diff(maps.Collect(c.All()), want, byCounters); diff != "" {
		t.Errorf("got -, want +:\n%s", diff)
	}
}

func BenchmarkCountersAppendBinary(b *testing.B) {
	c := tenServices()
	var stored []byte
	b.ReportAllocs()
	for b.Loop() {
		stored = c.AppendBinary(stored[:0])
	}
}

func BenchmarkReadCounters(b *testing.B) {
	c := tenServices()
	stored := c.AppendBinary(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := billing.ReadCounters(stored); err != nil {
			b.Fatal(err)
		}
	}
}

// tenServices are the counters of an account that uses ten services of two types.
func tenServices() billing.Counters {
	c := billing.Counters{OpenDay: 20525, OpenMonth: 20513}
	v := billing.Counter{Quantity: billing.FixedInt(12345), Amount: billing.Money(67_890_000).Fixed()}
	for target := range billing.TargetID(14) {
		kind := billing.OfService
		switch {
		case target == 0:
			kind = billing.OfAccount
		case target > 10 && target < 13:
			kind = billing.OfType
		case target == 13:
			kind = billing.OfFamily
		}
		for start := billing.Date(20525); start < 20527; start++ {
			c.Set(billing.CounterKey{Kind: kind, Window: billing.Day, Target: target, Start: start}, v)
		}
		c.Set(billing.CounterKey{Kind: kind, Window: billing.Month, Target: target, Start: 20513}, v)
	}
	return c
}
