package worker

import (
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
)

// openWindows finds the day and the month in which the record counts and lays
// out what was counted there so far.
func (j *judge) openWindows(c *record, at time.Time) {
	c.day, c.month = c.account.windows(at)
	for kind := range c.counters {
		if !c.place.Counts(billing.ScopeKind(kind)) {
			continue
		}
		for _, w := range [...]*billing.Window{&c.day, &c.month} {
			c.counters[kind][w.Kind] = j.counter(c.account, c.place, billing.ScopeKind(kind), w)
		}
	}
}

func counterKey(p *billing.Place, kind billing.ScopeKind, w *billing.Window) billing.CounterKey {
	return billing.CounterKey{Kind: kind, Window: w.Kind, Target: p.Targets[kind], Start: w.Start}
}

// counter reads from the state, or where the window is over from what the group
// wrote to its table, else from what was read of it.
func (j *judge) counter(a *account, p *billing.Place, kind billing.ScopeKind, w *billing.Window) billing.Counter {
	k := counterKey(p, kind, w)
	if a.Counters.IsOpen(w.Kind, w.Start) {
		return a.Counters.At(k)
	}
	closed := postgres.ClosedKey{Account: a.Number, CounterKey: k}
	if v, written := j.commit.Closed[closed]; written {
		return v
	}
	return j.Closed[closed]
}

// addTo adds to the counter that counter reads.
func (j *judge) addTo(a *account, p *billing.Place, kind billing.ScopeKind, w *billing.Window, quantity, amount billing.Fixed) {
	k := counterKey(p, kind, w)
	if a.Counters.IsOpen(w.Kind, w.Start) {
		a.Counters.Add(k, quantity, amount)
		return
	}
	j.closed(a.Number, k, j.counter(a, p, kind, w).Add(quantity, amount))
}

func (j *judge) closed(number string, k billing.CounterKey, v billing.Counter) {
	if j.commit.Closed == nil {
		j.commit.Closed = map[postgres.ClosedKey]billing.Counter{}
	}
	j.commit.Closed[postgres.ClosedKey{Account: number, CounterKey: k}] = v
}

// closedWindows lists the windows that are over into which records of the group
// fall: what must be read before they can be judged. A credit falls into the
// windows of its original.
func closedWindows(s *State, batches []billing.Batch) []postgres.ClosedWindow {
	var need []postgres.ClosedWindow
	seen := map[postgres.ClosedWindow]bool{}
	add := func(a *account, at time.Time) {
		day, month := a.windows(at)
		for _, w := range [...]*billing.Window{&day, &month} {
			v := postgres.ClosedWindow{Account: a.Number, Kind: w.Kind, Start: w.Start}
			if !a.Counters.IsOpen(w.Kind, w.Start) && !seen[v] {
				seen[v] = true
				need = append(need, v)
			}
		}
	}
	for i := range batches {
		for k := range batches[i].Records {
			r := &batches[i].Records[k]
			a := s.Accounts[r.Account]
			if a == nil {
				continue
			}
			add(a, r.OccurredAt)
			if r.Directive != billing.Credit {
				continue
			}
			if o := s.Known[billing.Identity{Account: r.Account, Source: r.Source, ID: r.OriginalID}]; o != nil {
				add(a, o.Record.OccurredAt)
			}
		}
	}
	return need
}
