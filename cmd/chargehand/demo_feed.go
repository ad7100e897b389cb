package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"sort"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/shopspring/decimal"
)

// demoUse is how a service of configs/demo.yaml is used: how often among the
// services of an account, by which source, and between which quantities, in
// thousandths. Small ones are more frequent than big ones.
type demoUse struct {
	weight     int
	source     string
	least      int64
	most       int64
	whole      bool // whole quantities only
	bringsCost bool // a pre-rated purchase
}

var demoUses = map[string]demoUse{
	"sms":         {weight: 40, source: "smsc-1", least: 1_000, most: 1_000, whole: true},
	"mms":         {weight: 2, source: "smsc-1", least: 1_000, most: 3_000, whole: true},
	"voice":       {weight: 28, source: "switch-2", least: 100, most: 40_000},
	"data":        {weight: 30, source: "gateway-4", least: 500, most: 400_000},
	"roaming":     {weight: 3, source: "gateway-9", least: 500, most: 80_000},
	"unleaded":    {weight: 4, source: "pump-17", least: 5_000, most: 62_000},
	"diesel":      {weight: 5, source: "pump-18", least: 20_000, most: 140_000},
	"charging":    {weight: 2, source: "charger-3", least: 2_000, most: 95_000},
	"vm":          {weight: 10, source: "meter-eu", least: 250, most: 24_000},
	"storage":     {weight: 4, source: "meter-eu", least: 1_000, most: 120_000},
	"requests":    {weight: 20, source: "meter-eu", least: 100_000, most: 90_000_000, whole: true},
	"model":       {weight: 30, source: "meter-us", least: 50_000, most: 60_000_000, whole: true},
	"parking":     {weight: 1, source: "gate-5", least: 5_000, most: 600_000, whole: true},
	"marketplace": {weight: 1, source: "shop", least: 1_000, most: 2_000, whole: true, bringsCost: true},
	"satellite":   {weight: 1, source: "gateway-9", least: 500, most: 80_000},
}

// demoFeed generates usage as a feed would send it, in the order of time and by a
// fixed seed: mostly good records, some late, doubled, wrong or not readable.
type demoFeed struct {
	random   *rand.Rand
	accounts []demoAccount
	upTo     []int // sums of the accounts' usage
	from, to time.Time
	sent     []billing.UsageRecord // some of the records sent, for what refers to them
	ids      int
	line     []byte
}

// What befalls lines of the demo's feed, in lines of ten thousand.
const (
	demoDoubled     = 500
	demoUnreadable  = 12
	demoConflicting = 6
	demoCredits     = 40
	demoUncharged   = 20
	demoLate        = 200
	demoTooLate     = 15
	demoAhead       = 4
	demoNoAccount   = 12
	demoNoService   = 8
	demoUnlinked    = 40
)

// demoKept is how many records the feed remembers, to send some of them again.
const demoKept = 20_000

func newDemoFeed(accounts []demoAccount, from, to time.Time) *demoFeed {
	f := &demoFeed{random: rand.New(rand.NewPCG(20260301, 57868362)), accounts: accounts, from: from, to: to}
	sum := 0
	for _, a := range accounts {
		sum += a.usage
		f.upTo = append(f.upTo, sum)
	}
	return f
}

// write writes that many lines of NDJSON.
func (f *demoFeed) write(w io.Writer, lines int) error {
	b := bufio.NewWriterSize(w, 1<<16)
	pace := f.to.Sub(f.from) / time.Duration(max(1, lines))
	for i := range lines {
		at := f.from.Add(pace * time.Duration(i))
		if _, err := b.Write(append(f.next(at), '\n')); err != nil {
			return err
		}
	}
	return b.Flush()
}

// chance tells whether something befalls this line that befalls n of ten thousand.
func (f *demoFeed) chance(n int) bool { return f.random.IntN(10_000) < n }

// next is one line, until the next.
func (f *demoFeed) next(at time.Time) []byte {
	var r billing.UsageRecord
	switch {
	case len(f.sent) > 0 && f.chance(demoDoubled):
		r = f.earlier()
	case len(f.sent) > 0 && f.chance(demoConflicting):
		r = f.earlier()
		r.Quantity = r.Quantity.Add(billing.FixedInt(1))
	case len(f.sent) > 0 && f.chance(demoCredits):
		r = f.credit(at)
	case f.chance(demoUnreadable):
		return f.unreadable(at)
	default:
		r = f.record(at)
		f.keep(r)
	}
	f.line = billing.AppendRecord(f.line[:0], &r)
	return f.line
}

func (f *demoFeed) earlier() billing.UsageRecord { return f.sent[f.random.IntN(len(f.sent))] }

func (f *demoFeed) keep(r billing.UsageRecord) {
	if len(f.sent) < demoKept {
		f.sent = append(f.sent, r)
	} else {
		f.sent[f.random.IntN(demoKept)] = r
	}
}

// record is a record of somebody's use, with what may be wrong with it.
func (f *demoFeed) record(at time.Time) billing.UsageRecord {
	account := &f.accounts[sort.SearchInts(f.upTo, f.random.IntN(f.upTo[len(f.upTo)-1])+1)]
	r := billing.UsageRecord{Account: account.number, Service: f.service(account.services), OccurredAt: f.occurred(at)}
	if f.chance(demoUnlinked) {
		r.Service = "satellite"
	}
	use := demoUses[r.Service]
	r.Source, r.Quantity = use.source, f.quantity(use)
	switch {
	case use.bringsCost:
		cents := billing.Money(99+100*f.random.IntN(40)+f.random.IntN(2)*f.random.IntN(2)*15_000) * billing.MoneyUnit / 100
		r.Amount = &cents
	case f.chance(demoUncharged):
		r.Directive = billing.NoCharge
	}
	if f.chance(demoNoAccount) {
		r.Account = "ACR9" + r.Account[4:]
	}
	if f.chance(demoNoService) {
		r.Service += "-plus"
	}
	r.ID = f.id()
	return r
}

func (f *demoFeed) id() string {
	f.ids++
	return fmt.Sprintf("u%07d", f.ids)
}

// service is one of them, by their weights.
func (f *demoFeed) service(of []string) string {
	sum := 0
	for _, s := range of {
		sum += demoUses[s].weight
	}
	n := f.random.IntN(sum)
	for _, s := range of {
		if n -= demoUses[s].weight; n < 0 {
			return s
		}
	}
	return of[0] // n was below the sum
}

// occurred is when a record that comes at a time was used.
func (f *demoFeed) occurred(at time.Time) time.Time {
	ago := time.Duration(f.random.IntN(60_000)) * time.Millisecond
	switch {
	case f.chance(demoLate):
		ago = time.Duration(1+f.random.IntN(9*24)) * time.Hour
	case f.chance(demoTooLate):
		ago = time.Duration(60+f.random.IntN(30)) * 24 * time.Hour
	case f.chance(demoAhead):
		ago = at.Sub(f.to) - 2*time.Hour
	}
	return at.Add(-ago).Truncate(time.Millisecond)
}

// quantity squares the dice, so that small ones are frequent.
func (f *demoFeed) quantity(use demoUse) billing.Fixed {
	n := use.least
	if width := use.most - use.least; width > 0 {
		n += f.random.Int64N(width+1) * f.random.Int64N(1001) / 1000
	}
	if use.whole {
		n = n / 1000 * 1000
	}
	q, _ := billing.FixedOf(decimal.New(n, -3)) // within its digits
	return q
}

// credit gives an earlier record back, or half of it.
func (f *demoFeed) credit(at time.Time) billing.UsageRecord {
	of := f.earlier()
	quantity := of.Quantity
	if half, err := billing.FixedOf(quantity.Decimal().DivRound(decimal.NewFromInt(2), 3)); err == nil && f.chance(5_000) {
		quantity = half
	}
	return billing.UsageRecord{Source: of.Source, ID: f.id(), Account: of.Account, Service: of.Service, Quantity: quantity,
		OccurredAt: at, Directive: billing.Credit, OriginalID: of.ID}
}

// unreadable is a line that no door lets through.
func (f *demoFeed) unreadable(at time.Time) []byte {
	r := f.record(at)
	noOffset := r.OccurredAt.Format("2006-01-02T15:04:05")
	switch f.random.IntN(5) {
	case 0:
		return fmt.Appendf(f.line[:0], `{"source":%q,"id":%q,"account":%q,"service":%q,"quantity":"-3","occurred_at":"%sZ"}`,
			r.Source, r.ID, r.Account, r.Service, noOffset)
	case 1:
		return fmt.Appendf(f.line[:0], `{"source":%q,"id":%q,"account":%q,"service":%q,"quantity":"1","occurred_at":%q}`,
			r.Source, r.ID, r.Account, r.Service, noOffset)
	case 2:
		return fmt.Appendf(f.line[:0], `{"source":%q,"id":%q,"service":%q,"quantity":"1","occurred_at":"%sZ"}`, r.Source, r.ID, r.Service, noOffset)
	case 3:
		return fmt.Appendf(f.line[:0], `{"source":%q,"id":%q,"account":%q,"service":%q,"qty":"1","occurred_at":"%sZ"}`,
			r.Source, r.ID, r.Account, r.Service, noOffset)
	}
	return fmt.Appendf(f.line[:0], `{"source":%q,"id":%q,"account":`, r.Source, r.ID)
}
