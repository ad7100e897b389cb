package limits

import "github.com/chargehand/chargehand/billing"

// The keys of a limits object beside those of its ceilings (CONTRACT §2).
const (
	blockName      = "block_services_not_included_in_usage_allowance_limits_settings"
	percentageName = "percentage_of_allowed_exceeded_usage_limit"
	entriesName    = "usage_services_allowance"
	codeName       = "code"
)

// targetNames are the keys that name the target of an entry, by scope.
var targetNames = [...]string{
	billing.OfService: "service",
	billing.OfType:    "service_type",
	billing.OfFamily:  "service_family",
}

// slot is the place of one ceiling among the six of a target.
type slot struct {
	window billing.WindowKind
	metric billing.Metric
}

// slots lists the six in the order in which they are printed, which is that of
// SPEC R4.1. They are judged in another one, that of SPEC R4.5.
var slots = [...]slot{
	{billing.Transaction, billing.Amount}, {billing.Day, billing.Amount}, {billing.Month, billing.Amount},
	{billing.Transaction, billing.Usage}, {billing.Day, billing.Usage}, {billing.Month, billing.Usage},
}

// CeilingName is what CONTRACT §2 calls a ceiling: that of an account
// ("accumulated_maximum_usage_per_day") or of an entry
// ("maximum_rated_amount_per_month").
func CeilingName(account bool, w billing.WindowKind, m billing.Metric) string {
	name := "maximum_usage_per_"
	if m == billing.Amount {
		name = "maximum_rated_amount_per_"
	}
	if account {
		name = "accumulated_" + name
	}
	return name + w.String()
}

// CeilingNames lists the six names of the ceilings of an account or of an entry,
// in the order in which they are printed.
func CeilingNames(account bool) []string {
	names := make([]string, 0, len(slots))
	for _, s := range slots {
		names = append(names, CeilingName(account, s.window, s.metric))
	}
	return names
}

// CeilingOf is the window and metric of a ceiling's name, and whether it is one.
func CeilingOf(account bool, name string) (w billing.WindowKind, m billing.Metric, ok bool) {
	for _, s := range slots {
		if CeilingName(account, s.window, s.metric) == name {
			return s.window, s.metric, true
		}
	}
	return 0, 0, false
}
