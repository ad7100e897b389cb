package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
)

const (
	// demoSpan is the time that the generated feed is spread over, up to now.
	demoSpan = 14 * 24 * time.Hour
	// demoLateness is rating.lateness for it: some of its records are older.
	demoLateness = 45 * 24 * time.Hour
)

// generated rates the generated feed and shows what came out.
func (d *demo) generated(ctx context.Context) error {
	book, accounts, err := demoSetup(d.Accounts, d.now())
	if err != nil {
		return err
	}
	d.page.line("")
	d.page.line("2. A generated feed: telecom, fuel, cloud and parking, %s of %s", count(d.Records, "line"), count(len(accounts), "account"))
	d.page.line("")
	begun := d.now()
	if err := d.apply(ctx, book); err != nil {
		return err
	}
	if err := d.holdSome(ctx, accounts); err != nil {
		return err
	}
	d.page.line("   %s, %s in every model, and allowance limits set up in %s.", count(len(book.Services), "service"),
		count(len(book.Prices), "price"), brief(d.now().Sub(begun)))
	o, in, took, err := d.rateGenerated(ctx, accounts)
	if err != nil {
		return err
	}
	d.tellGenerated(o, in, took)
	if err := d.tellBalances(ctx, book); err != nil {
		return err
	}
	if err := d.tellRejected(ctx); err != nil {
		return err
	}
	if err := d.byTheClock(ctx); err != nil {
		return err
	}
	return d.tellHeld(ctx)
}

// holdSome puts a few accounts on hold and deletes some, a week ago.
func (d *demo) holdSome(ctx context.Context, accounts []demoAccount) error {
	for i, a := range accounts {
		r := postgres.StatusRequest{Account: a.number, Note: "demo", Actor: d.actor(), At: d.now().Add(-demoSpan / 2)}
		switch i % 400 {
		case 150:
			r.Action = postgres.HoldAccount
		case 300:
			r.Action = postgres.DeleteAccount
		default:
			continue
		}
		if _, err := d.store.SetStatus(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func (d *demo) rateGenerated(ctx context.Context, accounts []demoAccount) (postgres.Outcomes, *intake, time.Duration, error) {
	d.config.Rating.Lateness = demoLateness
	d.config.Credit.HoldOnDebit = true
	now := d.now()
	lines, w := io.Pipe()
	generated := make(chan struct{})
	go func() {
		defer close(generated)
		w.CloseWithError(newDemoFeed(accounts, now.Add(-demoSpan), now).write(w, d.Records))
	}()
	o, in, took, err := d.rate(ctx, "rating the generated feed", d.Records, lines)
	_ = lines.Close() // ends the generator where rate broke off
	<-generated
	return o, in, took, err
}

func (d *demo) tellGenerated(o postgres.Outcomes, in *intake, took time.Duration) {
	g := &d.answer.Generated
	g.Outcomes, g.Lines, g.Accounts, g.Seconds = o, d.Records, d.Accounts, took.Seconds()
	g.RecordsPerSec = float64(o.Accepted) / took.Seconds()
	d.page.line("   Read, batched, queued, rated and committed in %s: %s records a second.", brief(took), grouped(int64(g.RecordsPerSec)))
	d.page.line("")
	below := d.page.indented("   ")
	tellOutcomes(below, o, 0)
	if len(in.shown) > 0 {
		below.line("")
		below.line("Unreadable lines are kept with their faults, for instance:")
		for _, l := range in.shown {
			below.line("  line %s: %v", grouped(int64(l.Number)), l.Fault)
		}
	}
}

// moneys are sums by currency.
type moneys map[string]billing.Money

// demoBalances is what the accounts of a set-up have and have spent.
type demoBalances struct {
	accounts               map[string]int
	opening, balance, debt moneys
	most                   []*postgres.AccountView // who spent most, of each currency
	spent                  func(*postgres.AccountView) billing.Money
}

// charged is the sum of all that the accounts of a set-up were charged.
func (d *demo) charged(ctx context.Context, f *setup.File) (total billing.Money, err error) {
	b, err := d.balances(ctx, f)
	if err != nil {
		return 0, err
	}
	for currency, opening := range b.opening {
		total += opening - b.balance[currency] + b.debt[currency]
	}
	return total, nil
}

func (d *demo) balances(ctx context.Context, f *setup.File) (*demoBalances, error) {
	openings := map[string]billing.Money{}
	for _, c := range f.Customers {
		for _, a := range c.Accounts {
			openings[a.Number] = 0
			if a.OpeningBalance != nil {
				openings[a.Number] = *a.OpeningBalance
			}
		}
	}
	b := &demoBalances{accounts: map[string]int{}, opening: moneys{}, balance: moneys{}, debt: moneys{}}
	b.spent = func(v *postgres.AccountView) billing.Money { return openings[v.Number] - v.Balance + v.CurrentDebt }
	most := map[string]*postgres.AccountView{}
	err := d.store.Accounts(ctx, postgres.AccountFilter{}, d.now(), func(v *postgres.AccountView) error {
		opening, ours := openings[v.Number]
		if !ours {
			return nil
		}
		b.accounts[v.Currency]++
		b.opening[v.Currency] += opening
		b.balance[v.Currency] += v.Balance
		b.debt[v.Currency] += v.CurrentDebt
		if m := most[v.Currency]; m == nil || b.spent(v) > b.spent(m) {
			most[v.Currency] = v
		}
		return nil
	})
	b.most = slices.SortedFunc(maps.Values(most), func(x, y *postgres.AccountView) int { return cmp.Compare(x.Currency, y.Currency) })
	return b, err
}

func (d *demo) tellBalances(ctx context.Context, f *setup.File) error {
	b, err := d.balances(ctx, f)
	if err != nil {
		return err
	}
	d.page.line("")
	t := d.page.indented("   ").table("currency", ">accounts", ">opening", ">charged", ">balance", ">debt", "who spent most")
	for _, v := range b.most {
		c := v.Currency
		t.row(c, grouped(int64(b.accounts[c])), amount(b.opening[c], c), amount(b.opening[c]-b.balance[c]+b.debt[c], c), amount(b.balance[c], c),
			amount(b.debt[c], c), fmt.Sprintf("%s, %s", v.Number, amount(b.spent(v), c)))
	}
	t.end()
	return nil
}

// tellRejected explains one record that a limit kept out.
func (d *demo) tellRejected(ctx context.Context) error {
	for r, err := range d.store.Records(ctx, postgres.RecordFilter{Reason: billing.LimitDayAmount, Limit: 1}) {
		if err != nil {
			return err
		}
		d.page.line("")
		in := d.page.indented("   ")
		in.line("Every record keeps why. One that a limit stopped (chargehand record show %s %s):", r.Source, r.ID)
		in.line("")
		tellRecord(in.indented("  "), r)
	}
	return nil
}

// demoHeldShown is how many accounts on hold the demo shows.
const demoHeldShown = 3

// tellHeld shows accounts that their debt put on hold, and pays one of them out.
func (d *demo) tellHeld(ctx context.Context) error {
	var held []*postgres.AccountView
	status := billing.CreditHold
	err := d.store.Accounts(ctx, postgres.AccountFilter{Status: &status}, d.now(), func(v *postgres.AccountView) error {
		held = append(held, v)
		return nil
	})
	if d.answer.Generated.OnHold = len(held); err != nil || len(held) == 0 {
		return err
	}
	slices.SortStableFunc(held, func(x, y *postgres.AccountView) int {
		return cmp.Or(cmp.Compare(x.Currency, y.Currency), cmp.Compare(y.ExitPayment, x.ExitPayment))
	})
	in := d.page.indented("   ")
	in.line("")
	in.line("%s past the debt that is tolerated, and on credit hold. Those who owe most:", plural(len(held), "account is", "accounts are"))
	in.line("")
	t := in.table("account", "class", ">balance", ">tolerated", ">to be released, pay", "")
	for _, v := range held[:min(len(held), demoHeldShown)] {
		t.row(v.Number, v.Class, amount(v.Balance, v.Currency), amount(v.Threshold, v.Currency), amount(v.ExitPayment, v.Currency), v.Currency)
	}
	t.end()
	return d.payOut(ctx, in, held[0])
}

// payOut pays what an account on hold needs to be released.
func (d *demo) payOut(ctx context.Context, p *page, v *postgres.AccountView) error {
	now := d.now()
	if _, err := d.store.Post(ctx, postgres.Posting{Account: v.Number, Kind: billing.PaymentPosting, Amount: v.ExitPayment,
		Key: "demo", Note: "demo", At: now, Actor: d.actor()}); err != nil {
		return err
	}
	after, err := d.store.Account(ctx, v.Number, now)
	if err != nil {
		return err
	}
	p.line("")
	p.line("%s pays %s, and is %s again in the same moment.", v.Number, money(v.ExitPayment, v.Currency), statusText(after))
	return nil
}
