package verify

import (
	"slices"
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

func TestLinesThatDoNotFollowOneAnotherAreFound(t *testing.T) {
	figures := []line{{1, 100, 70}, {2, 70, 75}, {3, 75, 0}, {4, 0, 0}, {5, 0, -1}}
	joins := func(figures []line) bool {
		l := newLedger(&postgres.Audited{Opening: 100}, nil)
		for _, i := range []int{3, 0, 4, 2, 1} { // records come in the order of their keys
			l.post(figures[i].seq, figures[i].before, figures[i].after-figures[i].before)
		}
		return l.joins()
	}
	if !joins(figures) {
		t.Error("lines that follow one another: got a gap, want none")
	}
	for i := range figures {
		broken := slices.Clone(figures)
		broken[i].before++
		broken[i].after++
		if joins(broken) {
			t.Errorf("line %d begins elsewhere: got no gap, want one", i+1)
		}
	}
	figures[1].seq, figures[2].seq = 3, 2
	if joins(figures) {
		t.Error("two lines in each other's place: got no gap, want one")
	}
}

func TestADebtGrowsWithWhatIsTakenFromIt(t *testing.T) {
	l := newLedger(&postgres.Audited{Model: billing.Postpay, Opening: 7}, nil)
	l.post(1, 0, -5)
	l.post(2, 5, 2)
	if !l.joins() {
		t.Errorf("got a gap in %v, want none: a debt begins at 0, a charge raises it, a payment lowers it", l.figures)
	}
}
