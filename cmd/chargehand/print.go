package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargehand/chargehand/billing"
)

// print writes an answer: as one line of JSON where --json asks for it, else as
// the text that tell writes.
func (s *session) print(answer any, tell func(*page)) error {
	if s.json {
		return s.printJSON(answer)
	}
	p := &page{to: s.stdout}
	tell(p)
	return p.err
}

// printJSON writes one line of JSON.
func (s *session) printJSON(answer any) error {
	e := json.NewEncoder(s.stdout)
	e.SetEscapeHTML(false)
	if err := e.Encode(answer); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// page is text for people. It remembers the first error of its writer, so that
// whoever prints need not look after each line.
type page struct {
	to     io.Writer
	indent string
	err    error
}

func (p *page) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text != "" {
		text = p.indent + text
	}
	if p.err == nil {
		if _, err := io.WriteString(p.to, text+"\n"); err != nil {
			p.err = fmt.Errorf("print: %w", err)
		}
	}
}

// indented is a page on the same paper, further to the right.
func (p *page) indented(by string) *page { return &page{to: p.to, indent: p.indent + by, err: p.err} }

// table lines columns up. A column whose title begins with > is set to the
// right, as numbers are; a table without titles has none to the right.
func (p *page) table(titles ...string) *table {
	t := &table{page: p}
	for _, title := range titles {
		title, right := strings.CutPrefix(title, ">")
		t.right = append(t.right, right)
		t.title = append(t.title, strings.ToUpper(title))
	}
	return t
}

// table gathers rows, and prints them when it knows how wide its columns are: at
// its end, or when it is full; from then on rows go out as they come.
type table struct {
	page   *page
	right  []bool
	title  []string
	rows   [][]string
	widths []int
	begun  bool // something is printed
}

// tableRows is how many rows a table looks at to find the widths of its columns.
const tableRows = 500

func (t *table) row(cells ...any) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = fmt.Sprint(cell)
	}
	if t.rows = append(t.rows, row); len(t.rows) == tableRows {
		t.end()
	}
}

// empty tells whether the table has no row.
func (t *table) empty() bool { return len(t.rows) == 0 && !t.begun }

// end prints what is gathered. A table without rows prints not even its titles.
func (t *table) end() {
	if len(t.rows) == 0 {
		return
	}
	if len(t.title) > 0 && !t.begun {
		t.rows = append([][]string{t.title}, t.rows...)
	}
	t.begun = true
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(t.widths) {
				t.widths = append(t.widths, 0)
			}
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range t.rows {
		t.page.line("%s", t.aligned(row))
	}
	t.rows = t.rows[:0]
}

func (t *table) aligned(row []string) string {
	var line strings.Builder
	for i, cell := range row {
		gap := strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell))
		if i < len(t.right) && t.right[i] {
			line.WriteString(gap + cell + "  ")
		} else {
			line.WriteString(cell + gap + "  ")
		}
	}
	return strings.TrimRight(line.String(), " ")
}

// money is an amount with the digits of its currency, and the currency.
func money(m billing.Money, currency string) string { return amount(m, currency) + " " + currency }

// amount is an amount with the digits of its currency: 12.50 for EUR.
func amount(m billing.Money, currency string) string {
	digits, _ := billing.MinorUnits(currency)
	return m.Text(digits)
}

// moment is a time for people: RFC 3339 in UTC, to the second.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// count is a number with its noun: "1 record", "2,000 records".
func count(n int, noun string) string { return plural(n, noun, noun+"s") }

// plural is a number with the word for one or for many.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(int64(n)) + " " + many
}

// brief is how long something took, to three digits.
func brief(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	}
	return d.Round(time.Millisecond).String()
}

// grouped is a number with a comma every three digits.
func grouped(n int64) string {
	text := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, text = "-", text[1:]
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return sign + text
}
