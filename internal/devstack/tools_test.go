//go:build linux

package devstack_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/devstack"
)

func TestWrongPGBinIsNamed(t *testing.T) {
	_, err := devstack.FindTools(t.Context(), lookup("PG_BIN", "/nowhere"), true, false)
	if err == nil || !strings.Contains(err.Error(), "PG_BIN=/nowhere") {
		t.Errorf("got %v, want an error that names PG_BIN=/nowhere", err)
	}
}

func TestWrongRedisServerIsNamed(t *testing.T) {
	_, err := devstack.FindTools(t.Context(), lookup("REDIS_SERVER", "/nowhere"), false, true)
	if err == nil || !strings.Contains(err.Error(), "REDIS_SERVER=/nowhere") {
		t.Errorf("got %v, want an error that names REDIS_SERVER=/nowhere", err)
	}
}

// A folder on the PATH with postgres but without initdb holds a wrapper; the
// search goes on to the usual places.
func TestPostgresWithoutInitdbIsPassedBy(t *testing.T) {
	wrapper := t.TempDir()
	writeScript(t, filepath.Join(wrapper, "postgres"), "echo 'postgres (PostgreSQL) 99.0'")
	found, err := devstack.FindTools(t.Context(), lookup("PATH", wrapper), true, false)
	if errors.Is(err, devstack.ErrNoPostgres) {
		t.Skip("no PostgreSQL in the usual places of this machine")
	}
	if err != nil {
		t.Fatal(err)
	}
	if found.PostgresBin() == wrapper {
		t.Errorf("got %s, which has no initdb", wrapper)
	}
}

func TestOldPostgresIsRefused(t *testing.T) {
	old := t.TempDir()
	writeScript(t, filepath.Join(old, "initdb"), "exit 1")
	writeScript(t, filepath.Join(old, "postgres"), "echo 'postgres (PostgreSQL) 14.9 (Debian 14.9-1)'")
	_, err := devstack.FindTools(t.Context(), lookup("PG_BIN", old), true, false)
	if err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("PostgreSQL 14: got %v, want it refused as too old", err)
	}
}

func TestErrNoPostgresNamesTheThreeWaysOut(t *testing.T) {
	for _, way := range []string{"apt-get install", "PG_BIN", "DATABASE_URL"} {
		if !strings.Contains(devstack.ErrNoPostgres.Error(), way) {
			t.Errorf("%q does not name %s", devstack.ErrNoPostgres, way)
		}
	}
}

func TestWithoutRedisServerTheQueueIsInMemoryAndTheLogSaysSo(t *testing.T) {
	var log strings.Builder
	s, err := devstack.StartWithoutRedisServer(t.Context(), slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if !s.RedisInMemory || !strings.Contains(log.String(), "in memory") {
		t.Errorf("in memory: got %t with the log %q, want true and a line about it", s.RedisInMemory, log.String())
	}
	client := connectRedis(t, s)
	if err := client.Set(t.Context(), "lease", "mine", time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, "the key has expired", func() bool { return client.Exists(t.Context(), "lease").Val() == 0 })
	if s.KillRedis() == nil {
		t.Error("killed a Redis that is no process: got nil, want an error")
	}
}

// lookup is an environment of one variable.
func lookup(key, value string) func(string) string {
	return func(asked string) string {
		if asked == key {
			return value
		}
		return ""
	}
}

func writeScript(t *testing.T, path, body string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}
