package devstack

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ticksPerSecond is the unit of times in /proc: USER_HZ, which is 100 on every
// architecture that Go runs on.
const ticksPerSecond = 100

// dieWithParent asks the kernel to send the signal when the thread that starts
// the process ends. Go sets it after it has changed the user; the other way
// round the kernel would clear it.
func dieWithParent(attr *syscall.SysProcAttr, signal syscall.Signal) {
	attr.Pdeathsig = signal
}

// memoryRoot is where files are kept in memory, if there is room for a test's
// servers. On a disk that is slow to extend files a cloned database takes 300 ms,
// in memory 10.
func memoryRoot() (path string, ok bool) {
	const (
		sharedMemory = "/dev/shm"
		roomMin      = 1 << 30 // 40 MB for a cluster, 256 of log, 8 for each database; containers give 64 MB
		tmpfsMagic   = 0x01021994
	)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(sharedMemory, &fs); err != nil {
		return "", false
	}
	room := fs.Bavail * uint64(fs.Bsize)
	return sharedMemory, fs.Type == tmpfsMagic && room >= roomMin
}

// stat is what a line of /proc/PID/stat says.
type stat struct {
	pid, parent int
	zombie      bool
	cpu         time.Duration // of the process and its children that ended
}

func readStat(pid int) (stat, error) {
	line, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return stat{}, err
	}
	// The second field is the program's name in brackets and may hold anything.
	_, rest, found := bytes.Cut(line[max(0, bytes.LastIndexByte(line, ')')):], []byte(") "))
	fields := strings.Fields(string(rest))
	if !found || len(fields) < 15 {
		return stat{}, fmt.Errorf("read /proc/%d/stat: %q is not such a line", pid, line)
	}
	s := stat{pid: pid, zombie: fields[0] == "Z"}
	if s.parent, err = strconv.Atoi(fields[1]); err != nil {
		return stat{}, fmt.Errorf("read /proc/%d/stat: %w", pid, err)
	}
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("read /proc/%d/stat: %w", pid, err)
		}
		s.cpu += time.Duration(ticks) * time.Second / ticksPerSecond
	}
	return s, nil
}

// children lists the processes that the process started and that still run.
// PostgreSQL's leave its process group (each calls setsid), so the parent is
// what they are known by.
func children(parent int) ([]stat, error) {
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var found []stat
	for _, name := range names {
		pid, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			continue
		}
		s, err := readStat(pid)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it ended while we looked
		}
		if err != nil {
			return nil, err
		}
		if s.parent == parent {
			found = append(found, s)
		}
	}
	return found, nil
}

// familyCPU returns the processor time of a process, of the children that it
// has now and of those that it has reaped.
func familyCPU(pid int) (time.Duration, error) {
	self, err := readStat(pid)
	if err != nil {
		return 0, err
	}
	family, err := children(pid)
	if err != nil {
		return 0, err
	}
	sum := self.cpu
	for _, child := range family {
		sum += child.cpu
	}
	return sum, nil
}

// killFamily sends SIGKILL to a process and all its children at once, and
// returns the children for awaitGone. The parent is stopped first: from then on
// it starts no child and reaps none, so that no number in the list can come to
// mean another process.
func killFamily(pid int) ([]int, error) {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return nil, fmt.Errorf("stop process %d: %w", pid, err)
	}
	family, err := children(pid)
	var killed []int
	for _, child := range family {
		_ = syscall.Kill(child.pid, syscall.SIGKILL)
		killed = append(killed, child.pid)
	}
	return killed, errors.Join(err, syscall.Kill(pid, syscall.SIGKILL))
}

// gone reports whether a process has ended. A zombie has: it holds nothing any
// more, and who should reap it, in a container, may never do so.
func gone(pid int) bool {
	s, err := readStat(pid)
	return err != nil || s.zombie
}

// removeSharedMemory gives back a System V segment. It may be gone already.
func removeSharedMemory(id int) {
	_, _ = unix.SysvShmCtl(id, unix.IPC_RMID, nil)
}
