package scheduler

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// These make this test binary a process on the database that they name, and
// nothing else: one that a test can kill. One is a scheduler, the other charges
// what is due by 3 March 2026.
const (
	leaderToKill  = "SCHEDULER_LEADER_TO_KILL"
	chargerToKill = "SCHEDULER_CHARGER_TO_KILL"
)

// victim is what such a process does instead of tests, if it is one.
func victim() (do func() error, is bool) {
	ctx, stop := context.WithCancel(context.Background())
	open := func(url string) Runner {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin) // it ends when the test does, however that ends
			stop()
		}()
		store, err := postgres.Open(ctx, url, postgres.Options{})
		if err != nil {
			panic(err)
		}
		return Runner{Store: store, Clock: time.Now, Log: quiet()}
	}
	if url := os.Getenv(leaderToKill); url != "" {
		return func() error {
			s, err := newScheduler(open(url), everySecond, noNudge)
			if err != nil {
				return err
			}
			return s.Run(ctx)
		}, true
	}
	if url := os.Getenv(chargerToKill); url != "" {
		return func() error {
			r := open(url)
			fmt.Println("charging")
			_, err := r.Charge(ctx, Order{At: time.Date(2026, time.March, 3, 0, 0, 0, 0, time.UTC), Actor: "victim"}, 31)
			return err
		}, true
	}
	return nil, false
}

// startVictim starts this binary as a victim on the site's database.
func (s *site) startVictim(kind string) (process *exec.Cmd, said io.Reader) {
	s.t.Helper()
	process = exec.Command(os.Args[0], "-test.run=^$")
	process.Env = append(os.Environ(), kind+"="+s.url)
	process.Stderr = os.Stderr
	_, err := process.StdinPipe()
	if err == nil {
		said, err = process.StdoutPipe()
	}
	if err == nil {
		err = process.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return process, said
}

// everySecond is a configuration that sweeps and charges as often as cron can.
var everySecond = Config{Sweep: "@every 1s", Charge: "@every 1s", Zone: time.UTC, MaxCatchUp: 31, KeepNotices: time.Hour}

func noNudge(context.Context, int, uuid.UUID) error { return nil }

// quick is the pace of leaders in tests that need not wait as long as life does.
var quick = pace{lease: 2 * time.Second, renew: 200 * time.Millisecond, look: 50 * time.Millisecond}

// schedule runs a scheduler until stop is called or the test ends.
func (s *site) schedule(p pace) (stop func()) {
	s.t.Helper()
	scheduler, err := newScheduler(Runner{Store: s.open(), Clock: time.Now, Log: quiet()}, everySecond, noNudge)
	if err != nil {
		s.t.Fatal(err)
	}
	scheduler.pace = p
	ctx, cancel := context.WithCancel(s.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := scheduler.Run(ctx); err != nil {
			s.t.Error(err)
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	s.t.Cleanup(stop)
	return stop
}

// swept waits for a finished sweep of the leader with a fence.
func (s *site) swept(fence int) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("a sweep of leader %d", fence), func() bool {
		return query[bool](s, `select exists (select from runs where job = 'sweep' and fence = $1 and finished_at is not null and fault = '')`, fence)
	})
}

func TestAKilledLeaderIsFollowedWithinTwentySeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for a lease as long as life does")
	}
	t.Parallel()
	s := newSite(t)
	victim, _ := s.startVictim(leaderToKill)
	s.swept(1)
	stop := s.schedule(leadership)
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	killed := time.Now()
	if err := victim.Wait(); err == nil {
		t.Error("it ended by itself")
	}
	s.swept(2)
	took := time.Since(killed)
	t.Logf("the next leader swept %s after the kill", took.Round(10*time.Millisecond))
	if took > 20*time.Second {
		t.Errorf("the next leader swept after %s, want within 20 s", took)
	}
	stop()
}

func TestALeaderThatStopsIsFollowedAtOnce(t *testing.T) {
	s := newSite(t)
	slow := pace{lease: time.Hour, renew: 100 * time.Millisecond, look: 50 * time.Millisecond}
	stop := s.schedule(slow)
	s.swept(1)
	s.schedule(slow)
	stop()
	s.swept(2)
	if open := query[int](s, `select count(*) from runs where fence = 1 and finished_at is null`); open != 0 {
		t.Errorf("got %d runs of the first leader that never finished, want none", open)
	}
}

func TestOneOfManyLeads(t *testing.T) {
	s := newSite(t)
	for range 4 {
		s.schedule(quick)
	}
	s.swept(1)
	eventually(t, "three sweeps", func() bool { return query[int](s, `select count(*) from runs where job = 'sweep'`) >= 3 })
	if others := query[int](s, `select count(*) from runs where fence <> 1`); others != 0 {
		t.Errorf("got %d runs of other leaders, want none", others)
	}
}

func TestALeaderThatCannotRenewStopsItsJobs(t *testing.T) {
	s := newSite(t)
	s.schedule(quick)
	s.swept(1)
	s.exec(`alter table leader rename to nobody`)
	runs := func() int { return query[int](s, `select count(*) from runs`) }
	<-time.After(quick.lease + 500*time.Millisecond)
	before := runs()
	<-time.After(1500 * time.Millisecond)
	if after := runs(); after != before {
		t.Errorf("it went on: %d runs since its lease was over", after-before)
	}
	s.exec(`alter table nobody rename to leader`)
	eventually(t, "it leads again", func() bool { return runs() > before })
}

func TestALeaderThatWasReplacedStopsItsJobs(t *testing.T) {
	s := newSite(t)
	s.schedule(quick)
	s.swept(1)
	s.exec(`update leader set holder = gen_random_uuid(), fence = fence + 1, expires_at = now() + interval '2 seconds'`)
	s.swept(3)
	if second := query[int](s, `select count(*) from runs where fence = 2`); second != 0 {
		t.Errorf("got %d runs with the fence of the other leader, want none", second)
	}
}
