//go:build linux

package devstack_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/devstack"
)

// helperVariable turns a re-executed test binary into a process that starts a
// Stack, tells about it and waits: somebody to kill.
const helperVariable = "DEVSTACK_TEST_HELPER"

// told is what the helper prints: the processes it started and their address.
type told struct {
	PIDs        []int
	DatabaseURL string
}

func runHelper() int {
	s, err := devstack.Start(context.Background(), devstack.Options{Env: os.Getenv, Dir: os.Getenv("DEVSTACK_TEST_DIR"), Durable: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	postgres, redis := s.PIDs()
	pids, err := devstack.ChildPIDs(postgres)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := json.NewEncoder(os.Stdout).Encode(told{append(pids, postgres, redis), s.DatabaseURL}); err != nil {
		return 1
	}
	_, _ = io.Copy(io.Discard, os.Stdin) // until killed, or until the test has gone
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestKillingUsLeavesNoServerBehind(t *testing.T) {
	helper, started := startHelper(t, "")
	if err := helper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = helper.Wait()
	for _, pid := range started.PIDs {
		waitUntil(t, fmt.Sprintf("server process %d is gone", pid), func() bool { return devstack.Gone(pid) })
	}

	folder := temporaryFolder(started.DatabaseURL)
	if _, err := os.Stat(folder); err != nil {
		t.Fatalf("folder of the killed process: %v", err)
	}
	start(t, devstack.Options{NoPostgres: true})
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("folder of the killed process after the next start: got %v, want it removed", err)
	}
}

func TestKeptFolderIsTakenOverFromAKilledProcess(t *testing.T) {
	dir := newFolder(t)
	helper, _ := startHelper(t, dir)
	if err := helper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = helper.Wait()
	s := start(t, devstack.Options{Dir: dir, Durable: true})
	if got := query(t, s, "select 'up'"); got != "up" {
		t.Errorf("got %q, want %q", got, "up")
	}
}

func TestSweepSparesTheLiving(t *testing.T) {
	a := start(t, devstack.Options{NoRedis: true})
	start(t, devstack.Options{NoPostgres: true})
	if got := query(t, a, "select 'up'"); got != "up" {
		t.Errorf("first stack after the second swept: got %q, want %q", got, "up")
	}
}

// Root starts its servers as another user, everybody else as themselves: as
// root, the second way is tested by running the tests again as nobody.
func TestRunsAsAPlainUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: the other tests have run as a plain user")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skipf("no plain user to become: %v", err)
	}
	uid, uidErr := strconv.Atoi(nobody.Uid)
	gid, gidErr := strconv.Atoi(nobody.Gid)
	if uidErr != nil || gidErr != nil {
		t.Fatalf("user nobody has the ids %q and %q", nobody.Uid, nobody.Gid)
	}
	home := openFolder(t, "/tmp") // where programs may run, unlike in some /dev/shm
	binary := filepath.Join(home, "devstack.test")
	copyFile(t, binary) // go test keeps it where only root may enter

	cmd := exec.Command(binary, "-test.run=^(TestStartsAndStops|TestKilled|TestKilling)", "-test.v")
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "PG_BIN=" + os.Getenv("PG_BIN"), "REDIS_SERVER=" + os.Getenv("REDIS_SERVER")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	printed, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("tests as nobody: %v\n%s", err, printed)
	}
	if !strings.Contains(string(printed), "--- PASS: TestKillingUsLeavesNoServerBehind") {
		t.Errorf("tests as nobody did not run:\n%s", printed)
	}
}

// startHelper re-executes this test binary as a helper and waits until its
// servers are up.
func startHelper(t *testing.T, dir string) (*exec.Cmd, told) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), helperVariable+"=1", "DEVSTACK_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("helper said nothing: %v", err)
	}
	var started told
	if err := json.Unmarshal(line, &started); err != nil {
		t.Fatalf("helper said %q: %v", line, err)
	}
	return cmd, started
}

// temporaryFolder is the folder in which a database's socket lies.
func temporaryFolder(databaseURL string) string {
	_, query, _ := strings.Cut(databaseURL, "host=")
	host, _, _ := strings.Cut(query, "&")
	return strings.ReplaceAll(host, "%2F", "/")
}

func copyFile(t *testing.T, to string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, content, 0o755); err != nil {
		t.Fatal(err)
	}
}

// waitUntil polls until something is so, for as long as a loaded machine may need.
func waitUntil(t *testing.T, what string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !is() {
		select {
		case <-poll.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain until %s", what)
		}
	}
}
