package billing

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/shopspring/decimal"
)

// Digits bounds a number: how many digits may stand before and behind the point.
type Digits struct{ Integer, Fraction int }

// What SPEC R2.2 allows each kind of number.
var (
	QuantityDigits   = Digits{12, 12}
	PriceDigits      = Digits{9, 12}
	MoneyDigits      = Digits{12, 6}
	PercentageDigits = Digits{9, 6}
)

// Faults of a number's text.
var (
	ErrNotNumber     = errors.New("not a number")
	ErrTooManyDigits = errors.New("too many digits")
	ErrNegative      = errors.New("below zero")
	ErrNotPositive   = errors.New("not above zero")
)

// ParseDecimal reads a number in JSON's grammar and holds it against the digits
// that its kind may have. Digits are counted on the value, so 1.0000000 and 1e3
// pass; nothing is ever rounded here (SPEC R2.1, R2.2).
func ParseDecimal(text string, limit Digits) (decimal.Decimal, error) {
	n, err := scanNumber(text)
	if err != nil {
		return decimal.Decimal{}, err
	}
	if err := n.within(text, limit); err != nil {
		return decimal.Decimal{}, err
	}
	if len(n.digits) <= 18 {
		return decimal.New(n.int64(), int32(n.exp)), nil
	}
	c, _ := new(big.Int).SetString(n.digits, 10) // digits only: scanNumber saw to it
	if n.neg {
		c.Neg(c)
	}
	return decimal.NewFromBigInt(c, int32(n.exp)), nil
}

// ParseQuantity reads a record's quantity: above zero, 12 and 12 digits.
func ParseQuantity(text string) (Fixed, error) {
	n, err := scanNumber(text)
	if err != nil {
		return Fixed{}, err
	}
	if err := n.within(text, QuantityDigits); err != nil {
		return Fixed{}, err
	}
	if n.neg || n.digits == "" {
		return Fixed{}, fmt.Errorf("number %s: %w", clip(text), ErrNotPositive)
	}
	if places := fixedPlaces + n.exp; len(n.digits) <= 18 && places <= 18 {
		return fixedScaled(n.int64(), places), nil
	}
	d, err := ParseDecimal(text, QuantityDigits)
	if err != nil {
		return Fixed{}, err
	}
	return FixedOf(d)
}

// ParsePrice reads a unit price, fee, minimum, maximum or package price: at
// least zero, 9 and 12 digits.
func ParsePrice(text string) (decimal.Decimal, error) { return parseNatural(text, PriceDigits) }

// ParseCeiling reads a ceiling of quantities or money: at least zero, 12 and 12
// digits (a money ceiling has six places, see ParseMoney).
func ParseCeiling(text string) (decimal.Decimal, error) { return parseNatural(text, QuantityDigits) }

// ParsePercentage reads a percentage: at least zero, 9 and 6 digits.
func ParsePercentage(text string) (decimal.Decimal, error) {
	return parseNatural(text, PercentageDigits)
}

func parseNatural(text string, limit Digits) (decimal.Decimal, error) {
	d, err := ParseDecimal(text, limit)
	if err == nil && d.IsNegative() {
		err = fmt.Errorf("number %s: %w", clip(text), ErrNegative)
	}
	return d, err
}

// ParseMoney reads an amount of either sign: 12 and 6 digits.
func ParseMoney(text string) (Money, error) {
	n, err := scanNumber(text)
	if err != nil {
		return 0, err
	}
	if err := n.within(text, MoneyDigits); err != nil {
		return 0, err
	}
	units := n.int64() // at most 18 digits: within saw to it
	for range moneyPlaces + n.exp {
		units *= 10
	}
	return Money(units), nil
}

// number is a scanned number: ±digits × 10^exp, digits without zeros at either
// end ("" is zero).
type number struct {
	neg    bool
	digits string
	exp    int
}

func (n number) within(text string, limit Digits) error {
	if n.digits == "" {
		return nil
	}
	if len(n.digits)+n.exp > limit.Integer || -n.exp > limit.Fraction {
		return fmt.Errorf("number %s: %w: at most %d before and %d behind the point",
			clip(text), ErrTooManyDigits, limit.Integer, limit.Fraction)
	}
	return nil
}

func (n number) int64() int64 {
	var v int64
	for i := range len(n.digits) {
		v = v*10 + int64(n.digits[i]-'0')
	}
	if n.neg {
		return -v
	}
	return v
}

// scanNumber takes JSON's number grammar apart, and nothing else: no plus, no
// blanks, no bare point, no NaN.
func scanNumber(text string) (number, error) {
	var n number
	i := 0
	if i < len(text) && text[i] == '-' {
		n.neg = true
		i++
	}
	whole := digitsFrom(text, i)
	if whole == i || (text[i] == '0' && whole > i+1) {
		return n, fmt.Errorf("number %s: %w", clip(text), ErrNotNumber)
	}
	all := text[i:whole]
	i = whole
	if i < len(text) && text[i] == '.' {
		frac := digitsFrom(text, i+1)
		if frac == i+1 {
			return n, fmt.Errorf("number %s: %w", clip(text), ErrNotNumber)
		}
		all += text[i+1 : frac]
		n.exp = -(frac - i - 1)
		i = frac
	}
	exp, ok := scanExponent(text[i:])
	if !ok {
		return n, fmt.Errorf("number %s: %w", clip(text), ErrNotNumber)
	}
	n.exp += exp
	n.digits = all
	n.trim()
	return n, nil
}

// trim takes zeros off both ends, which changes no value, and makes zero plain.
func (n *number) trim() {
	d := n.digits
	for d != "" && d[len(d)-1] == '0' {
		d = d[:len(d)-1]
		n.exp++
	}
	for d != "" && d[0] == '0' {
		d = d[1:]
	}
	if n.digits = d; d == "" {
		n.exp, n.neg = 0, false
	}
}

// exponentMax is where reading an exponent stops growing: far past any legal
// value and far below overflow, so that 1e99999999999 is refused, not expanded.
const exponentMax = 1 << 30

func scanExponent(text string) (exp int, ok bool) {
	if text == "" {
		return 0, true
	}
	if text[0] != 'e' && text[0] != 'E' {
		return 0, false
	}
	i, neg := 1, false
	if i < len(text) && (text[i] == '+' || text[i] == '-') {
		neg = text[i] == '-'
		i++
	}
	if end := digitsFrom(text, i); end == i || end != len(text) {
		return 0, false
	}
	for ; i < len(text); i++ {
		exp = min(exp*10+int(text[i]-'0'), exponentMax)
	}
	if neg {
		exp = -exp
	}
	return exp, true
}

func digitsFrom(text string, i int) int {
	for i < len(text) && '0' <= text[i] && text[i] <= '9' {
		i++
	}
	return i
}

// clip quotes text for an error, cut so that a ten-megabyte number stays one line.
func clip(text string) string {
	if len(text) > 40 {
		return fmt.Sprintf("%q… (%d bytes)", text[:40], len(text))
	}
	return fmt.Sprintf("%q", text)
}
