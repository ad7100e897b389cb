package vendor

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/chargehand/chargehand/postgres"
)

// The parameters of version 1.
const (
	v1Token     = "api_token"
	v1Page      = "page"
	v1PerPage   = "per_page"
	v1Sorted    = "sorting[field]"
	v1Reversed  = "sorting[reversed]"
	v1Created   = "filters[created_at]"
	v1Updated   = "filters[updated_at]"
	v1Status    = "filters[status]"
	v1Email     = "filters[email]"
	v1SortingBy = "id" // where no field is named
)

var v1ListParameters = []string{v1Token, v1Page, v1PerPage, v1Sorted, v1Reversed, v1Created, v1Updated, v1Status, v1Email}

// v1Filter reads what a list is asked for.
func v1Filter(raw string, zone *time.Location) (f postgres.VendorFilter, err error) {
	q := parseQuery(raw, v1ListParameters)
	page := q.page(v1Page)
	f.Most = q.whole(v1PerPage, pageSize, pageSizeMax)
	f.Offset = (page - 1) * f.Most
	f.Sort, f.Descending = q.sorting(), q.flag(v1Reversed)
	f.Created, f.Updated = q.span(v1Created, zone), q.span(v1Updated, zone)
	f.Status = q.status(v1Status)
	if q.values.Has(v1Email) {
		f.Emails = []string{q.values.Get(v1Email)}
	}
	return f, q.err()
}

// sorting is the field to sort by: any of those that are printed.
func (q *query) sorting() string {
	field := q.values.Get(v1Sorted)
	if field == "" {
		return v1SortingBy
	}
	if known := names(reflect.TypeFor[v1ListedAccount]()); !slices.Contains(known, field) {
		q.fault(v1Sorted, "%q: give a field of the answer: %s", clip(field), strings.Join(known, ", "))
	}
	return field
}

// names lists the fields that a struct has in JSON, in their order.
func names(of reflect.Type) (all []string) {
	for i := range of.NumField() {
		name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
		all = append(all, name)
	}
	return all
}
