package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/chargehand/chargehand/postgres"
	"github.com/danielgtaylor/huma/v2"
)

// Paged is what the request for a list asks besides its filters.
type Paged struct {
	Addressed
	Cursor string `query:"cursor" maxLength:"4096" doc:"Where the page before ended: its next."`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"How many at most."`
}

// Addressed is the address of a request for a list.
type Addressed struct{ at url.URL }

// Resolve remembers the address, for the link to the next page.
func (a *Addressed) Resolve(ctx huma.Context) []error {
	a.at = ctx.URL()
	return nil
}

// linkTold is what the document says of the header Link.
const linkTold = `The next page, with rel="next" (RFC 8288).`

// link is the header that names the page which begins at a cursor.
func (a *Addressed) link(cursor string) string {
	query := a.at.Query()
	query.Set("cursor", cursor)
	next := url.URL{Path: a.at.Path, RawPath: a.at.RawPath, RawQuery: query.Encode()}
	return "<" + next.String() + `>; rel="next"`
}

// after reads the cursor into the key of the last item of the page before.
func (p *Paged) after(key any) error {
	if p.Cursor == "" {
		return nil
	}
	text, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err == nil {
		err = json.Unmarshal(text, key)
	}
	same, _ := json.Marshal(key) // a number or a text always marshals
	if k, is := key.(*numberKey); err != nil || !bytes.Equal(same, text) || is && !storable(k.Number) {
		return fmt.Errorf("%.40q: %w", p.Cursor, postgres.ErrNotCursor)
	}
	return nil
}

// numberKey and seqKey are the keys by which lists go on: a number or ref, and
// the place of a line among those of its account.
type (
	numberKey struct {
		Number string `json:"n"`
	}
	seqKey struct {
		Seq int64 `json:"s"`
	}
)

// pageBody is a page of a list.
type pageBody[T any] struct {
	Items []T     `json:"items" nullable:"false"`
	Next  *string `json:"next" doc:"Cursor of the next page; null: this is the last one."`
}

// pageAnswer is a page with the address of the next one.
type pageAnswer[T any] struct {
	Link string `header:"Link" doc:"The next page, with rel=\"next\" (RFC 8288)."`
	Body pageBody[T]
}

// page is what was asked for of items, of which there is one more than asked for
// where there is a next page.
func page[T any](p *Paged, items []T, keyOf func(T) any) (*pageAnswer[T], error) {
	answer := &pageAnswer[T]{Body: pageBody[T]{Items: items}}
	if items == nil {
		answer.Body.Items = []T{}
	}
	if len(items) <= p.Limit {
		return answer, nil
	}
	answer.Body.Items = items[:p.Limit]
	key, err := json.Marshal(keyOf(items[p.Limit-1]))
	if err != nil {
		return nil, fmt.Errorf("make a cursor: %w", err)
	}
	answer.Body.Next = new(base64.RawURLEncoding.EncodeToString(key))
	answer.Link = p.link(*answer.Body.Next)
	return answer, nil
}
