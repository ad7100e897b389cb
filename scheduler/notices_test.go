package scheduler

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/go-cmp/cmp"
)

// receiver is a webhook of the test's own. It keeps what it was sent and answers
// as it is told to.
type receiver struct {
	*httptest.Server
	t      testing.TB
	mu     sync.Mutex
	got    []received
	answer func(http.ResponseWriter, *http.Request) // nil: 204
}

type received struct {
	id, signature, contentType string
	at                         time.Time
	body                       []byte
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{t: t}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	seconds, err := strconv.ParseInt(request.Header.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	r.got = append(r.got, received{request.Header.Get("webhook-id"), request.Header.Get("webhook-signature"),
		request.Header.Get("Content-Type"), time.Unix(seconds, 0), body})
	answer := r.answer
	r.mu.Unlock()
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer(w, request)
}

// answers sets what the receiver does from now on.
func (r *receiver) answers(answer func(http.ResponseWriter, *http.Request)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// takes is what the receiver was sent since it was last asked.
func (r *receiver) takes() []received {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// webhook is the receiver as it is configured.
func (r *receiver) webhook() webhook {
	all, err := parseWebhooks(r.URL + "/secret-path " + secretA)
	if err != nil {
		r.t.Fatal(err)
	}
	return all[0]
}

// deliverTo sends everything that is due to one of the receivers.
func (s *site) deliverTo(r *receiver, all ...*receiver) error {
	addresses := []string{}
	for _, r := range append(all, r) {
		addresses = append(addresses, r.webhook().address)
	}
	return s.deliver(s.t.Context(), Order{At: s.Clock(), Actor: actor}, r.webhook(), addresses)
}

// later lets the clock of the site's runner stand ahead.
func (s *site) later(by time.Duration) {
	s.Clock = func() time.Time { return time.Now().Add(by) }
}

func TestNoticesTellWhatHappened(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), daily("A", "1", "2026-03-02"))
	s.chargeAt("2026-03-03T00:00:00Z") // the first is covered, the second is not
	s.exec(`update account_states set due_at = '0001-01-01T00:00:00Z', balance = -101, negative_since = now() where account = 'A'`)
	s.sweepAt("2026-03-03T12:00:00Z")
	s.chargeAt("2026-03-04T00:00:00Z")
	if err := s.deliverTo(r); err != nil {
		t.Fatal(err)
	}
	byType := map[string]string{}
	for _, n := range r.takes() {
		if n.contentType != "application/cloudevents+json; charset=utf-8" || time.Since(n.at) > time.Minute {
			t.Errorf("got content type %q at %s", n.contentType, n.at)
		}
		w := r.webhook()
		if want := w.sign(n.id, n.at, n.body); n.signature != want {
			t.Errorf("got signature %s, want %s", n.signature, want)
		}
		var e struct {
			SpecVersion, ID, Source, Type, Subject, DataContentType, Sequence string
			Time                                                              time.Time
			Data                                                              json.RawMessage
		}
		if err := json.Unmarshal(n.body, &e); err != nil {
			t.Fatal(err)
		}
		if e.SpecVersion != "1.0" || e.ID != n.id || e.Source != "chargehand" || e.Subject != "A" || e.DataContentType != "application/json" || len(e.Sequence) != 20 {
			t.Errorf("got the event %+v", e)
		}
		byType[e.Type] = e.Time.Format(time.RFC3339) + " " + string(e.Data)
	}
	want := map[string]string{
		"periodic.uncovered.v1": `2026-03-03T00:00:00Z {"account":"A","periodic":"Line","from":"2026-03-03","to":"2026-03-04","amount":"1","balance_after":"-1"}`,
		"account.status_changed.v1": `2026-03-03T12:00:00Z {"account":"A","from":"active","to":"credit_hold","status_reason":"threshold",` +
			`"note":"","balance":"-101","threshold":"100","actor":"test"}`,
		"periodic.skipped.v1": `2026-03-04T00:00:00Z {"account":"A","periodic":"Line","from":"2026-03-04","to":"2026-03-05","reason":"credit_hold","balance_after":"-101"}`,
	}
	if diff := cmp.Diff(byType, want); diff != "" {
		t.Error("got, want:", diff)
	}
	if err := s.deliverTo(r); err != nil || len(r.takes()) != 0 {
		t.Errorf("once more: %v, or something was sent twice", err)
	}
}

// What is written with a notice is not there without it, and the other way round.
func TestANoticeStandsWithItsLine(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), `{number: A, opening_balance: "0"}`)
	s.exec(`alter table notices rename to away`)
	hold := postgres.StatusRequest{Account: "A", Action: postgres.HoldAccount, Note: "n", At: at(t, "2026-03-01T00:00:00Z"), Actor: "test"}
	if _, err := s.store.SetStatus(t.Context(), hold); err == nil {
		t.Error("a hold was written without its notice")
	}
	s.wantAccount("A", "active 0")
	s.exec(`alter table away rename to notices`)
	if _, err := s.store.SetStatus(t.Context(), hold); err != nil {
		t.Fatal(err)
	}
	if n := query[int](s, `select count(*) from notices n join status_history h on h.account = n.account and h.seq = n.seq`); n != 1 {
		t.Errorf("got %d notices, want 1", n)
	}
}

// holdSome makes n accounts and has the sweep hold them: n notices.
func (s *site) holdSome(n int) {
	s.t.Helper()
	s.apply(at(s.t, "2026-03-01T00:00:00Z"), indebted(n)...)
	s.sweepAt("2026-03-02T00:00:00Z")
}

func TestANoticeIsTriedUntilItIsTakenAndThenNoMore(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t)
	s.holdSome(1)
	r.answers(status(http.StatusInternalServerError))
	if err := s.deliverTo(r); err == nil || !strings.Contains(err.Error(), "500 Internal Server Error") {
		t.Errorf("got %v, want what it answered", err)
	}
	if err := s.deliverTo(r); err != nil || len(r.takes()) != 1 {
		t.Errorf("before the wait is over: got %v or another try, want one try so far", err)
	}
	s.later(6 * time.Second)
	r.answers(nil)
	first := s.dueIDs()
	if err := s.deliverTo(r); err != nil {
		t.Fatal(err)
	}
	got := r.takes()
	if len(got) != 1 || got[0].id != first[0] {
		t.Errorf("got %d tries after the wait, want one with the id of before", len(got))
	}
	if left := query[int](s, `select count(*) from deliveries`); left != 0 {
		t.Errorf("got %d deliveries after it was taken, want none", left)
	}
}

func (s *site) dueIDs() (ids []string) {
	s.t.Helper()
	account := query[string](s, `select account from deliveries limit 1`)
	seq := query[int64](s, `select seq from deliveries limit 1`)
	return []string{postgres.NoticeID(account, seq).String()}
}

func TestANoticeIsDeadAfterItsLastTryAndCanBeReplayed(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t)
	s.holdSome(2)
	r.answers(status(http.StatusTeapot))
	var ahead time.Duration
	for i := range 8 {
		if err := s.deliverTo(r); err == nil {
			t.Fatalf("try %d: no error", i)
		}
		if i < len(retryAfter) {
			ahead += retryAfter[i]
			s.later(ahead - time.Second)
			if err := s.deliverTo(r); err != nil {
				t.Fatalf("before wait %d is over: %v", i, err)
			}
			ahead += retryAfter[i]/10 + time.Second
			s.later(ahead)
		}
	}
	if got := len(r.takes()); got != 16 {
		t.Errorf("got %d tries of two notices, want 16", got)
	}
	s.later(1000 * time.Hour)
	if err := s.deliverTo(r); err != nil || len(r.takes()) != 0 {
		t.Errorf("after the last try: got %v or another try", err)
	}
	dead := s.dead()
	if len(dead) != 2 || dead[0].Tries != 8 || dead[0].Fault != "it answered 418 I'm a teapot" || !strings.Contains(dead[0].Body, "status_changed") {
		t.Errorf("got the dead notices %+v", dead)
	}
	if st, err := s.store.SchedulerStats(t.Context()); err != nil || st.Notices != (postgres.NoticeStats{Dead: 2}) {
		t.Errorf("got %+v, %v, want two dead notices", st.Notices, err)
	}
	if n, err := s.store.ForgetNotices(t.Context(), 0, []string{r.webhook().address}); err != nil || n != 0 {
		t.Errorf("forgot %d dead notices, %v; want them kept", n, err)
	}
	if n, err := s.store.ReplayNotices(t.Context(), s.Clock(), postgres.DeadNoticeFilter{Account: dead[0].Account}); err != nil || n != 1 {
		t.Errorf("replayed %d, %v, want 1", n, err)
	}
	r.answers(nil)
	if err := s.deliverTo(r); err != nil {
		t.Fatal(err)
	}
	if got := r.takes(); len(got) != 1 || got[0].id != dead[0].ID.String() {
		t.Errorf("after the replay: got %d tries, want one of the notice that was replayed", len(got))
	}
	if n, err := s.store.DiscardNotices(t.Context(), s.Clock(), postgres.DeadNoticeFilter{}); err != nil || n != 1 {
		t.Errorf("discarded %d, %v, want 1", n, err)
	}
}

func (s *site) dead() (all []postgres.DeadNotice) {
	s.t.Helper()
	if err := s.store.DeadNotices(s.t.Context(), func(d *postgres.DeadNotice) error {
		all = append(all, *d)
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return all
}

func TestAnswersThatAreNotASuccess(t *testing.T) {
	s := newSite(t)
	other, r := newReceiver(t), newReceiver(t)
	s.holdSome(1)
	hangUp := func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_ = conn.Close()
	}
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"302 Found": func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, other.URL, http.StatusFound) },
		"404":       status(http.StatusNotFound), "304": status(http.StatusNotModified), "429": status(http.StatusTooManyRequests), "EOF": hangUp,
	} {
		r.answers(answer)
		s.exec(`update deliveries set due_at = now(), tries = 0`)
		err := s.deliverTo(r)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		} else if strings.Contains(err.Error(), "secret-path") {
			t.Errorf("%s: %v shows the path", name, err)
		}
	}
	if len(other.takes()) != 0 {
		t.Error("a redirection was followed")
	}
}

// A receiver that stalls holds up itself alone, and not the end of the scheduler.
func TestAStalledReceiverHoldsUpNobody(t *testing.T) {
	s := newSite(t)
	stalled, well := newReceiver(t), newReceiver(t)
	s.holdSome(20)
	let := make(chan struct{})
	stalled.answers(func(http.ResponseWriter, *http.Request) { <-let })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- s.deliver(ctx, Order{At: time.Now(), Actor: actor}, stalled.webhook(),
			[]string{stalled.webhook().address, well.webhook().address})
	}()
	eventually(t, "the stalled one has eight requests", func() bool {
		stalled.mu.Lock()
		defer stalled.mu.Unlock()
		return len(stalled.got) == deliveriesAtOnce
	})
	if err := s.deliverTo(well, stalled); err != nil || len(well.takes()) != 20 {
		t.Errorf("the other one: got %v, or not all of 20 notices", err)
	}
	stop()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("it says that it sent everything")
		}
	case <-time.After(patience):
		t.Fatal("it did not stop while its receiver stalled")
	}
	close(let)
	if waiting := query[int](s, `select count(*) from deliveries where tries = 0`); waiting != 20 {
		t.Errorf("got %d untouched deliveries, want 20: what was cut off is sent again", waiting)
	}
}

// One notice that is never taken does not keep the others.
func TestABadNoticeKeepsNoOther(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t)
	s.holdSome(150)
	r.answers(func(w http.ResponseWriter, q *http.Request) {
		w.WriteHeader(map[bool]int{true: 500, false: 200}[strings.HasPrefix(q.Header.Get("webhook-id"), "0")])
	})
	if err := s.deliverTo(r); err != nil {
		t.Fatal(err)
	}
	bad := 0
	for _, n := range r.takes() {
		if n.id[0] == '0' {
			bad++
		}
	}
	if left := query[int](s, `select count(*) from deliveries`); left != bad {
		t.Errorf("got %d deliveries left, want the %d that it did not take", left, bad)
	}
	want := fmt.Sprintf(`{"delivered": %d}`, 150-bad)
	if bad > 0 {
		want = fmt.Sprintf(`{"failed": %d, "delivered": %d}`, bad, 150-bad)
	}
	if got := query[string](s, `select counts::text from runs where job like 'notices%'`); got != want {
		t.Errorf("the log of runs: got %s, want %s", got, want)
	}
}

func TestManyWhoDeliverSendEverythingAtLeastOnce(t *testing.T) {
	s := newSite(t)
	r := newReceiver(t)
	s.holdSome(300)
	var wait sync.WaitGroup
	for range 3 {
		wait.Go(func() {
			if err := s.deliverTo(r); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	ids := map[string]bool{}
	for _, n := range r.takes() {
		ids[n.id] = true
	}
	if left := query[int](s, `select count(*) from deliveries`); len(ids) != 300 || left != 0 {
		t.Errorf("got %d different notices and %d left, want 300 and none", len(ids), left)
	}
}

func TestNoticesAreForgottenInTime(t *testing.T) {
	s := newSite(t)
	r, gone := newReceiver(t), newReceiver(t)
	s.holdSome(3)
	tidy := func(webhooks ...string) {
		if err := s.tidy(t.Context(), Order{At: time.Now()}, Config{KeepNotices: time.Hour}, webhooks); err != nil {
			t.Fatal(err)
		}
	}
	count := func() int { return query[int](s, `select count(*) from notices`) }
	tidy()
	if got := count(); got != 3 {
		t.Fatalf("young ones: got %d, want 3", got)
	}
	s.exec(`update notices set written_at = now() - interval '59 minutes' where account = 'D000000'`)
	s.exec(`update notices set written_at = now() - interval '61 minutes' where account <> 'D000000'`)
	tidy()
	if got := count(); got != 1 {
		t.Fatalf("nobody wants them: got %d, want the young one", got)
	}
	// The one that is left reaches the webhook that is there, not the one that is
	// taken out of the configuration before it answers.
	gone.answers(status(500))
	if err := s.deliverTo(gone, r); err == nil {
		t.Fatal("no error")
	}
	if err := s.deliverTo(r, gone); err != nil || len(r.takes()) != 1 {
		t.Fatalf("got %v or not one notice", err)
	}
	s.exec(`update notices set written_at = now() - interval '61 minutes'`)
	tidy(r.webhook().address, gone.webhook().address)
	if got := count(); got != 1 {
		t.Errorf("it waits for a webhook: got %d, want 1", got)
	}
	tidy(r.webhook().address)
	if got := count(); got != 0 {
		t.Errorf("its webhook is gone: got %d, want none", got)
	}
}

// The audit log is kept for ever, unless its keeping has a bound.
func TestTheAuditLogIsKeptAsToldTo(t *testing.T) {
	s := newSite(t)
	for _, id := range []string{"00000000-0000-7000-8000-000000000000", "7fffffff-ffff-7fff-bfff-ffffffffffff"} { // long ago, and not yet
		s.exec(`insert into audit_log values ('` + id + `', now(), '', '', '', '', '')`)
	}
	for _, c := range []struct {
		keep time.Duration
		want int
	}{{0, 2}, {time.Hour, 1}} {
		if err := s.tidy(t.Context(), Order{At: time.Now()}, Config{KeepNotices: time.Hour, KeepAudit: c.keep}, nil); err != nil {
			t.Fatal(err)
		}
		if got := query[int](s, `select count(*) from audit_log`); got != c.want {
			t.Errorf("kept for %s: got %d lines, want %d", c.keep, got, c.want)
		}
	}
}

// Every way to a change of status tells of it.
func TestEveryChangeOfStatusIsTold(t *testing.T) {
	s := newSite(t)
	s.apply(at(t, "2026-03-01T00:00:00Z"), `{number: A, opening_balance: "-101", class: ever}`)
	s.sweepAt("2026-03-01T01:00:00Z")
	s.pay("A", "50", "k", "2026-03-01T02:00:00Z")
	threshold := "10"
	if _, err := s.store.SetAccount(t.Context(), postgres.AccountChange{Account: "A", Threshold: &threshold,
		At: at(t, "2026-03-01T03:00:00Z"), Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	for _, action := range []postgres.StatusAction{postgres.HoldAccount, postgres.ReleaseAccount, postgres.DeleteAccount} {
		if _, err := s.store.SetStatus(t.Context(), postgres.StatusRequest{Account: "A", Action: action, Note: "n",
			At: at(t, "2026-03-01T04:00:00Z"), Actor: "test"}); err != nil {
			t.Fatal(err)
		}
	}
	got := query[string](s, `select string_agg(body::json->'data'->>'to', ' ' order by seq) from notices`)
	want := "credit_hold active credit_hold administrative_hold credit_hold deleted"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if a := s.account("A"); a.Status != billing.Deleted {
		t.Errorf("got %s", a.Status)
	}
}
