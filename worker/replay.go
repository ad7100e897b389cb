package worker

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/rating"
)

// item is a record of the account in a replay.
type item struct {
	*postgres.ReplayRecord
	day, month billing.Date // where it counts

	taken   bool // it is judged again
	widened bool // though the filter did not name it
	changed bool // and not as it was

	verdict postgres.Judgement
	trace   postgres.Trace // of a changed one
}

// replay takes records of one account back and judges them again as if they came
// now, in the order in which they first came (SPEC R8.2): pure, by the judge
// that judged them first. It works on the account in place.
type replay struct {
	*judge
	account *account
	items   []item
}

// newReplay makes a part of an account's records ready, in the order of their
// arrival. Such a part holds all records of the windows that it touches.
func newReplay(j *judge, a *account, records []postgres.ReplayRecord) *replay {
	r := &replay{judge: j, account: a, items: make([]item, len(records))}
	for i := range records {
		v := &records[i]
		day, month := a.windows(v.CountsAt)
		r.items[i] = item{ReplayRecord: v, day: day.Start, month: month.Start}
	}
	slices.SortFunc(r.items, func(a, b item) int { return compareArrival(a.ReplayRecord, b.ReplayRecord) })
	return r
}

// compareArrival orders by first arrival. A credit cannot be judged before its
// original: one that came too early, and was let in by a re-rate, comes right
// behind it.
func compareArrival(a, b *postgres.ReplayRecord) int {
	return cmp.Or(
		cmp.Compare(max(a.Arrival, a.After), max(b.Arrival, b.After)),
		cmp.Compare(early(a), early(b)),
		cmp.Compare(a.Arrival, b.Arrival),
		cmp.Compare(a.Source, b.Source),
		cmp.Compare(a.ID, b.ID),
	)
}

func early(r *postgres.ReplayRecord) int {
	if r.After > r.Arrival {
		return 1
	}
	return 0
}

// reach is where a change of one record is felt by those behind it: in the
// counter of a service over a window.
type reach struct {
	service string
	kind    billing.WindowKind
	start   billing.Date
}

// widen takes what the filter names, the credits of that, and what comes behind
// any of it and counts on it (SPEC R8.2): records of the same service in a window
// over which the old or the new price accumulates; and all records of a month in
// which a credit stands, for there a ceiling had less room before than after.
// All of that lies behind what it follows from, so that one pass finds it.
func (r *replay) widen() {
	reached := map[reach]bool{}
	months := map[billing.Date]bool{}
	credited := r.creditedMonths()
	originals := map[postgres.RecordKey]bool{}
	for i := range r.items {
		it := &r.items[i]
		if it.Settled && it.Outcome == billing.Rated {
			continue // with its original
		}
		behind := reached[reach{it.Service, billing.Day, it.day}] || reached[reach{it.Service, billing.Month, it.month}] ||
			months[it.month] || it.Directive == billing.Credit && originals[postgres.RecordKey{Source: it.Source, ID: it.OriginalID}]
		if !it.Asked && !behind {
			continue
		}
		it.taken, it.widened = true, !it.Asked
		originals[postgres.RecordKey{Source: it.Source, ID: it.ID}] = true
		for _, p := range [...]*rating.Price{r.Snapshot.Price(it.Price), r.priceNow(it)} {
			if p == nil {
				continue
			}
			switch kind, accumulates := p.Accumulate.Window(); {
			case accumulates && kind == billing.Day:
				reached[reach{it.Service, kind, it.day}] = true
			case accumulates:
				reached[reach{it.Service, kind, it.month}] = true
			}
		}
		if credited[it.month] {
			months[it.month] = true
		}
	}
}

// creditedMonths are the months in which a credit stands, or will if the filter
// names it and it passes.
func (r *replay) creditedMonths() map[billing.Date]bool {
	months := map[billing.Date]bool{}
	for i := range r.items {
		if it := &r.items[i]; it.Directive == billing.Credit && !it.Settled {
			months[it.month] = true
		}
	}
	return months
}

// priceNow is the price in force for a record's service when it was used.
func (r *replay) priceNow(it *item) *rating.Price {
	p, err := r.Snapshot.Book.Find(rating.Query{Service: it.Service, Account: r.account.Number, Class: r.account.Class,
		Currency: r.account.Currency, At: it.CountsAt})
	if err != nil {
		return nil // there is none: it accumulates nowhere
	}
	return p
}

// closedWindows lists what must be read before the items that are taken can be
// judged.
func (r *replay) closedWindows() []postgres.ClosedWindow {
	var need []postgres.ClosedWindow
	seen := map[postgres.ClosedWindow]bool{}
	for i := range r.items {
		it := &r.items[i]
		if !it.taken {
			continue
		}
		for kind, start := range map[billing.WindowKind]billing.Date{billing.Day: it.day, billing.Month: it.month} {
			w := postgres.ClosedWindow{Account: r.account.Number, Kind: kind, Start: start}
			if !r.account.Counters.IsOpen(kind, start) && !seen[w] {
				seen[w] = true
				need = append(need, w)
			}
		}
	}
	return need
}

// originals lists the records of which what is taken are credits, where they
// are not taken themselves: what must be known of them.
func (r *replay) originals() []billing.Identity {
	taken := map[billing.Identity]bool{}
	for i := range r.items {
		if r.items[i].taken {
			taken[r.items[i].Identity()] = true
		}
	}
	var need []billing.Identity
	for i := range r.items {
		it := &r.items[i]
		if !it.taken || it.Directive != billing.Credit {
			continue
		}
		id := billing.Identity{Account: it.Account, Source: it.Source, ID: it.OriginalID}
		if !taken[id] {
			taken[id] = true // asked for once
			need = append(need, id)
		}
	}
	return need
}

// again takes the items back, newest first, and judges them in their order.
func (r *replay) again() {
	for i := len(r.items) - 1; i >= 0; i-- {
		if it := &r.items[i]; it.taken && it.Outcome == billing.Rated {
			r.takeBack(it)
		}
	}
	for i := range r.items {
		if it := &r.items[i]; it.taken {
			r.judgeAgain(it)
		}
	}
}

// takeBack undoes a rated record: funds and counters, and of a credit what its
// original was credited. All credits of a record are taken back before it.
func (r *replay) takeBack(it *item) {
	quantity := it.Quantity
	if it.Directive == billing.Credit {
		quantity = quantity.Neg()
		if o := r.Known[billing.Identity{Account: it.Account, Source: it.Source, ID: it.OriginalID}]; o != nil {
			o.CreditedQuantity = o.CreditedQuantity.Sub(it.Quantity)
			o.CreditedAmount += it.Charge
		}
	}
	r.uncount(it, quantity, it.Charge)
}

// uncount takes quantity and charge of a record off funds and counters.
func (r *replay) uncount(it *item, quantity billing.Fixed, charge billing.Money) {
	c := record{UsageRecord: &it.UsageRecord, account: r.account, place: r.Snapshot.PlaceOf(it.Placement), counted: quantity.Neg()}
	c.verdict.Charge = -charge
	r.openWindows(&c, it.CountsAt)
	r.count(&c)
}

// judgeAgain judges a record that was taken back.
func (r *replay) judgeAgain(it *item) {
	c := record{UsageRecord: &it.UsageRecord, account: r.account, counted: it.Quantity, was: it.Outcome}
	c.verdict = postgres.Judgement{Record: &it.UsageRecord, Arrival: it.Arrival, Band: -1}
	if reason := r.checks(&c, r.Now); reason == 0 {
		c.verdict.Outcome = billing.Rated
		r.count(&c)
	} else {
		c.verdict.Outcome, c.verdict.Reason, c.verdict.Charge = billing.Rejected, reason, 0
	}
	v := &c.verdict
	if it.Directive != billing.Credit {
		r.Known[it.Identity()] = &postgres.Known{Record: it.UsageRecord, Outcome: v.Outcome, Charge: v.Charge, Price: v.Price,
			Band: v.Band, Placement: v.Placement}
	}
	it.verdict = *v
	if it.changed = it.differs(v, &c.trace); it.changed {
		it.trace = c.trace
		it.trace.Used = slices.Clone(c.trace.Used) // the judge uses the place again
	}
}

// differs tells whether a judgement is another than the one in force: what came
// of the record, or what that follows from.
func (it *item) differs(v *postgres.Judgement, trace *postgres.Trace) bool {
	if v.Outcome != it.Outcome || v.Reason != it.Reason || v.Charge != it.Charge || v.Price != it.Price ||
		v.Band != it.Band || v.Placement != it.Placement {
		return true
	}
	old, err := postgres.ReadTrace(it.Trace)
	return err != nil || !bytes.Equal(grounds(old, v.Outcome), grounds(*trace, v.Outcome))
}

// grounds is a trace without what hangs on the moment of the judgement: balance
// and use of the ceilings; nor do other ceilings matter to a record that passes
// them as it passed the old ones.
func grounds(t postgres.Trace, o billing.Outcome) []byte {
	t.Figure, t.Used = 0, nil
	if o == billing.Rated {
		t.Judged, t.AllAccounts = false, false
	}
	return t.AppendBinary(nil)
}

// ledger writes the lines of an account: each begins with the figure that the
// one before it left.
type ledger struct {
	model  billing.PaymentModel
	figure billing.Money
	place  int64 // of lines that are written now
}

func (l *ledger) post(a *account, amount billing.Money) error {
	if l.model == billing.Postpay {
		amount = -amount
	}
	if l.figure += amount; !l.figure.InRange() {
		return &postgres.Refusal{Text: fmt.Sprintf("account %s would come to %s on the way: that is beyond money's range of %s",
			a.Number, l.figure, billing.MoneyMax)}
	}
	return nil
}

// lines are what the changed items leave in the ledger: their old charges taken
// back, newest first, and the new ones in order.
func (r *replay) lines(l *ledger) ([]postgres.Corrected, error) {
	var lines []postgres.Corrected
	for i := len(r.items) - 1; i >= 0; i-- {
		it := &r.items[i]
		if !it.changed {
			continue
		}
		c := postgres.Corrected{Record: it.ReplayRecord, Judgement: it.verdict, EndedSeq: r.account.NextSeq(l.place)}
		if it.Outcome == billing.Rated {
			c.Reversal = it.Charge
		}
		if err := l.post(r.account, c.Reversal); err != nil {
			return nil, err
		}
		c.After = l.figure
		lines = append(lines, c)
	}
	slices.Reverse(lines)
	for i, n := 0, 0; i < len(r.items); i++ {
		it := &r.items[i]
		if !it.changed {
			continue
		}
		c := &lines[n]
		n++
		c.Seq = r.account.NextSeq(l.place)
		if c.Outcome == billing.Rated {
			it.trace.Figure = l.figure
			if err := l.post(r.account, -c.Charge); err != nil {
				return nil, err
			}
		}
		c.Trace = it.trace.AppendBinary(nil)
	}
	return lines, nil
}

// cancel cancels the items that the filter names, newest first: what of each was
// not yet credited goes back (SPEC R8.1). Known has what was.
func (r *replay) cancel(l *ledger) ([]postgres.Corrected, error) {
	var lines []postgres.Corrected
	for i := len(r.items) - 1; i >= 0; i-- {
		it := &r.items[i]
		if !it.taken {
			continue
		}
		quantity, charge := it.Quantity, it.Charge
		if it.Directive == billing.Credit {
			quantity = quantity.Neg()
		} else if k := r.Known[it.Identity()]; k != nil {
			quantity, charge = quantity.Sub(k.CreditedQuantity), charge-k.CreditedAmount
		}
		r.uncount(it, quantity, charge)
		if err := l.post(r.account, charge); err != nil {
			return nil, err
		}
		it.changed = true
		it.verdict = postgres.Judgement{Record: &it.UsageRecord, Arrival: it.Arrival, Outcome: billing.Cancelled, Price: it.Price,
			Band: it.Band, Placement: it.Placement, Trace: it.Trace}
		seq := r.account.NextSeq(l.place)
		lines = append(lines, postgres.Corrected{Record: it.ReplayRecord, Judgement: it.verdict, Reversal: charge, After: l.figure,
			EndedSeq: seq, Seq: seq})
	}
	return lines, nil
}
