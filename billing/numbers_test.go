package billing_test

import (
	"errors"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

var (
	notNumber   = billing.ErrNotNumber
	tooMany     = billing.ErrTooManyDigits
	negative    = billing.ErrNegative
	notPositive = billing.ErrNotPositive
)

// kinds are the parsers, each with the digits of its kind and what it answers.
var kinds = map[string]struct {
	digits billing.Digits
	parse  func(string) (decimal.Decimal, error)
}{
	"decimal": {billing.QuantityDigits, func(text string) (decimal.Decimal, error) {
		return billing.ParseDecimal(text, billing.QuantityDigits)
	}},
	"quantity": {billing.QuantityDigits, func(text string) (decimal.Decimal, error) {
		f, err := billing.ParseQuantity(text)
		return f.Decimal(), err
	}},
	"price":      {billing.PriceDigits, billing.ParsePrice},
	"ceiling":    {billing.QuantityDigits, billing.ParseCeiling},
	"percentage": {billing.PercentageDigits, billing.ParsePercentage},
	"money": {billing.MoneyDigits, func(text string) (decimal.Decimal, error) {
		m, err := billing.ParseMoney(text)
		return m.Decimal(), err
	}},
}

func TestNumbersHaveSoManyDigitsAndNoMore(t *testing.T) {
	for _, c := range []struct {
		name string
		kind string
		text string
		want error
	}{
		{"12 before the point", "quantity", "999999999999", nil},
		{"13 before it", "quantity", "1000000000000", tooMany},
		{"12 behind the point", "quantity", "0.000000000001", nil},
		{"13 behind it", "quantity", "0.0000000000001", tooMany},
		{"12 and 12", "quantity", "999999999999.999999999999", nil},
		{"13 and 12", "quantity", "1000000000000.999999999999", tooMany},
		{"12 and 13", "quantity", "999999999999.9999999999991", tooMany},
		{"none", "quantity", "0", notPositive},
		{"none, written long", "quantity", "-0.000e5", notPositive},
		{"below zero", "quantity", "-0.000000000001", notPositive},

		{"9 before the point", "price", "999999999", nil},
		{"10 before it", "price", "1000000000", tooMany},
		{"9 and 12", "price", "999999999.999999999999", nil},
		{"10 and 12", "price", "1000000000.000000000001", tooMany},
		{"9 and 13", "price", "999999999.9999999999991", tooMany},
		{"a price of nothing", "price", "0", nil},
		{"a price below zero", "price", "-0.000000000001", negative},
		{"a zero below zero", "price", "-0", nil},

		{"12 and 6", "money", "999999999999.999999", nil},
		{"12 and 6 below zero", "money", "-999999999999.999999", nil},
		{"13 and 6", "money", "1000000000000.000001", tooMany},
		{"13 and 6 below zero", "money", "-1000000000000.000001", tooMany},
		{"12 and 7", "money", "0.0000001", tooMany},
		{"no money", "money", "0.000000", nil},

		{"a percentage of 9 and 6", "percentage", "999999999.999999", nil},
		{"of 10 and 6", "percentage", "1000000000", tooMany},
		{"of 9 and 7", "percentage", "0.0000001", tooMany},
		{"below zero", "percentage", "-1", negative},

		{"a ceiling of 12 and 12", "ceiling", "999999999999.999999999999", nil},
		{"of 13", "ceiling", "1000000000000", tooMany},
		{"of 13 behind the point", "ceiling", "0.0000000000001", tooMany},
		{"that allows nothing", "ceiling", "0", nil},
		{"below zero", "ceiling", "-0.1", negative},
	} {
		if _, err := kinds[c.kind].parse(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: %s %s: got %v, want %v", c.name, c.kind, c.text, err, c.want)
		}
	}
}

func TestDigitsAreCountedOnTheValue(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"1.0000000", "1"},
		{"1.00000000000000000000000000", "1"},
		{"1e3", "1000"},
		{"1E+3", "1000"},
		{"1e11", "100000000000"},
		{"1e-12", "0.000000000001"},
		{"1000e-15", "0.000000000001"},
		{"0.000001e17", "100000000000"},
		{"123.456e-2", "1.23456"},
		{"100000000000000000000e-20", "1"},
		{"1e00000000000000000000003", "1000"},
		{"999999999999.999999999999e0", "999999999999.999999999999"},
		{"999999.999999999999", "999999.999999999999"}, // 18 digits
		{"9999999.999999999999", "9999999.999999999999"},
		{"99999999.999999999999", "99999999.999999999999"},
		{"-0", "0"},
		{"0e999999999", "0"},
		{"-0.0e-99999999999999999999", "0"},
		{"1." + strings.Repeat("0", 10<<20), "1"},
		{"0.1" + strings.Repeat("0", 10<<20), "0.1"},
	} {
		got, err := billing.ParseDecimal(c.text, billing.QuantityDigits)
		if err != nil || got.String() != c.want {
			t.Errorf("%.40s: got %s, %v, want %s", c.text, got, err, c.want)
		}
	}
}

// Numbers of every length, so that those past 64 bits are among them.
func TestNumbersOfEveryLengthAreReadToTheLastDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range 20 {
			units, _ := new(big.Int).SetString(rapid.StringMatching(`[1-9][09]?[0-9]{0,22}`).Draw(t, "digits"), 10)
			want := fromUnits(units)
			if got, err := billing.ParseQuantity(want.String()); err != nil || unitsOf(got).Cmp(units) != 0 {
				t.Errorf("quantity %s: got %s, %v", want, got, err)
			}
			if got, err := billing.ParseDecimal("-"+want.String(), billing.QuantityDigits); err != nil || !got.Equal(want.Neg()) {
				t.Errorf("decimal -%s: got %s, %v", want, got, err)
			}
		}
	})
}

// The digits of ten megabytes are looked through once and never made a number.
func TestWhatIsNoNumberIsRefusedByEveryParser(t *testing.T) {
	long := strings.Repeat("9", 10<<20)
	for _, c := range []struct {
		text string
		want error
	}{
		{"", notNumber},
		{" ", notNumber},
		{" 1", notNumber},
		{"1 ", notNumber},
		{"1\n", notNumber},
		{"+1", notNumber},
		{"--1", notNumber},
		{"-", notNumber},
		{".5", notNumber},
		{"-.5", notNumber},
		{"1.", notNumber},
		{"1.e3", notNumber},
		{".", notNumber},
		{"01", notNumber},
		{"-01", notNumber},
		{"00", notNumber},
		{"1e", notNumber},
		{"1e+", notNumber},
		{"1e1.5", notNumber},
		{"1e5e5", notNumber},
		{"e5", notNumber},
		{"1.2.3", notNumber},
		{"1,5", notNumber},
		{"1_000", notNumber},
		{"0x10", notNumber},
		{"NaN", notNumber},
		{"nan", notNumber},
		{"Inf", notNumber},
		{"-Infinity", notNumber},
		{"∞", notNumber},
		{"١", notNumber},
		{"1\x00", notNumber},
		{"null", notNumber},
		{`"1"`, notNumber},
		{"1e13", tooMany},
		{"1e-13", tooMany},
		{"1e999999999", tooMany},
		{"1e-999999999", tooMany},
		{"1e99999999999999999999999999", tooMany},
		{"-1e-99999999999999999999999999", tooMany},
		{long, tooMany},
		{"0." + long, tooMany},
		{"1e" + long, tooMany},
		{"1e-" + long, tooMany},
		{long + "x", notNumber},
		{"0" + long, notNumber},
	} {
		for kind, k := range kinds {
			_, err := k.parse(c.text)
			if !errors.Is(err, c.want) {
				t.Errorf("%s %.40q: got %v, want %v", kind, c.text, err, c.want)
			}
			if err != nil && len(err.Error()) > 200 {
				t.Errorf("%s %.40q: got a fault of %d bytes, want a short line", kind, c.text, len(err.Error()))
			}
		}
	}
}

var jsonNumber = regexp.MustCompile(`^(-?)(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE]([+-]?[0-9]+))?$`)

// ratOf reads a number by way of package big. Exponents that no legal value has
// are cut, so that they are not written out.
func ratOf(text string) (r *big.Rat, ok bool) {
	m := jsonNumber.FindStringSubmatch(text)
	if m == nil {
		return nil, false
	}
	mantissa := text
	if m[2] != "" {
		mantissa = text[:strings.IndexAny(text, "eE")]
	}
	r, ok = new(big.Rat).SetString(mantissa)
	if !ok || r.Sign() == 0 || m[2] == "" {
		return r, ok
	}
	const far = 20_000 // past any digits that a test writes
	exp, err := strconv.Atoi(m[2])
	if err != nil && m[2][0] == '-' || exp < -far {
		exp = -far
	} else if err != nil || exp > far {
		exp = far
	}
	power := new(big.Rat).SetInt(tenTo(max(exp, -exp)))
	if exp < 0 {
		power.Inv(power)
	}
	return r.Mul(r, power), true
}

// within tells whether a number has no more digits than its kind may have.
func within(r *big.Rat, d billing.Digits) bool {
	places := new(big.Rat).Mul(r, new(big.Rat).SetInt(tenTo(d.Fraction)))
	return places.IsInt() && new(big.Rat).Abs(r).Cmp(new(big.Rat).SetInt(tenTo(d.Integer))) < 0
}

// fuzzNumber holds one kind's parser against package big.
func fuzzNumber(f *testing.F, kind string, signFault func(sign int) error) {
	for _, text := range []string{
		"0", "-0", "1", "12.5", "-12.5", "1e3", "1E-12", "0.000001", "999999999999.999999999999", "1000000000000",
		"123456789.123456789", "18446744073709551616", "1e999999999", "01", "1.", ".5", "+1", "NaN", "0e9", "1e+0", "-9223372036854775808e-6",
	} {
		f.Add(text)
	}
	k := kinds[kind]
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 10_000 {
			t.Skip("package big is slow with so many digits")
		}
		got, err := k.parse(text)
		r, ok := ratOf(text)
		var want error
		switch {
		case !ok:
			want = notNumber
		case !within(r, k.digits):
			want = tooMany
		default:
			want = signFault(r.Sign())
		}
		if !errors.Is(err, want) {
			t.Fatalf("%s %q: got %s, %v, want %v", kind, text, got, err, want)
		}
		if err == nil && got.Rat().Cmp(r) != 0 {
			t.Errorf("%s %q: got %s, want %s", kind, text, got, r.RatString())
		}
		if err != nil && (!utf8.ValidString(err.Error()) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 300) {
			t.Errorf("a fault is not a short line: %q", err)
		}
	})
}

func anySign(int) error { return nil }

func FuzzParseDecimal(f *testing.F) { fuzzNumber(f, "decimal", anySign) }

func FuzzParseMoney(f *testing.F) { fuzzNumber(f, "money", anySign) }

func FuzzParsePrice(f *testing.F) {
	fuzzNumber(f, "price", func(sign int) error {
		if sign < 0 {
			return negative
		}
		return nil
	})
}

func FuzzParseQuantity(f *testing.F) {
	fuzzNumber(f, "quantity", func(sign int) error {
		if sign <= 0 {
			return notPositive
		}
		return nil
	})
}

func BenchmarkParseQuantity(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := billing.ParseQuantity("12.5"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseMoney(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := billing.ParseMoney("-12345.67"); err != nil {
			b.Fatal(err)
		}
	}
}
