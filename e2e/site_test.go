package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// commandPatience bounds one command; those that wait have a shorter time-out of
// their own.
const commandPatience = 2 * time.Minute

// site is one installation: its servers, its configuration and a folder.
type site struct {
	t           testing.TB
	dir         string
	databaseURL string
	redisURL    string
	variables   []string // configuration keys, as CHARGEHAND_…
}

// environment is all that a command of the site gets to see of ours.
func (s *site) environment() []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "USER=e2e",
		"DATABASE_URL=" + s.databaseURL, "REDIS_URL=" + s.redisURL,
	}, s.variables...)
}

// told is what became of a command.
type told struct {
	args           []string
	status         int
	stdout, stderr string
}

func (r told) String() string {
	return fmt.Sprintf("chargehand %s: exit %d\n%s%s", strings.Join(r.args, " "), r.status, r.stdout, r.stderr)
}

// run carries out one command, whatever becomes of it.
func (s *site) run(args ...string) told { return s.runOn("", args...) }

// runOn is run with something on standard input.
func (s *site) runOn(stdin string, args ...string) told {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), commandPatience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Env = s.dir, s.environment()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	dieWithUs(cmd)
	err := cmd.Run()
	r := told{args: args, status: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String()}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || r.status < 0 {
		s.t.Errorf("%s%v", r, err)
	}
	if strings.Contains(r.stderr, "goroutine ") {
		s.t.Errorf("it crashed: %s", r)
	}
	return r
}

// must is run for commands that have to succeed; it returns what they print.
func (s *site) must(args ...string) string {
	s.t.Helper()
	r := s.run(args...)
	if r.status != 0 {
		s.t.Fatalf("got exit status %d, want 0: %s", r.status, r)
	}
	return r.stdout
}

// answer is must for commands that print one line of JSON.
func (s *site) answer(args ...string) map[string]any {
	s.t.Helper()
	return s.object(s.must(append(args, "--json")...))
}

func (s *site) object(text string) map[string]any {
	s.t.Helper()
	var o map[string]any
	if err := decode(text, &o); err != nil {
		s.t.Fatalf("%v: %s", err, text)
	}
	return o
}

// list is must for commands that print a line of JSON for each thing.
func (s *site) list(args ...string) (all []map[string]any) {
	s.t.Helper()
	for line := range strings.Lines(s.must(append(args, "--json")...)) {
		all = append(all, s.object(line))
	}
	return all
}

// eachLine hands over what a command prints, line by line: it may be far too long
// to keep.
func (s *site) eachLine(do func(line []byte), args ...string) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), binary, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = s.dir, s.environment(), os.Stderr
	dieWithUs(cmd)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	scanner := bufio.NewScanner(stdout)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		do(scanner.Bytes())
	}
	if err := scanner.Err(); err != nil {
		s.t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		s.t.Fatal(err)
	}
}

// decode reads JSON with its numbers as they are written.
func decode(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

// file writes a file into the site's folder and returns its name.
func (s *site) file(name, content string) string {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return name
}

// process is a command that runs until it is told to end.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	log   string
	began time.Time
	ended chan struct{}
}

// start runs a command beside the test. What still runs at the test's end gets
// the signal to stop and must end well; the end of its log is shown when the
// test has failed.
func (s *site) start(args ...string) *process {
	s.t.Helper()
	log, err := os.CreateTemp(s.dir, args[0]+"-*.log")
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	p := &process{t: s.t, cmd: exec.Command(binary, args...), log: log.Name(), began: time.Now(), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = s.dir, s.environment()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	dieWithUs(p.cmd)
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // whoever asks looks at ProcessState
	}()
	s.t.Cleanup(func() {
		p.stop()
		if end := tail(p.log); s.t.Failed() && end != "" {
			s.t.Logf("end of the log of chargehand %s:\n%s", strings.Join(args, " "), end)
		}
	})
	return p
}

func (p *process) runs() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// begun says whether a worker got past its preparations. How long it lived would
// not tell: on a busy machine the preparations alone may take many seconds.
func (p *process) begun() bool {
	log, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Error(err)
	}
	return bytes.Contains(log, []byte("msg=started"))
}

// kill is kill -9. It returns when the process is gone.
func (p *process) kill() {
	p.t.Helper()
	if !p.runs() {
		p.t.Errorf("it ended before it was killed: %v\n%s", p.cmd.ProcessState, tail(p.log))
		return
	}
	if err := p.cmd.Process.Kill(); err != nil {
		p.t.Error(err)
	}
	<-p.ended
}

// stopPatience is what supervisors grant before they kill.
const stopPatience = 30 * time.Second

// stop is SIGTERM: the process must end by itself, with status 0. One that has
// gone already is let be.
func (p *process) stop() {
	p.t.Helper()
	if !p.runs() {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Error(err)
	}
	select {
	case <-p.ended:
	case <-time.After(stopPatience):
		p.t.Errorf("it runs %s after SIGTERM", stopPatience)
		_ = p.cmd.Process.Kill()
		<-p.ended
		return
	}
	if !p.cmd.ProcessState.Success() {
		p.t.Errorf("after SIGTERM: got %v, want exit status 0", p.cmd.ProcessState)
	}
}

// tail is the last lines of a file.
func tail(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := bytes.SplitAfter(content, []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-40):], nil))
}

// until polls until something is so and fails the test when it takes too long.
func until(t testing.TB, patience time.Duration, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for !is() {
		select {
		case <-poll.C:
		case <-ctx.Done():
			t.Fatalf("waited %s in vain until %s", patience, what)
		}
	}
}
