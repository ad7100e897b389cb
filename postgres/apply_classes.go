package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
	"github.com/jackc/pgx/v5"
)

const saveClass = `
	insert into classes (key, name, payment_model, threshold, subzero_days, credit_limit, buy_with_negative_balance,
	                     is_default, id, reseller, color, due_order_days, due_payment_days, guaranteed_limit,
	                     guaranteed_days, stop_subscriptions, delete_subscriptions, denominated, receipt_day, created_at,
	                     updated_at)
	values (@key, @name, @model, @threshold::bigint * 0.000001, @subzero_days, @credit_limit::bigint * 0.000001, @buy,
	        @default, @id, @reseller, @color, @due_order, @due_payment, @guaranteed::bigint * 0.000001, @guaranteed_days,
	        @stop, @delete, @denominated, @receipt_day, @now, @now)
	on conflict on constraint a_class_has_one_key
	do update set name                      = excluded.name,
	              payment_model             = excluded.payment_model,
	              threshold                 = excluded.threshold,
	              subzero_days              = excluded.subzero_days,
	              credit_limit              = excluded.credit_limit,
	              buy_with_negative_balance = excluded.buy_with_negative_balance,
	              is_default                = excluded.is_default,
	              id                        = excluded.id,
	              reseller                  = excluded.reseller,
	              color                     = excluded.color,
	              due_order_days            = excluded.due_order_days,
	              due_payment_days          = excluded.due_payment_days,
	              guaranteed_limit          = excluded.guaranteed_limit,
	              guaranteed_days           = excluded.guaranteed_days,
	              stop_subscriptions        = excluded.stop_subscriptions,
	              delete_subscriptions      = excluded.delete_subscriptions,
	              denominated               = excluded.denominated,
	              receipt_day               = excluded.receipt_day,
	              updated_at                = excluded.updated_at`

func classArgs(c *billing.Class, t *Tx) pgx.NamedArgs {
	p := &c.Profile
	return pgx.NamedArgs{"key": c.Key, "name": c.Name, "model": int16(c.PaymentModel), "threshold": int64(c.Threshold),
		"subzero_days": c.SubzeroDays, "credit_limit": int64(c.CreditLimit), "buy": c.BuyWithNegativeBalance,
		"default": c.Default, "id": c.ID, "reseller": nullID(p.Reseller), "color": p.Color, "due_order": p.DueOrderDays,
		"due_payment": p.DuePaymentDays, "guaranteed": int64(p.GuaranteedLimit), "guaranteed_days": p.GuaranteedDays,
		"stop": int16(p.StopSubscriptions), "delete": int16(p.DeleteSubscriptions), "denominated": p.Denominated,
		"receipt_day": p.ReceiptDay, "now": t.Now}
}

// A class whose accounts have postings keeps its payment model (SPEC R5.8).
const classHasPostings = `
	select exists (
	       select
	       from   accounts a
	       where  a.class = @class
	       and    (exists (select from records r where r.account = a.number and r.outcome = 1)
	            or exists (select from judgements j where j.account = a.number and j.outcome = 1)
	            or exists (select from entries e where e.account = a.number)))`

// classes writes the file's account classes. A new default takes the place of
// the old one.
func (a *applier) classes(ctx context.Context) error {
	if err := a.classIDs(); err != nil {
		return err
	}
	var b pgx.Batch
	for _, c := range a.file.Classes {
		old, exists := a.old.Classes[c.Key]
		if exists && old == c {
			continue
		}
		if exists && old.PaymentModel != c.PaymentModel {
			var has bool
			if err := a.tx.QueryRow(ctx, classHasPostings, pgx.NamedArgs{"class": c.Key}).Scan(&has); err != nil {
				return fmt.Errorf("look for postings of class %s: %w", c.Key, err)
			}
			if has {
				return a.refuse(setup.KindClass, c.Key, "class %s has accounts with postings: its payment model stays %s",
					c.Key, old.PaymentModel)
			}
		}
		if c.Default {
			b.Queue(`update classes set is_default = false, updated_at = @now where is_default and key <> @key`,
				pgx.NamedArgs{"key": c.Key, "now": a.Now})
		}
		b.Queue(saveClass, classArgs(&c, a.Tx))
		a.did("account class", c.Key, map[bool]string{true: "changed", false: "added"}[exists], classDetail(old, c, exists))
	}
	return wrap(a.send(ctx, &b), "write account classes")
}

func classDetail(old, now billing.Class, exists bool) string {
	if !exists {
		return ""
	}
	if old.Threshold != now.Threshold {
		return fmt.Sprintf("threshold %s → %s", old.Threshold, now.Threshold)
	}
	if old.SubzeroDays != now.SubzeroDays {
		return fmt.Sprintf("subzero period %d → %d", old.SubzeroDays, now.SubzeroDays)
	}
	return ""
}

// classPage is how many accounts of a changed class are read and written at once.
const classPage = 1000

const accountsOfClass = `
	select   number
	from     accounts
	where    class = @class
	and      number > @after
	order by number
	limit    @most`

// testClasses follows changed terms with the credit test, in every account of a
// changed class that the file has not tested by itself (SPEC R6.4).
func (a *applier) testClasses(ctx context.Context) error {
	for key, old := range a.old.Classes {
		now := a.now.Classes[key]
		if old.Threshold == now.Threshold && old.SubzeroDays == now.SubzeroDays && old.PaymentModel == now.PaymentModel &&
			old.CreditLimit == now.CreditLimit {
			continue
		}
		for after := ""; ; {
			numbers, err := collect(ctx, a.tx, accountsOfClass, pgx.RowTo[string],
				pgx.NamedArgs{"class": key, "after": after, "most": classPage})
			if err != nil {
				return fmt.Errorf("list accounts of class %s: %w", key, err)
			}
			if len(numbers) == 0 {
				break
			}
			after = numbers[len(numbers)-1]
			numbers = slices.DeleteFunc(numbers, func(n string) bool { return a.moved[n] })
			if err := a.test(ctx, numbers); err != nil {
				return err
			}
		}
	}
	return nil
}

// test reads accounts, runs the credit test and writes them back.
func (a *applier) test(ctx context.Context, numbers []string) error {
	if err := a.lock(ctx, numbers...); err != nil {
		return err
	}
	accounts, err := a.accounts(ctx, numbers)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		a.creditTest(account, a.now)
	}
	return a.save(ctx, a.now, accounts...)
}
