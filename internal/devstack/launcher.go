package devstack

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// stopPatience is what a server gets to follow a signal before the next one. A
// fast shutdown writes up to 512 MB of dirty buffers.
const stopPatience = 15 * time.Second

// launcher starts processes, all of them from one operating-system thread.
//
// The kernel sends the parent-death signal when the thread that forked ends,
// not when its process does. The Go runtime ends threads when it likes, so a
// server started from just any goroutine could be shot while we run. This
// thread is locked to a goroutine that lives until close; it ends only with the
// launcher, when the servers have stopped, or with the whole process.
type launcher struct {
	calls chan func()
	ended chan struct{}
}

func newLauncher() *launcher {
	l := &launcher{calls: make(chan func()), ended: make(chan struct{})}
	go l.run()
	return l
}

func (l *launcher) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(l.ended)
	for call := range l.calls {
		call()
	}
}

// close ends the thread. Whatever was started must have been stopped.
func (l *launcher) close() {
	close(l.calls)
	<-l.ended
}

// program is a server to start: what to run, and as whom.
type program struct {
	path        string
	args        []string
	env         []string
	folder      *folder
	logPath     string         // takes what it prints
	deathSignal syscall.Signal // what the kernel sends it when we die
}

// start runs a program in a process group of its own, so that a Ctrl-C at the
// terminal reaches us alone and we decide in which order things stop.
//
// The process inherits the folder's lock: the folder counts as used for as long
// as any of its servers lives, even when we do not.
func (l *launcher) start(p program) (*process, error) {
	log, err := os.OpenFile(p.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", p.path, err)
	}
	defer log.Close()
	cmd := exec.Command(p.path, p.args...)
	cmd.Env, cmd.Dir = p.env, p.folder.path
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{p.folder.lock}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.folder.owner.credential()}
	dieWithParent(cmd.SysProcAttr, p.deathSignal)

	result := make(chan error)
	l.calls <- func() { result <- cmd.Start() }
	if err := <-result; err != nil {
		return nil, fmt.Errorf("start %s: %w", p.path, err)
	}
	s := &process{cmd: cmd, logPath: p.logPath, ended: make(chan struct{})}
	go s.reap()
	return s, nil
}

// process is a server that we started.
type process struct {
	cmd     *exec.Cmd
	logPath string
	ended   chan struct{} // closed when the process is gone and reaped
}

// reap waits for the process. How it ended does not matter: whoever needs it
// running sees ended and reads the log.
func (p *process) reap() {
	_ = p.cmd.Wait()
	close(p.ended)
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// running reports whether the process was started and has not ended.
func (p *process) running() bool {
	if p == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// stop sends the signals in turn, each with its patience, and SIGKILL last. It
// returns when the process is gone.
func (p *process) stop(signals ...syscall.Signal) error {
	for _, signal := range append(signals, syscall.SIGKILL) {
		_ = p.cmd.Process.Signal(signal) // fails only when it is gone already
		select {
		case <-p.ended:
			return nil
		case <-time.After(stopPatience):
		}
	}
	return fmt.Errorf("stop %s: process %d is still there after SIGKILL", p.cmd.Path, p.pid())
}

// await calls ready until it succeeds. It gives up when the context ends or the
// process does, and then says what ready, and the server's own log, said last.
func (p *process) await(ctx context.Context, ready func(context.Context) error) error {
	const pollEvery = 5 * time.Millisecond
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for {
		err := ready(ctx)
		if !p.running() {
			return fmt.Errorf("start %s: it ended at once: %s", p.cmd.Path, p.lastWords())
		}
		if err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-p.ended:
		case <-ctx.Done():
			return fmt.Errorf("start %s: %w; last seen: %w; its log ends: %s", p.cmd.Path, ctx.Err(), err, p.lastWords())
		}
	}
}

// lastWords returns the end of the server's log on one line.
func (p *process) lastWords() string {
	const lines = 5
	text, err := os.ReadFile(p.logPath)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], " | ")
}

// output runs a short program to its end as the folder's owner and returns what
// it printed, which is part of the error when it failed.
func output(ctx context.Context, owner *serverUser, dir string, env []string, path string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.Dir = env, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: owner.credential()}
	printed, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(printed))
	if err != nil {
		return text, fmt.Errorf("run %s: %w: %s", path, err, strings.ReplaceAll(text, "\n", " | "))
	}
	return text, nil
}
