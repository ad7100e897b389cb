package e2e_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// shape is the keys of a JSON object as CONTRACT §3 lists them. A key that begins
// with ? may be absent; * lets others be there, which a later version may add.
type shape map[string]shape

// keys is a shape whose values are not looked into.
func keys(names ...string) shape {
	s := shape{}
	for _, name := range names {
		s[name] = nil
	}
	return s
}

// with adds keys to those of s.
func (s shape) with(more shape) shape {
	all := maps.Clone(s)
	maps.Copy(all, more)
	return all
}

var (
	remainingRow = keys("scope", "target", "window", "metric", "ceiling", "effective", "used", "remaining")
	outcomeKeys  = keys("accepted", "rated", "rejected", "duplicate", "conflict", "unreadable", "cancelled", "reasons")
	ceilingKeys  = keys("maximum_rated_amount_per_transaction", "maximum_rated_amount_per_day", "maximum_rated_amount_per_month",
		"maximum_usage_per_transaction", "maximum_usage_per_day", "maximum_usage_per_month")
	queueKeys = keys("queue", "pending", "active", "scheduled", "retry", "archived", "processed_today", "failed_today", "latency_seconds")
)

// shapes are what --json prints, by the words of the contract.
var shapes = map[string]shape{
	"record": keys("source", "id", "account", "service", "quantity", "occurred_at", "directive", "outcome", "reason", "charge",
		"currency", "rated_at").with(shape{"explanation": keys("exact", "charge", "original", "balance_before", "balance_after").with(shape{
		"price":       keys("id", "band"),
		"lines":       keys("quantity", "unit_price", "amount"),
		"accumulated": keys("before", "price_before", "price_after"),
		"ceilings":    keys("scope", "target", "window", "metric", "ceiling", "effective", "used", "requested", "breached"),
	})}),
	"account": keys("id", "number", "customer", "class", "payment_model", "currency", "time_zone", "cycle_day", "status", "status_reason",
		"balance", "current_debt", "usable_balance", "exit_payment", "negative_since", "hold_at", "financial_blocking_threshold",
		"financial_blocking_threshold_use_system", "subscription_credit_limit", "subscription_credit_limit_use_system", "services",
		"applications", "periodic_services", "created_at", "updated_at"),
	"statement":   keys("at", "kind", "amount", "balance_after", "description", "?record", "?periodic", "?key"),
	"history":     keys("at", "from", "to", "status_reason", "note", "balance", "threshold", "actor"),
	"dead-letter": keys("id", "kind", "at", "source", "file", "line", "fault", "payload"),
	"limits": keys("block_services_not_included_in_usage_allowance_limits_settings", "percentage_of_allowed_exceeded_usage_limit",
		"accumulated_maximum_rated_amount_per_transaction", "accumulated_maximum_rated_amount_per_day",
		"accumulated_maximum_rated_amount_per_month", "accumulated_maximum_usage_per_transaction",
		"accumulated_maximum_usage_per_day", "accumulated_maximum_usage_per_month").with(shape{
		"usage_services_allowance": ceilingKeys.with(keys("?service", "?service_type", "?service_family")),
	}),
	"remaining":         {"ceilings": remainingRow},
	"remaining-service": {"ceilings": remainingRow, "next_transaction": keys("usage", "amount")},
	"outcomes":          outcomeKeys,
	"correction":        outcomeKeys.with(keys("widened", "*")),
	"stats": {"queues": queueKeys, "batches": keys("accepted", "done", "waiting"), "outcomes": outcomeKeys,
		"sweeps": keys("*"), "charges": keys("*"), "*": nil},
	"sweep":  keys("judged", "held", "released"),
	"charge": keys("charged", "skipped", "left"),
	"verify": {"checked": keys("*"), "broken": keys("rule", "account", "what", "expected", "found")},
}

// faults names the keys that are missing or too many in a value; null is of any
// shape, and a list is of the shape of its items.
func (s shape) faults(path string, value any) (wrong []string) {
	switch value := value.(type) {
	case []any:
		for i, item := range value {
			wrong = append(wrong, s.faults(fmt.Sprintf("%s[%d]", path, i), item)...)
		}
		return wrong
	case nil:
		return nil
	case map[string]any:
		return s.objectFaults(path, value)
	}
	return []string{fmt.Sprintf("%s: got %s, want an object", path, shown(value))}
}

func (s shape) objectFaults(path string, object map[string]any) (wrong []string) {
	_, open := s["*"]
	for _, key := range slices.Sorted(maps.Keys(object)) {
		inner, known := s[key]
		if _, optional := s["?"+key]; !known && !optional && !open {
			wrong = append(wrong, fmt.Sprintf("%s.%s: is printed, and not in the contract", path, key))
		}
		if inner != nil {
			wrong = append(wrong, inner.faults(path+"."+key, object[key])...)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s)) {
		if _, there := object[key]; !there && key != "*" && !strings.HasPrefix(key, "?") {
			wrong = append(wrong, fmt.Sprintf("%s.%s: is in the contract, and not printed", path, key))
		}
	}
	return wrong
}
