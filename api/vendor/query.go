package vendor

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// The bounds of what a list may be asked for.
const (
	pageSize    = 50 // where none is asked for
	pageSizeMax = 1000
	// pageMax is far beyond every end; with it places of accounts stay numbers.
	pageMax = 1_000_000_000
	// valueMax bounds the value of a parameter in bytes.
	valueMax = 4096
	// emailsMax bounds how many addresses one filter may name.
	emailsMax = 100
)

// query is the parameters of a request at reading, and what is wrong with them.
type query struct {
	values url.Values
	faultList
}

// parseQuery reads a query that may have the parameters that are known, once
// each. Who mistypes a filter must not be answered with everything: what is
// unknown is refused.
func parseQuery(raw string, known []string) *query {
	values, err := url.ParseQuery(raw)
	q := &query{values: values}
	if err != nil {
		q.add(fault{text: "the query cannot be read: separate parameters by & and write special characters as %XX"})
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, name) {
			q.fault(name, "there is no such parameter here")
			delete(values, name)
		} else if what := wrong(name, values[name]); what != "" {
			q.fault(name, "%s", what)
			delete(values, name)
		}
	}
	return q
}

// wrong says what is wrong with a parameter's values, whatever it means.
func wrong(name string, values []string) string {
	switch value := values[0]; {
	case len(values) > 1:
		return fmt.Sprintf("it stands here %d times, give it once", len(values))
	case value == "" && name != v3Include: // to include nothing is fine
		return "it is empty: give it a value, or leave it out"
	case len(value) > valueMax:
		return fmt.Sprintf("%d bytes, at most %d are taken", len(value), valueMax)
	case strings.ContainsRune(value, 0) || !utf8.ValidString(value):
		return "it must be UTF-8 without NUL"
	}
	return ""
}

func (q *query) fault(name, format string, args ...any) {
	q.add(fault{parameter: clip(name), text: fmt.Sprintf(format, args...)})
}

// err is what is wrong, or nil.
func (q *query) err() error { return q.faultList.err(http.StatusBadRequest) }

// page is the number of a page, from 1; any that is beyond the end is one page.
func (q *query) page(name string) int {
	value := q.values.Get(name)
	n, err := strconv.ParseUint(value, 10, 63)
	switch far := errors.Is(err, strconv.ErrRange); {
	case !q.values.Has(name):
		return 1
	case !far && (err != nil || n < 1):
		q.fault(name, "%q: give a whole number, 1 or above", clip(value))
		return 1
	case far || n > pageMax:
		return pageMax
	}
	return int(n) //nolint:gosec // it is a billion at most
}

// whole is a number from 1 to most, or what it is where it is not given.
func (q *query) whole(name string, otherwise, most int) int {
	if !q.values.Has(name) {
		return otherwise
	}
	value := q.values.Get(name)
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || n < 1 || n > uint64(most) {
		q.fault(name, "%q: give a whole number from 1 to %d", clip(value), most)
		return otherwise
	}
	return int(n)
}

// flag is true or false, which it is where it is not given.
func (q *query) flag(name string) bool {
	value := q.values.Get(name)
	if q.values.Has(name) && value != "true" && value != "false" {
		q.fault(name, "%q: give true or false", clip(value))
	}
	return value == "true"
}

// status is the status of a word; nil where none is given.
func (q *query) status(name string) *billing.Status {
	if !q.values.Has(name) {
		return nil
	}
	var s billing.Status
	// The documents call statuses by two words, and print one.
	if err := s.UnmarshalText([]byte(strings.ReplaceAll(q.values.Get(name), " ", "_"))); err != nil {
		q.fault(name, "%q: give one of %s, %s, %s, %s", clip(q.values.Get(name)),
			billing.Active, billing.AdministrativeHold, billing.CreditHold, billing.Deleted)
		return nil
	}
	return &s
}

// span is a day of a zone, or what is printed as a time: the documents call both
// a date.
func (q *query) span(name string, zone *time.Location) (s postgres.Span) {
	if !q.values.Has(name) {
		return s
	}
	value := q.values.Get(name)
	if d, err := billing.ParseDate(value); err == nil {
		c := billing.Calendar{Zone: zone}
		return postgres.Span{From: bound(c.Begin(d)), To: bound(c.Begin(d + 1))}
	}
	if at, err := timeOf(value, zone); err == nil {
		unit := unitOf(value)
		from := at.Truncate(unit)
		return postgres.Span{From: bound(from), To: from.Add(unit)}
	}
	q.fault(name, "%q: give a day like 2026-01-31, or a time as answers have it, the + of its offset written %%2B", clip(value))
	return s
}

// timeOf reads a time, which is of the zone where neither Z nor an offset says
// otherwise.
func timeOf(text string, zone *time.Location) (time.Time, error) {
	if at, err := billing.ParseTime(text); err == nil {
		return at, nil
	}
	return time.ParseInLocation("2006-01-02T15:04:05", text, zone)
}

// unitOf is how exactly a text says a time: to the second, or to the last of its
// decimals, of which the database keeps six.
func unitOf(text string) time.Duration {
	unit := time.Second
	_, fraction, _ := strings.Cut(text, ".")
	for i := 0; i < min(len(fraction), 6) && fraction[i] >= '0' && fraction[i] <= '9'; i++ {
		unit /= 10
	}
	return unit
}

// between is the times after name[gt] and before name[lt]. The database keeps
// microseconds.
func (q *query) between(name string, zone *time.Location) (s postgres.Span) {
	if after := q.moment(name+"[gt]", zone); !after.IsZero() {
		s.From = bound(after.Add(time.Microsecond))
	}
	s.To = q.moment(name+"[lt]", zone)
	return s
}

// moment is a day's beginning or a time, of a zone where neither Z nor an offset
// says otherwise; zero where none is given.
func (q *query) moment(name string, zone *time.Location) time.Time {
	if !q.values.Has(name) {
		return time.Time{}
	}
	value := q.values.Get(name)
	if d, err := billing.ParseDate(value); err == nil {
		return bound(billing.Calendar{Zone: zone}.Begin(d))
	}
	if at, err := timeOf(value, zone); err == nil {
		return bound(at)
	}
	q.fault(name, "%q: give 2026-01-31 or 2026-01-31T12:00:00, of the platform's zone, or 2026-01-31T12:00:00Z", clip(value))
	return time.Time{}
}

// bound is a time as a filter takes it, which takes the zero time for none: the
// first microsecond of the calendar is as good as the next.
func bound(at time.Time) time.Time {
	if at.IsZero() {
		return at.Add(time.Microsecond)
	}
	return at
}

// list is the parts between commas, without the blanks around them.
func (q *query) list(name string) []string {
	if !q.values.Has(name) {
		return nil
	}
	all := strings.Split(q.values.Get(name), ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	switch {
	case len(all) > emailsMax:
		q.fault(name, "%d values, at most %d are taken", len(all), emailsMax)
	case slices.Contains(all, ""):
		q.fault(name, "a value between commas is empty")
	}
	return all
}
