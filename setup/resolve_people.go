package setup

import (
	"fmt"

	"github.com/chargehand/chargehand/billing"
)

// resellersDeepMax is how many resellers may be above one another. Real trees
// have three or four; whoever asks for what is downstream walks all of it.
const resellersDeepMax = 16

// resellerTree refuses resellers that are downstream of themselves, and chains
// that are too long.
func (f *File) resellerTree(all []billing.Reseller, faults *faultList) {
	parent := make(map[int64]int64, len(all))
	for _, r := range all {
		parent[r.ID] = r.Parent
	}
	var deep []Fault
	circles := false
	for _, r := range all {
		above, chain := r.Parent, 1
		for ; above != 0 && above != r.ID && chain <= resellersDeepMax; chain++ {
			above = parent[above]
		}
		key := idText(r.ID)
		switch _, own := f.read.places[thing{KindReseller, key}]; {
		case above == 0:
		case above == r.ID && own:
			circles = true
			faults.add(f.Fault(KindReseller, key,
				fmt.Sprintf("reseller %d is downstream of itself: give one of those above it another parent, or none", r.ID)))
		case above != r.ID:
			deep = append(deep, f.Fault(KindReseller, key,
				fmt.Sprintf("reseller %d has more than %d above it: give it a parent that is nearer to the top", r.ID, resellersDeepMax)))
		}
	}
	if !circles { // or what is below a circle would be told of as well
		for _, fault := range deep {
			faults.add(fault)
		}
	}
}

// typeKeys refuses keys that two account types bear.
func (f *File) typeKeys(all []billing.AccountType, faults *faultList) {
	first := make(map[string]int64, len(all))
	for _, t := range all { // the file's come last
		if other, taken := first[t.Key]; taken {
			faults.add(f.Fault(KindAccountType, idText(t.ID),
				fmt.Sprintf("account type %d has the key %q, which account type %d bears too: give it another", t.ID, clip(t.Key), other)))
		}
		first[t.Key] = t.ID
	}
}

// customAttributes refuses values that the accounts' types do not have.
func (f *File) customAttributes(all []billing.AccountType, faults *faultList) {
	types := make(map[int64]*billing.AccountType, len(all))
	for i := range all {
		types[all[i].ID] = &all[i]
	}
	for i := range f.Customers {
		for j := range f.Customers[i].Accounts {
			a := &f.Customers[i].Accounts[j]
			if a.Profile == nil || len(a.Profile.CustomAttributes) == 0 {
				continue
			}
			t := types[a.Profile.AccountType]
			switch {
			case a.Profile.AccountType == 0:
				faults.add(f.Fault(KindAccount, a.Number, "custom attributes without an account type: give the account one that has them"))
			case t != nil: // that it exists is for references to tell
				t.Check(a.Profile.CustomAttributes, func(key string, err error) {
					faults.add(f.Fault(kindValue, a.Number+"\x00"+key, err.Error()))
				})
			}
		}
	}
}
