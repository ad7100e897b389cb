package api

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"reflect"
	"strings"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
	"github.com/danielgtaylor/huma/v2"
)

// chosenRecords is the query that chooses records, as record list does.
type chosenRecords struct {
	Addressed
	Account string     `query:"account" maxLength:"256" doc:"Only those of an account, by the number as it was sent. A reseller's token must name one." example:"ACR0000001526"`
	Service string     `query:"service" maxLength:"256" doc:"Only those of a service." example:"Exxon Unleaded"`
	Outcome string     `query:"outcome" enum:"rated,rejected,cancelled" doc:"Only those with an outcome."`
	Reason  reasonWord `query:"reason" doc:"Only those that were rejected for a reason."`
	From    instant    `query:"from" doc:"That occurred from this time on."`
	To      instant    `query:"to" doc:"That occurred before this time."`
	Cursor  string     `query:"cursor" maxLength:"4096" doc:"Where the page before ended: its next."`
	Limit   int        `query:"limit" minimum:"1" maximum:"1000" doc:"How many at most. Default: 100 on a page; as lines, all."`
	Accept  string     `header:"Accept" hidden:"true"`
}

// oneRecord names a record.
type oneRecord struct {
	Source  string `path:"source" maxLength:"256" doc:"Source of the record; a slash in it is written %2F." example:"pump-7"`
	ID      string `path:"id" maxLength:"256" doc:"Its id; a slash in it is written %2F." example:"r1"`
	Account string `query:"account" maxLength:"256" doc:"Number of its account, where several accounts have a record of this source and id. A reseller's token must name it." example:"ACR0000001526"`
}

// recordAnswer is one record.
type recordAnswer struct{ Body *postgres.RecordView }

func (s *Server) registerRecords() {
	s.streams = make(places, 4)
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/records", name: "listRecords", tag: "Records", need: access.Read,
		summary: "Usage records",
		description: "Records with outcome and explanation: those of an account in the order of arrival, pages of all in the order of account, source " +
			"and id. Duplicates are no records of their own; conflicts and unreadable lines are among the dead letters. With " +
			"`Accept: application/x-ndjson` all of them come as of one moment, a line of JSON each, however many there are, account by account in the order of arrival; where a limit leaves " +
			"some out, the last line has the cursor of the next page.",
		kinds: []string{"account-not-found", "busy"},
		gives: []form{{asJSON, recordPage{}}, {asNDJSON, recordLine{}}}, heads: map[string]string{"Link": linkTold},
	}, s.listRecords)
	register(s, endpoint{
		method: http.MethodGet, path: "/v1/records/{source}/{id}", name: "getRecord", tag: "Records", need: access.Read,
		summary:     "One usage record",
		description: "What became of a record, why, and what it was before a correction.",
		kinds:       []string{"account-not-found", "not-found", "ambiguous"},
	}, s.getRecord)
}

// recordPage is a page of records.
type recordPage struct {
	Items array[recordShape] `json:"items"`
	Next  orNull[string]     `json:"next" doc:"Cursor of the next page; null: this is the last one."`
}

// recordLine is a line of the answer: a record, or at the end where more are.
type recordLine struct{}

// Schema is how OpenAPI describes it.
func (recordLine) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{
		r.Schema(reflect.TypeFor[postgres.RecordView](), true, ""), r.Schema(reflect.TypeFor[moreRecords](), true, ""),
	}}
}

// moreRecords is the last line of those that a limit has cut.
type moreRecords struct {
	Next string `json:"next" doc:"Cursor of the next page."`
}

// sees refuses what is beyond the reach of a token: another reseller's account,
// and for any reseller a question that names none.
func (s *Server) sees(ctx context.Context, number string) error {
	caller := access.From(ctx)
	switch {
	case caller.Reseller == 0:
		return nil
	case number == "":
		return problem("scope-missing", "the token is a reseller's: name one of its accounts with account", Fault{Parameter: "account", Detail: "missing"})
	}
	return s.Gate.Sees(ctx, caller, number)
}

// filter is the question as the store takes it.
func (c *chosenRecords) filter() (f postgres.RecordFilter, err error) {
	f = postgres.RecordFilter{Account: c.Account, Service: c.Service, From: c.From.time, To: c.To.time, Limit: c.Limit}
	if c.Outcome != "" {
		err = f.Outcome.UnmarshalText([]byte(c.Outcome))
	}
	if c.Reason != "" {
		err = errors.Join(err, f.Reason.UnmarshalText([]byte(c.Reason)))
	}
	if err == nil {
		f.After, err = postgres.ParseRecordPlace(c.Cursor)
	}
	return f, err
}

func (s *Server) listRecords(ctx context.Context, in *chosenRecords) (*huma.StreamResponse, error) {
	if err := s.sees(ctx, in.Account); err != nil {
		return nil, err
	}
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	if preferred(in.Accept, asJSON, asNDJSON) == asNDJSON {
		leave, err := s.streams.take("lists of records")
		if err != nil {
			return nil, err
		}
		return lines(s.limited(ctx, f), leave)
	}
	return s.pageOfRecords(ctx, in, f)
}

func (s *Server) getRecord(ctx context.Context, in *oneRecord) (*recordAnswer, error) {
	if err := s.sees(ctx, in.Account); err != nil {
		return nil, err
	}
	found, err := s.Store.Record(ctx, postgres.RecordKey{Source: in.Source, ID: in.ID, Account: in.Account})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return nil, problem("not-found", fmt.Sprintf("record %s/%s: there is none; an unreadable line or a conflict is among the dead letters", in.Source, in.ID))
	case len(found) > 1:
		return nil, ambiguous(in, found)
	}
	return &recordAnswer{found[0]}, nil
}

// accountsNamed is how many accounts a problem names: enough to see what is meant.
const accountsNamed = 10

func ambiguous(in *oneRecord, found []*postgres.RecordView) error {
	numbers := make([]string, 0, accountsNamed)
	for _, r := range found[:min(len(found), accountsNamed)] {
		numbers = append(numbers, r.Account)
	}
	detail := fmt.Sprintf("record %s/%s: %d accounts have one: %s", in.Source, in.ID, len(found), strings.Join(numbers, ", "))
	if len(found) > accountsNamed {
		detail += ", …"
	}
	return problem("ambiguous", detail+": name one with account", Fault{Parameter: "account", Detail: "missing"})
}

// recordsOnPage is how many records a page has, unless told.
const recordsOnPage = 100

func (s *Server) pageOfRecords(ctx context.Context, in *chosenRecords, f postgres.RecordFilter) (*huma.StreamResponse, error) {
	if f.Limit == 0 {
		f.Limit = recordsOnPage
	}
	page := struct {
		Items []*postgres.RecordView `json:"items"`
		Next  *string                `json:"next"`
	}{Items: []*postgres.RecordView{}}
	link := ""
	for row, err := range s.limited(ctx, f) {
		if err != nil {
			return nil, err
		}
		switch row := row.(type) {
		case *postgres.RecordView:
			page.Items = append(page.Items, row)
		case moreRecords:
			page.Next, link = &row.Next, in.link(row.Next)
		}
	}
	return whole(page, "Link", link), nil
}

// limited is the records of a filter, and at the end the cursor of what its limit
// has left out.
func (s *Server) limited(ctx context.Context, f postgres.RecordFilter) iter.Seq2[any, error] {
	limit := f.Limit
	if limit > 0 {
		f.Limit++ // one more tells whether there is a next page
	}
	return func(yield func(any, error) bool) {
		n := 0
		var last postgres.RecordPlace
		for r, err := range s.Store.Records(ctx, f) {
			switch {
			case err != nil:
				yield(nil, err)
				return
			case limit > 0 && n == limit:
				yield(moreRecords{last.Cursor()}, nil)
				return
			case !yield(r, nil):
				return
			}
			n, last = n+1, r.Place
		}
	}
}
