package setup_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/limits"
	"github.com/chargehand/chargehand/rating"
	"github.com/chargehand/chargehand/setup"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// TestExportReadsBack: whatever a file says, it says the same after it was
// written and read, as YAML and as JSON. Texts are of any characters.
func TestExportReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { survives(t, anyFile(t)) })
}

// FuzzParse: no text makes Parse panic, and what it takes survives an export.
func FuzzParse(f *testing.F) {
	for _, data := range setups(f) {
		f.Add(data)
	}
	f.Add(read(f, "testdata/contract.yaml"))
	f.Add(read(f, "testdata/contract.export.yaml"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := setup.Parse("fuzz", data)
		if err != nil {
			_ = err.Error()
			return
		}
		if resolved, err := file.Resolve(setup.Catalogue{}); err == nil {
			survives(t, resolved)
		}
	})
}

// draw is what anyFile draws from; n tells the things of one kind apart.
type draw struct {
	*rapid.T
	n int
}

func anyFile(t *rapid.T) *setup.File {
	d := &draw{T: t}
	f := &setup.File{
		Families: many(d, func() billing.Family { return billing.Family{Code: d.name(), Name: d.optional(d.name)} }),
	}
	f.Types = many(d, func() billing.ServiceType {
		v := billing.ServiceType{Code: d.name(), Name: d.optional(d.name)}
		if len(f.Families) > 0 {
			v.Family = d.optional(func() string { return f.Families[0].Code })
		}
		if d.yes() {
			v.Unit = billing.Unit{Code: d.name(), Name: d.optional(d.name)}
		}
		return v
	})
	if len(f.Types) > 0 {
		f.Services = many(d, func() billing.Service {
			return billing.Service{Code: d.name(), AlternativeCode: d.optional(d.name), Description: d.optional(d.name), Type: f.Types[0].Code}
		})
	}
	d.people(f)
	f.Classes = many(d, d.class)
	if len(f.Services) > 0 {
		f.Prices = many(d, func() rating.Price { return d.price(f.Services[0].Code) })
	}
	f.Customers = many(d, func() setup.Customer {
		c := setup.Customer{Ref: d.name(), Name: d.optional(d.name)}
		if len(f.Classes) > 0 {
			c.Accounts = many(d, func() setup.Account { return d.account(f) })
		}
		return c
	})
	f.Limits = d.limits(f)
	return f
}

func many[T any](d *draw, one func() T) (all []T) {
	for range rapid.IntRange(0, 2).Draw(d.T, "length") {
		all = append(all, one())
	}
	return all
}

// some is many whose empty list may be there or not.
func some[T any](d *draw, one func() T) []T {
	if all := many(d, one); all != nil || d.yes() {
		return all
	}
	return []T{}
}

func (d *draw) yes() bool { return rapid.Bool().Draw(d.T, "yes") }

// name is a text of any characters that no other has.
func (d *draw) name() string {
	d.n++
	text := rapid.StringN(0, 40, 200).Filter(func(s string) bool { return len(s) < 200 }).Draw(d.T, "text")
	odd := rapid.SampledFrom([]string{"", "null", "1e3", "2026-01-01", "yes", " ", "#", "- ", "\n", "\u2028", "\ufeff", "\u0085", "\x7f", "'", "*a", "<<"}).Draw(d.T, "odd")
	text = clean(odd + text)
	return text + fmt.Sprint(d.n)
}

// clean leaves out what no text may hold.
func clean(text string) string {
	var out []rune
	for _, r := range text {
		if r != 0 && r != '\ufffd' {
			out = append(out, r)
		}
	}
	return string(out)
}

func (d *draw) optional(text func() string) string {
	if d.yes() {
		return text()
	}
	return ""
}

func (d *draw) decimal(integer, fraction int) decimal.Decimal {
	limit := int64(1)
	for range min(integer+fraction, 18) {
		limit *= 10
	}
	return decimal.New(rapid.Int64Range(1, limit-1).Draw(d.T, "units"), -int32(fraction))
}

func (d *draw) maybe(integer, fraction int) *decimal.Decimal {
	if d.yes() {
		v := d.decimal(integer, fraction)
		return &v
	}
	return nil
}

func (d *draw) money() billing.Money {
	return billing.Money(rapid.Int64Range(0, int64(billing.MoneyMax)).Draw(d.T, "money"))
}

func (d *draw) maybeMoney() *billing.Money {
	if d.yes() {
		m := d.money()
		return &m
	}
	return nil
}

func (d *draw) class() billing.Class {
	return billing.Class{
		Key: d.name(), Name: d.optional(d.name), PaymentModel: billing.PaymentModel(rapid.IntRange(0, 1).Draw(d.T, "model")),
		Threshold: d.money(), SubzeroDays: rapid.IntRange(-1, 36525).Draw(d.T, "days"), CreditLimit: d.money(),
		BuyWithNegativeBalance: d.yes(), ID: d.maybeID(),
		Profile: billing.ClassProfile{
			Color: d.optional(d.name), DueOrderDays: rapid.IntRange(0, 36525).Draw(d.T, "days"),
			DuePaymentDays:  rapid.IntRange(0, 36525).Draw(d.T, "days"),
			GuaranteedLimit: d.money(), GuaranteedDays: rapid.IntRange(0, 36525).Draw(d.T, "days"),
			StopSubscriptions: billing.Procedure(rapid.IntRange(0, 1).Draw(d.T, "stop")), Denominated: d.yes(),
			DeleteSubscriptions: billing.Procedure(rapid.IntRange(0, 1).Draw(d.T, "delete")),
			ReceiptDay:          rapid.IntRange(0, 31).Draw(d.T, "receipt day"),
		},
	}
}

func (d *draw) price(service string) rating.Price {
	d.n++
	from := time.Date(2000+d.n, 1, 1, 0, 0, 0, rapid.IntRange(0, 999999).Draw(d.T, "µs")*1000, time.UTC)
	to := from.AddDate(0, 6, 0)
	p := rating.Price{
		ID: d.name(), Service: service, Currency: "KWD", ValidFrom: from, ValidTo: &to,
		Model: d.model(), PerRecord: d.maybe(6, 12),
	}
	if d.yes() {
		p.Accumulate = rating.ByMonth
	} else {
		p.Step = d.maybe(6, 12)
		p.Maximum = d.maybe(6, 12)
	}
	if d.yes() {
		digits := rapid.IntRange(0, 6).Draw(d.T, "digits")
		p.Digits = &digits
	}
	p.Bands = many(d, func() rating.Band {
		from := rating.TimeOfDay(rapid.IntRange(0, 1438).Draw(d.T, "from"))
		return rating.Band{
			Name: d.optional(d.name), Days: rating.Weekdays(rapid.IntRange(0, 127).Draw(d.T, "days")),
			From: from, To: from + 1, Model: d.model(),
		}
	})
	return p
}

func (d *draw) model() (m rating.Model) {
	unit, upTo := d.decimal(6, 12), d.decimal(6, 12)
	tiers := []rating.Tier{{UpTo: &upTo, UnitPrice: unit, Flat: d.maybe(6, 12)}, {UnitPrice: d.decimal(6, 12)}}
	switch rapid.IntRange(0, 3).Draw(d.T, "model") {
	case 0:
		m.PerUnit = &unit
	case 1:
		m.Graduated = tiers
	case 2:
		m.Volume = tiers
	default:
		m.Package = &rating.Package{Size: upTo, Price: unit}
	}
	return m
}

func (d *draw) account(f *setup.File) setup.Account {
	a := setup.Account{
		Number: d.name(), Class: f.Classes[0].Key, Currency: "KWD", CycleDay: rapid.IntRange(1, 31).Draw(d.T, "day"),
		TimeZone:       rapid.SampledFrom([]string{"", "UTC", "America/St_Johns"}).Draw(d.T, "zone"),
		OpeningBalance: d.maybeMoney(), Threshold: d.maybeMoney(), CreditLimit: d.maybeMoney(),
		Applications: some(d, d.name), PeriodicServices: some(d, d.periodic), Limits: d.limits(f),
	}
	for _, s := range f.Services {
		a.Services = append(a.Services, s.Code)
	}
	if d.yes() {
		a.Profile = d.profile(f)
	}
	return a
}

func (d *draw) periodic() setup.PeriodicService {
	p := setup.PeriodicService{
		Name: d.name(), Price: d.money(), Period: billing.Period(rapid.IntRange(1, 4).Draw(d.T, "period")),
		Every: rapid.IntRange(1, 1000).Draw(d.T, "every"), Prorate: d.yes(),
		StartsOn: billing.Date(rapid.IntRange(-100000, 100000).Draw(d.T, "starts")),
	}
	if d.yes() {
		ends := p.StartsOn + 1
		p.EndsOn = &ends
	}
	if p.Period >= billing.Monthly {
		p.AnchorDay = rapid.IntRange(0, 31).Draw(d.T, "anchor")
	}
	return p
}

func (d *draw) limits(f *setup.File) *limits.Settings {
	if d.yes() {
		return nil
	}
	s := &limits.Settings{BlockNotIncluded: d.yes(), Percentage: d.decimal(9, 6), Account: d.ceilings()}
	entry := func(of billing.ScopeKind, code string) {
		c := d.ceilings()
		c[billing.Month][billing.Usage] = new(decimal.Decimal) // never without one
		s.Entries = append(s.Entries, limits.Entry{Target: billing.Scope{Kind: of, Target: code}, Ceilings: c})
	}
	for _, v := range f.Services {
		entry(billing.OfService, v.Code)
	}
	for _, v := range f.Types {
		entry(billing.OfType, v.Code)
	}
	for _, v := range f.Families {
		entry(billing.OfFamily, v.Code)
	}
	return s
}

func (d *draw) ceilings() (c limits.Ceilings) {
	for w := range c {
		c[w][billing.Usage] = d.maybe(6, 12)
		c[w][billing.Amount] = d.maybe(12, 6)
	}
	return c
}
