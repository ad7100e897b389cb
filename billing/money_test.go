package billing_test

import (
	"encoding/json"
	"math/big"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

const moneyPlaces = 6

// roundedMoney is what Round should answer.
func roundedMoney(d *big.Rat, digits int) (m billing.Money, inRange bool) {
	units := roundAway(d, digits)
	units.Mul(units, tenTo(moneyPlaces-digits))
	if units.CmpAbs(big.NewInt(int64(billing.MoneyMax))) > 0 {
		return 0, false
	}
	return billing.Money(units.Int64()), true
}

func drawMoney(t *rapid.T) billing.Money {
	return billing.Money(rapid.Int64Range(-int64(billing.MoneyMax), int64(billing.MoneyMax)).Draw(t, "money"))
}

func TestRoundIsHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		name   string
		d      string
		digits int
		want   string
	}{
		{"the last below the half", "0.004999999999", 2, "0"},
		{"the half", "0.005", 2, "0.01"},
		{"the half below zero", "-0.005", 2, "-0.01"},
		{"the last below it below zero", "-0.004999999999", 2, "0"},
		{"an even neighbour does not win", "0.025", 2, "0.03"},
		{"no digits", "2.5", 0, "3"},
		{"no digits, below zero", "-2.5", 0, "-3"},
		{"three digits", "1.0005", 3, "1.001"},
		{"six digits", "0.0000005", 6, "0.000001"},
		{"nothing to round", "12.34", 6, "12.34"},
		{"a whole number with an exponent", "1e3", 2, "1000"},
		{"the largest", "999999999999.9999994999", 6, "999999999999.999999"},
		{"the smallest", "-999999999999.9999994999", 6, "-999999999999.999999"},
	} {
		got, ok := billing.Round(number(c.d), c.digits)
		if !ok || got != money(t, c.want) {
			t.Errorf("%s: got %s, %t, want %s", c.name, got, ok, c.want)
		}
	}
}

func TestRoundTellsWhatMoneyCannotHold(t *testing.T) {
	for _, c := range []struct {
		name   string
		d      string
		digits int
	}{
		{"rounded out of the range", "999999999999.9999995", 6},
		{"rounded out of it to the cent", "999999999999.995", 2},
		{"below it", "-999999999999.9999995", 6},
		{"the first past an int64", "9223372036854.775808", 6},
		{"one that wraps around to a small one", "18446744073709.551617", 6},
		{"far past it", "1e40", 2},
	} {
		if m, ok := billing.Round(number(c.d), c.digits); ok {
			t.Errorf("%s: got %s, want none", c.name, m)
		}
	}
}

// Values near a half, where rounding is decided, and any others.
func TestRoundOfEveryNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.IntRange(0, moneyPlaces).Draw(t, "digits")
		for range 50 {
			d := decimal.NewFromBigInt(drawUnits(t, 100), int32(rapid.IntRange(-30, 0).Draw(t, "exponent")))
			if rapid.Bool().Draw(t, "near a half") {
				d = decimal.New(10*rapid.Int64Range(-1e17, 1e17).Draw(t, "tens")+5, int32(-digits-1))
				d = d.Add(decimal.New(rapid.Int64Range(-1, 1).Draw(t, "off"), int32(rapid.IntRange(-25, -digits-1).Draw(t, "by"))))
			}
			got, ok := billing.Round(d, digits)
			want, wantOK := roundedMoney(d.Rat(), digits)
			if ok != wantOK || ok && got != want {
				t.Errorf("round %s to %d: got %s, %t, want %s, %t", d, digits, got, ok, want, wantOK)
			}
		}
	})
}

func TestRoundProductIsRoundOfTheProduct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.IntRange(0, moneyPlaces).Draw(t, "digits")
		for range 50 {
			q, units := drawFixed(t)
			p, price := drawFixed(t)
			if rapid.Bool().Draw(t, "near a half") { // q units times ⌈half / q⌉: at the half or just past it
				half := new(big.Int).Mul(big.NewInt(10*rapid.Int64Range(0, 1e12).Draw(t, "tens")+5), tenTo(2*fixedPlaces-digits-1))
				units = new(big.Int).SetUint64(rapid.Uint64Range(1, 1e18).Draw(t, "quantity"))
				price = half.Add(half, units).Sub(half, big.NewInt(rapid.Int64Range(0, 1).Draw(t, "below"))).Quo(half, units)
				q, p = fixedOfUnits(t, units), fixedOfUnits(t, price)
			}
			exact := new(big.Rat).SetFrac(new(big.Int).Mul(units, price), tenTo(2*fixedPlaces))
			want, wantOK := roundedMoney(exact, digits)
			got, inRange, ok := billing.RoundProduct(q, p, digits)
			if wide := units.CmpAbs(twoTo64) >= 0 || price.CmpAbs(twoTo64) >= 0; ok == wide {
				t.Errorf("%s × %s: got ok %t, want %t", q, p, ok, !wide)
			}
			if ok && (inRange != wantOK || inRange && got != want) {
				t.Errorf("round %s × %s to %d: got %s, %t, want %s, %t", q, p, digits, got, inRange, want, wantOK)
			}
		}
	})
}

func TestRoundProductEndsWhereMoneyDoes(t *testing.T) {
	for _, c := range []struct {
		name            string
		quantity, price string
		digits          int
		want            string // "" where it is out of range
	}{
		{"the largest", "1000000", "999999.999999999999", 6, "999999999999.999999"},
		{"the smallest", "-1000000", "999999.999999999999", 6, "-999999999999.999999"},
		{"a millionth past it", "1000000", "1000000", 6, ""},
		{"rounded out of it", "10000000", "99999.99999999995", 3, ""},
		{"rounded up to the last cent", "1000000", "999999.99999999", 2, "999999999999.99"},
		{"rounded up past it", "1000000", "999999.999999995", 2, ""},
		{"one that wraps around to nothing", "4294967.296", "4294967.296", 6, ""},
		{"one that wraps around when rounded", "1269605", "14529514.3558111", 6, ""},
		{"of two that fill 64 bits", "18446744.073709551615", "18446744.073709551615", 0, ""},
	} {
		got, inRange, ok := billing.RoundProduct(fixed(t, c.quantity), fixed(t, c.price), c.digits)
		if !ok || inRange != (c.want != "") || inRange && got != money(t, c.want) {
			t.Errorf("%s: got %s, in range %t, %t, want %q", c.name, got, inRange, ok, c.want)
		}
	}
}

var twoTo64 = new(big.Int).Lsh(big.NewInt(1), 64)

func fixedOfUnits(t *rapid.T, units *big.Int) billing.Fixed {
	f, err := billing.FixedOf(fromUnits(units))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// However a record is credited, part by part, each part gives back its share
// rounded, and the last one what is left: together they are the whole (SPEC R5.9).
func TestSharesOfWhatIsLeftSumToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.IntRange(0, moneyPlaces).Draw(t, "digits")
		whole := drawMoney(t)
		for whole.Places() > digits {
			whole /= 10
		}
		rest := fixedOfUnits(t, new(big.Int).SetUint64(rapid.Uint64Range(1, 1e18).Draw(t, "quantity")))
		left, given := whole, billing.Money(0)
		for !rest.IsZero() {
			part := rest
			if rapid.Bool().Draw(t, "a part only") {
				units, _ := rest.Units()
				part = fixedOfUnits(t, big.NewInt(rapid.Int64Range(1, units).Draw(t, "part")))
			}
			share := billing.Share(left, part, rest, digits)
			exact := left.Decimal().Rat()
			exact.Mul(exact, part.Decimal().Rat()).Quo(exact, rest.Decimal().Rat())
			if want, _ := roundedMoney(exact, digits); share != want {
				t.Errorf("share of %s in %s of %s: got %s, want %s", part, left, rest, share, want)
			}
			rest, left, given = rest.Sub(part), left-share, given+share
		}
		if given != whole || left != 0 {
			t.Errorf("got %s in all with %s left, want %s", given, left, whole)
		}
	})
}

func TestMoneyIsTheSameInEveryForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMoney(t)
		m -= m % billing.Money(tenTo(rapid.IntRange(0, 8).Draw(t, "zeros")).Int64()) // as most money ends
		d := decimal.New(int64(m), -moneyPlaces)
		if got := m.String(); got != d.String() {
			t.Errorf("text: got %s, want %s", got, d)
		}
		if !m.Decimal().Equal(d) || !m.Fixed().Decimal().Equal(d) {
			t.Errorf("got %s in decimals and %s as a Fixed, want %s", m.Decimal(), m.Fixed(), d)
		}
		if got, ok := m.Fixed().Money(); got != m || !ok {
			t.Errorf("money of a Fixed: got %s, %t, want %s", got, ok, m)
		}
		if got := m.OrNil(); *got != int64(m) {
			t.Errorf("in millionths: got %d, want %d", *got, int64(m))
		}
		if got, ok := billing.Round(m.Decimal(), moneyPlaces); got != m || !ok {
			t.Errorf("rounded to its last place: got %s, %t, want %s", got, ok, m)
		}
		for places := range moneyPlaces + 1 {
			if got, want := m.Text(places), d.StringFixed(int32(max(places, m.Places()))); got != want {
				t.Errorf("with %d places: got %s, want %s", places, got, want)
			}
			if got, err := billing.ParseMoney(m.Text(places)); err != nil || got != m {
				t.Errorf("read %s: got %s, %v, want %s", m.Text(places), got, err, m)
			}
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var again billing.Money
		if err := json.Unmarshal(text, &again); err != nil || again != m || text[0] != '"' {
			t.Errorf("JSON %s: got %s, %v, want %s", text, again, err, m)
		}
	})
}

func TestMoneyIsWrittenInPlainDigits(t *testing.T) {
	for _, c := range []struct {
		m            billing.Money
		plain, cents string
		places       int
	}{
		{0, "0", "0.00", 0},
		{1, "0.000001", "0.000001", 6},
		{-1, "-0.000001", "-0.000001", 6},
		{billing.MoneyUnit, "1", "1.00", 0},
		{-12_500_000, "-12.5", "-12.50", 1},
		{-500_000, "-0.5", "-0.50", 1},
		{12_345_000, "12.345", "12.345", 3},
		{billing.MoneyMax, "999999999999.999999", "999999999999.999999", 6},
		{-billing.MoneyMax, "-999999999999.999999", "-999999999999.999999", 6},
		{100 * billing.MoneyUnit, "100", "100.00", 0},
	} {
		if got := c.m.String(); got != c.plain {
			t.Errorf("got %s, want %s", got, c.plain)
		}
		if got := c.m.Text(2); got != c.cents {
			t.Errorf("to the cent: got %s, want %s", got, c.cents)
		}
		if got := c.m.Places(); got != c.places {
			t.Errorf("places of %s: got %d, want %d", c.m, got, c.places)
		}
	}
}

func TestMoneyKnowsItsRange(t *testing.T) {
	for _, c := range []struct {
		name string
		m    billing.Money
		want bool
	}{
		{"the largest", billing.MoneyMax, true},
		{"a millionth past it", billing.MoneyMax + 1, false},
		{"the smallest", -billing.MoneyMax, true},
		{"a millionth past that", -billing.MoneyMax - 1, false},
		{"twice the largest, which does not overflow", billing.MoneyMax + billing.MoneyMax, false},
	} {
		if got := c.m.InRange(); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}

func TestNotEveryFixedIsMoney(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
		want bool
	}{
		{"the largest", "999999999999.999999", true},
		{"a millionth past it", "1000000000000", false},
		{"the smallest", "-999999999999.999999", true},
		{"a millionth past that", "-1000000000000", false},
		{"six places", "0.000001", true},
		{"seven", "0.0000001", false},
		{"twelve", "-0.000000000001", false},
		{"far past it", largest, false},
	} {
		m, ok := fixed(t, c.text).Money()
		if ok != c.want || ok && m != money(t, c.text) {
			t.Errorf("%s: got %s, %t, want %s, %t", c.name, m, ok, c.text, c.want)
		}
	}
	if got := (*billing.Money)(nil).OrNil(); got != nil {
		t.Errorf("no money: got %d, want nil", *got)
	}
}

func BenchmarkRound(b *testing.B) {
	d := number("19.3750000001")
	b.ReportAllocs()
	for b.Loop() {
		billing.Round(d, 2)
	}
}

func BenchmarkRoundProduct(b *testing.B) {
	q, p := fixed(b, "12.5"), fixed(b, "1.55")
	b.ReportAllocs()
	for b.Loop() {
		billing.RoundProduct(q, p, 2)
	}
}

func BenchmarkMoneyText(b *testing.B) {
	m := money(b, "12345.67")
	b.ReportAllocs()
	for b.Loop() {
		m.Text(2)
	}
}
