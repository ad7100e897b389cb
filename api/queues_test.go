package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
)

func TestFiguresAreShown(t *testing.T) {
	s := openMarch(t)
	var queues struct {
		Queues []struct {
			Queue          string
			ProcessedToday int `json:"processed_today"`
		}
		Batches struct{ Accepted, Done, Waiting int }
	}
	got := s.do(access.Read, "GET", "/v1/queues", "")
	got.decode(t, &queues)
	if got.status != 200 || len(queues.Queues) == 0 || queues.Queues[0].ProcessedToday == 0 || queues.Batches.Done == 0 || queues.Batches.Waiting != 0 {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got.head.Get("Age") != "0" || got.head.Get("Cache-Control") != "private, max-age=2" {
		t.Errorf("got headers %v", got.head)
	}
	got = s.do(access.Read, "GET", "/v1/outcomes", "")
	want := `{"accepted":7,"rated":3,"rejected":2,"duplicate":1,"conflict":1,"unreadable":1,"cancelled":0,` +
		`"reasons":{"account_not_found":1,"service_not_found":1}}`
	if strings.TrimSpace(string(got.body)) != want {
		t.Errorf("got %s, want %s", got.body, want)
	}
}

// TestAHundredDashboardsCostOneQuestion: they share what one of them learns, for
// as long as it is fresh.
func TestAHundredDashboardsCostOneQuestion(t *testing.T) {
	var (
		asked    atomic.Int64
		at       atomic.Pointer[time.Time]
		open     = make(chan struct{})
		trouble  atomic.Pointer[error]
		dashes   sync.WaitGroup
		g        = glance[int64]{clock: func() time.Time { return *at.Load() }}
		move     = func(by time.Duration) { to := at.Load().Add(by); at.Store(&to) }
		everyone = func() {
			for range 100 {
				dashes.Go(func() {
					if _, _, err := g.look(t.Context()); err != nil {
						t.Error(err)
					}
				})
			}
		}
	)
	at.Store(&now)
	g.ask = func(context.Context) (int64, error) {
		<-open
		if err := trouble.Load(); err != nil {
			return 0, *err
		}
		return asked.Add(1), nil
	}
	everyone()
	close(open)
	dashes.Wait()
	move(glanceFor - 1)
	if n, age, err := g.look(t.Context()); n != 1 || age != glanceFor-1 || err != nil {
		t.Errorf("got %d of age %s, %v; want the first figures", n, age, err)
	}
	move(1)
	everyone()
	dashes.Wait()
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times, want 2", n)
	}
	move(glanceFor)
	away := errors.New("away")
	trouble.Store(&away)
	if _, _, err := g.look(t.Context()); !errors.Is(err, away) {
		t.Errorf("got %v, want the fault", err)
	}
	trouble.Store(nil)
	if n, _, err := g.look(t.Context()); n != 3 || err != nil {
		t.Errorf("after a fault: got %d, %v", n, err)
	}
}

// TestWhoeverGoesTakesNothingFromTheRest: the question goes on for those who wait.
func TestWhoeverGoesTakesNothingFromTheRest(t *testing.T) {
	begun, open := make(chan struct{}), make(chan struct{})
	g := glance[int]{clock: func() time.Time { return now }, ask: func(ctx context.Context) (int, error) {
		close(begun)
		<-open
		return 7, ctx.Err()
	}}
	first, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, _, err := g.look(first)
		left <- err
	}()
	<-begun
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(open)
	if n, _, err := g.look(t.Context()); n != 7 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}

func TestFiguresOfTheQueueNeedRedis(t *testing.T) {
	s := openSite(t, village, nil)
	if err := s.server.Queue.Close(); err != nil {
		t.Fatal(err)
	}
	got := s.do(access.Read, "GET", "/v1/queues", "")
	if got.status != http.StatusServiceUnavailable || got.head.Get("Retry-After") == "" || !strings.Contains(string(got.body), "Redis") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := s.do(access.Read, "GET", "/v1/outcomes", ""); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
