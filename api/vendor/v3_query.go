package vendor

import (
	"net/url"
	"strconv"
	"time"

	"github.com/chargehand/chargehand/postgres"
)

// The parameters of version 3.
const (
	v3Number  = "page[number]"
	v3Size    = "page[size]"
	v3Emails  = "filter[email]"
	v3Users   = "filter[user_email]"
	v3Created = "filter[created_at]" // with [gt] or [lt]
	v3Updated = "filter[updated_at]"
	v3Include = "include"
)

var (
	v3OneParameters  = []string{v3Include}
	v3ListParameters = []string{v3Number, v3Size, v3Emails, v3Users, v3Created + "[gt]", v3Created + "[lt]",
		v3Updated + "[gt]", v3Updated + "[lt]", v3Include}
)

// v3Asked is what a list is asked for.
type v3Asked struct {
	postgres.VendorFilter
	page     int
	included bool // whether what is included is to be said
	values   url.Values
}

// v3Filter reads what a list is asked for.
func v3Filter(raw string, zone *time.Location) (a v3Asked, err error) {
	q := parseQuery(raw, v3ListParameters)
	a.page = q.page(v3Number)
	a.Most = q.whole(v3Size, pageSize, pageSizeMax)
	a.Offset = (a.page - 1) * a.Most
	a.Emails, a.UserEmails = q.list(v3Emails), q.list(v3Users)
	a.Created, a.Updated = q.between(v3Created, zone), q.between(v3Updated, zone)
	a.included, a.values = q.include(), q.values
	return a, q.err()
}

// v3Included reads the query of one account: whether what is included is to be
// said.
func v3Included(raw string) (bool, error) {
	q := parseQuery(raw, v3OneParameters)
	included := q.include()
	return included, q.err()
}

// include tells whether related resources are asked for. There are subscriptions
// only, and of these none.
func (q *query) include() bool {
	if value := q.values.Get(v3Include); value != "" && value != "subscriptions" {
		q.fault(v3Include, "%q: only subscriptions can be included", clip(value))
	}
	return q.values.Has(v3Include)
}

// v3Links are the pages around one; null where there is none.
type v3Links struct {
	Self  string  `json:"self"`
	First string  `json:"first"`
	Prev  *string `json:"prev"`
	Next  *string `json:"next"`
	Last  string  `json:"last"`
}

// v3Meta is how much there is.
type v3Meta struct {
	Total int64 `json:"total" doc:"Accounts on all pages together."`
	Pages int64 `json:"pages" doc:"Pages; one where there is no account."`
}

// around links a page of a path to the others, of so many accounts.
func (a *v3Asked) around(path string, total int64) (v3Links, v3Meta) {
	size := int64(a.Most)
	last := max((total+size-1)/size, 1)
	to := func(page int64) string {
		a.values.Set(v3Number, strconv.FormatInt(page, 10))
		a.values.Set(v3Size, strconv.Itoa(a.Most))
		return path + "?" + a.values.Encode()
	}
	page := int64(a.page)
	l := v3Links{Self: to(page), First: to(1), Last: to(last)}
	if page > 1 {
		prev := to(min(page-1, last))
		l.Prev = &prev
	}
	if page < last {
		next := to(page + 1)
		l.Next = &next
	}
	return l, v3Meta{Total: total, Pages: last}
}
