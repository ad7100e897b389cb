package scheduler

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/chargehand/chargehand/postgres"
)

const (
	// handOutMost is how many notices are made deliveries of at a time.
	handOutMost = 1000

	// deliveryPage is how many deliveries are tried before their outcomes are noted:
	// what a crash in between sends twice.
	deliveryPage = 64

	// deliveriesAtOnce is how many requests a webhook has to bear at a time.
	deliveriesAtOnce = 8

	// answerPatience bounds one request. A receiver that has more to do than to take
	// a notice over does it afterwards.
	answerPatience = 10 * time.Second
)

// retryAfter is how long to wait after the first try, the second …; when all have
// failed the delivery is dead, after eighteen hours.
var retryAfter = []time.Duration{5 * time.Second, time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour,
	5 * time.Hour, 10 * time.Hour}

// deliver sends a webhook everything that is due, and first hands new notices out
// to all webhooks. It fails when the webhook takes nothing of a page: then it is
// away, and is left alone for a while.
func (r *Runner) deliver(ctx context.Context, o Order, w webhook, all []string) error {
	counts := map[string]int{}
	return r.record(ctx, "notices to "+w.host(), o, true, func() (map[string]int, error) {
		client := &http.Client{Timeout: answerPatience, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
		defer client.CloseIdleConnections()
		for ctx.Err() == nil {
			handed, err := r.Store.HandOut(ctx, r.Clock(), all, handOutMost)
			if err != nil {
				return counts, err
			}
			due, err := r.Store.DueDeliveries(ctx, r.Clock(), w.address, deliveryPage)
			if err != nil {
				return counts, err
			}
			if len(due) == 0 && handed == 0 {
				return counts, nil
			}
			tries := r.sendAll(ctx, client, w, due)
			if err := r.keepTries(ctx, tries); err != nil {
				return counts, err
			}
			if err := r.tell(w, tries, counts); err != nil {
				return counts, err
			}
		}
		return counts, ctx.Err()
	})
}

// keepTries notes what came of tries, also when ctx has ended meanwhile.
func (r *Runner) keepTries(ctx context.Context, tries []postgres.Tried) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), byeTime)
	defer cancel()
	return r.Store.KeepTries(ctx, tries)
}

// sendAll tries deliveries, some at a time, and answers what came of those that
// were tried before ctx ended.
func (r *Runner) sendAll(ctx context.Context, client *http.Client, w webhook, due []postgres.Delivery) []postgres.Tried {
	var (
		wait  sync.WaitGroup
		mu    sync.Mutex
		tries []postgres.Tried
		next  = make(chan postgres.Delivery)
	)
	for range min(deliveriesAtOnce, len(due)) {
		wait.Go(func() {
			for d := range next {
				at := r.Clock()
				err := w.send(ctx, client, d.ID().String(), at, []byte(d.Body))
				if ctx.Err() != nil {
					return // whatever became of it: it is sent again
				}
				mu.Lock()
				tries = append(tries, tried(d, at, r.Clock(), err))
				mu.Unlock()
			}
		})
	}
	for _, d := range due {
		select {
		case next <- d:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	return tries
}

// tried is what came of a try: when the next one is due, if there is one. Waits
// differ by up to a tenth, so that what failed together is not tried together.
func tried(d postgres.Delivery, at, now time.Time, err error) postgres.Tried {
	t := postgres.Tried{Delivery: d, At: at}
	if err == nil {
		return t
	}
	t.Fault = err.Error()
	if d.Tries < len(retryAfter) {
		wait := retryAfter[d.Tries]
		again := now.Add(wait + time.Duration(rand.Int64N(int64(wait)/10)))
		t.Again = &again
	}
	return t
}

// tell counts tries and logs what died.
func (r *Runner) tell(w webhook, tries []postgres.Tried, counts map[string]int) error {
	failed := 0
	for i := range tries {
		t := &tries[i]
		switch {
		case t.Fault == "":
			counts["delivered"]++
			continue
		case t.Again == nil:
			counts["dead"]++
			r.Log.Error("notice given up: replay it when its webhook is well again", "webhook", w.host(), "notice", t.ID(),
				"account", t.Account, "tries", t.Tries+1, "error", t.Fault)
		default:
			counts["failed"]++
		}
		failed++
	}
	if failed > 0 && failed == len(tries) {
		return fmt.Errorf("%s took none of %d notices, the last one because: %s", w.host(), failed, tries[len(tries)-1].Fault)
	}
	return nil
}
