package main

import (
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/rating"
)

// choiceText is why a price was chosen before others (SPEC R3.1).
func choiceText(p *rating.Price) string {
	switch {
	case p == nil:
		return ""
	case p.Account != "":
		return ": the account's own"
	case p.Class != "":
		return ": that of class " + p.Class + ", as the account has none of its own"
	}
	return ": the default, as neither the account nor its class has one"
}

// mending is what would let a record pass that was rejected for a reason.
func mending(r billing.Reason) string {
	const again = "; then chargehand rerate --reason "
	if how := mendings[r]; how != "" {
		return "To mend it: " + how + again + r.String() + "."
	}
	return "Nothing mends it: a deleted account takes no more."
}

var mendings = map[billing.Reason]string{
	billing.AccountNotFound:           "add the account (account create, or apply)",
	billing.AccountAdministrativeHold: "if it is to be charged all the same, nothing: a re-rate does not ask for the status",
	billing.AccountCreditHold:         "if it is to be charged all the same, nothing: a re-rate does not ask for the status",
	billing.ServiceNotFound:           "add the service with its price (apply)",
	billing.ServiceNotLinked:          "link the service to the account (account link)",
	billing.TooLate:                   "if it is to be charged all the same, nothing: a re-rate does not ask for the time",
	billing.InFuture:                  "if it is to be charged all the same, nothing: a re-rate does not ask for the time",
	billing.NoPrice:                   "add a price that is in force when it was used (apply)",
	billing.CurrencyMismatch:          "add a price in the account's currency (apply)",
	billing.OutOfRange:                "correct the price, or the balance that the charge would take out of range",
	billing.ServiceNotIncluded:        "give the service, its type or its family an entry in the limits (limits set)",
	billing.LimitTransactionUsage:     "raise the ceiling that is breached (limits set)",
	billing.LimitTransactionAmount:    "raise the ceiling that is breached (limits set)",
	billing.LimitDayUsage:             "raise the ceiling that is breached (limits set)",
	billing.LimitDayAmount:            "raise the ceiling that is breached (limits set)",
	billing.LimitMonthUsage:           "raise the ceiling that is breached (limits set)",
	billing.LimitMonthAmount:          "raise the ceiling that is breached (limits set)",
	billing.InsufficientFunds:         "a payment, or a higher threshold (account pay, account set)",
	billing.SubscriptionCreditLimit:   "a payment, or a higher credit limit (account pay, account set)",
	billing.OriginalNotFound:          "send the record that it is a credit of, or have that rated",
	billing.CreditExceedsOriginal:     "cancel another credit of the same record",
}
