//go:build unix && !linux

package devstack

import (
	"syscall"
	"time"
)

// dieWithParent does nothing: only Linux has a parent-death signal. Elsewhere a
// kill -9 of us leaves the servers running, in a folder that stays locked.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}

// familyCPU returns 0: there is no /proc to read.
func familyCPU(int) (time.Duration, error) { return 0, nil }

// killFamily kills the process alone; PostgreSQL's children notice and end.
func killFamily(pid int) ([]int, error) {
	return nil, syscall.Kill(pid, syscall.SIGKILL)
}

// gone reports whether a process has ended.
func gone(pid int) bool { return syscall.Kill(pid, 0) != nil }

// memoryRoot finds nothing: there is no common place for files in memory.
func memoryRoot() (path string, ok bool) { return "", false }

// removeSharedMemory leaves the segment, of 56 bytes, to the next start over the
// same data.
func removeSharedMemory(int) {}
