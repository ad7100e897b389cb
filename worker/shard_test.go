package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// stall is a shard of a house without a worker around it.
type stall struct {
	*shard
	t     *testing.T
	owned bool
}

func (h *house) stall(t *testing.T, perGroup int) *stall {
	f := h.flow(eager, 100)
	return &stall{t: t, shard: &shard{perGroup: perGroup, flow: *f, log: logTo(h.t), in: make(chan *delivery, 2*perGroup),
		left: make(chan struct{})}}
}

// begin lets the owner work until stop is called, at the latest when the test
// ends. It has ended when left is closed.
func (s *stall) begin() (stop context.CancelFunc) {
	s.owned = true
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	go s.own(ctx)
	s.t.Cleanup(func() {
		cancel()
		<-s.left
	})
	return cancel
}

// task is a task as a feed puts it on the queue.
func task(id uuid.UUID, records ...string) queue.Task {
	return queue.Task{ID: id.String(), Payload: queue.Encode(id, array(records))}
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// deliver hands tasks to the shard's handlers, the first ones all at once and in
// this order, and answers what the handlers said.
func (s *stall) deliver(tasks ...queue.Task) []error {
	s.t.Helper()
	answers, said := make([]error, len(tasks)), make(chan int)
	for i, task := range tasks {
		go func() {
			answers[i] = s.handle(s.t.Context(), task)
			said <- i
		}()
		if !s.owned {
			eventually(s.t, "the task is in hand", func() bool { return len(s.in) > i })
		}
	}
	if !s.owned {
		s.begin()
	}
	for range tasks {
		<-said
	}
	return answers
}

func TestAForeignFeedsBatchIsAcceptedAndJudged(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	s := h.stall(t, 8)
	id, late := newID(), newID()
	answers := s.deliver(task(id, use("1", "A1", "unleaded", "1", day(20, "10:00:00")), `{"source":"feed"}`), task(late))
	if answers[0] != nil || answers[1] != nil {
		t.Fatalf("got %v", answers)
	}
	got := h.query(`select concat_ws(' ', source, records, rated, unreadable, done_at is not null, accepted_at at time zone 'UTC') from batches order by id`)
	if want := "queue 1 1 1 t 2026-03-21 12:00:00\nqueue 0 0 0 t 2026-03-21 12:00:00"; got != want {
		t.Errorf("batches: got %q, want %q", got, want)
	}
	// It comes again, when it is done and its payload gone.
	if err := s.deliver(task(id, use("1", "A1", "unleaded", "1", day(20, "10:00:00")), `{"source":"feed"}`)); err[0] != nil {
		t.Error(err)
	}
	if got := h.query(`select count(*)::text from dead_letters`); got != "1" {
		t.Errorf("got %s dead letters, want that of the line", got)
	}
}

// TestABatchIdIsUsedOnce: a feed that gives an id twice must not lose a record,
// whether its tasks come one after the other or at once.
func TestABatchIdIsUsedOnce(t *testing.T) {
	one := use("1", "A1", "unleaded", "1", day(20, "10:00:00"))
	two := use("2", "A1", "unleaded", "1", day(20, "10:00:00"))
	for _, tc := range []struct {
		name string
		send func(s *stall, id uuid.UUID)
	}{
		{"at once", func(s *stall, id uuid.UUID) { s.deliver(task(id, one), task(id, two), task(id, one)) }},
		{"later", func(s *stall, id uuid.UUID) {
			for _, r := range []string{one, two, one, two} {
				s.deliver(task(id, r))
			}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHouse(t, plain("A1", "100"))
			tc.send(h.stall(t, 8), newID())
			if got := h.judged("A1", "1") + " " + h.judged("A1", "2"); got != "2 absent" {
				t.Errorf("got %s, want the first one rated", got)
			}
			got := h.query(`select kind || convert_from(payload, 'UTF8') from dead_letters`)
			if want := "3[" + two + "]"; got != want {
				t.Errorf("dead letters: got %s, want %s", got, want)
			}
		})
	}
}

// TestTasksThatHoldNoBatch are kept and end; bytes that no text may have are no
// reason to come back.
func TestTasksThatHoldNoBatch(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	s := h.stall(t, 8)
	payloads := []string{"", "nonsense", "{}", "\x00\xff", "{\"v\":\"\xff\"}", "{\"v\":\"\x00\"}", `{"v":2,"batch":"` + newID().String() + `"}`,
		`{"v":1,"batch":"` + newID().String() + `","records":[{]}`, "{\"v\":1,\"batch\":\"" + newID().String() + "\",\"records\":[\"\xff\"}"}
	for i, p := range payloads {
		err := s.deliver(queue.Task{ID: fmt.Sprint(i), Payload: []byte(p)})[0]
		if !errors.Is(err, errMalformed) {
			t.Errorf("%q: got %v, want that it is given up", p, err)
		}
	}
	if got, want := h.query(`select count(*)::text from dead_letters where kind = 3`), fmt.Sprint(len(payloads)); got != want {
		t.Errorf("got %s dead letters, want %s", got, want)
	}
	bad := task(newID(), use("1", "A1", "unleaded", "1", day(20, "10:00:00")), "{\"source\":\"\xff\x00\"}", "\xff", "{\"\xff\":1}", `{"id":"\u0000"}`, "[[[")
	if err := s.deliver(bad)[0]; !errors.Is(err, errMalformed) {
		t.Errorf("an array that does not close: got %v", err)
	}
	bad = task(newID(), use("1", "A1", "unleaded", "1", day(20, "10:00:00")), "{\"source\":\"\xff\x00\"}", "\xff", "{\"\xff\":1}", `{"id":"\u0000"}`)
	if err := s.deliver(bad)[0]; err != nil {
		t.Errorf("records that cannot be read: got %v", err)
	}
	if got := h.judged("A1", "1"); got != "2" {
		t.Errorf("the one between them: got %s, want 2", got)
	}
}

func TestANudgeBringsOnWhatWaits(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	s := h.stall(t, 2)
	var last batch
	for i := range 5 {
		last = h.accept(use(fmt.Sprint(i), "A1", "unleaded", "1", day(20, "10:00:00")))
	}
	nudges := []queue.Task{{ID: "nudge", Payload: queue.Encode(last.ID, nil)}, {ID: "of nothing", Payload: queue.Encode(newID(), nil)}}
	for _, err := range s.deliver(nudges...) {
		if err != nil {
			t.Error(err)
		}
	}
	if got, want := h.view("A1").Balance, money("90"); got != want {
		t.Errorf("balance: got %s, want %s", got, want)
	}
}

// TestBatchesAreJudgedInTheirOrder: a ceiling of 10 takes the first that fit, in
// whatever order their tasks came (SPEC R4.7).
func TestBatchesAreJudgedInTheirOrder(t *testing.T) {
	h := newHouse(t, plain("A1", "100", `limits: {accumulated_maximum_usage_per_day: "10"}`))
	s := h.stall(t, 8)
	var tasks []queue.Task
	for i := range 8 {
		r := use(fmt.Sprint(i), "A1", "unleaded", "3", day(20, "10:00:00"))
		if i%2 == 0 {
			b := h.accept(r) // at the door
			tasks = append([]queue.Task{task(b.ID, r)}, tasks...)
		} else {
			tasks = append([]queue.Task{task(newID(), r)}, tasks...) // by a feed that knows the queue only
		}
	}
	s.deliver(tasks...)
	var got []string
	for i := range 8 {
		got = append(got, h.judged("A1", fmt.Sprint(i)))
	}
	if got, want := strings.Join(got[:4], " "), "6 6 6 limit_day_usage"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestASmallBatchDoesNotOvertake: the owner waits for the task that was queued
// first, though it takes longer to read.
func TestASmallBatchDoesNotOvertake(t *testing.T) {
	h := newHouse(t, plain("A1", "100", `limits: {accumulated_maximum_usage_per_day: "10"}`))
	s := h.stall(t, 8)
	large, small := newDelivery(), newDelivery()
	s.in <- large
	s.in <- small
	small.take(0, queue.Encode(newID(), array([]string{use("small", "A1", "unleaded", "6", day(20, "10:00:00"))})), noon)
	s.begin()
	select {
	case err := <-small.done:
		t.Fatalf("the small one was judged alone: %v", err)
	case <-time.After(100 * time.Millisecond): // it would have been by now
	}
	id := newID()
	id[0] = 0 // the older one
	large.take(0, queue.Encode(id, array([]string{use("large", "A1", "unleaded", "6", day(20, "10:00:00"))})), noon)
	if err := errors.Join(<-large.done, <-small.done); err != nil {
		t.Fatal(err)
	}
	if got := h.judged("A1", "large") + " " + h.judged("A1", "small"); got != "12 limit_day_usage" {
		t.Errorf("got %s, want the large one first", got)
	}
}

// TestAPoisonedBatchIsSetAside: what the database or its own state refuses for
// good does not stop the shard, and takes no other with it.
func TestAPoisonedBatchIsSetAside(t *testing.T) {
	for _, tc := range []struct {
		name   string
		poison func(h *house, id uuid.UUID)
	}{
		{"the database refuses a record", func(h *house, _ uuid.UUID) {
			h.exec(`alter table records add constraint no_poison check (id <> 'poison')`)
		}},
		{"its records are damaged", func(h *house, id uuid.UUID) {
			h.exec(`update batches set payload = '\xdeadbeef' where id = '` + id.String() + `'`)
		}},
		{"its records are no array", func(h *house, id uuid.UUID) {
			h.exec(`update batches set payload = (select payload from batches where records = 4711) where id = '` + id.String() + `'`)
		}},
		{"an account is damaged", func(h *house, _ uuid.UUID) {
			h.exec(`update account_states set counters = '\x01' where account = 'A2'`)
		}},
		{"an account is in no zone", func(h *house, _ uuid.UUID) {
			h.exec(`update accounts set time_zone = 'Nowhere/Land' where number = 'A2'`)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h := newHouse(t, plain("A1", "100"), plain("A2", "100"))
			s := h.stall(t, 8)
			if err := h.store.Accept(t.Context(), postgres.StoredBatch{ID: newID(), Shard: 1, Count: 4711, AcceptedAt: noon, Records: []byte("[{")}); err != nil {
				t.Fatal(err)
			}
			h.accept(use("1", "A1", "unleaded", "1", day(20, "10:00:00")))
			poisoned := h.accept(use("poison", "A2", "unleaded", "1", day(20, "10:00:00")))
			last := h.accept(use("2", "A1", "unleaded", "1", day(20, "10:00:00")))
			tc.poison(h, poisoned.ID)
			if err := s.deliver(queue.Task{ID: "n", Payload: queue.Encode(last.ID, nil)})[0]; err != nil {
				t.Fatal(err)
			}
			if got := h.judged("A1", "1") + " " + h.judged("A1", "2"); got != "2 2" {
				t.Errorf("got %s, want the others rated", got)
			}
			got := h.query(`select concat_ws(' ', b.id = '` + poisoned.ID.String() + `', b.failed_at is not null, b.done_at is not null, d.settled_at is null)
				from dead_letters d join batches b on b.id = d.batch`)
			if got != "t t f t" {
				t.Errorf("dead letter: got %q, want one of the batch that was set aside", got)
			}
		})
	}
}

// TestABatchThatWasSetAsideIsTriedAgain when somebody says so; if it fails again
// its letter is open again.
func TestABatchThatWasSetAsideIsTriedAgain(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	s := h.stall(t, 8)
	b := h.accept(use("1", "A1", "unleaded", "1", day(20, "10:00:00")))
	nudge := queue.Task{ID: "n", Payload: queue.Encode(b.ID, nil)}
	open := `select count(*)::text from dead_letters where settled_at is null`
	h.exec(`update accounts set time_zone = 'Nowhere/Land' where number = 'A1'`)
	for range 2 {
		s.deliver(nudge)
		if got := h.query(open); got != "1" {
			t.Fatalf("got %s open letters, want one", got)
		}
		h.exec(`update dead_letters set settled_at = now()`)
		if err := h.store.Revive(t.Context(), b.ID); err != nil {
			t.Fatal(err)
		}
	}
	h.exec(`update accounts set time_zone = 'UTC' where number = 'A1'`)
	s.deliver(nudge)
	if got := h.judged("A1", "1") + " " + h.query(open); got != "2 0" {
		t.Errorf("got %s, want it rated, and no letter open", got)
	}
}

// TestWhatAnOperatorMendsIsWaitedFor: a table that is missing, as where a
// migration is under way, is no fault of a batch.
func TestWhatAnOperatorMendsIsWaitedFor(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	s := h.stall(t, 8)
	h.exec(`alter table records rename to away`)
	b := h.accept(use("1", "A1", "unleaded", "1", day(20, "10:00:00")))
	asked := make(chan struct{}, 1000)
	s.flow.clock = func() time.Time { // before every attempt
		select {
		case asked <- struct{}{}:
		default:
		}
		return noon
	}
	done := make(chan []error)
	go func() { done <- s.deliver(queue.Task{ID: "n", Payload: queue.Encode(b.ID, nil)}) }()
	for range 4 {
		<-asked
	}
	h.exec(`alter table away rename to records`)
	if err := <-done; err[0] != nil {
		t.Fatal(err)
	}
	if got := h.judged("A1", "1"); got != "2" {
		t.Errorf("got %s, want it rated", got)
	}
}

// TestWhoeverGivesAShardUpLosesNothing: the group at work is committed, what is in
// hand goes back, and a foreign feed's batch keeps its place.
func TestWhoeverGivesAShardUpLosesNothing(t *testing.T) {
	h := newHouse(t, plain("A1", "100"))
	s := h.stall(t, 1)
	atWork, inHand, alsoInHand := newDelivery(), newDelivery(), newDelivery()
	for i, d := range []*delivery{atWork, inHand, alsoInHand} {
		d.take(0, queue.Encode(newID(), array([]string{use(fmt.Sprint(i), "A1", "unleaded", "1", day(20, "10:00:00"))})), noon)
	}
	release := h.lockAccounts()
	s.in <- atWork
	stop := s.begin()
	eventually(t, "the owner is at work", func() bool {
		return h.locks() == "1"
	})
	s.in <- inHand
	s.in <- alsoInHand
	stop()
	release()
	<-s.left
	if err := <-atWork.done; err != nil {
		t.Errorf("the one at work: got %v, want it committed", err)
	}
	for _, d := range []*delivery{inHand, alsoInHand} {
		if err := <-d.done; !errors.Is(err, context.Canceled) {
			t.Errorf("one in hand: got %v, want it sent back", err)
		}
	}
	if got := h.judged("A1", "0") + " " + h.judged("A1", "1"); got != "2 absent" {
		t.Errorf("got %s, want the one at work rated", got)
	}
	if got := h.query(`select count(*)::text from batches where done_at is null`); got != "2" {
		t.Errorf("%s batches wait, want the two that were in hand", got)
	}
	if err := s.handle(t.Context(), task(newID())); !errors.Is(err, context.Canceled) {
		t.Errorf("a task that comes afterwards: got %v, want it sent back", err)
	}
}

func TestAnIdleOwnerLeavesWhatIsOnItsWay(t *testing.T) {
	head := func(age time.Duration) postgres.BatchHead { return postgres.BatchHead{AcceptedAt: noon.Add(-age)} }
	for _, tc := range []struct {
		name string
		ages []time.Duration
		want int
	}{
		{"nothing waits", nil, 0},
		{"a second old", []time.Duration{settleTime}, 1},
		{"not quite", []time.Duration{settleTime - 1}, 0},
		{"what follows waits as well", []time.Duration{time.Hour, time.Millisecond, time.Hour}, 1},
		{"a feed's clock is ahead", []time.Duration{-time.Hour, time.Hour}, 2},
	} {
		var heads []postgres.BatchHead
		for _, age := range tc.ages {
			heads = append(heads, head(age))
		}
		if got := len(settled(heads, noon)); got != tc.want {
			t.Errorf("%s: got %d, want %d", tc.name, got, tc.want)
		}
	}
}

func TestTheLogNamesTheRequestsOfAGroup(t *testing.T) {
	h := newHouse(t, plain("A1", "1000"))
	s := h.stall(t, 8)
	var log bytes.Buffer
	s.log = slog.New(slog.NewTextHandler(&log, nil))
	traces := []string{"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
	first, second := task(newID(), use("r1", "A1", "sms", "1", "2026-03-20T10:00:00Z")), task(newID(), use("r2", "A1", "sms", "1", "2026-03-20T10:00:00Z"))
	first.Traces, second.Traces = traces, traces[1:]
	for _, err := range s.deliver(first, second) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := `traces="[` + strings.Join(traces, " ") + `]"`; !strings.Contains(log.String(), want) {
		t.Errorf("got the log\n%s\nwant %s", log.String(), want)
	}
}
