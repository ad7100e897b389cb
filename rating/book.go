package rating

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What Find answers where it has no price. Trying again cannot help: the record
// is rejected (SPEC R3.1).
var (
	ErrNoPrice          = errors.New("no price in force")
	ErrCurrencyMismatch = errors.New("a price is in force in another currency only")
)

// Book is the price book: all prices, for one question. It never changes, so any
// number may ask at once; a changed price makes a new book.
type Book struct {
	byID       map[string]*Price
	shelves    map[shelfKey]*shelf
	currencies map[string][]string // of a service
}

type shelfKey struct{ service, currency string }

// shelf is the prices of a service in a currency. A book mostly has default
// prices only, and asking an absent map costs next to nothing.
type shelf struct {
	ofAccount, ofClass map[string]timeline
	general            timeline
}

// timeline is the prices of one scope in the order of time; no two overlap, and
// none is void.
type timeline []*Price

// Open is the book of these prices. It refuses what Validate refuses, an id that
// two prices bear, and two prices of one service, currency and scope that are
// in force at one time (SPEC R3.1); the answer joins a *Fault for each.
func Open(prices []Price) (*Book, error) {
	own := slices.Clone(prices) // the caller's slice stays the caller's
	b := &Book{
		byID:       make(map[string]*Price, len(own)),
		shelves:    make(map[shelfKey]*shelf),
		currencies: make(map[string][]string),
	}
	var faults []error
	for i := range own {
		p := &own[i]
		if err := p.Validate(); err != nil {
			faults = append(faults, err)
			continue
		}
		if b.byID[p.ID] != nil {
			faults = append(faults, &Fault{Price: p.ID, Field: "/id", Value: clip(p.ID), Err: ErrNamedTwice})
			continue
		}
		b.byID[p.ID] = p
		p.quick = compile(p)
	}
	for _, line := range timelines(own) {
		faults = append(faults, line.overlaps()...)
		b.shelve(line)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return b, nil
}

// timelines sorts prices that are not void into the lines of their scopes.
func timelines(prices []Price) []timeline {
	var order timeline
	for i := range prices {
		if !prices[i].Void() {
			order = append(order, &prices[i])
		}
	}
	slices.SortStableFunc(order, func(p, o *Price) int {
		if c := p.compareScope(o); c != 0 {
			return c
		}
		return p.ValidFrom.Compare(o.ValidFrom)
	})
	var lines []timeline
	for len(order) > 0 {
		n := 1
		for n < len(order) && order[n].compareScope(order[0]) == 0 {
			n++
		}
		lines, order = append(lines, order[:n:n]), order[n:]
	}
	return lines
}

// compareScope orders by service, currency and scope.
func (p *Price) compareScope(o *Price) int {
	for _, c := range []int{
		strings.Compare(p.Service, o.Service), strings.Compare(p.Currency, o.Currency),
		strings.Compare(p.Class, o.Class), strings.Compare(p.Account, o.Account),
	} {
		if c != 0 {
			return c
		}
	}
	return 0
}

// overlaps holds every price against the one before it that is in force longest.
func (l timeline) overlaps() (faults []error) {
	for longest, i := l[0], 1; i < len(l); i++ {
		p := l[i]
		if longest.ValidTo == nil || longest.ValidTo.After(p.ValidFrom) {
			faults = append(faults, &Fault{
				Price: p.ID, Field: "/valid_from", Value: p.ValidFrom.Format(time.RFC3339Nano), Other: longest.ID,
				Err: fmt.Errorf("%w: price %s is in force, for the same service, currency and scope", ErrOverlapping, clip(longest.ID)),
			})
		}
		if longest.ValidTo != nil && (p.ValidTo == nil || p.ValidTo.After(*longest.ValidTo)) {
			longest = p
		}
	}
	return faults
}

func (b *Book) shelve(l timeline) {
	p := l[0]
	key := shelfKey{p.Service, p.Currency}
	s := b.shelves[key]
	if s == nil {
		s = &shelf{}
		b.shelves[key] = s
		b.currencies[p.Service] = append(b.currencies[p.Service], p.Currency)
	}
	switch {
	case p.Account != "":
		s.ofAccount = put(s.ofAccount, p.Account, l)
	case p.Class != "":
		s.ofClass = put(s.ofClass, p.Class, l)
	default:
		s.general = l
	}
}

func put(m map[string]timeline, key string, l timeline) map[string]timeline {
	if m == nil {
		m = make(map[string]timeline)
	}
	m[key] = l
	return m
}

// Find is the price of a record (SPEC R3.1): the account's own, else its class's,
// else the default, in the account's currency and in force at the time. The
// error is ErrNoPrice or ErrCurrencyMismatch as it stands: a feed of records
// without a price must not cost more than one with.
func (b *Book) Find(q Query) (*Price, error) {
	if p := b.inForce(q, q.Currency); p != nil {
		return p, nil
	}
	for _, c := range b.currencies[q.Service] {
		if b.inForce(q, c) != nil {
			return nil, ErrCurrencyMismatch
		}
	}
	return nil, ErrNoPrice
}

// Price is the price with this id, or nil.
func (b *Book) Price(id string) *Price { return b.byID[id] }

func (b *Book) inForce(q Query, currency string) *Price {
	s := b.shelves[shelfKey{q.Service, currency}]
	if s == nil {
		return nil
	}
	if p := s.ofAccount[q.Account].at(q.At); p != nil {
		return p
	}
	if p := s.ofClass[q.Class].at(q.At); p != nil {
		return p
	}
	return s.general.at(q.At)
}

// at is the price in force at t: the last that began, if it has not ended.
func (l timeline) at(t time.Time) *Price {
	begun, later := 0, len(l)
	for begun < later {
		mid := int(uint(begun+later) >> 1)
		if l[mid].ValidFrom.After(t) {
			later = mid
		} else {
			begun = mid + 1
		}
	}
	if begun == 0 || !l[begun-1].Covers(t) {
		return nil
	}
	return l[begun-1]
}

// Covers tells whether p is in force at t (SPEC R3.1: half-open).
func (p *Price) Covers(t time.Time) bool {
	return !t.Before(p.ValidFrom) && (p.ValidTo == nil || t.Before(*p.ValidTo))
}

// Void tells whether p never applied: it ends where it begins (SPEC R3.7).
func (p *Price) Void() bool { return p.ValidTo != nil && p.ValidTo.Equal(p.ValidFrom) }
