package worker

import (
	"fmt"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
)

// TestAGroupUnderPaymentsGetsThrough: payments that come in whenever more than
// one batch is at work left a group of eight judging for ever, and every batch
// of the shard behind it waiting (measured: 583 of 600 batches after a minute of
// fifty payments a second).
func TestAGroupUnderPaymentsGetsThrough(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	f := h.flow(eager, 10)
	var group []batch
	for i := range 8 {
		group = append(group, h.accept(use(fmt.Sprint(i), "A1", "unleaded", "1", day(20, "10:00:00"))))
	}
	payments := 0
	f.clock = func() time.Time { // between read and write
		if payments < judgedMax+5 {
			payments++
			h.pay("A1", "1", fmt.Sprintf("k%d", payments))
		}
		return noon
	}
	out := h.commit(f, group...)
	if out.Rated != 8 {
		t.Errorf("got %d rated, want 8", out.Rated)
	}
	if got, want := h.view("A1").Balance, billing.Money(100-16+judgedMax+5)*billing.MoneyUnit; got != want {
		t.Errorf("got a balance of %s, want %s", got, want)
	}
}

// TestACachedAccountThatWasPaidIsReadAnew: the first judgement is by what is true
// then, so that an account paid since its last batch costs no second one.
func TestACachedAccountThatWasPaidIsReadAnew(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	f := h.flow(eager, 10)
	h.commit(f, h.accept(use("1", "A1", "unleaded", "1", day(20, "10:00:00"))))
	h.pay("A1", "5", "k")
	judged := 0
	f.clock = func() time.Time {
		judged++
		return noon
	}
	h.commit(f, h.accept(use("2", "A1", "unleaded", "1", day(20, "10:00:00"))))
	if judged != 1 {
		t.Errorf("judged %d times, want once", judged)
	}
}
