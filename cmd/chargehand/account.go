package main

import (
	"strings"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// accountCommand is what can be done with a personal account; each is a file.
type accountCommand struct {
	Create    accountCreateCommand    `cmd:"" help:"Add an account to a customer."`
	List      accountListCommand      `cmd:"" help:"List accounts."`
	Show      accountShowCommand      `cmd:"" help:"Show an account: balance, status, terms, what is linked."`
	Statement accountStatementCommand `cmd:"" help:"List the postings that made an account's balance."`
	History   accountHistoryCommand   `cmd:"" help:"List the changes of an account's status."`
	Pay       accountPayCommand       `cmd:"" help:"Take a payment."`
	Adjust    accountAdjustCommand    `cmd:"" help:"Adjust a balance, up or down."`
	Hold      accountHoldCommand      `cmd:"" help:"Set the administrative hold."`
	Release   accountReleaseCommand   `cmd:"" help:"Lift the administrative hold."`
	Delete    accountDeleteCommand    `cmd:"" help:"Delete an account: it stays readable, and nothing leads back."`
	Set       accountSetCommand       `cmd:"" help:"Change an account's terms."`
	Link      accountLinkCommand      `cmd:"" help:"Link a service, an application or a periodic service."`
	Unlink    accountUnlinkCommand    `cmd:"" help:"Take a service, an application or a periodic service off."`
}

// tellAccount prints an account for people.
func tellAccount(p *page, v *postgres.AccountView) {
	t := p.table()
	t.row("account", v.Number)
	t.row("customer", v.Customer)
	t.row("status", statusText(v))
	if v.PaymentModel == billing.Postpay {
		t.row("current debt", money(v.CurrentDebt, v.Currency))
		t.row("credit limit", creditLimitText(v))
	}
	if v.PaymentModel == billing.Prepay || v.Balance != 0 {
		t.row("balance", balanceText(v))
	}
	if v.PaymentModel == billing.Prepay {
		t.row("threshold", money(v.Threshold, v.Currency)+" of debt is tolerated"+ownText(v.ThresholdUseSystem))
	}
	if v.ExitPayment > 0 {
		t.row("to be released", "pay "+money(v.ExitPayment, v.Currency)+" or more")
	}
	if v.HoldAt != nil {
		t.row("hold at", moment(*v.HoldAt)+" unless paid before")
	}
	t.row("class", v.Class+" ("+v.PaymentModel.String()+")")
	t.row("time zone", v.TimeZone)
	t.row("month", monthText(v.CycleDay))
	t.row("services", listText(v.Services))
	t.row("applications", listText(v.Applications))
	for i := range v.PeriodicServices {
		title := ""
		if i == 0 {
			title = "periodic services"
		}
		t.row(title, periodicText(v, i))
	}
	t.row("created", moment(v.CreatedAt))
	t.row("updated", moment(v.UpdatedAt))
	t.end()
}

func statusText(v *postgres.AccountView) string {
	text := strings.ReplaceAll(v.Status.String(), "_", " ")
	if v.StatusReason != nil {
		text += " (" + v.StatusReason.String() + ")"
	}
	return text
}

func balanceText(v *postgres.AccountView) string {
	text := money(v.Balance, v.Currency)
	if v.NegativeSince != nil {
		text += ", below zero since " + moment(*v.NegativeSince)
	}
	return text
}

func creditLimitText(v *postgres.AccountView) string {
	text := "none"
	if v.CreditLimit > 0 {
		text = money(v.CreditLimit, v.Currency)
	}
	return text + ownText(v.CreditLimitUseSystem)
}

func ownText(useSystem bool) string {
	if useSystem {
		return ""
	}
	return " (its own)"
}

func monthText(cycleDay int) string {
	if cycleDay == 1 {
		return "begins on the 1st"
	}
	return "begins on day " + grouped(int64(cycleDay))
}

func listText(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

func periodicText(v *postgres.AccountView, i int) string {
	p := v.PeriodicServices[i]
	every := p.Period.String()
	if p.Every > 1 {
		every += ", every " + grouped(int64(p.Every))
	}
	text := p.Name + ": " + money(p.Price, v.Currency) + " " + every + " from " + p.StartsOn.String()
	if p.EndsOn != nil {
		text += " until " + p.EndsOn.String()
	}
	return text
}

// figure is what the postings of an account move, with its currency.
func figure(v *postgres.AccountView) string {
	if v.PaymentModel == billing.Postpay {
		return "current debt " + money(v.CurrentDebt, v.Currency)
	}
	return "balance " + money(v.Balance, v.Currency)
}
