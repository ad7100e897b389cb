//go:build linux

package devstack

import (
	"context"
	"log/slog"
)

// Gone is gone, for tests that look for processes left behind.
func Gone(pid int) bool { return gone(pid) }

// ChildPIDs lists the children of a process.
func ChildPIDs(parent int) ([]int, error) {
	family, err := children(parent)
	var pids []int
	for _, child := range family {
		pids = append(pids, child.pid)
	}
	return pids, err
}

// FindTools is findTools, reduced to what it found.
var FindTools = findTools

// RedisServer returns the path of what was found.
func (t tools) RedisServer() string { return t.redisServer }

// PostgresBin returns the folder that was found.
func (t tools) PostgresBin() string { return t.postgresBin }

// StartWithoutRedisServer is Start on a machine that has no redis-server.
func StartWithoutRedisServer(ctx context.Context, log *slog.Logger) (*Stack, error) {
	s := &Stack{}
	return s, s.startRedis(ctx, tools{}, Options{Log: log})
}

// MemoryRoot is memoryRoot.
func MemoryRoot() (string, bool) { return memoryRoot() }
