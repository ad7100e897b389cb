package api

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/chargehand/chargehand/api/access"
	"github.com/jackc/pgx/v5"
)

// seams are where a request with a key may die, each as a trigger that waits
// there.
var seams = []struct{ what, wait string }{
	{"before the change is whole", `create trigger wait before insert on audit_log for each row execute function wait()`},
	{"between the change and its answer", `create trigger wait before insert on answers for each row execute function wait()`},
	{"in the commit", `create constraint trigger wait after insert on answers deferrable initially deferred for each row execute function wait()`},
}

// onceOnly are requests that, carried out again, would do or answer something
// else; counted is how often it was done.
var onceOnly = []struct {
	what, method, path, body, counted string
	head                              []string
	status                            int
}{
	{what: "a new account", method: "POST", path: "/v1/customers/jane/accounts", status: 201,
		counted: `select count(*) - 1 from accounts`},
	{what: "limits with an entry added", method: "PATCH", path: "/v1/accounts/ACR0000001526/limits", status: 200,
		body:    `{"usage_services_allowance": [{"action": "add", "service": {"code": "Exxon Unleaded"}, "maximum_usage_per_month": "300"}]}`,
		counted: `select count(*) from limits where account = 'ACR0000001526' and body::text like '%300%'`},
	{what: "terms by a revision", method: "PATCH", path: "/v1/accounts/ACR0000001526", body: `{"cycle_day": 5}`, head: []string{"If-Match", `"r0"`},
		status: 200, counted: `select revision from accounts`},
	{what: "a set-up by a version", method: "PUT", path: "/v1/price-book", head: []string{"If-Match", `"settings-2"`}, status: 200,
		body:    `{"services": [{"code": "Diesel", "type": "E2"}]}`,
		counted: `select version - 2 from settings`},
}

const deeds = `select count(*) from audit_log`

// seam is a place at which requests wait for a test.
type seam struct {
	s    *site
	gate *pgx.Conn // a session that holds what they wait for
}

// seam makes requests wait where a trigger stands.
func (s *site) seam(trigger string) *seam {
	s.t.Helper()
	gate, err := pgx.Connect(s.t.Context(), s.database)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = gate.Close(context.WithoutCancel(s.t.Context())) })
	m := &seam{s, gate}
	m.run(`create function wait() returns trigger language plpgsql as $$
		begin perform pg_advisory_xact_lock_shared(4711); return new; end $$`, trigger, `select pg_advisory_lock(4711)`)
	return m
}

func (m *seam) run(statements ...string) {
	m.s.t.Helper()
	for _, statement := range statements {
		if _, err := m.gate.Exec(m.s.t.Context(), statement); err != nil {
			m.s.t.Fatalf("%s: %v", statement, err)
		}
	}
}

// reached waits until a request waits there, and says which session it has.
func (m *seam) reached() (session int) {
	m.s.t.Helper()
	const waiting = `select pid from pg_locks where locktype = 'advisory' and objid = 4711 and not granted`
	for {
		err := m.gate.QueryRow(m.s.t.Context(), waiting).Scan(&session)
		if err == nil {
			return session
		}
		if m.s.t.Context().Err() != nil {
			m.s.t.Fatalf("nobody came to the seam: %v", err)
		}
	}
}

// idle waits until no request is carried out any more.
func (m *seam) idle() {
	m.s.t.Helper()
	const busy = `select exists (select from pg_stat_activity where datname = current_database() and xact_start is not null and pid <> pg_backend_pid())`
	for there := true; there; {
		if err := m.gate.QueryRow(m.s.t.Context(), busy).Scan(&there); err != nil {
			m.s.t.Fatal(err)
		}
	}
}

// over waits until a session has ended.
func (m *seam) over(session int) {
	m.s.t.Helper()
	for there := true; there; {
		if err := m.gate.QueryRow(m.s.t.Context(), `select exists (select from pg_stat_activity where pid = $1)`, session).Scan(&there); err != nil {
			m.s.t.Fatal(err)
		}
	}
}

// open lets all through.
func (m *seam) open() { m.run(`select pg_advisory_unlock_all()`) }

// A server's connection dies at some moment of a request: as soon as it is gone
// the same request succeeds, and there is one change with one line in the log.
func TestWhateverConnectionDiesWhenARequestHappensOnce(t *testing.T) {
	for i, r := range onceOnly {
		for j, at := range seams {
			if i > 0 && j != 1 {
				continue // for one of them every seam, for all of them the worst
			}
			t.Run(r.what+" "+at.what, func(t *testing.T) {
				s := openSite(t, village, nil)
				s.token(access.Manage)
				m := s.seam(at.wait)
				head := append([]string{keyHeader, "k"}, r.head...)
				first := make(chan answer)
				go func() { first <- s.do(access.Manage, r.method, r.path, r.body, head...) }()
				session := m.reached()
				m.run(`select pg_terminate_backend(` + strconv.Itoa(session) + `, 60000)`)
				m.open()
				if got := <-first; got.status != 503 || got.head.Get("Retry-After") == "" {
					t.Errorf("got %d %s of the request that died", got.status, got.body)
				}
				again := s.change(r.status, r.method, r.path, r.body, head...)
				if again.head.Get("Idempotency-Replayed") != "" {
					t.Errorf("got %v, want it carried out now: nothing was done before", again.head)
				}
				if done, lines := s.ask(r.counted), s.ask(deeds); done != 1 || lines != 1 {
					t.Errorf("done %d times with %d lines in the log, want once with one", done, lines)
				}
				replay := s.change(r.status, r.method, r.path, r.body, head...)
				if replay.head.Get("Idempotency-Replayed") != "true" || string(replay.body) != string(again.body) {
					t.Errorf("got %v %s, want the answer again", replay.head, replay.body)
				}
				if done, lines := s.ask(r.counted), s.ask(deeds); done != 1 || lines != 1 {
					t.Errorf("after a replay done %d times with %d lines in the log", done, lines)
				}
			})
		}
	}
}

// The database commits, and the server does not hear of it: the answer that was
// kept is the one that the client comes back for.
func TestACommitOfWhichTheServerDidNotHearIsAnsweredAgain(t *testing.T) {
	s := openSite(t, village, nil)
	s.token(access.Manage)
	valve := s.behindValve(func(o *Options) { o.Patience = Patience{} }) // nothing ends by its time
	const path = "/v1/customers/jane/accounts"
	m := s.seam(seams[2].wait)
	first := make(chan answer)
	go func() { first <- s.do(access.Manage, "POST", path, "", keyHeader, "k") }()
	m.reached()
	valve.Shut()
	m.open()
	m.idle()
	valve.Cut()
	if got := <-first; got.status != 503 {
		t.Errorf("got %d %s of the request that nobody heard of", got.status, got.body)
	}
	if again := s.change(201, "POST", path, "", keyHeader, "k"); again.head.Get("Idempotency-Replayed") != "true" {
		t.Errorf("got %v, want what was kept", again.head)
	}
	if done, lines := s.ask(onceOnly[0].counted), s.ask(deeds); done != 1 || lines != 1 {
		t.Errorf("done %d times with %d lines in the log, want once with one", done, lines)
	}
}

// The whole server dies by kill -9, and another one is asked.
func TestWhenAServerIsKilledAnotherOneTakesTheRequestUp(t *testing.T) {
	s := openSite(t, village, nil)
	s.token(access.Manage)
	m := s.seam(seams[1].wait)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAMortalServer$")
	child.Env = append(os.Environ(), mortal+"="+s.database+" "+s.stack.RedisURL)
	child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var at string
	for lines := bufio.NewScanner(out); at == "" && lines.Scan(); {
		at = strings.TrimPrefix(lines.Text(), "served at ")
	}
	const path = "/v1/customers/jane/accounts"
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+s.token(access.Manage))
	q.Header.Set(keyHeader, "k")
	failed := make(chan error)
	go func() {
		w, err := http.DefaultClient.Do(q)
		if err == nil {
			_ = w.Body.Close()
		}
		failed <- err
	}()
	session := m.reached()
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it was killed
	if err := <-failed; err == nil {
		t.Error("a server that was killed has answered")
	}
	m.open()
	m.over(session)
	s.change(201, "POST", path, "", keyHeader, "k")
	if done, lines := s.ask(onceOnly[0].counted), s.ask(deeds); done != 1 || lines != 1 {
		t.Errorf("done %d times with %d lines in the log, want once with one", done, lines)
	}
}
