package worker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// voidAndReplace ends the price of unleaded where it began and puts 3 in its place.
const voidAndReplace = `
prices:
  - {id: u, service: unleaded, currency: EUR, valid_from: 2020-01-01T00:00:00Z, valid_to: 2020-01-01T00:00:00Z, per_unit: "2"}
  - {id: u3, service: unleaded, currency: EUR, valid_from: 2020-01-01T00:00:00Z, per_unit: "3"}
`

// street is a house with accounts A0 to An, each of which used so much unleaded.
func street(t *testing.T, n, records int) *house {
	t.Helper()
	var accounts []string
	for i := range n {
		accounts = append(accounts, plain(fmt.Sprintf("A%03d", i), "100000"))
	}
	h := newHouse(t, accounts...)
	h.partMax = partMax
	f := h.flow(eager, 0)
	for i := range records {
		var batch []string
		for k := range n {
			batch = append(batch, use(fmt.Sprint(i), fmt.Sprintf("A%03d", k), "unleaded", "1", day(1+i%20, "10:00:00")))
		}
		h.commit(f, h.accept(batch...))
	}
	return h
}

func TestARunThatWasStoppedGoesOnWhereItStood(t *testing.T) {
	h := street(t, 40, 5)
	h.apply(noon, voidAndReplace)
	ctx, stop := context.WithCancel(t.Context())
	c := Correction{Filter: postgres.CorrectionFilter{Service: "unleaded"}, Note: "n", Actor: "test", Clock: fixed(noon)}
	c.Progress = func(records int) {
		if records >= 50 {
			stop()
		}
	}
	first, err := NewCorrector(h.store, eager).Run(ctx, c)
	if !errors.Is(err, context.Canceled) || first.Changed == 0 || first.Changed >= 200 || first.Changed%5 != 0 {
		t.Fatalf("stopped: got %+v, %v", first, err)
	}
	h.sound("")
	if half := h.query(`select account from records group by account having count(distinct price) > 1`); half != "" {
		t.Errorf("half re-rated: %s", half)
	}
	done := h.query(`select count(*)::text from judgements`)
	c.Progress = nil
	second := h.correct(c)
	if second.Rated != 200 || fmt.Sprint(200-second.Changed) != done {
		t.Errorf("went on: got %+v after %s records", second, done)
	}
	if got := h.query(`select distinct charge::text from records`); got != "3.000000" {
		t.Errorf("charges: got %s", got)
	}
	if again := h.correct(c); again.Changed != 0 || again.Rated != 200 {
		t.Errorf("once more: got %+v", again)
	}
	h.sound("")
}

// Workers commit to the accounts that are being corrected, by the old price and
// by the new one, and two corrections run at once.
func TestWorkersGoOnWhileRecordsAreCorrected(t *testing.T) {
	h := street(t, 20, 5)
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for w := range 2 {
		wait.Go(func() {
			f := h.flow(eager, 1000)
			for i := 0; ctx.Err() == nil; i++ {
				var records []string
				for k := range 20 {
					records = append(records, use(fmt.Sprintf("w%d-%d", w, i), fmt.Sprintf("A%03d", k), "unleaded", "1", day(1+i%20, "11:00:00")))
				}
				if _, err := f.commit(t.Context(), []batch{h.accept(records...)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	h.apply(noon, voidAndReplace)
	var corrections sync.WaitGroup
	for range 2 {
		corrections.Go(func() {
			done, err := NewCorrector(h.store, eager).Run(t.Context(), Correction{Filter: postgres.CorrectionFilter{Service: "unleaded"},
				Note: "n", Actor: "test", Clock: fixed(noon)})
			if err != nil {
				t.Error(err)
			} else if done.Rated < 100 {
				t.Errorf("got %+v", done)
			}
		})
	}
	corrections.Wait()
	stop()
	wait.Wait()
	h.sound("")
	if got := h.query(`select distinct charge::text from records`); got != "3.000000" {
		t.Errorf("charges: got %s", got)
	}
	if twice := h.query(`select source || id from judgements group by account, source, id having count(*) > 1`); twice != "" {
		t.Errorf("replaced twice: %s", twice)
	}
}

func TestWhatMayNotBeCorrectedIsRefused(t *testing.T) {
	h := newHouse(t, plain("A", "100"))
	f := h.flow(eager, 0)
	h.commit(f, h.accept(use("1", "A", "unleaded", "4", march10), use("2", "A", "toll", "4", march10),
		credit("c", "1", "A", "unleaded", "1", march10)))
	name := func(id string) postgres.CorrectionFilter {
		return postgres.CorrectionFilter{Record: &billing.Identity{Account: "A", Source: "feed", ID: id}}
	}
	refused := func(want string, c Correction) {
		t.Helper()
		c.Clock = fixed(noon)
		before := h.lines("A")
		_, err := NewCorrector(h.store, eager).Run(t.Context(), c)
		if r := new(postgres.Refusal); !errors.As(err, &r) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it refused: %s", err, want)
		}
		if h.lines("A") != before {
			t.Error("what was refused wrote something")
		}
	}
	refused(`note "": it says nothing`, Correction{Filter: name("1")})
	refused("everything is refused", Correction{Note: "n"})
	refused("everything is refused", Correction{Note: "n", Filter: postgres.CorrectionFilter{Rejected: true}})
	refused("for a re-rate", Correction{Note: "n", Cancel: true, Filter: postgres.CorrectionFilter{Account: "A", Rejected: true}})
	refused("there is none", Correction{Note: "n", Filter: name("9")})
	refused("nothing to cancel", Correction{Note: "n", Cancel: true, Filter: name("2")})
	if done := h.correct(Correction{Cancel: true, Filter: name("1")}); done.Cancelled != 1 || done.Moved["EUR"] != 6*billing.MoneyUnit {
		t.Errorf("a cancel of what is credited in part: got %+v", done)
	}
	if done := h.correct(Correction{Cancel: true, Filter: name("1")}); done.Cancelled != 0 {
		t.Errorf("cancelled again: got %+v", done)
	}
	refused("stays so", Correction{Note: "n", Filter: name("1")})
	refused("was settled", Correction{Note: "n", Cancel: true, Filter: name("c")})
	refused("was settled", Correction{Note: "n", Filter: name("c")})
	h.sound("")
	if got := h.query(`select string_agg(kind || ' ' || amount::text, ', ' order by seq) from postings where account = 'A'`); got != "1 -8.000000, 1 2.000000, 5 6.000000" {
		t.Errorf("postings: got %s", got)
	}
}
