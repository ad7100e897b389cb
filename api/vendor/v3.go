package vendor

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/once"
	"github.com/chargehand/chargehand/postgres"
)

// v3Document is one account.
type v3Document struct {
	Data     v3Resource      `json:"data"`
	Included *[]v3Identifier `json:"included,omitempty" doc:"With include only; empty always."`
}

// v3List is a page of accounts.
type v3List struct {
	Data     []v3Resource    `json:"data"`
	Included *[]v3Identifier `json:"included,omitempty" doc:"With include only; empty always."`
	Links    v3Links         `json:"links"`
	Meta     v3Meta          `json:"meta"`
}

// included is what is included where that is asked for: nothing, and it is said.
func included(asked bool) *[]v3Identifier {
	if !asked {
		return nil
	}
	return &[]v3Identifier{}
}

// v3Faults is how JSON:API tells what is wrong.
type v3Faults struct {
	Errors []v3Fault `json:"errors"`
}

// v3Fault is one thing that is wrong.
type v3Fault struct {
	Status string    `json:"status"`
	Title  string    `json:"title"`
	Detail string    `json:"detail"`
	Source *v3Source `json:"source,omitempty"`
}

// v3Source is what a fault is about.
type v3Source struct {
	Pointer   string `json:"pointer,omitempty" doc:"Into the body."`
	Parameter string `json:"parameter,omitempty" doc:"Of the query."`
	Header    string `json:"header,omitempty"`
}

// v3Request is the request of an admitted caller, about the accounts of a
// reseller that the token reaches.
type v3Request struct {
	*http.Request
	caller   access.Caller
	reseller int64
	body     []byte // of one that changes something
}

// own is the accounts of the reseller itself; those downstream of it are read by
// its own id.
func (r v3Request) own() postgres.Reach { return postgres.Reach{Reseller: r.reseller, Own: true} }

// path is where the reseller's accounts are.
func (r v3Request) path() string { return fmt.Sprintf("/api/v3/resellers/%d/accounts", r.reseller) }

// created is an answer that tells where the new resource is.
type created struct {
	location string
	v3Document
}

// v3Handle makes a handler for those with a scope: do gets a request that has
// been admitted, takes JSON:API, and whose reseller exists within the token's
// reach.
func (v *view) v3Handle(need access.Scope, do func(v3Request) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Accept")
		r.Body = http.MaxBytesReader(w, r.Body, v.BodyBytesMax)
		admitted, err := v.v3Admit(r, need)
		if err != nil {
			v.v3Refuse(w, r, err)
			return
		}
		v.v3Answer(w, admitted, do)
	})
}

func (v *view) v3Admit(r *http.Request, need access.Scope) (v3 v3Request, err error) {
	token := ""
	if all := r.Header.Values("X-Api-Token"); len(all) == 1 {
		token = all[0]
	}
	if v3.caller, err = v.Gate.Admit(r.Context(), token, need); err != nil {
		return v3, err
	}
	v3.Request = r.WithContext(access.With(r.Context(), v3.caller))
	if err := checkAccept(r.Header); err != nil {
		return v3, err
	}
	if r.Method == http.MethodPost {
		if err := checkContentType(r.Header); err != nil {
			return v3, err
		}
	}
	if v3.reseller, err = idOf(r.PathValue("reseller_id"), "reseller"); err != nil {
		return v3, err
	}
	_, err = v.Store.Reseller(r.Context(), v3.reseller, reach(v3.caller))
	return v3, err
}

// v3Answer has a request carried out, one that changes something once for its
// Idempotency-Key. The documents know of none; who has read ours may send one.
func (v *view) v3Answer(w http.ResponseWriter, r v3Request, do func(v3Request) (any, error)) {
	carryOut := func(w http.ResponseWriter, plain *http.Request) {
		r.Request = plain
		body, err := do(r)
		if err != nil {
			v.v3Refuse(w, plain, err)
			return
		}
		if c, is := body.(created); is {
			w.Header().Set("Location", c.location)
			answer(w, http.StatusCreated, mediaType, c.v3Document)
			return
		}
		answer(w, http.StatusOK, mediaType, body)
	}
	if r.Method != http.MethodPost {
		carryOut(w, r.Request)
		return
	}
	var err error
	if r.body, err = io.ReadAll(r.Body); err != nil {
		v.v3Refuse(w, r.Request, unread(err))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(r.body)) // for its key
	if err := (once.Door{Store: v.Store, Clock: v.Clock}).Do(w, r.Request, carryOut); err != nil {
		v.v3Refuse(w, r.Request, err)
	}
}

func (v *view) v3Refuse(w http.ResponseWriter, r *http.Request, err error) {
	why := refusalOf(err, "header X-Api-Token")
	v.told(r.Context(), why, err)
	why.headers(w, "ApiToken")
	var body v3Faults
	for _, f := range why.faults {
		body.Errors = append(body.Errors, v3FaultOf(why.status, f.text, orNull(v3Source{Pointer: f.pointer, Parameter: f.parameter, Header: f.header})))
	}
	answer(w, why.status, mediaType, body)
}

func v3FaultOf(status int, detail string, source *v3Source) v3Fault {
	return v3Fault{Status: strconv.Itoa(status), Title: http.StatusText(status), Detail: detail, Source: source}
}

// v3Get answers an account by its id.
func (v *view) v3Get(r v3Request) (any, error) {
	id, err := idOf(r.PathValue("id"), "account")
	if err != nil {
		return nil, err
	}
	include, err := v3Included(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	return v.v3Read(r.Context(), id, r.own(), include)
}

func (v *view) v3Read(ctx context.Context, id int64, within postgres.Reach, include bool) (d v3Document, err error) {
	a, err := v.Store.VendorAccount(ctx, id, within)
	if err != nil {
		return d, err
	}
	return v3Document{Data: v3One(a, v.TimeZone), Included: included(include)}, nil
}

// v3List answers a page of the reseller's accounts.
func (v *view) v3List(r v3Request) (any, error) {
	asked, err := v3Filter(r.URL.RawQuery, v.TimeZone)
	if err != nil {
		return nil, err
	}
	asked.Within = r.own()
	page, err := v.Store.VendorAccounts(r.Context(), asked.VendorFilter)
	if err != nil {
		return nil, err
	}
	total, err := v.Store.CountVendorAccounts(r.Context(), asked.VendorFilter)
	if err != nil {
		return nil, err
	}
	list := v3List{Included: included(asked.included),
		Data: listed(page, func(a *postgres.VendorAccount) v3Resource { return v3One(a, v.TimeZone) })}
	list.Links, list.Meta = asked.around(r.path(), total)
	return list, nil
}

// v3Create creates an account of the reseller.
func (v *view) v3Create(r v3Request) (any, error) {
	include, err := v3Included(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	c, err := readCreation(r.body)
	if err != nil {
		return nil, err
	}
	c.Within, c.Reseller = reach(r.caller), r.reseller
	c.TimeZone, c.At, c.Actor = v.TimeZone.String(), v.Clock(), r.caller.Actor()
	id, err := v.Store.CreateVendorAccount(deed(r.Context(), "POST "+v3Path), c.NewVendorAccount)
	var faults postgres.AttributeFaults
	if errors.As(err, &faults) {
		return nil, c.faultsOf(faults)
	}
	if err != nil {
		return nil, err
	}
	where := r.path() + "/" + strconv.FormatInt(id, 10)
	d, err := v.v3Read(r.Context(), id, r.own(), include)
	if err != nil && r.Header.Get(once.Header) == "" { // else it is undone
		// Who is told less would create it again.
		return nil, fmt.Errorf("read account %d, which was created: %w", id, errors.Join(
			refuse(http.StatusInternalServerError, "the account was created as %s, and could not be read: do so, and do not create it again", where), err))
	}
	return created{location: where, v3Document: d}, err
}

// deed is a context whose changes are noted in the audit log; who serves the
// request may have said more of it already.
func deed(ctx context.Context, action string) context.Context {
	d, _ := postgres.DeedOf(ctx)
	d.Action = cmp.Or(d.Action, action)
	return postgres.WithDeed(ctx, d)
}

// unread is why a body could not be read to its end: it is too long, or the
// client stopped sending.
func unread(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return refuse(http.StatusBadRequest, "the body ended before it was whole")
}
