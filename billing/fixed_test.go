package billing_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// The ends of a Fixed's range: ±(2^127 − 1) units.
const (
	largest  = "170141183460469231731687303.715884105727"
	smallest = "-" + largest
)

func TestFixedCountsAsWholeNumbersDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, a := drawFixed(t)
		g, b := drawFixed(t)
		for _, c := range []struct {
			name string
			got  billing.Fixed
			want *big.Int
		}{
			{"f", f, a},
			{"f + g", f.Add(g), new(big.Int).Add(a, b)},
			{"f − g", f.Sub(g), new(big.Int).Sub(a, b)},
			{"g − f", g.Sub(f), new(big.Int).Sub(b, a)},
			{"−f", f.Neg(), new(big.Int).Neg(a)},
			{"f − f", f.Sub(f), new(big.Int)},
		} {
			if unitsOf(c.got).Cmp(c.want) != 0 {
				t.Errorf("%s: got %s, want %s", c.name, unitsOf(c.got), c.want)
			}
			if got, want := c.got.Sign(), c.want.Sign(); got != want || c.got.IsZero() != (want == 0) {
				t.Errorf("sign of %s: got %d, zero %t, want %d", c.name, got, c.got.IsZero(), want)
			}
			hi, lo := c.got.Magnitude()
			if got := billing.FixedOfMagnitude(c.got.Sign() < 0, hi, lo); got != c.got {
				t.Errorf("%s of its magnitude: got %s, want %s", c.name, got, c.got)
			}
			if got := c.got.Decimal(); !got.Equal(fromUnits(c.want)) {
				t.Errorf("%s in decimals: got %s, want %s", c.name, got, fromUnits(c.want))
			}
			units, ok := c.got.Units()
			if ok != c.want.IsInt64() || ok && units != c.want.Int64() {
				t.Errorf("units of %s: got %d, %t, want %s", c.name, units, ok, c.want)
			}
		}
		if got, want := f.Cmp(g), a.Cmp(b); got != want || (f == g) != (want == 0) || g.Cmp(f) != -want {
			t.Errorf("compare %s with %s: got %d, want %d", f, g, got, want)
		}
	})
}

func TestFixedOfHoldsWhatHasTwelvePlacesAndLiesInRange(t *testing.T) {
	for _, c := range []struct {
		name string
		d    decimal.Decimal
		want string // "" where it is refused
	}{
		{"zero", number("0"), "0"},
		{"a zero of no end", decimal.New(0, math.MaxInt32), "0"},
		{"a zero of no beginning", decimal.New(0, math.MinInt32), "0"},
		{"the last place", number("0.000000000001"), "0.000000000001"},
		{"one place more", number("0.0000000000001"), ""},
		{"one place more behind digits that fit", number("1.0000000000001"), ""},
		{"places that say nothing", number("1.50000000000000000000"), "1.5"},
		{"the smallest int64", decimal.New(math.MinInt64, 0), "-9223372036854775808"},
		{"the smallest int64 in the last place", decimal.New(math.MinInt64, -fixedPlaces), "-9223372.036854775808"},
		{"its last quick exponent", decimal.New(math.MaxInt64, 6), "9223372036854775807000000"},
		{"the first that is not", decimal.New(1, 7), "10000000"},
		{"a one and 26 zeros", decimal.New(1, 26), "100000000000000000000000000"},
		{"26 nines", number("99999999999999999999999999"), "99999999999999999999999999"},
		{"the largest", number(largest), largest},
		{"the smallest", number(smallest), smallest},
		{"past the largest", number("170141183460469231731687303.715884105728"), ""},
		{"past the smallest", number("-170141183460469231731687303.715884105728"), ""},
		{"two and 26 zeros", decimal.New(2, 26), ""},
		{"a one and 27 zeros", decimal.New(1, 27), ""},
		{"an exponent that must not be written out", decimal.New(1, 999_999_999), ""},
		{"the largest exponent", decimal.New(-1, math.MaxInt32), ""},
		{"the smallest exponent", decimal.New(1, math.MinInt32), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := billing.FixedOf(c.d)
			if c.want == "" {
				if !errors.Is(err, billing.ErrNotFixed) || f != (billing.Fixed{}) || len(err.Error()) > 200 {
					t.Errorf("got %s, %.300v, want %v", f, err, billing.ErrNotFixed)
				}
				return
			}
			if err != nil || f.String() != c.want {
				t.Errorf("got %s, %v, want %s", f, err, c.want)
			}
		})
	}
}

func TestFixedIntIsTheWholeNumber(t *testing.T) {
	for _, n := range []int64{0, 1, -1, math.MaxInt64, math.MinInt64} {
		if got := billing.FixedInt(n).Decimal(); !got.Equal(decimal.NewFromInt(n)) {
			t.Errorf("got %s, want %d", got, n)
		}
	}
}

func TestFixedFloorIsTheNearestThatIsNotAbove(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := drawUnits(t, 128)
		exp := rapid.IntRange(-30, 4).Draw(t, "exponent")
		d := decimal.NewFromBigInt(units, int32(exp))
		shift := exp + fixedPlaces
		want := new(big.Int).Mul(units, tenTo(max(shift, 0)))
		want.Div(want, tenTo(max(-shift, 0))) // Euclid's: towards −∞
		last := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 127), big.NewInt(1))
		if want.CmpAbs(last) > 0 {
			want.Mul(last, big.NewInt(int64(units.Sign())))
		}
		if got := unitsOf(billing.FixedFloor(d)); got.Cmp(want) != 0 {
			t.Errorf("%s: got %s units, want %s", d, got, want)
		}
	})
}

func TestFixedFloorEndsWhereTheRangeDoes(t *testing.T) {
	for _, c := range []struct {
		name string
		d    decimal.Decimal
		want string
	}{
		{"just above zero", number("0.0000000000009"), "0"},
		{"just below zero", number("-0.0000000000001"), "-0.000000000001"},
		{"a place above the largest", number(largest + "9"), largest},
		{"a place below the smallest", number(smallest + "1"), smallest},
		{"far past it", decimal.New(1, 999_999_999), largest},
		{"far below it", decimal.New(-1, math.MaxInt32), smallest},
	} {
		if got := billing.FixedFloor(c.d).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestFixedIsTheSameAfterTextAndBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := drawUnits(t, 127)
		if rapid.Bool().Draw(t, "short") { // a whole number, cents, millionths
			units.Mul(drawUnits(t, 64), tenTo(rapid.SampledFrom([]int{0, 6, 10, 12}).Draw(t, "places")))
		}
		f, err := billing.FixedOf(fromUnits(units))
		if err != nil {
			t.Fatal(err)
		}
		tail := rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "tail")
		stored := f.AppendBinary([]byte("x"))[1:]
		got, rest, err := billing.ReadFixed(append(stored, tail...))
		if err != nil || got != f || !bytes.Equal(rest, tail) {
			t.Errorf("bytes %x: got %s, rest %x, %v, want %s, rest %x", stored, got, rest, err, f, tail)
		}
		for n := range stored {
			if _, _, err := billing.ReadFixed(stored[:n]); !errors.Is(err, billing.ErrTruncated) {
				t.Errorf("%d bytes of %x: got %v, want %v", n, stored, err, billing.ErrTruncated)
			}
		}
		text, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if want := `"` + fromUnits(units).String() + `"`; string(text) != want {
			t.Errorf("JSON: got %s, want %s", text, want)
		}
		if err := json.Unmarshal(text, &got); err != nil || got != f {
			t.Errorf("JSON %s: got %s, %v, want %s", text, got, err, f)
		}
	})
}

func TestMostFixedsAreShortInBytes(t *testing.T) {
	for _, c := range []struct {
		text string
		want int
	}{
		{"0", 2}, {"-1", 2}, {"100", 2}, {"12.34", 3}, {"1000000.25", 5}, {"0.000001", 2}, {"0.000000000001", 2}, {largest, 20},
	} {
		if got := len(fixed(t, c.text).AppendBinary(nil)); got != c.want {
			t.Errorf("%s: got %d bytes, want %d", c.text, got, c.want)
		}
	}
}

// A Fixed is read by the same grammar as every number, and an exponent from
// outside is never written out: that took all memory once.
func TestFixedTextIsANumber(t *testing.T) {
	for _, c := range []struct {
		text string
		want error
	}{
		{"12.5", nil},
		{"-1e3", nil},
		{largest, nil},
		{"", billing.ErrNotNumber},
		{"+1", billing.ErrNotNumber},
		{".5", billing.ErrNotNumber},
		{"NaN", billing.ErrNotNumber},
		{"1e999999999", billing.ErrTooManyDigits},
		{"1e-13", billing.ErrTooManyDigits},
		{"200000000000000000000000000", billing.ErrNotFixed},
	} {
		var f billing.Fixed
		if err := f.UnmarshalText([]byte(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%q: got %v, want %v", c.text, err, c.want)
		}
	}
}

// FuzzReadFixed looks for bytes that cannot be read without panic, or that are
// another value once they were written again.
func FuzzReadFixed(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0x33, 0xff})
	f.Add([]byte{0xff, 1, 1})
	f.Add(bytes.Repeat([]byte{0xff}, 24))
	for _, text := range []string{"0", "-12.5", largest, smallest} {
		f.Add(fixed(f, text).AppendBinary(nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _, err := billing.ReadFixed(b)
		if err != nil {
			return
		}
		again, rest, err := billing.ReadFixed(got.AppendBinary(nil))
		if err != nil || again != got || len(rest) > 0 {
			t.Errorf("%x is %s: got %s, rest %x, %v when read again", b, got, again, rest, err)
		}
	})
}

func BenchmarkFixedAdd(b *testing.B) {
	f, g := fixed(b, "12345.678"), fixed(b, "-0.000000000001")
	for b.Loop() {
		f.Add(g)
	}
}

func BenchmarkFixedCmp(b *testing.B) {
	f, g := fixed(b, "12345.678"), fixed(b, "12345.679")
	for b.Loop() {
		f.Cmp(g)
	}
}

func BenchmarkFixedOf(b *testing.B) {
	d := number("12345.678")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := billing.FixedOf(d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFixedDecimal(b *testing.B) {
	f := fixed(b, "12345.678")
	b.ReportAllocs()
	for b.Loop() {
		f.Decimal()
	}
}

func BenchmarkFixedBinary(b *testing.B) {
	f := fixed(b, "12345.67")
	b.ReportAllocs()
	var stored []byte
	for b.Loop() {
		stored = f.AppendBinary(stored[:0])
		if _, _, err := billing.ReadFixed(stored); err != nil {
			b.Fatal(err)
		}
	}
}
