package limits

import (
	"errors"
	"slices"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// Apply is s after a patch, or the *Fault for which the whole patch is refused
// (CONTRACT §2): what is absent stays, what is null is cleared; add of an entry
// that exists, update or remove of one that does not, two changes of one target,
// a removal that sets a ceiling and whatever Validate refuses of the result. s
// itself is not touched.
func (s Settings) Apply(p Patch) (Settings, error) {
	if p.BlockNotIncluded != nil {
		s.BlockNotIncluded = *p.BlockNotIncluded
	}
	if p.Percentage != nil {
		s.Percentage = *p.Percentage
	}
	s.Account = s.Account.merge(p.Account)
	s.Entries = slices.Clone(s.Entries)
	seen := make(map[billing.Scope]bool, len(p.Entries))
	for _, e := range p.Entries {
		if seen[e.Target] {
			return Settings{}, &Fault{e.Target, "", ErrTwoEntries}
		}
		seen[e.Target] = true
		if err := s.change(e); err != nil {
			return Settings{}, &Fault{e.Target, "", err}
		}
	}
	if err := s.Validate(); err != nil {
		return Settings{}, err
	}
	return s, nil
}

// change does what one entry of a patch asks for to s.Entries, which Apply has
// made its own.
func (s *Settings) change(e EntryPatch) error {
	i := slices.IndexFunc(s.Entries, func(have Entry) bool { return have.Target == e.Target })
	switch {
	case e.Action == Add && i >= 0:
		return ErrEntryExists
	case e.Action == Add:
		s.Entries = append(s.Entries, Entry{e.Target, Ceilings{}.merge(e.Ceilings)})
	case e.Action != Update && e.Action != Remove:
		return errors.New("an entry of a change needs an action: add, update or remove")
	case i < 0:
		return ErrNoEntry
	case e.Action == Update:
		s.Entries[i].Ceilings = s.Entries[i].Ceilings.merge(e.Ceilings)
	case Ceilings{}.merge(e.Ceilings) != Ceilings{}:
		// It may have been meant to remove that one ceiling, which null does.
		return errors.New("remove takes no ceiling")
	default:
		s.Entries = slices.Delete(s.Entries, i, i+1)
	}
	return nil
}

// merge is c with what p names.
func (c Ceilings) merge(p CeilingPatch) Ceilings {
	for _, s := range slots {
		if named := p[s.window][s.metric]; named != nil {
			c[s.window][s.metric] = *named
		}
	}
	return c
}

// Equal tells whether s and o limit the same alike; the order of entries and the
// way in which a number is written do not matter.
func (s Settings) Equal(o Settings) bool {
	if s.BlockNotIncluded != o.BlockNotIncluded || !s.Percentage.Equal(o.Percentage) ||
		!s.Account.equal(o.Account) || len(s.Entries) != len(o.Entries) {
		return false
	}
	theirs := make(map[billing.Scope]Ceilings, len(o.Entries))
	for _, e := range o.Entries {
		theirs[e.Target] = e.Ceilings
	}
	for _, e := range s.Entries {
		if c, ok := theirs[e.Target]; !ok || !c.equal(e.Ceilings) {
			return false
		}
	}
	return true
}

func (c Ceilings) equal(o Ceilings) bool {
	for _, s := range slots {
		if !equalCeiling(c[s.window][s.metric], o[s.window][s.metric]) {
			return false
		}
	}
	return true
}

func equalCeiling(a, b *decimal.Decimal) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}
