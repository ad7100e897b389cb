package rating_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/rating"
	"github.com/shopspring/decimal"
)

// TestCases runs the case files: testdata/README.txt says how one is read.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 2 {
		t.Fatalf("find case files: %d of them, %v", len(files), err)
	}
	for _, file := range files {
		if filepath.Base(file) == "README.txt" {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			for _, s := range readCases(t, file) {
				t.Run(s.name, s.run)
			}
		})
	}
}

// story is one use of a price and what must come of it.
type story struct {
	name     string
	price    rating.Price
	use      rating.Use
	credit   bool
	lines    []string
	exact    string
	rounded  string
	band     string
	charge   string
	position string
}

func (s *story) run(t *testing.T) {
	book, err := rating.Open([]rating.Price{s.price})
	if err != nil {
		t.Fatalf("%s: %v", s.position, err)
	}
	p := book.Price(s.price.ID)
	charge, explanation, quantity := p.Rate(s.use), p.Explain(s.use), s.use.Quantity
	if s.credit {
		charge, explanation = p.GiveBack(p.BandAt(s.use.At, s.use.Zone), s.use.Before, quantity)
		quantity = quantity.Neg()
	} else if unhurried := *p; unhurried.Rate(s.use) != charge {
		t.Errorf("%s: a copy of the price, which is not compiled, got %v, want %v", s.position, unhurried.Rate(s.use), charge)
	}
	if err := p.Follows(explanation, quantity); err != nil {
		t.Errorf("%s: %v", s.position, err)
	}
	s.compare(t, charge, explanation)
}

func (s *story) compare(t *testing.T, c rating.Charge, e rating.Explanation) {
	got := c.Amount.String()
	if c.OutOfRange {
		got = "out of range"
	}
	s.expect(t, "charge", got, s.charge)
	if e.Charge != nil {
		s.expect(t, "explained charge", e.Charge.String(), s.charge)
	}
	if s.exact != "" {
		s.expect(t, "exact", e.Exact.String(), s.exact)
	}
	if s.rounded != "" {
		s.expect(t, "rounded", c.PriceBefore.String()+" -> "+c.PriceAfter.String(), s.rounded)
	}
	if s.band != "" {
		name := "own"
		if b := e.Price.Band; b.Name != "" {
			name = b.Name
		} else if b.Index >= 0 {
			name = strconv.Itoa(b.Index)
		}
		s.expect(t, "band", name, s.band)
	}
	if s.lines == nil {
		return
	}
	var lines []string
	for _, l := range e.Lines {
		lines = append(lines, fmt.Sprintf("%s @ %s = %s", l.Quantity, l.UnitPrice, l.Amount))
	}
	s.expect(t, "lines", strings.Join(lines, "\n"), strings.Join(s.lines, "\n"))
}

func (s *story) expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s: got\n%s\nwant\n%s", s.position, what, got, want)
	}
}

// caseFile reads one file; the zero value of what a line does not say stays.
type caseFile struct {
	t       *testing.T
	at      string
	words   []string
	title   string
	price   rating.Price
	zone    *time.Location
	counter billing.Fixed
	stories []story
}

func readCases(t *testing.T, file string) []story {
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := caseFile{t: t, zone: time.UTC}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		c.at = fmt.Sprintf("%s:%d", file, n)
		text := strings.TrimSpace(lines.Text())
		switch title, isTitle := strings.CutPrefix(text, "#"); {
		case isTitle:
			c.title = strings.TrimSuffix(strings.TrimSpace(title), ".")
		case text != "":
			c.words = strings.Fields(text)
			c.line(c.next())
		}
	}
	return c.stories
}

func (c *caseFile) line(verb string) {
	switch verb {
	case "price":
		c.price = rating.Price{ID: c.next(), Service: "s", Currency: c.next(), ValidFrom: day(1)}
		c.check(c.price.Accumulate.UnmarshalText([]byte(c.next())))
		c.price.Model = c.model()
		c.counter = billing.Fixed{}
	case "step":
		c.price.Step = c.number()
	case "per_record":
		c.price.PerRecord = c.number()
	case "minimum":
		c.price.Minimum = c.number()
	case "maximum":
		c.price.Maximum = c.number()
	case "digits":
		n, err := strconv.Atoi(c.next())
		c.check(err)
		c.price.Digits = &n
	case "band":
		c.addBand()
	case "zone":
		zone, err := billing.LoadZone(c.next())
		c.check(err)
		c.zone = zone
	case "before":
		c.counter = fixed(*c.number())
	case "record", "credit":
		c.record(verb == "credit")
	default:
		c.expectation(verb)
	}
}

func (c *caseFile) record(credit bool) {
	s := story{name: c.title, price: c.price, credit: credit, position: c.at}
	s.use = rating.Use{Quantity: fixed(*c.number()), Zone: c.zone, Before: c.counter, At: day(10)}
	if len(c.words) > 0 {
		at, err := billing.ParseTime(c.next())
		c.check(err)
		s.use.At = at
	}
	if credit {
		c.counter = c.counter.Sub(s.use.Quantity)
	} else {
		c.counter = c.counter.Add(s.use.Quantity)
	}
	c.stories = append(c.stories, s)
}

func (c *caseFile) expectation(verb string) {
	if len(c.stories) == 0 {
		c.t.Fatalf("%s: %s before any record", c.at, verb)
	}
	s, rest := &c.stories[len(c.stories)-1], strings.Join(c.words, " ")
	switch verb {
	case "want":
		if !slices.Contains(c.words, "=") { // an amount of 0, or of one unit, needs no reckoning
			l := strings.Split(rest, " @ ")
			rest += " = " + decimal.RequireFromString(l[0]).Mul(decimal.RequireFromString(l[1])).String()
		}
		s.lines = append(s.lines, rest)
	case "exact":
		s.exact = rest
	case "rounded":
		s.rounded = rest
	case "in":
		s.band = rest
	case "charge":
		s.charge = rest
	default:
		c.t.Fatalf("%s: unknown word %q", c.at, verb)
	}
}

// model reads @ PRICE, package SIZE @ PRICE, or tiers, which volume may precede.
func (c *caseFile) model() (m rating.Model) {
	switch c.words[0] {
	case "@":
		c.next()
		m.PerUnit = c.number()
	case "package":
		c.next()
		m.Package = &rating.Package{Size: *c.number()}
		c.next()
		m.Package.Price = *c.number()
	case "volume":
		c.next()
		m.Volume = c.tiers()
	default:
		m.Graduated = c.tiers()
	}
	return m
}

// tiers reads LOWER..UPPER @ PRICE + FLAT, again and again.
func (c *caseFile) tiers() (tiers []rating.Tier) {
	for len(c.words) > 0 {
		_, upper, _ := strings.Cut(c.next(), "..")
		c.next()
		t := rating.Tier{UnitPrice: *c.number()}
		if upper != "" {
			t.UpTo = dec(upper)
		}
		if len(c.words) > 0 && c.words[0] == "+" {
			c.next()
			t.Flat = c.number()
		}
		tiers = append(tiers, t)
	}
	return tiers
}

// addBand reads NAME DAYS FROM-TO and a model; "-" is no name, "all" every day.
func (c *caseFile) addBand() {
	b := rating.Band{Name: strings.TrimPrefix(c.next(), "-")}
	if days := c.next(); days != "all" {
		c.check(b.Days.UnmarshalJSON([]byte(`["` + strings.ReplaceAll(days, ",", `","`) + `"]`)))
	}
	from, to, _ := strings.Cut(c.next(), "-")
	c.check(b.From.UnmarshalText([]byte(from)))
	c.check(b.To.UnmarshalText([]byte(to)))
	b.Model = c.model()
	c.price.Bands = append(slices.Clone(c.price.Bands), b)
}

func (c *caseFile) next() string {
	if len(c.words) == 0 {
		c.t.Fatalf("%s: the line ends too soon", c.at)
	}
	word := c.words[0]
	c.words = c.words[1:]
	return word
}

func (c *caseFile) number() *decimal.Decimal {
	d, err := decimal.NewFromString(c.next())
	c.check(err)
	return &d
}

func (c *caseFile) check(err error) {
	if err != nil {
		c.t.Fatalf("%s: %v", c.at, err)
	}
}

// day is noon of a day of March 2026.
func day(n int) time.Time { return time.Date(2026, time.March, n, 12, 0, 0, 0, time.UTC) }

func dec(text string) *decimal.Decimal {
	d := decimal.RequireFromString(text)
	return &d
}

func fixed(d decimal.Decimal) billing.Fixed {
	f, err := billing.FixedOf(d)
	if err != nil {
		panic(err) // a number that a test wrote
	}
	return f
}

func quantity(text string) billing.Fixed { return fixed(*dec(text)) }
